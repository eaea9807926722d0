"""The form of a report that Qt can lay out: it must find every picture and chart in the text itself."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QPdfWriter, QPixmap, QTextDocument

from synthstudio.core.export.report.charts import Axis, BarSeries, bar_chart
from synthstudio.core.export.report.document import Charts, Document, Paragraph, Section
from synthstudio.core.export.report.html import render_html


def test_that_charts_are_laid_out_and_printed(qtbot: object, tmp_path: Path) -> None:
    chart = bar_chart("F1", ["red cell"], [BarSeries("real", 0, (0.8,), ((0.7, 0.9),))], axis=Axis("F1"))
    page = Document("Report", "", (Section("Scores", (Paragraph("one"), Charts((chart,)))),))
    text = QTextDocument()
    text.setHtml(render_html(page, charts="images"))
    sources = [
        fragment.fragment().charFormat().toImageFormat().name()
        for block in _blocks(text)
        for fragment in block
        if fragment.fragment().charFormat().isImageFormat()
    ]
    assert len(sources) == 1
    picture = text.resource(QTextDocument.ResourceType.ImageResource, QUrl(sources[0]))
    assert isinstance(picture, QPixmap)
    assert (picture.width(), picture.height()) == (chart.width, chart.height)
    writer = QPdfWriter(str(tmp_path / "report.pdf"))
    text.print_(writer)
    del writer
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")


def _blocks(text: QTextDocument) -> list[object]:
    blocks, block = [], text.begin()
    while block.isValid():
        blocks.append(block)
        block = block.next()
    return blocks
