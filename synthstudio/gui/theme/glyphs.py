"""The few drawings that a style sheet can only take from files: arrows, tick, dash, dot."""

from __future__ import annotations

from pathlib import Path

from synthstudio.gui.theme.tokens import Theme

_STROKES = {
    "down": '<path d="M4 6.5 8 10.5 12 6.5"/>',
    "up": '<path d="M4 9.5 8 5.5 12 9.5"/>',
    "right": '<path d="M6.5 4 10.5 8 6.5 12"/>',
    "check": '<path d="M3.5 8.5 6.5 11.5 12.5 5"/>',
    "dash": '<path d="M4 8H12"/>',
    "dot": '<circle cx="8" cy="8" r="2.2"/>',
    "close": '<path d="M4.5 4.5 11.5 11.5M11.5 4.5 4.5 11.5"/>',
}


def write_glyphs(folder: Path, theme: Theme) -> None:
    """Write each glyph as `NAME-muted.svg`, `-disabled.svg` and `-on-accent.svg` in the theme's colours."""
    shades = {"muted": theme.text_muted, "disabled": theme.text_disabled, "on-accent": theme.on_accent}
    for name, stroke in _STROKES.items():
        for shade, color in shades.items():
            (folder / f"{name}-{shade}.svg").write_text(
                '<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16" fill="none" '
                f'stroke="{color}" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round">{stroke}</svg>',
                encoding="utf-8",
            )
