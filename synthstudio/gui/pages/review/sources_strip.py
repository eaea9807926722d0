"""What an image was made from, for comparison: pasted objects, the map that was given, the picture painted upon."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from synthstudio.core.imaging import open_image_source, read_image, read_shrunken
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import AnnotationId, FovId
from synthstudio.domain.records import Annotation, Box, FieldOfView
from synthstudio.gui.pages.review.set_book import ImageLine, SourceObject
from synthstudio.gui.widgets.image_grid import GridBox, GridImage, to_qimage
from synthstudio.project import Project
from synthstudio.project.real_neighbours import RealLibrary

MAX_SOURCES = 24
N_NEAREST = 3
SURROUNDINGS = 0.6
"""So much of its size is shown on each side of an object."""
CROP_PX = 160
UNKNOWN_COLOR = "#8A8A8A"


def read_sources(project: Project, line: ImageLine, colors: Mapping[str, str]) -> list[GridImage]:
    """Pictures of what an image was made from; what has gone from the project since is left out. For any thread."""
    pictures = []
    if line.map_path is not None:
        try:
            pictures.append(GridImage(to_qimage(read_image(line.map_path)), caption="The map that it was made from"))
        except UserError:
            return []  # verifying the set says what is wrong with it
    fovs = {fov.id: fov for fov in project.fovs.list()}
    if line.ground is not None and (painted := fovs.get(FovId(line.ground[0]))) is not None:
        with contextlib.suppress(UserError):  # the list of fields says what is wrong with its file
            pictures.append(_window(painted, line.ground[1]))
    marks: dict[FovId, dict[AnnotationId, Annotation]] = {}
    for item in [each for each in line.objects if each.fov is not None][:MAX_SOURCES]:
        fov_id = FovId(item.fov or 0)
        fov = fovs.get(fov_id)
        if fov is None:
            continue
        if fov_id not in marks:
            marks[fov_id] = {mark.id: mark for mark in project.annotations.list(fov_id)}
        mark = marks[fov_id].get(AnnotationId(item.annotation or 0))
        if mark is not None:
            try:
                pictures.append(_cut(fov, mark, item, colors.get(item.class_name, UNKNOWN_COLOR)))
            except UserError:
                continue  # the list of fields says what is wrong with its file
    return pictures


def _window(fov: FieldOfView, box: Box) -> GridImage:
    """The real picture as it was before."""
    corners = round(box.x0), round(box.y0), round(box.x1), round(box.y1)
    scale = min(1.0, CROP_PX / max(box.width, box.height))
    size = max(1, round(box.width * scale)), max(1, round(box.height * scale))
    pixels = read_shrunken(open_image_source(Path(fov.path), fov.page or 0), corners, size)
    return GridImage(to_qimage(pixels), caption=f"Painted upon\n{fov.name}, sample {fov.sample_name}")


def read_neighbours(library: RealLibrary, line: ImageLine) -> list[GridImage]:
    """The real images that a generated one is most like, nearest first; for any thread."""
    try:
        found = library.find_nearest(read_image(line.path), count=N_NEAREST)
    except UserError:
        return []  # verifying the set says what is wrong with it
    pictures = []
    for each in found:
        fov, window = each.real.fov, each.real.window
        source = open_image_source(Path(fov.path), fov.page or 0)
        right, bottom = min(fov.width, window.x + window.side), min(fov.height, window.y + window.side)
        shown = min(CROP_PX, right - window.x, bottom - window.y)
        pixels = read_shrunken(source, (window.x, window.y, right, bottom), (shown, shown))
        words = f"Nearest real image, correlation {each.correlation:.2f}\n{fov.name}, sample {fov.sample_name}"
        pictures.append(GridImage(to_qimage(pixels), caption=words))
    return pictures


def _cut(fov: FieldOfView, mark: Annotation, item: SourceObject, color: str) -> GridImage:
    """The real object with its surroundings, and a frame of the size at which it stands in the image."""
    extent = mark.extent(max(item.box.width, item.box.height))
    half = (0.5 + SURROUNDINGS) * max(extent.width, extent.height, 8.0)
    center_x, center_y = extent.center
    x0, y0 = max(0, round(center_x - half)), max(0, round(center_y - half))
    x1, y1 = min(fov.width, round(center_x + half)), min(fov.height, round(center_y + half))
    source = open_image_source(Path(fov.path), fov.page or 0)
    scale = min(1.0, CROP_PX / max(x1 - x0, y1 - y0))
    size = max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale))
    pixels = read_shrunken(source, (x0, y0, x1, y1), size)
    corners = (extent.x0 - x0) * scale, (extent.y0 - y0) * scale, (extent.x1 - x0) * scale, (extent.y1 - y0) * scale
    box = GridBox(*corners, color, source=(fov.id, mark.id))
    return GridImage(to_qimage(pixels), (box,), f"{item.class_name}\n{fov.name}, sample {fov.sample_name}")
