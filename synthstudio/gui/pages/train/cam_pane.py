"""One viewer with the class activation map of one run laid over a field."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from synthstudio.core.explanation.maps import Cam, upsample_cam
from synthstudio.core.explanation.overlay import RgbaArray, cam_overlay
from synthstudio.core.explanation.records import ExplainedClass, FovExplanation, read_explanation
from synthstudio.domain.ids import ClassId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Annotation, FieldOfView, ObjectClass
from synthstudio.gui.canvas.fov_view import FovView
from synthstudio.gui.canvas.pyramid import ImagePyramid
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.workspace import Workspace

OVERLAY_WIDTH_PX = 1024
"""A map is smooth: more pixels than this only cost time."""
PEAK_COLOR = "#FFFFFF"


@dataclass(frozen=True, slots=True)
class CamField:
    """The maps of one run on one field: `cams` is (C, h, w) float32 in the order of `explanation.classes`."""

    explanation: FovExplanation
    cams: Cam = field(repr=False)

    def find(self, name: str) -> tuple[int, ExplainedClass] | None:
        """Place and record of a class, or None where the run did not know it."""
        for number, item in enumerate(self.explanation.classes):
            if item.name == name:
                return number, item
        return None


@dataclass(frozen=True, slots=True)
class CamLook:
    """How maps are shown. `threshold` is a share of the class's fixed scale, 0-1."""

    class_name: str
    opacity: float = 0.6
    threshold: float = 0.1
    has_peaks: bool = True


def load_cam(folder: Path) -> CamField:
    """Read what the explain job wrote for one field. Raises UserError."""
    return CamField(*read_explanation(folder))


def render_cam(cam_field: CamField, look: CamLook) -> RgbaArray | None:
    """Picture `(h, w, 4)` of a class's map, stretched over the whole field; None where the class is unknown."""
    found = cam_field.find(look.class_name)
    if found is None:
        return None
    number, item = found
    record = cam_field.explanation
    factor = min(1.0, OVERLAY_WIDTH_PX / record.width)
    width, height = max(1, round(record.width * factor)), max(1, round(record.height * factor))
    pixels = upsample_cam(cam_field.cams[number], stride=record.stride_px * factor, width=width, height=height)
    return cam_overlay(pixels, vmin=item.cam_low, vmax=item.cam_high, opacity=1.0, threshold=look.threshold)


def evidence_text(cam_field: CamField, name: str) -> str:
    """What the map says about a class, in words."""
    found = cam_field.find(name)
    if found is None:
        return f"This run does not know the class {name}."
    number, item = found
    top = float(cam_field.cams[number].max())
    if top <= 0:
        return f"No evidence of {name} on this field."
    share = (top - item.cam_low) / max(item.cam_high - item.cam_low, 1e-9)
    centers = len(item.centers)
    return (
        f"{name}: {centers:,} predicted centre{'s' if centers != 1 else ''}; hottest place at {share:.0%} of the scale."
    )


class CamPane(QWidget):
    """A title line, the viewer, and a line of words."""

    compute_requested = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._field: CamField | None = None
        self._look = CamLook("")
        self._n_wanted = 0
        self.title = QLabel(self)
        self.compute = QPushButton("Compute CAM", self)
        # Keeps its place while it is hidden: two panes beside each other have their images at one height.
        kept = self.compute.sizePolicy()
        kept.setRetainSizeWhenHidden(True)
        self.compute.setSizePolicy(kept)
        self.compute.setToolTip("Compute the map of this run on this field")
        self.compute.hide()
        self.view = FovView(self)
        self.words = QLabel(self)
        self.words.setProperty("muted", True)
        self.words.setWordWrap(True)
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        for label in (self.title, self.words):
            # Two views stand beside each other: no sentence may widen the window.
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
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

    def set_title(self, title: str) -> None:
        self.title.setText(title)

    def set_image(self, pyramid: ImagePyramid | None) -> None:
        """Show another field; its map comes next."""
        self.view.set_image(pyramid)
        self._field = None

    def set_annotations(
        self, fov: FieldOfView, annotations: Collection[Annotation], classes: Collection[ObjectClass]
    ) -> None:
        """Show what the expert marked."""
        self.view.set_annotations(tuple(annotations), {item.id: item for item in classes}, fov.um_per_px)

    def set_hidden_classes(self, hidden: Collection[ClassId]) -> None:
        self.view.set_hidden_classes(hidden)

    def set_cam(self, cam_field: CamField | None, *, can_compute: bool, words: str = "") -> None:
        """Lay a run's maps over the field, or say that there are none."""
        self._field = cam_field
        self.compute.setVisible(cam_field is None and can_compute)
        if cam_field is None:
            self._n_wanted += 1
            self.view.set_overlay(None)
            self.view.set_marks(np.zeros((0, 2)))
            self.words.setText(words)
            self.words.setToolTip(words)
        else:
            self.set_look(self._look, force=True)

    def set_look(self, look: CamLook, *, force: bool = False) -> None:
        """Change class, opacity, threshold or peaks; the map is coloured off the GUI thread."""
        former, self._look = self._look, look
        cam_field = self._field
        if cam_field is None:
            return
        self.view.set_overlay_opacity(look.opacity)
        self.view.set_marks(self._peaks(cam_field, look), PEAK_COLOR)
        self.words.setText(evidence_text(cam_field, look.class_name))
        self.words.setToolTip(self.words.text())
        if not force and (former.class_name, former.threshold) == (look.class_name, look.threshold):
            return
        self._n_wanted += 1
        number = self._n_wanted

        def work(_tick: Tick) -> RgbaArray | None:
            return render_cam(cam_field, look)

        def show(picture: RgbaArray | None) -> None:
            if number == self._n_wanted:
                self.view.set_overlay(picture, self._look.opacity)

        self._workspace.background.run(work, done=show, owner=self, priority=1)

    def _peaks(self, cam_field: CamField, look: CamLook) -> NDArray[np.float64]:
        found = cam_field.find(look.class_name) if look.has_peaks else None
        centers = found[1].centers if found is not None else ()
        return np.array([peak[:2] for peak in centers], np.float64).reshape(-1, 2)
