"""A shown viewer with a small image whose pixels tell their own place."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from pytestqt.qtbot import QtBot

from synthstudio.domain.ids import AnnotationId, ClassId, FovId
from synthstudio.domain.records import Annotation, Box, ObjectClass, Role
from synthstudio.gui.canvas.fov_view import FovView
from synthstudio.gui.canvas.pyramid import build_pyramid

CLASSES = {
    ClassId(1): ObjectClass(ClassId(1), "yeast", "#E69F00", "1", Role.OBJECT, None, 20.0),
    ClassId(2): ObjectClass(ClassId(2), "fibre", "#0072B2", "2", Role.OBJECT, None, 60.0),
}


def a_center(number: int, x: float, y: float, *, class_id: int = 1) -> Annotation:
    return Annotation(AnnotationId(number), FovId(1), ClassId(class_id), x, y)


def a_box(number: int, x0: float, y0: float, x1: float, y1: float) -> Annotation:
    box = Box(x0, y0, x1, y1)
    return Annotation(AnnotationId(number), FovId(1), ClassId(2), *box.center, box)


@pytest.fixture
def image() -> NDArray[np.uint8]:
    """(300, 400, 3): red tells the column, green the row."""
    rows, columns = np.mgrid[0:300, 0:400]
    return np.stack([columns % 256, rows % 256, np.full_like(rows, 128)], axis=2).astype(np.uint8)


@pytest.fixture
def view(qtbot: QtBot, image: NDArray[np.uint8]) -> FovView:
    fov_view = FovView()
    qtbot.addWidget(fov_view)
    fov_view.resize(800, 600)
    fov_view.set_image(build_pyramid(image))
    fov_view.set_annotations([], CLASSES, None)
    fov_view.show()
    return fov_view


@pytest.fixture
def heard(view: FovView) -> Callable[[], list[tuple[object, ...]]]:
    """Returns what the view has wished for so far, in order, as (name, *arguments)."""
    wishes: list[tuple[object, ...]] = []
    view.center_requested.connect(lambda x, y: wishes.append(("center", x, y)))
    view.box_requested.connect(lambda box: wishes.append(("box", box)))
    view.move_requested.connect(lambda ids, dx, dy: wishes.append(("move", ids, dx, dy)))
    view.resize_requested.connect(lambda annotation_id, box: wishes.append(("resize", annotation_id, box)))
    return lambda: wishes
