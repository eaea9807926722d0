"""A report of runs as one file: HTML, or PDF laid out by Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QBuffer, QEventLoop, QIODevice
from PySide6.QtGui import QPageSize, QPdfWriter, QTextDocument
from PySide6.QtWidgets import QWidget

from synthstudio.client.reporting.building import build_report
from synthstudio.core.export.report.document import Document
from synthstudio.core.export.report.html import render_html
from synthstudio.core.imaging import write_bytes_atomically
from synthstudio.domain.ids import RunId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Split
from synthstudio.gui.errors import Notice, Severity, post
from synthstudio.gui.widgets.saving import choose_file
from synthstudio.gui.workspace import Workspace

FILTERS = "Web page (*.html);;PDF (*.pdf)"
PDF_SUFFIX = ".pdf"
PDF_DPI = 300


def ask_for_report(workspace: Workspace, run_ids: Sequence[RunId], split: Split, *, parent: QWidget) -> None:
    """Ask where to, then write a report of these runs off the GUI thread and say where it is."""
    project = workspace.require_project()

    def build(tick: Tick) -> Document:
        return build_report(project, run_ids, split=split, tick=tick)

    ask_where_to(workspace, build, name=f"{project.name}-report", parent=parent)


def ask_where_to(workspace: Workspace, build: Callable[[Tick], Document], *, name: str, parent: QWidget) -> None:
    """Ask where to, then write what `build` gives off the GUI thread; `name` is offered, without a suffix."""
    folder = workspace.require_project().folder.parent

    def write(path: Path) -> None:
        def work(tick: Tick) -> Path:
            write_bytes_atomically(path, report_bytes(build(tick), path.suffix))
            return path

        workspace.background.run(work, done=tell, owner=parent, title="Writing the report")

    def tell(path: Path) -> None:
        post(Notice(f"The report was written to {path}.", "", Severity.INFO), parent=parent)

    choose_file(parent, str(folder / f"{name}.html"), FILTERS, write)


def report_bytes(document: Document, suffix: str) -> bytes:
    """The file's content; in any thread."""
    return _print_pdf(document) if suffix.lower() == PDF_SUFFIX else render_html(document).encode()


def _print_pdf(document: Document) -> bytes:
    dispatcher = QEventLoop()  # Qt's layout starts timers, which a thread of Python's has no place for otherwise
    text = QTextDocument()
    text.setHtml(render_html(document, charts="images"))
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    writer.setResolution(PDF_DPI)
    writer.setTitle(document.title)
    text.print_(writer)
    del writer  # the last part of the file is written when it goes
    dispatcher.quit()
    return bytes(buffer.data().data())
