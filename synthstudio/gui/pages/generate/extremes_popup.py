"""A strip of pictures beside a setting: what it does at its lowest, middle and highest value."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtGui import QKeyEvent, QPixmap
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QToolButton, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.synthesis.extremes import Extremes, draw_extremes, is_augmentation
from synthstudio.gui import errors
from synthstudio.gui.forms.rows import SettingRow, shown_value
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.icons import themed_icon
from synthstudio.gui.widgets.image_grid import to_qimage
from synthstudio.gui.workspace import Workspace
from synthstudio.settings.compose import CompositionSettings
from synthstudio.settings.schema import SettingSpec

PICTURE_PX = 128

Material = tuple[PatchBank, CompositionSettings]


class ExtremesPopup(QFrame):
    """Shows the pictures once they are drawn. Escape or a click beside it closes it."""

    def __init__(self, spec: SettingSpec, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setProperty("panel", True)
        self.setAccessibleName(f"{spec.title} at its extremes")
        self.spec = spec
        self.pictures: list[QLabel] = []
        title = QLabel(f"<b>{spec.title}</b>, all other augmentations at rest", self)
        self.state = QLabel("Drawing…", self)
        self.state.setProperty("muted", True)
        self.grid = QGridLayout()
        self.grid.setSpacing(GRID_PX)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*(3 * GRID_PX,) * 4)
        layout.addWidget(title)
        layout.addLayout(self.grid)
        layout.addWidget(self.state)

    def show_extremes(self, extremes: Extremes) -> None:
        """Show one column for each value, and one row for each draw."""
        unit = f" {self.spec.unit}" if self.spec.unit and not isinstance(extremes.values[-1], bool) else ""
        for column, value in enumerate(extremes.values):
            caption = QLabel(f"{shown_value(value)}{unit}", self)
            caption.setAlignment(Qt.AlignmentFlag.AlignCenter)
            self.grid.addWidget(caption, 0, column)
        for number, row in enumerate(extremes.rows):
            for column, image in enumerate(row):
                self.grid.addWidget(self._picture(QPixmap.fromImage(to_qimage(image))), number + 1, column)
        two = len(extremes.rows) > 1
        self.state.setText("Two of its draws: it goes more than one way." if two else "Drawn as strongly as it comes.")
        self.adjustSize()

    def show_failure(self, error: Exception) -> None:
        """Say why there are no pictures, here: a notice in the window would lie behind the popup."""
        notice = errors.notice_of(error)
        self.state.setText(f"{notice.message} {notice.hint}".strip())
        self.state.setWordWrap(True)
        self.state.setProperty("muted", False)
        self.state.setProperty("danger", True)
        self.state.style().unpolish(self.state)  # it was styled when it was made
        self.state.style().polish(self.state)
        self.adjustSize()

    def _picture(self, pixmap: QPixmap) -> QLabel:
        side = scaled_px(PICTURE_PX)
        mode = Qt.TransformationMode.SmoothTransformation
        label = QLabel(self)
        label.setPixmap(pixmap.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio, mode))
        self.pictures.append(label)
        return label

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)


class ExtremesPeeker(QObject):
    """Gives the augmentations of a form a button each, and opens the popup.

    Args:
        workspace: Its background draws.
        find_material: The patches and the composition at present, or None where there are none.
        parent: The widget that the popups belong to.
    """

    def __init__(self, workspace: Workspace, find_material: Callable[[], Material | None], parent: QWidget) -> None:
        super().__init__(parent)
        self._workspace, self._find_material, self._owner = workspace, find_material, parent
        self.popup: ExtremesPopup | None = None

    def decorate(self, row: SettingRow) -> None:
        """Add the button to a row, where its setting is an augmentation."""
        if not is_augmentation(row.spec):
            return
        button = QToolButton(row)
        button.setIcon(themed_icon("mdi6.eye-outline"))
        button.setAutoRaise(True)
        button.setAccessibleName(f"See {row.spec.title} at its extremes")
        button.setToolTip(f"See {row.spec.title.lower()} at its lowest, middle and highest value")
        button.clicked.connect(partial(self.open, row))
        row.add_button(button)

    def can_open(self, row: SettingRow) -> bool:
        """Whether a row's setting can be seen at its extremes now."""
        return is_augmentation(row.spec) and self._find_material() is not None

    def open(self, row: SettingRow) -> None:
        """Show a row's setting at its extremes."""
        material = self._find_material()
        if material is None:
            return
        bank, settings = material
        popup = ExtremesPopup(row.spec, self._owner)
        self.popup = popup
        self._place(popup, row)
        popup.show()

        def show(extremes: Extremes) -> None:
            popup.show_extremes(extremes)
            self._place(popup, row)

        def fail(error: Exception) -> None:
            popup.show_failure(error)
            self._place(popup, row)

        spec = row.spec
        self._workspace.background.run(
            lambda _tick: draw_extremes(bank, settings, spec), done=show, failed=fail, owner=popup
        )

    def _place(self, popup: ExtremesPopup, row: SettingRow) -> None:
        """To the left of the row, within the window."""
        window = row.window()
        corner = row.mapToGlobal(QPoint(-popup.sizeHint().width() - 2 * GRID_PX, 0))
        low = window.mapToGlobal(QPoint(0, window.height())).y() - popup.sizeHint().height() - 2 * GRID_PX
        popup.move(max(window.mapToGlobal(QPoint(0, 0)).x(), corner.x()), min(corner.y(), low))
