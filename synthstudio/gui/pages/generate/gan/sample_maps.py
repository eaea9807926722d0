"""Samples of a training by semantic maps. The maps are shown in the colours of the classes: what stands in their
channels is for the network, not for the eye."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.core.imaging import ImageArray
from synthstudio.core.synthesis.semantic_maps import MapCoding
from synthstudio.core.training.map_card import MapCard, coding_of
from synthstudio.core.training.map_origin import read_map_card
from synthstudio.domain.errors import UserError
from synthstudio.domain.palette import class_color
from synthstudio.gui.pages.generate.gan.map_sketch import sketch_map
from synthstudio.gui.pages.generate.trainings.sample_strip import Cells, CutSample, SampleStrip, cut_crops
from synthstudio.gui.widgets.image_grid import GridImage, to_qimage
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project


class MapSampleStrip(SampleStrip):
    """Follows the newest sample; its first row are the maps."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace.background, parent)
        self._workspace = workspace

    @override
    def _cutter(self) -> CutSample:
        project = self._workspace.project
        return cut_crops if project is None else lambda *sample: cut_sketched(project, *sample)


def cut_sketched(project: Project, folder: Path, picture: QImage, step: int) -> Cells:
    """Maps as sketches, real crops and what was made of the maps; not on the GUI thread.

    A map whose meaning is not known, as that of a run whose card is gone, is shown as the network sees it.
    """
    cells = cut_crops(folder, picture, step)
    try:
        card = read_map_card(folder)
    except UserError:
        return cells
    colors, coding = _colors(project, card), coding_of(card)
    maps = [_sketched(each, coding, colors) for each in cells.images[: cells.n_columns]]
    return dataclasses.replace(cells, images=(*maps, *cells.images[cells.n_columns :]))


def _colors(project: Project, card: MapCard) -> Mapping[str, str]:
    """Colours of the conditions: the project's, or any other where a class was renamed since."""
    own = {each.name: each.color for each in project.classes.list()}
    return {name: own.get(name, class_color(place)) for place, name in enumerate(card.class_names)}


def _sketched(image: GridImage, coding: MapCoding, colors: Mapping[str, str]) -> GridImage:
    try:
        request = coding.read(_pixels(image.image))
    except UserError:
        return image
    shown = ", ".join(dict.fromkeys(each.class_name for each in request.regions)) or "nothing"
    sketch = to_qimage(sketch_map(request, colors, n_tones=coding.n_tones))
    return dataclasses.replace(image, image=sketch, caption=f"{image.caption}: {shown}")


def _pixels(image: QImage) -> ImageArray:
    """`(H, W, 3)` uint8 RGB of a picture of 32 bits."""
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    return np.ascontiguousarray(rows[:, : image.width(), 2::-1])
