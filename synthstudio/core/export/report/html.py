"""A report as one HTML file that needs nothing beside it: no scripts, no links, every word escaped."""

from __future__ import annotations

import base64
import textwrap
from html import escape
from typing import Literal

from synthstudio.core.export.report.document import (
    Block,
    Cell,
    Charts,
    Document,
    Listing,
    Paragraph,
    Picture,
    Pictures,
    Section,
    Source,
    Table,
)
from synthstudio.core.export.report.svg import Svg

NOT_DEFINED = "n/a"
PICTURES_A_ROW = 3
PRINTED_PX = 175
"""So wide at most is each of a row on paper: Qt lets wider ones run into the margin."""
ChartForm = Literal["inline", "images"]
"""Charts as `<svg>` elements, whose words can be searched; or as images, which is what Qt can lay out and print."""

WORD_CHARS, HEAD_CHARS, PAGE_CHARS = 24, 14, 80
"""On paper Qt would break words anywhere. So a cell of one word as long as this, and lines of a heading that are so
long, are kept whole, where a page is wide enough for all columns."""
_STYLE = """
body { font-family: Helvetica, Arial, sans-serif; font-size: 10pt; color: #222222; background-color: #ffffff;
       max-width: 1000px; margin: 24px auto; padding: 0 16px; }
h1 { font-size: 18pt; margin-bottom: 2px; }
h2 { font-size: 13pt; margin-top: 24px; border-bottom: 1px solid #bbbbbb; }
table { border-collapse: collapse; margin-top: 6px; margin-bottom: 6px; font-variant-numeric: tabular-nums; }
th { text-align: left; border-bottom: 1px solid #888888; padding: 2px 10px 2px 0; vertical-align: bottom; }
td { border-bottom: 1px solid #e2e2e2; padding: 2px 10px 2px 0; vertical-align: top; }
p, li { line-height: 1.4; }
pre { background-color: #f4f4f4; padding: 8px; font-size: 8pt; white-space: pre-wrap; }
.caption { color: #555555; font-size: 9pt; margin-top: 2px; }
.subtitle { color: #555555; }
.figure { display: inline-block; vertical-align: top; margin: 4px 12px 4px 0; }
.word { white-space: nowrap; }
.picture { border-bottom: none; }
.scroll { overflow-x: auto; }
"""


def render_html(document: Document, *, charts: ChartForm = "inline") -> str:
    """Return the whole file as text."""
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; style-src'
        " 'unsafe-inline'\">",
        f"<title>{escape(document.title)}</title><style>{_STYLE}</style></head><body>",
        f'<h1>{escape(document.title)}</h1><p class="subtitle">{escape(document.subtitle)}</p>',
        *(_section(section, charts) for section in document.sections if section.blocks),
        "</body></html>\n",
    ]
    return "\n".join(parts)


def _section(section: Section, charts: ChartForm) -> str:
    return "\n".join([f"<h2>{escape(section.title)}</h2>", *(_block(block, charts) for block in section.blocks)])


def _block(block: Block, charts: ChartForm) -> str:
    match block:
        case Paragraph(text=text):
            return f"<p>{escape(text)}</p>"
        case Listing(lines=lines):
            return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"
        case Table():
            return _table(block, keeps_words=charts == "images" and _fits_page(block))
        case Charts(drawings=drawings, caption=caption):
            return f"<div>{' '.join(_drawing(each, charts) for each in drawings)}</div>{_caption(caption)}"
        case Pictures(pictures=pictures, caption=caption):
            return f"{_caption(caption)}{_pictures(pictures, charts)}"
        case Source(text=text, caption=caption):
            return f"{_caption(caption)}<pre>{escape(text)}</pre>"


def _drawing(drawing: Svg, charts: ChartForm) -> str:
    if charts == "inline":
        return f'<span class="figure">{drawing.text}</span>'
    return _image(drawing.text.encode(), "image/svg+xml", width=drawing.width, words=drawing.title)


def _image(data: bytes, media_type: str, *, width: int, words: str) -> str:
    encoded = base64.b64encode(data).decode()
    return f'<img src="data:{media_type};base64,{encoded}" width="{width}" alt="{escape(words)}">'


def _pictures(pictures: tuple[Picture, ...], charts: ChartForm) -> str:
    """Pictures in rows of three with their words below: Qt knows no other way to keep these together."""
    rows = []
    for start in range(0, len(pictures), PICTURES_A_ROW):
        chosen = pictures[start : start + PICTURES_A_ROW]
        widths = [each.width_px if charts == "inline" else min(each.width_px, PRINTED_PX) for each in chosen]
        images = [
            _image(each.data, each.media_type, width=width, words=each.caption)
            for each, width in zip(chosen, widths, strict=True)
        ]
        rows.append("".join(f'<td class="picture">{image}</td>' for image in images))
        rows.append("".join(f'<td class="picture caption">{escape(each.caption)}</td>' for each in chosen))
    return f'<div class="scroll"><table>{"".join(f"<tr>{row}</tr>" for row in rows)}</table></div>'


def _table(table: Table, *, keeps_words: bool) -> str:
    if keeps_words:
        head = "".join(f'<th class="word">{"<br>".join(map(escape, _lines(name)))}</th>' for name in table.columns)
    else:
        head = "".join(f"<th>{escape(name)}</th>" for name in table.columns)
    rows = "".join(f"<tr>{''.join(_cell(cell, keeps_words=keeps_words) for cell in row)}</tr>" for row in table.rows)
    return f'<div class="scroll"><table><tr>{head}</tr>{rows}</table></div>{_caption(table.caption)}'


def _fits_page(table: Table) -> bool:
    widths = [max(map(len, _lines(name)), default=0) for name in table.columns]
    for row in table.rows:
        words = [len(cell) if isinstance(cell, str) and _is_word(cell) else 0 for cell in row]
        widths = [max(pair) for pair in zip(widths, words, strict=True)]
    return sum(widths) + 2 * len(widths) <= PAGE_CHARS


def _lines(heading: str) -> list[str]:
    return textwrap.wrap(heading, HEAD_CHARS, break_long_words=False, break_on_hyphens=False)


def _is_word(cell: str) -> bool:
    return len(cell) <= WORD_CHARS and " " not in cell


def _cell(cell: Cell, *, keeps_words: bool) -> str:
    if isinstance(cell, str):
        kind = ' class="word"' if keeps_words and _is_word(cell) else ""
        return f"<td{kind}>{escape(cell)}</td>"
    words = NOT_DEFINED if cell is None else f"{cell:.3f}" if isinstance(cell, float) else f"{cell:,}"
    return f'<td align="right">{words}</td>'


def _caption(words: str) -> str:
    return f'<p class="caption">{escape(words)}</p>' if words else ""
