"""Icons in the colours of the theme, from one family."""

from __future__ import annotations

import qtawesome
from PySide6.QtGui import QColor, QIcon

from synthstudio.gui.theme import current_theme


def themed_icon(name: str, color: str | None = None) -> QIcon:
    """Return an icon by its qtawesome name; `color` is `#RRGGBB` and defaults to that of text."""
    theme = current_theme()
    icon: QIcon = qtawesome.icon(
        name,
        color=QColor(color or theme.text_muted),
        color_disabled=QColor(theme.text_disabled),
        color_on=QColor(color or theme.accent),
    )
    return icon
