"""Choosing the real picture that images start from: a field of view, or a box drawn in one."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from synthstudio.core.synthesis.prompt_requests import Place
from synthstudio.domain.ids import AnnotationId, ClassId, FovId
from synthstudio.domain.records import Annotation, Box, FieldOfView, ObjectClass, Role, Split
from synthstudio.gui import errors
from synthstudio.gui.canvas.fov_view import FovView
from synthstudio.gui.canvas.pyramid import ImagePyramid
from synthstudio.gui.theme import GRID_PX, current_theme, scaled_px
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.widgets.wheel_guard import guard_wheel
from synthstudio.gui.workspace import Workspace

VIEW_PX = 560
WORDS_LINES = 2
"""Whatever the words below the picture are: it keeps its place and size."""
_MARK = AnnotationId(1)
_CLASS = ClassId(1)
HINT = "Draw a box to paint in, or take the whole field as it is. Ctrl+wheel zooms, the middle button moves."


class PlaceDialog(QDialog):
    """Shows the fields that may be used, those of the test split left out; tells of the place when it is accepted.

    Args:
        workspace: Whose project's fields.
        chosen: Called with the place, as a setting names it.
        parent: Where it stands.
    """

    def __init__(self, workspace: Workspace, chosen: Callable[[str], None], parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Choose a place")
        self._workspace, self._chosen = workspace, chosen
        project = workspace.require_project()
        self._fovs = {fov.id: fov for fov in project.fovs.list() if fov.split is not Split.TEST}
        self.box: Box | None = None
        self.fovs = ElidedCombo(self)
        self.fovs.setAccessibleName("Field of view")
        guard_wheel(self.fovs)
        for fov in self._fovs.values():
            self.fovs.addItem(f"{fov.sample_name} / {fov.name}", fov.id)
        self.view = FovView(self)
        self.view.setMinimumSize(scaled_px(VIEW_PX), scaled_px(VIEW_PX) * 3 // 4)
        self.view.set_tool("box")
        self.words = QLabel(HINT, self)
        self.words.setProperty("muted", True)
        self.words.setWordWrap(True)
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.words.setMinimumHeight(WORDS_LINES * self.words.fontMetrics().lineSpacing())
        buttons = QDialogButtonBox(self)
        self.use = buttons.addButton("Use the whole field", QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        head = QHBoxLayout()
        head.addWidget(QLabel("Field", self))
        head.addWidget(self.fovs, 1)
        layout = QVBoxLayout(self)
        layout.setSpacing(2 * GRID_PX)
        layout.addLayout(head)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.words)
        layout.addWidget(buttons)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.accepted.connect(self._on_accepted)
        self.fovs.currentIndexChanged.connect(self._show_fov)
        self.view.box_requested.connect(self._show_box)
        self.view.resize_requested.connect(lambda _id, box: self._show_box(box))
        self.view.move_requested.connect(self._move_box)
        kept = self.fovs.findData(workspace.current_fov_id)
        self.fovs.setCurrentIndex(max(0, kept))
        self._show_fov()

    @property
    def fov(self) -> FieldOfView:
        """The chosen field."""
        return self._fovs[FovId(self.fovs.currentData())]

    @Slot()
    def _show_fov(self) -> None:
        fov_id = self.fov.id
        self._show_box(None)
        self.view.set_image(None)

        def show(pyramid: ImagePyramid) -> None:
            if fov_id == self.fov.id:
                self.view.set_image(pyramid)
                self._show_box(None)

        def tell(error: Exception) -> None:
            errors.report(error, parent=self)

        self._workspace.load_fov_image(fov_id, show, self, failed=tell)

    @Slot(object)
    def _show_box(self, box: Box | None) -> None:
        """Mark what is to be painted; whole px, as a setting names them."""
        self.box = Box(*(float(round(each)) for each in (box.x0, box.y0, box.x1, box.y1))) if box is not None else None
        marks = () if self.box is None else (Annotation(_MARK, self.fov.id, _CLASS, 0.0, 0.0).with_box(self.box),)
        look = ObjectClass(_CLASS, "painted anew", current_theme().accent, "", Role.OBJECT, None, None)
        self.view.set_annotations(marks, {_CLASS: look}, None)
        self.view.set_selection(frozenset({_MARK}) if marks else frozenset())
        self.use.setText("Use the box" if self.box is not None else "Use the whole field")
        if self.box is None:
            self.words.setText(HINT)
        else:
            size = f"{self.box.width:.0f} × {self.box.height:.0f} px"
            self.words.setText(f"{size} of {self.fov.name} are painted anew; the box is their label.")

    @Slot(object, float, float)
    def _move_box(self, _ids: object, dx: float, dy: float) -> None:
        if self.box is not None:
            box = self.box
            self._show_box(Box(box.x0 + dx, box.y0 + dy, box.x1 + dx, box.y1 + dy))

    @Slot()
    def _on_accepted(self) -> None:
        fov = self.fov
        is_alone = sum(each.name == fov.name for each in self._workspace.require_project().fovs.list()) == 1
        self._chosen(str(Place(fov.name if is_alone else f"#{fov.id}", self.box)))
