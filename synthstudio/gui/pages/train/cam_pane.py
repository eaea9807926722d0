"""One viewer with the class activation map of one run laid over a field."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from synthstudio.domain.ids import ClassId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Annotation, Box, FieldOfView, ObjectClass
from synthstudio.gui.canvas.fov_view import FovView
from synthstudio.gui.canvas.line_layer import LineLayer, box_segments
from synthstudio.gui.canvas.pyramid import ImagePyramid
from synthstudio.gui.pages.train.cam_render import CamField, CamLook, CamPicture, evidence_text, render_cam
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.elided_label import ElidedLabel
from synthstudio.gui.workspace import Workspace

PEAK_COLOR = CONTOUR_COLOR = "#FFFFFF"
BOX_COLOR, AREA_COLOR = "#00C8FF", "#FFD54A"
"""Unlike the classes' default colours; they have a dark outline for light grounds."""


class CamPane(QWidget):
    """A title line, the viewer, and a line of words."""

    compute_requested = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._field: CamField | None = None
        self._look = CamLook("")
        self._n_wanted = 0
        self._picture: CamPicture | None = None
        self._area: Box | None = None
        self.title = ElidedLabel(self, mode=Qt.TextElideMode.ElideMiddle)  # seed and method are at the end
        self.compute = QPushButton("Compute CAM", self)
        # The line keeps its height while the button is hidden: two panes beside each other have images at one height.
        self.title.setFixedHeight(self.compute.sizeHint().height())
        self.compute.setToolTip("Compute the map of this run on this field")
        self.compute.hide()
        self.view = FovView(self)
        self.words = QLabel(self)
        self.words.setProperty("muted", True)
        self.words.setWordWrap(True)
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        # Two views stand beside each other: no sentence may widen the window.
        self.words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        bar = QHBoxLayout()
        bar.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, GRID_PX)
        bar.addWidget(self.title, 1)
        bar.addWidget(self.compute)
        self.words.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, GRID_PX)
        self.words.setFixedHeight(2 * self.words.fontMetrics().lineSpacing() + 2 * GRID_PX)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.words)
        self.compute.clicked.connect(self.compute_requested)

    @property
    def has_cam(self) -> bool:
        return self._field is not None

    @property
    def cam_field(self) -> CamField | None:
        """The maps that are shown."""
        return self._field

    @property
    def picture(self) -> CamPicture | None:
        """What was drawn last of the map that is shown."""
        return self._picture

    def set_title(self, title: str) -> None:
        self.title.setText(title)

    def set_image(self, pyramid: ImagePyramid | None) -> None:
        """Show another field; its map comes next."""
        self.view.set_image(pyramid)
        self._field = self._picture = self._area = None

    def set_annotations(
        self, fov: FieldOfView, annotations: Collection[Annotation], classes: Collection[ObjectClass]
    ) -> None:
        """Show what the expert marked."""
        self.view.set_annotations(tuple(annotations), {item.id: item for item in classes}, fov.um_per_px)

    def set_area(self, area: Box | None) -> None:
        """Frame a part of the field, in its px."""
        self._area = area
        self._draw_lines()

    def _draw_lines(self) -> None:
        layers = []
        if self._picture is not None:
            layers.append(LineLayer(self._picture.contours, CONTOUR_COLOR))
            layers.append(
                LineLayer(
                    box_segments([each.box for each in self._picture.boxes]), BOX_COLOR, width=2.0, is_dashed=True
                )
            )
        if self._area is not None:
            layers.append(LineLayer(box_segments([self._area]), AREA_COLOR, width=2.5))
        self.view.set_lines(layers)

    def set_hidden_classes(self, hidden: Collection[ClassId]) -> None:
        self.view.set_hidden_classes(hidden)

    def set_cam(self, cam_field: CamField | None, *, can_compute: bool, words: str = "") -> None:
        """Lay a run's maps over the field, or say that there are none."""
        self._field = cam_field
        self.compute.setVisible(cam_field is None and can_compute)
        if cam_field is None:
            self._n_wanted += 1
            self._show_picture(None)
            self.view.set_marks(np.zeros((0, 2)))
            self.words.setText(words)
            self.words.setToolTip(words)
        else:
            self.set_look(self._look, force=True)

    def set_look(self, look: CamLook, *, force: bool = False) -> None:
        """Change what is drawn; the map is coloured off the GUI thread."""
        former, self._look = self._look, look
        cam_field = self._field
        if cam_field is None:
            return
        self.view.set_overlay_opacity(look.opacity)
        self.view.set_marks(self._peaks(cam_field, look), PEAK_COLOR)
        self.words.setText(evidence_text(cam_field, look.class_name))
        self.words.setToolTip(self.words.text())
        if not force and former.drawn == look.drawn:
            return
        self._n_wanted += 1
        number = self._n_wanted

        def work(_tick: Tick) -> CamPicture | None:
            return render_cam(cam_field, look)

        def show(picture: CamPicture | None) -> None:
            if number == self._n_wanted:
                self._show_picture(picture)

        self._workspace.background.run(work, done=show, owner=self, priority=1)

    def _show_picture(self, picture: CamPicture | None) -> None:
        self._picture = picture
        self.view.set_overlay(picture.overlay if picture is not None else None, self._look.opacity)
        self._draw_lines()

    def _peaks(self, cam_field: CamField, look: CamLook) -> NDArray[np.float64]:
        found = cam_field.find(look.class_name) if look.has_peaks else None
        centers = found.known.centers if found is not None else ()
        return np.array([peak[:2] for peak in centers], np.float64).reshape(-1, 2)
