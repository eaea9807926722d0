"""Making a guide set, and choosing what comes into it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId
from synthstudio.domain.records import FieldOfView, Split
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.dialog_layout import add_row
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.widgets.wrapped_label import WrappedLabel

WIDTH_PX = 440
MARGIN_PERCENT, MOST_MARGIN_PERCENT = 25, 200
WANTED, MOST_WANTED = 10, 10_000


class _GuideDialog(QDialog):
    """A note, some inputs, a problem line and two buttons; what the deed raises as UserError is shown here."""

    def __init__(self, title: str, note: str, deed: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setMinimumWidth(scaled_px(WIDTH_PX))
        self.note = WrappedLabel("muted", self)
        self.note.setText(note)
        self.problem = WrappedLabel("danger", self)
        self.problem.hide()
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.do_button: QPushButton = self.buttons.addButton(deed, QDialogButtonBox.ButtonRole.AcceptRole)
        self.do_button.setProperty("primary", True)
        self.do_button.style().polish(self.do_button)  # the box has polished it already
        self.do_button.setDefault(True)
        self.buttons.accepted.connect(self._on_buttons_accepted)
        self.buttons.rejected.connect(self.reject)

    def _lay_out(self, *inputs: QWidget | QFormLayout) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * GRID_PX, 4 * GRID_PX, 4 * GRID_PX, 4 * GRID_PX)
        layout.setSpacing(2 * GRID_PX)
        layout.addWidget(self.note)
        for each in inputs:
            if isinstance(each, QWidget):
                layout.addWidget(each, 1)
            else:
                layout.addLayout(each)
        layout.addWidget(self.problem)
        layout.addWidget(self.buttons)

    def _do(self) -> None:
        raise NotImplementedError

    @Slot()
    def _on_buttons_accepted(self) -> None:
        try:
            self._do()
        except UserError as error:
            self.problem.setText(f"{error.message} {error.hint}")
            self.problem.show()
        else:
            self.accept()


class NewGuideSetDialog(_GuideDialog):
    """Name, class name and identifier; `make` gets them."""

    def __init__(self, class_names: Sequence[str], make: Callable[[str, str, str], None], parent: QWidget) -> None:
        note = "Ten images that show a condition in all its forms are enough. Captions name identifier and class."
        super().__init__("New guide set", note, "Make", parent)
        self._make = make
        self.name = QLineEdit(self)
        self.name.setPlaceholderText("mpox")
        self.class_name = ElidedCombo(self)
        self.class_name.setEditable(True)
        self.class_name.addItems(list(class_names))
        self.class_name.setCurrentIndex(-1)
        line = self.class_name.lineEdit()
        assert line is not None  # it is editable
        line.setPlaceholderText("as captions say it: mpox lesion")
        self.identifier = QLineEdit("zxq", self)
        self.identifier.setToolTip("A rare word that stands for what is learned")
        form = QFormLayout()
        form.setSpacing(2 * GRID_PX)
        for text, field in (("Name", self.name), ("Class name", self.class_name), ("Identifier", self.identifier)):
            add_row(form, text, field)
        self._lay_out(form)
        self.name.setFocus()

    def _do(self) -> None:
        self._make(self.name.text(), self.class_name.currentText(), self.identifier.text())


class AddImagesDialog(_GuideDialog):
    """A list of the project's images, several of which can be chosen; `add` gets them."""

    def __init__(
        self,
        fovs: Sequence[FieldOfView],
        chosen: Sequence[FovId],
        add: Callable[[Sequence[FovId]], None],
        parent: QWidget,
    ) -> None:
        note = "The middle square of each image is learned from. Images of the test split are not offered."
        super().__init__("Add images", note, "Add", parent)
        self._add = add
        self.filter = QLineEdit(self)
        self.filter.setPlaceholderText("Filter by name or sample")
        self.filter.setClearButtonEnabled(True)
        self.fovs = QListWidget(self)
        self.fovs.setAccessibleName("Images")
        self.fovs.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.fovs.setMinimumHeight(scaled_px(280))
        for fov in fovs:
            if fov.split is not Split.TEST:
                item = QListWidgetItem(f"{fov.name}    {fov.sample_name}", self.fovs)
                item.setData(Qt.ItemDataRole.UserRole, fov.id)
                item.setSelected(fov.id in chosen)
        self._lay_out(self.filter, self.fovs)
        self.filter.textChanged.connect(self._on_filter_text_changed)
        self.fovs.itemSelectionChanged.connect(self._count)
        self._count()
        self.filter.setFocus()

    @Slot(str)
    def _on_filter_text_changed(self, text: str) -> None:
        for row in range(self.fovs.count()):
            item = self.fovs.item(row)
            item.setHidden(text.casefold() not in item.text().casefold())

    @Slot()
    def _count(self) -> None:
        n = len(self.fovs.selectedItems())
        self.do_button.setText(f"Add {n} images" if n != 1 else "Add 1 image")
        self.do_button.setEnabled(n > 0)

    def _do(self) -> None:
        rows = sorted(self.fovs.row(item) for item in self.fovs.selectedItems())
        self._add([self.fovs.item(row).data(Qt.ItemDataRole.UserRole) for row in rows])


@dataclass(frozen=True, slots=True)
class RegionWish:
    """Which squares around regions are wanted.

    Attributes:
        margin: On each side, as a share of the region's longer side.
        count: The most that are wanted; None for all.
    """

    class_names: tuple[str, ...]
    margin: float
    count: int | None = None


class _RegionDialog(_GuideDialog):
    """Classes of the regions and their surroundings; a deed gets them."""

    def __init__(
        self,
        title: str,
        note: str,
        deed: str,
        *,
        class_names: Sequence[str],
        chosen: str,
        do: Callable[[RegionWish], None],
        parent: QWidget,
    ) -> None:
        super().__init__(title, note, deed, parent)
        self._deed = do
        self.classes = QListWidget(self)
        self.classes.setAccessibleName("Classes of the regions")
        for name in class_names:
            item = QListWidgetItem(name, self.classes)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            is_chosen = name == chosen or chosen not in class_names
            item.setCheckState(Qt.CheckState.Checked if is_chosen else Qt.CheckState.Unchecked)
        self.margin = QSpinBox(self)
        self.margin.setRange(0, MOST_MARGIN_PERCENT)
        self.margin.setValue(MARGIN_PERCENT)
        self.margin.setSuffix(" %")
        self.margin.setToolTip("On each side, as a share of the region's longer side, 0 to 200 %")
        self.form = QFormLayout()
        self.form.setSpacing(2 * GRID_PX)
        add_row(self.form, "Surroundings", self.margin)
        self._lay_out(self.classes, self.form)
        self.classes.itemChanged.connect(self._on_classes_item_changed)
        self._on_classes_item_changed()

    @property
    def checked(self) -> tuple[str, ...]:
        """The chosen classes."""
        items = [self.classes.item(row) for row in range(self.classes.count())]
        return tuple(item.text() for item in items if item.checkState() is Qt.CheckState.Checked)

    @property
    def wish(self) -> RegionWish:
        """What is chosen."""
        return RegionWish(self.checked, self.margin.value() / 100)

    @Slot()
    def _on_classes_item_changed(self) -> None:
        self.do_button.setEnabled(bool(self.checked))

    def _do(self) -> None:
        self._deed(self.wish)


class AddRegionsDialog(_RegionDialog):
    """Which crops around regions come into a set, and how many; `add` gets them."""

    def __init__(
        self, class_names: Sequence[str], chosen: str, add: Callable[[RegionWish], None], parent: QWidget
    ) -> None:
        super().__init__(
            "Add crops around regions",
            "Squares around marked regions. Every image has its turn before any gives a second one, the largest first.",
            "Add",
            class_names=class_names,
            chosen=chosen,
            do=add,
            parent=parent,
        )
        self.count = QSpinBox(self)
        self.count.setRange(1, MOST_WANTED)
        self.count.setValue(WANTED)
        add_row(self.form, "At most", self.count)

    @property
    @override
    def wish(self) -> RegionWish:
        return RegionWish(self.checked, self.margin.value() / 100, self.count.value())


class CropToRegionsDialog(_RegionDialog):
    """Which regions guide images are cropped to; `crop` gets them."""

    def __init__(
        self, class_names: Sequence[str], chosen: str, crop: Callable[[RegionWish], None], parent: QWidget
    ) -> None:
        super().__init__(
            "Crop to regions",
            "Each image becomes the square around its marked regions; images without one, and all captions, stay.",
            "Crop",
            class_names=class_names,
            chosen=chosen,
            do=crop,
            parent=parent,
        )
