"""The window's door for errors and questions.

A `UserError` becomes a notice in the window that it belongs to, and so does what the system says of a file that it
names. Anything else is our bug: the user reads where the log is. Of all but a `UserError` the traceback goes to the
log. Questions go through `ask`, which a test replaces.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

import platformdirs
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QInputDialog, QMessageBox, QWidget

from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.os_errors import translate_named_error

logger = logging.getLogger("synthstudio.gui")


def log_path() -> Path:
    """File that the application's log goes to."""
    return platformdirs.user_log_path("synthstudio", appauthor=False) / "synthstudio.log"


class Severity(StrEnum):
    """How loudly a notice speaks."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class NoticeAction:
    """A button of a notice: the next step that its hint speaks of."""

    text: str
    callback: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Notice:
    """What a window tells its user: one sentence, and what to do next.

    Attributes:
        holds: Whether it is still so; asked when records or the current class change. A notice that is settled goes.
    """

    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR
    action: NoticeAction | None = None
    holds: Callable[[], bool] | None = None


@runtime_checkable
class NoticeBoard(Protocol):
    """A window that can show notices."""

    def show_notice(self, notice: Notice) -> None:
        """Show a notice without taking the focus."""


def notice_of(error: BaseException) -> Notice:
    """Word an exception for the user; one that nobody has put into words before is logged with its traceback."""
    if isinstance(error, UserError):
        return Notice(error.message, error.hint)
    logger.error("Unexpected error", exc_info=error)
    told = translate_named_error(error) if isinstance(error, OSError) else None
    if told is not None:  # a file that went away, a full disk: the world's fault wherever it was met
        return Notice(told.message, told.hint)
    return Notice(
        f"Something went wrong in SynthStudio itself ({type(error).__name__}). Your annotations are saved.",
        f"The crash report is in {log_path()}.",
    )


def report(error: BaseException, *, parent: QWidget | None) -> None:
    """Show an error in the nearest window of `parent`. A cancel is no error and is not shown."""
    if not isinstance(error, Cancelled):
        post(notice_of(error), parent=parent)


def post(notice: Notice, *, parent: QWidget | None) -> None:
    """Show a notice in the nearest window of `parent` that shows notices, else in any, else log it."""
    board = _find_board(parent)
    if board is None:
        logger.warning("%s %s", notice.message, notice.hint)
        return
    board.show_notice(notice)


def _find_board(parent: QWidget | None) -> NoticeBoard | None:
    widget = parent
    while widget is not None:
        if isinstance(widget, NoticeBoard):
            return widget
        widget = widget.parentWidget()
    windows = QApplication.topLevelWidgets() if QApplication.instance() else []
    return next((window for window in windows if isinstance(window, NoticeBoard)), None)


class Questions:
    """Asks the user; every question is a window-modal dialog that answers by callback, never a nested event loop."""

    def choose(
        self,
        parent: QWidget,
        *,
        title: str,
        text: str,
        choices: Sequence[str],
        answered: Callable[[int], None],
    ) -> None:
        """Offer buttons; `answered` gets the index of the chosen one. Escape gives none."""
        box = QMessageBox(QMessageBox.Icon.NoIcon, title, text, QMessageBox.StandardButton.Cancel, parent)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        buttons = [box.addButton(choice, QMessageBox.ButtonRole.AcceptRole) for choice in choices]
        box.setDefaultButton(buttons[-1])

        def on_finished() -> None:
            clicked = box.clickedButton()
            index = next((i for i, button in enumerate(buttons) if button is clicked), None)
            if index is not None:
                answered(index)

        box.finished.connect(on_finished)
        box.open()

    def text(self, parent: QWidget, *, title: str, label: str, value: str, answered: Callable[[str], None]) -> None:
        """Ask for one line of text; `answered` gets it stripped, and is not called for nothing."""
        dialog = QInputDialog(parent)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(title)
        dialog.setLabelText(label)
        dialog.setTextValue(value)
        dialog.textValueSelected.connect(lambda text: answered(text.strip()) if text.strip() else None)
        dialog.open()

    def number(
        self,
        parent: QWidget,
        *,
        title: str,
        label: str,
        value: float,
        bounds: tuple[float, float],
        answered: Callable[[float], None],
    ) -> None:
        """Ask for one number within bounds, with four decimals."""
        dialog = QInputDialog(parent)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setInputMode(QInputDialog.InputMode.DoubleInput)
        dialog.setWindowTitle(title)
        dialog.setLabelText(label)
        dialog.setDoubleDecimals(4)
        dialog.setDoubleRange(*bounds)
        dialog.setDoubleStep(0.01)
        dialog.setDoubleValue(value)
        dialog.doubleValueSelected.connect(answered)
        dialog.open()

    def folder(self, parent: QWidget, *, title: str, start: Path, answered: Callable[[Path], object]) -> None:
        """Ask for an existing folder."""
        dialog = QFileDialog(parent, title, str(start))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        self._open_file_dialog(dialog, answered)

    def new_folder(self, parent: QWidget, *, title: str, start: Path, answered: Callable[[Path], object]) -> None:
        """Ask for the name and place of a folder that need not exist yet."""
        dialog = QFileDialog(parent, title, str(start))
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setLabelText(QFileDialog.DialogLabel.FileName, "Folder name:")
        self._open_file_dialog(dialog, answered)

    def file(
        self, parent: QWidget, *, title: str, start: Path, name_filter: str, answered: Callable[[Path], object]
    ) -> None:
        """Ask for an existing file."""
        dialog = QFileDialog(parent, title, str(start), name_filter)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        self._open_file_dialog(dialog, answered)

    def _open_file_dialog(self, dialog: QFileDialog, answered: Callable[[Path], object]) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: answered(Path(name)))
        dialog.open()


ask = Questions()
"""Call as `errors.ask....`, so that a test can put another object in its place."""
