"""Images of a set as tiles with their boxes. Runs in any thread."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from synthstudio.core.imaging import read_image
from synthstudio.gui.pages.review.set_book import ImageLine
from synthstudio.gui.widgets.image_grid import to_qimage
from synthstudio.gui.widgets.tile_pictures import Tile, draw_tile

UNKNOWN_COLOR = "#8A8A8A"
UNDERLINE_PX, LINE_PX = 2.5, 1.2


def draw_review_tile(line: ImageLine, side: int, *, ratio: float, colors: Mapping[str, str] | None) -> QImage:
    """Draw an image of a set at the size of a tile.

    Args:
        line: The image.
        side: Of the tile in px of the screen.
        ratio: Those for each px of the window.
        colors: Class name -> `#RRGGBB` of the boxes; None for none.

    Raises:
        UserError: The image is missing or damaged.
    """
    image = to_qimage(read_image(line.path))
    scale = side / max(1, image.width(), image.height())
    drawn = draw_tile(Tile(image), side)
    if colors is not None:
        with QPainter(drawn) as painter:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for item in line.objects:
                box = QRectF(item.box.x0, item.box.y0, item.box.width, item.box.height)
                area = QRectF(box.x() * scale, box.y() * scale, box.width() * scale, box.height() * scale)
                color = QColor(colors.get(item.class_name, UNKNOWN_COLOR))
                style = Qt.PenStyle.SolidLine if item.is_labelled else Qt.PenStyle.DotLine
                painter.setPen(QPen(QColor(0, 0, 0, 110), UNDERLINE_PX * ratio))
                painter.drawRect(area)
                painter.setPen(QPen(color, LINE_PX * ratio, style))
                painter.drawRect(area)
    drawn.setDevicePixelRatio(ratio)
    return drawn
