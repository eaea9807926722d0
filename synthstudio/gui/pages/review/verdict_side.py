"""The column beside the images: buttons of the verdict, reasons, what the image was made from, how reviewers agree."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QPushButton, QVBoxLayout, QWidget

from synthstudio.core.review.verdict_agreement import ReviewAgreement, agreement_words
from synthstudio.domain.records import Verdict, VerdictKind
from synthstudio.gui.pages.review.set_book import ImageLine
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.image_grid import GridImage, ImageGrid
from synthstudio.gui.widgets.section import Section
from synthstudio.gui.widgets.wrapped_label import WrappedLabel

WIDTH_PX = 300
REASONS_PX = 150
VERDICT_WORDS = {VerdictKind.ACCEPTED: "Keep", VerdictKind.REJECTED: "Reject", VerdictKind.UNSURE: "Unsure"}
KEYS = {VerdictKind.ACCEPTED: "K", VerdictKind.REJECTED: "R", VerdictKind.UNSURE: "U"}
MAX_KEYED = 9
MAX_LABELS = 8


class VerdictSide(QWidget):
    """Knows nothing of the project.

    Signals:
        verdict_given: (`VerdictKind`)
        reason_given: (its place in the list)
        edit_requested: The list of reasons is to be changed.
    """

    verdict_given = Signal(object)
    reason_given = Signal(int)
    edit_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedWidth(scaled_px(WIDTH_PX))
        self.buttons = {kind: self._button(kind) for kind in VERDICT_WORDS}
        self.status = WrappedLabel("muted", self)
        self.reasons = QListWidget(self)
        self.reasons.setAccessibleName("Reasons")
        self.reasons.setMaximumHeight(scaled_px(REASONS_PX))
        self.edit = QPushButton("Edit reasons…", self)
        self.facts = WrappedLabel("muted", self)
        self.facts.setTextFormat(Qt.TextFormat.PlainText)
        self.sources = ImageGrid(self)
        self.sources.setAccessibleName("What the image was made from")
        self.sources.set_placeholder("Nothing to compare with.")
        self.source_section = Section("Made from, and nearest real", self.sources, self)
        self.agreement = WrappedLabel("muted", self)
        self._lay_out()
        self.reasons.itemClicked.connect(self._on_reasons_item_clicked)
        self.edit.clicked.connect(self.edit_requested)

    def _button(self, kind: VerdictKind) -> QPushButton:
        button = QPushButton(f"{VERDICT_WORDS[kind]}  {KEYS[kind]}", self)
        button.setAccessibleName(VERDICT_WORDS[kind])
        button.setMinimumWidth(24)
        button.clicked.connect(lambda: self.verdict_given.emit(kind))
        return button

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(GRID_PX)
        for button in self.buttons.values():
            row.addWidget(button, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, GRID_PX)
        layout.setSpacing(GRID_PX)
        layout.addLayout(row)
        layout.addWidget(self.status)
        layout.addWidget(self.reasons)
        layout.addWidget(self.edit)
        layout.addWidget(self.facts)
        layout.addWidget(self.source_section, 1)
        layout.addWidget(self.agreement)

    @Slot()
    def _on_reasons_item_clicked(self) -> None:
        self.reason_given.emit(self.reasons.currentRow())

    def show_reasons(self, reasons: Sequence[str]) -> None:
        """List the reasons, the first nine with their keys."""
        self.reasons.clear()
        for place, reason in enumerate(reasons):
            key = f"{place + 1}" if place < MAX_KEYED else " "
            self.reasons.addItem(f"{key}   {reason}")

    def show_line(self, line: ImageLine | None, verdicts: Sequence[Verdict], *, reviewer: str) -> None:
        """Tell of the image that is looked at; other reviewers only where their verdicts are shown."""
        if line is None:
            self.facts.setText("")
            return
        words = [f"Image {line.index:,}"]
        if line.labels:
            more = f" and {len(line.labels) - MAX_LABELS} more" if len(line.labels) > MAX_LABELS else ""
            words.append(f"{', '.join(line.labels[:MAX_LABELS])}{more}")
        if line.tone:
            words.append(f"tone {line.tone}")
        lines = [" · ".join(words), *([line.prompt] if line.prompt else [])]
        for each in verdicts:
            who = "final, by " if each.is_final else ""
            name = "you" if each.reviewer == reviewer else each.reviewer
            lines.append(f"{who}{name}: {each.kind}{f', {each.reason}' if each.reason else ''}")
        self.facts.setText("\n".join(lines))

    def show_sources(self, pictures: Sequence[GridImage]) -> None:
        """Show what the image was made from."""
        self.sources.set_images(pictures)

    def show_agreement(self, agreement: ReviewAgreement | None) -> None:
        """Say how reviewers agree, where there are several."""
        is_known = agreement is not None and bool(agreement.pairs)
        self.agreement.setVisible(is_known)
        self.agreement.setText("\n".join(agreement_words(agreement)) if agreement is not None else "")
