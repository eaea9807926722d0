"""The images of a guide set as items: a picture, a caption that is edited in place, and whether something is off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QImage
from typing_extensions import override

from synthstudio.core.synthesis.guide_crops import guide_window
from synthstudio.domain.ids import GuideId
from synthstudio.gui.pages.generate.diffusion.guide_reader import GuidePicture
from synthstudio.project.guide_material import GuideCrop

NAME_ROLE = int(Qt.ItemDataRole.UserRole)
"""What the image is called: its number in the set and its FOV."""
TROUBLE_ROLE = NAME_ROLE + 1
"""Whether something is off with it."""

FindPicture = Callable[[GuideCrop], GuidePicture | None]
"""Gives the picture of an image, or None and begins to read it."""
Index = QModelIndex | QPersistentModelIndex
_NO_INDEX = QModelIndex()


class GuideModel(QAbstractListModel):
    """One item for each image; pictures are asked for as they come into sight.

    Signals:
        caption_edited: (`GuideId`, caption) A hand has written another caption.
    """

    caption_edited = Signal(object, str)

    def __init__(self, find_picture: FindPicture, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._crops: tuple[GuideCrop, ...] = ()
        self._find_picture = find_picture
        self._problems: Mapping[GuideId, Sequence[str]] = {}
        self.is_editable = True

    @property
    def crops(self) -> tuple[GuideCrop, ...]:
        return self._crops

    def show_crops(self, crops: Sequence[GuideCrop]) -> None:
        """Show these images. Where only captions differ, places and selection stay."""
        is_same = [each.guide.id for each in crops] == [each.guide.id for each in self._crops]
        if is_same:
            self._crops = tuple(crops)
            self._tell_all()
            return
        self.beginResetModel()
        self._crops = tuple(crops)
        self._problems = {}
        self.endResetModel()

    def show_picture(self, guide_id: GuideId) -> None:
        """The picture of an image is there by now."""
        place = self.place_of(guide_id)
        if place is not None:
            index = self.index(place)
            self.dataChanged.emit(index, index)

    def show_problems(self, problems: Mapping[GuideId, Sequence[str]]) -> None:
        """Mark the images that something is off with, by the sentences that say what."""
        self._problems = problems
        self._tell_all()

    def _tell_all(self) -> None:
        if self._crops:
            self.dataChanged.emit(self.index(0), self.index(len(self._crops) - 1))

    def place_of(self, guide_id: GuideId) -> int | None:
        """The place of an image, or None."""
        return next((place for place, each in enumerate(self._crops) if each.guide.id == guide_id), None)

    @override
    def rowCount(self, parent: Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self._crops)

    @override
    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.isValid() and self.is_editable else flags

    @override
    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        crop, value = self._crops[index.row()], None
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.EditRole:
                value = crop.caption
            case Qt.ItemDataRole.DecorationRole:
                return self._picture(crop)
            case Qt.ItemDataRole.ToolTipRole:
                value = "\n".join([_facts(crop), *self._problems.get(crop.guide.id, ())])
            case Qt.ItemDataRole.AccessibleTextRole:
                value = f"{crop.fov.name}: {crop.caption or 'no caption'}"
            case _ if role == NAME_ROLE:
                value = f"{index.row() + 1}  {crop.fov.name}"
            case _ if role == TROUBLE_ROLE:
                return bool(self._problems.get(crop.guide.id))
        return value

    def _picture(self, crop: GuideCrop) -> QImage | None:
        picture = self._find_picture(crop)
        return picture.image if picture is not None else None

    @override
    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if not index.isValid() or role != Qt.ItemDataRole.EditRole:
            return False
        crop, caption = self._crops[index.row()], " ".join(str(value).split())
        if caption != crop.caption:
            self.caption_edited.emit(crop.guide.id, caption)
        return True


def _facts(crop: GuideCrop) -> str:
    window = guide_window(crop.fov, crop.guide.box)
    what = "crop" if crop.guide.box is not None else "middle square"
    split = f"{crop.fov.split} split" if crop.fov.split else "no split"
    return f"{crop.fov.name}, {crop.fov.sample_name}, {split}; {what} of {window.side} px"
