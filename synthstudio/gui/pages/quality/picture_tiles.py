"""Pictures of the map as tiles: what was looked for, and what was found or picked. For any thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtGui import QColor, QImage

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Box, FieldOfView
from synthstudio.gui.canvas.crop_tiles import CropItem, TileLook, draw_crop_tiles, draw_whole_tile
from synthstudio.gui.item_models.thumbnails import read_thumbnail
from synthstudio.project.pictures import Picture


@dataclass(frozen=True, slots=True)
class PictureTile:
    """One tile.

    Attributes:
        caption: Under it.
        is_query: It is what was looked for.
    """

    picture: Picture
    caption: str
    is_query: bool = False


def draw_picture_tiles(
    tiles: Sequence[PictureTile],
    keys: Sequence[int],
    look: TileLook,
    *,
    thumbnails: Path | None,
    describe: Callable[[Picture], str],
    tick: Tick,
) -> tuple[dict[int, QImage], dict[int, str]]:
    """Draw some of the tiles by their places, with what is said of each under the pointer.

    Args:
        thumbnails: Folder in which small pictures of whole images are kept; None where nothing may be written.
    """
    wanted = {key: tiles[key] for key in keys if key < len(tiles)}
    # Ids of sets and of the project are no strangers to one another: what tells images apart is their content.
    numbers: dict[str, FovId] = {}
    for tile in wanted.values():
        numbers.setdefault(tile.picture.fov.content_key, FovId(len(numbers) + 1))
    fovs = {numbers[tile.picture.fov.content_key]: tile.picture.fov for tile in wanted.values()}
    items = {key: _item(tile, numbers) for key, tile in wanted.items()}
    parts = {key: item for key, item in items.items() if wanted[key].picture.window is not None}
    drawn = draw_crop_tiles(parts, fovs, look, tick)
    for key in items.keys() - parts.keys():
        tick(len(drawn), len(items))
        drawn[key] = _draw_image(wanted[key].picture.fov, items[key], look, thumbnails)
    return drawn, {key: describe(tile.picture) for key, tile in wanted.items()}


def _draw_image(fov: FieldOfView, item: CropItem, look: TileLook, thumbnails: Path | None) -> QImage:
    cached = thumbnails / f"{fov.content_key}.jpg" if thumbnails is not None and fov.id > 0 else None
    try:
        thumbnail = read_thumbnail(Path(fov.path), cached, page=fov.page)
    except UserError:
        thumbnail = QImage(1, 1, QImage.Format.Format_RGB32)  # a check of the data says what is wrong with it
        thumbnail.fill(QColor(look.theme.surround))
    return draw_whole_tile(thumbnail, item.part, item, look)


def _item(tile: PictureTile, numbers: Mapping[str, FovId]) -> CropItem:
    fov, window = tile.picture.fov, tile.picture.window
    part = (
        Box(0, 0, fov.width, fov.height)
        if window is None
        else Box(window.x, window.y, window.x + window.side, window.y + window.side)
    )
    # What was looked for stands out from what was found.
    outline = part if tile.is_query else None
    return CropItem(numbers[fov.content_key], part, tile.caption, False, outline=outline)
