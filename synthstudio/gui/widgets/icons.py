"""Icons of one family (Material Design Icons, from the files of qtawesome), drawn in the colours of the theme.

The glyphs are drawn when they are painted, so they follow a change of theme by themselves. The font is read straight
from qtawesome's files: importing that package takes 0.17 s of the start, this 0.02 s.
"""

from __future__ import annotations

import functools
import importlib.util
import json
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QIconEngine, QPainter, QPixmap
from typing_extensions import override

from synthstudio.gui.theme import current_theme

_FAMILY_FILES = "materialdesignicons6-webfont"
_DESIGN_SIZE_RATIO = 1.0


@functools.cache
def _fonts_folder() -> Path:
    spec = importlib.util.find_spec("qtawesome")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("qtawesome is not installed")
    return Path(spec.origin).parent / "fonts"


@functools.cache
def _glyphs() -> dict[str, str]:
    path = next(_fonts_folder().glob(f"{_FAMILY_FILES}-charmap-*.json"))
    charmap: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return charmap


@functools.cache
def _font_family() -> str:
    path = next(_fonts_folder().glob(f"{_FAMILY_FILES}-[0-9]*.ttf"))
    return QFontDatabase.applicationFontFamilies(QFontDatabase.addApplicationFont(str(path)))[0]


class _GlyphEngine(QIconEngine):
    """Paints one character of the icon font."""

    def __init__(self, character: str, color: str | None) -> None:
        super().__init__()
        self._character = character
        self._color = color

    @override
    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        theme = current_theme()
        color = self._color or (theme.accent if state is QIcon.State.On else theme.text_muted)
        if mode is QIcon.Mode.Disabled:
            color = theme.text_disabled
        font = QFont(_font_family())
        font.setPixelSize(max(1, round(rect.height() * _DESIGN_SIZE_RATIO)))
        painter.save()
        painter.setFont(font)
        painter.setPen(QColor(color))
        painter.drawText(QRectF(rect), Qt.AlignmentFlag.AlignCenter, self._character)
        painter.restore()

    @override
    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        if size.isEmpty():  # a button that a splitter has squeezed to nothing: a painter on no pixels warns
            return QPixmap()
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return pixmap

    @override
    def clone(self) -> QIconEngine:
        return _GlyphEngine(self._character, self._color)


def themed_icon(name: str, color: str | None = None) -> QIcon:
    """Return an icon by its name, "mdi6.undo"; `color` is `#RRGGBB` and defaults to muted text, accent when checked.

    Raises:
        KeyError: There is no icon of this name.
    """
    character = chr(int(_glyphs()[name.removeprefix("mdi6.")], 16))
    return QIcon(_GlyphEngine(character, color))
