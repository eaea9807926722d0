"""The column beside the captions: fields that become a sentence, and what is off with the set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QCompleter,
    QFormLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from synthstudio.core.review.guide_checks import GuideProblem
from synthstudio.core.synthesis.prompts import (
    DEFAULT_VIEW,
    FIELDS,
    CaptionFields,
    estimate_tokens,
    parse_caption,
    write_caption,
)
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.dialog_layout import add_row
from synthstudio.gui.widgets.icons import themed_icon
from synthstudio.gui.widgets.section import Section
from synthstudio.gui.widgets.wrapped_label import WrappedLabel

WIDTH_PX = 320
MARGINS_PX = 56
"""Icon and paddings beside a sentence."""
SEVERITY_ICONS = {
    "error": "mdi6.close-circle-outline",
    "warning": "mdi6.alert-outline",
    "note": "mdi6.information-outline",
}
_LABELS: Mapping[str, tuple[str, str]] = {
    "view": ("Picture", "photo, close-up photo, micrograph"),
    "stage": ("Stage", "how far it has come: early, pustular, healing"),
    "color": ("Colour", "red with a yellow centre"),
    "size": ("Size", "5 mm, small, covering the palm"),
    "number": ("Number", "single, several, about twenty"),
    "place": ("Place", "back of the hand"),
}
DIFFERS = "differs"


class CaptionSide(QWidget):
    """Knows nothing of the project.

    Signals:
        captions_written: (mapping of places among the shown captions -> caption) The button was pressed.
        problem_chosen: (`GuideProblem`)
    """

    captions_written = Signal(object)
    problem_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedWidth(scaled_px(WIDTH_PX))
        self._captions: tuple[str, ...] = ()
        self._subject = ""
        self._shown: dict[str, str] = {}
        self._is_writable = True
        self.inputs = {name: self._input(name) for name in _LABELS}
        self.sentence = WrappedLabel("muted", self)
        self.sentence.setTextFormat(Qt.TextFormat.PlainText)
        self.write = QPushButton("Write caption", self)
        self.write.setProperty("primary", True)
        self.write.setToolTip("Writes the sentence as the caption of the selected images (Ctrl+Return)")
        self.hint = WrappedLabel("muted", self)
        self.problems = _SentenceList(self)
        self.problems.setAccessibleName("What is off with the guide set")
        self.assistant = Section("Caption from fields", parent=self)
        self.checks = Section("Checks", self.problems, self)
        self._lay_out()
        self.write.clicked.connect(self.write_captions)
        self.problems.itemClicked.connect(self._on_problems_item_chosen)
        self.problems.itemActivated.connect(self._on_problems_item_chosen)
        self.show_captions((), "")
        self.show_problems(())

    def _input(self, name: str) -> QLineEdit:
        line = QLineEdit(self)
        line.setAccessibleName(_LABELS[name][0])
        line.setToolTip(f"For example: {_LABELS[name][1]}")
        line.textEdited.connect(self._show_sentence)
        line.returnPressed.connect(self.write_captions)
        return line

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setSpacing(GRID_PX)
        for name, (label, _) in _LABELS.items():
            add_row(form, label, self.inputs[name])
        body = QVBoxLayout(self.assistant.body)
        body.setContentsMargins(2 * GRID_PX, 0, 2 * GRID_PX, 0)
        body.setSpacing(2 * GRID_PX)
        body.addLayout(form)
        for widget in (self.sentence, self.write, self.hint):
            body.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX, GRID_PX, GRID_PX, GRID_PX)
        layout.setSpacing(GRID_PX)
        layout.addWidget(self.assistant)
        layout.addWidget(self.checks, 1)

    # Fields and sentence

    def show_captions(self, captions: Sequence[str], subject: str, *, is_writable: bool = True) -> None:
        """Show the fields of the selected captions; a field that differs among them stays as it is in each."""
        self._captions, self._subject, self._is_writable = tuple(captions), subject, is_writable
        parsed = [parse_caption(each, subject) or CaptionFields() for each in captions]
        for name, line in self.inputs.items():
            values = {str(getattr(each, name)) for each in parsed}
            self._shown[name] = values.pop() if len(values) == 1 else ""
            line.setText(self._shown[name])
            line.setPlaceholderText(DIFFERS if values else "")
            line.setEnabled(bool(captions) and is_writable)
        n_by_hand = sum(bool(each) and parse_caption(each, subject) is None for each in captions)
        self.hint.setText(_hint(len(captions), n_by_hand))
        self.hint.setVisible(bool(self.hint.text()))
        self.write.setText("Write caption" if len(captions) < 2 else f"Write {len(captions)} captions")
        self._show_sentence()

    def offer_words(self, captions: Sequence[str], subject: str) -> None:
        """Complete fields by the words that other captions of the set have there."""
        parsed = [fields for each in captions if (fields := parse_caption(each, subject)) is not None]
        for name, line in self.inputs.items():
            words = sorted({str(getattr(each, name)) for each in parsed} - {""})
            completer = QCompleter(words, line)
            completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
            line.setCompleter(completer)

    def sentences(self) -> list[str]:
        """The captions that the selected images would get."""
        edited = {name: line.text() for name, line in self.inputs.items() if line.text() != self._shown[name]}
        return [self._sentence(caption, edited) for caption in self._captions]

    def _sentence(self, caption: str, edited: Mapping[str, str]) -> str:
        known = parse_caption(caption, self._subject) or CaptionFields(view=self.inputs["view"].text() or DEFAULT_VIEW)
        words = {name: str(getattr(known, name)) for name in ("view", *FIELDS)} | dict(edited)
        return write_caption(CaptionFields(**words), self._subject)

    @Slot()
    def _show_sentence(self) -> None:
        sentences = self.sentences()
        text = sentences[0] if sentences else ""
        self.sentence.setText(f"{text}\n{estimate_tokens(text)} of 77 tokens, about" if text else "")
        self.write.setEnabled(self._is_writable and any(a != b for a, b in zip(sentences, self._captions, strict=True)))

    @Slot()
    def write_captions(self) -> None:
        """Write the sentences as the captions of the selected images."""
        if self.write.isEnabled():
            self.captions_written.emit(dict(enumerate(self.sentences())))

    # Problems

    def show_problems(self, problems: Sequence[GuideProblem] | None) -> None:
        """List what is off; None while it is not known yet."""
        self.problems.clear()
        for each in problems or ():
            item = QListWidgetItem(themed_icon(SEVERITY_ICONS[each.severity]), each.message, self.problems)
            item.setData(Qt.ItemDataRole.UserRole, each)
            item.setToolTip("Click to select the images" if each.guides else "")
        self.problems.fit_items()
        detail = "…" if problems is None else "nothing is off" if not problems else f"{len(problems)}"
        self.checks.detail.setText(detail)

    @Slot(QListWidgetItem)
    def _on_problems_item_chosen(self, item: QListWidgetItem) -> None:
        self.problem_chosen.emit(item.data(Qt.ItemDataRole.UserRole))


class _SentenceList(QListWidget):
    """Items are as high as their sentences are when they are wrapped."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setTextElideMode(Qt.TextElideMode.ElideNone)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit_items()

    def fit_items(self) -> None:
        """Give every item the height of its sentence."""
        room = QRect(0, 0, max(1, self.viewport().width() - scaled_px(MARGINS_PX)), 10_000)
        for row in range(self.count()):
            item = self.item(row)
            words = self.fontMetrics().boundingRect(room, int(Qt.TextFlag.TextWordWrap), item.text())
            item.setSizeHint(QSize(0, words.height() + 4 * GRID_PX))


def _hint(n_selected: int, n_by_hand: int) -> str:
    if not n_selected:
        return "Select one or several images to write their captions from fields."
    if n_by_hand:
        which = "This caption was" if n_selected == 1 else f"{n_by_hand} of these captions were"
        return f"{which} written by hand; the sentence takes its place."
    return "Fields that you leave alone stay as they are in each caption." if n_selected > 1 else ""
