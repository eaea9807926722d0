"""Rows of the gallery as tiles: an image from its thumbnail, an object from its surroundings. For any thread."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen

from synthstudio.client.gallery_scores import list_score_sources, read_scores
from synthstudio.core.review.gallery import GalleryTable
from synthstudio.core.review.gallery_filter import OUTCOMES, GalleryView, RowFacts
from synthstudio.core.review.verdicts import Outcome
from synthstudio.domain.errors import NotFound, UserError
from synthstudio.domain.ids import ClassId, FovId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Annotation, Box, FieldOfView
from synthstudio.gui.canvas.crop_tiles import CropItem, TileLook, draw_crop_tiles
from synthstudio.gui.fov_images import THUMBNAIL_FOLDER
from synthstudio.gui.item_models.thumbnails import read_thumbnail
from synthstudio.project import Project
from synthstudio.project.gallery import read_gallery_data, read_row_facts

SURROUNDINGS = 0.5
"""So much of its size is shown on each side of an object."""
LEAST_PX = 24.0
UNKNOWN_COLOR = "#8A8A8A"
NOTE_PX, NOTE_GAP_PX = 11, 4
"""Height of a letter of the words on a tile, and the room about them."""


@dataclass(frozen=True, slots=True, eq=False)
class GallerySource:
    """What tiles are drawn from.

    Attributes:
        table: The rows.
        facts: What people and runs have said about them.
        marks_of: Annotations of an image, for boxes.
        colors: Of the classes.
        sizes_px: Mean size of each class, for centres.
        thumbnails: Folder in which small pictures are kept; None where nothing may be written.
    """

    table: GalleryTable
    facts: RowFacts
    marks_of: Callable[[FovId], Sequence[Annotation]]
    colors: Mapping[ClassId, str]
    sizes_px: Mapping[ClassId, float]
    thumbnails: Path | None


@dataclass(frozen=True, slots=True)
class GalleryOffer:
    """What can be chosen of a project.

    Attributes:
        sets: Names of its sets, newest first.
        views: Saved views by name.
        scores: What gives scores, as (words, value).
    """

    sets: tuple[str, ...] = ()
    views: Mapping[str, str] = field(default_factory=dict)
    scores: tuple[tuple[str, str], ...] = ()


def read_offer(project: Project, set_name: str) -> GalleryOffer:
    """Read what can be chosen of a project; not on the GUI thread."""
    return GalleryOffer(
        sets=tuple(each.name for each in reversed(project.sets.list())),
        views=project.saved_views.list(),
        scores=list_score_sources(project, set_name),
    )


def read_gallery(
    project: Project, set_name: str, view: GalleryView, *, score_of: str = "", table: GalleryTable | None = None
) -> GallerySource:
    """Read the images or objects of a set, or of the project where the name is empty.

    Args:
        score_of: Where scores come from, see `list_score_sources`.
        table: The rows, where they are known; what is said of them is read anew.
    """
    data = read_gallery_data(project, set_name, view, table=table)
    facts = read_row_facts(project, data.table, set_name)
    return GallerySource(
        table=data.table,
        facts=dataclasses.replace(facts, score=read_scores(project, data.table, score_of)) if score_of else facts,
        marks_of=data.marks_of,
        colors={each.id: each.color for each in project.classes.list()},
        sizes_px=data.sizes_px,
        thumbnails=None if project.is_read_only else project.folder / THUMBNAIL_FOLDER,
    )


def draw_gallery_tiles(
    source: GallerySource, rows: Sequence[int], look: TileLook, *, has_boxes: bool, tick: Tick
) -> tuple[dict[int, QImage], dict[int, str]]:
    """Draw some rows, with what is said of each under the pointer.

    One that cannot be read is an empty tile; so is one that has just been removed, as all are about to be read anew.
    """
    table = source.table
    fovs: dict[int, FieldOfView] = {}
    marks: dict[int, Annotation] = {}
    tiles = {row: _empty_tile(look) for row in rows}
    for row in rows:
        with contextlib.suppress(NotFound):
            fov = table.fovs[int(table.fov[row])]
            if table.has_objects:
                marks[row] = table.marks[row]
            fovs[row] = fov
    tips = {row: _tip(source, row, fov) for row, fov in fovs.items()}
    if table.has_objects:
        items = {row: _object_item(source, row, mark, has_box=has_boxes) for row, mark in marks.items()}
        return tiles | draw_crop_tiles(items, {fov.id: fov for fov in fovs.values()}, look, tick), tips
    for done, (row, fov) in enumerate(fovs.items()):
        tick(done, len(fovs))
        tiles[row] = _draw_image(source, fov, look, words=_note_of(source, row), has_boxes=has_boxes)
    return tiles, tips


def part_of(source: GallerySource, row: int) -> Box:
    """What a row shows of its image, in full-resolution px. Raises NotFound where it is gone."""
    table = source.table
    if not table.has_objects:
        width, height = table.fov_sides[int(table.fov[row])].tolist()
        return Box(0, 0, width, height)
    return _part_about(_extent(source, table.marks[row]))


def _part_about(box: Box) -> Box:
    half = max(LEAST_PX, (0.5 + SURROUNDINGS) * max(box.width, box.height))
    x, y = box.center
    return Box(x - half, y - half, x + half, y + half)


def _extent(source: GallerySource, mark: Annotation) -> Box:
    return mark.extent(source.sizes_px.get(mark.class_id, 2.0))


def _object_item(source: GallerySource, row: int, mark: Annotation, *, has_box: bool) -> CropItem:
    name = source.table.class_names[int(source.table.class_of[row])]
    box = _extent(source, mark)
    note = _note_of(source, row)
    color = source.colors.get(mark.class_id, "")
    outline = box if has_box else None
    return CropItem(mark.fov_id, _part_about(box), name, False, kind=note, outline=outline, color=color)


def _note_of(source: GallerySource, row: int) -> str:
    """What is written on the tile of a row: its score where scores are looked at, else its tags."""
    score = source.facts.score
    if score is None:
        return ", ".join(tags_of(source, row))
    return "" if math.isnan(score[row]) else f"{score[row]:.2f}"


def tags_of(source: GallerySource, row: int) -> list[str]:
    """The tags of a row."""
    return [name for name, has in source.facts.tags.items() if has[row]]


def _tip(source: GallerySource, row: int, fov: FieldOfView) -> str:
    table, facts = source.table, source.facts
    split = fov.split.value if fov.split is not None else "no split"
    lines = [fov.name, f"sample {fov.sample_name}, {split}, {fov.width} × {fov.height} px"]
    if table.has_objects:
        name = table.class_names[int(table.class_of[row])]
        origin = table.sources[int(table.source_of[row])]
        lines.insert(0, f"{name}, {table.size[row]:.0f} px, {origin}")
    else:
        lines.append(f"{int(table.n_objects[row]):,} objects")
    if facts.outcome_of is not None and OUTCOMES[int(facts.outcome_of[row])] is not Outcome.UNDECIDED:
        lines.append(OUTCOMES[int(facts.outcome_of[row])].value)
    if facts.score is not None and not math.isnan(facts.score[row]):
        lines.append(f"score {facts.score[row]:.2f}")
    if tags := tags_of(source, row):
        lines.append(f"tags: {', '.join(tags)}")
    return "\n".join(lines)


def _draw_image(source: GallerySource, fov: FieldOfView, look: TileLook, *, words: str, has_boxes: bool) -> QImage:
    tile = _empty_tile(look)
    cached = source.thumbnails / f"{fov.content_key}.jpg" if source.thumbnails is not None else None
    try:
        thumbnail = read_thumbnail(Path(fov.path), cached, page=fov.page)
    except UserError:
        return tile  # the check of the data says what is wrong with it
    scale = look.side / max(thumbnail.width(), thumbnail.height())
    area = QRectF(0, 0, thumbnail.width() * scale, thumbnail.height() * scale)
    area.moveCenter(QRectF(tile.rect()).center())
    with QPainter(tile) as painter:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(area, thumbnail)
        if has_boxes:
            zoom = area.width() / fov.width
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for mark in source.marks_of(fov.id):
                box = _extent(source, mark)
                painter.setPen(QPen(QColor(source.colors.get(mark.class_id, UNKNOWN_COLOR)), look.ratio))
                corner = area.x() + box.x0 * zoom, area.y() + box.y0 * zoom
                painter.drawRect(QRectF(*corner, box.width * zoom, box.height * zoom))
        if words:
            _paint_note(painter, words, QRectF(tile.rect()), look)
    tile.setDevicePixelRatio(look.ratio)
    return tile


def _empty_tile(look: TileLook) -> QImage:
    tile = QImage(look.side, look.side, QImage.Format.Format_RGB32)
    tile.fill(QColor(look.theme.surround))
    return tile


def _paint_note(painter: QPainter, words: str, room: QRectF, look: TileLook) -> None:
    """Write a few words into the lower left corner, on a ground that sets them off from any picture."""
    font = QFont(painter.font())
    font.setPixelSize(max(8, round(NOTE_PX * look.ratio)))
    painter.setFont(font)
    metrics, gap = painter.fontMetrics(), NOTE_GAP_PX * look.ratio
    shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, round(room.width() - 2 * gap))
    size = QSizeF(metrics.horizontalAdvance(shown) + 2 * gap, metrics.height())
    ground = QRectF(room.bottomLeft() - QPointF(0, size.height()), size)
    painter.fillRect(ground, QColor(look.theme.panel))
    painter.setPen(QColor(look.theme.text))
    painter.drawText(ground, Qt.AlignmentFlag.AlignCenter, shown)
