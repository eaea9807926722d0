"""The filters of the gallery: what rows must have to be seen."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from PySide6.QtCore import QLocale, QStringListModel, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QDoubleValidator
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from synthstudio.core.review.gallery import GalleryTable
from synthstudio.core.review.gallery_filter import OUTCOMES, SPLIT_NAMES, GalleryFilter, RowFacts
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.choices import fill_choice, make_choice
from synthstudio.gui.widgets.dialog_layout import add_row
from synthstudio.gui.widgets.wheel_guard import guard_wheel

WIDTH_PX, TYPING_MS = 236, 200
ALL_WORDS = "all"
RANGES = {
    "px": "Size in px of the full image: square root of the area",
    "aspect": "Width by height: 1 is square, 2 twice as wide as high",
    "score": "From 0 to 1",
}


class RangeRow(QWidget):
    """Two numbers, either of which may be missing. Signals: changed."""

    changed = Signal()

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.least, self.most = QLineEdit(self), QLineEdit(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID_PX)
        for edit, word in ((self.least, "from"), (self.most, "to")):
            validator = QDoubleValidator(edit)
            validator.setLocale(QLocale.c())
            edit.setValidator(validator)
            edit.setPlaceholderText(word)
            edit.setAccessibleName(f"{name} {word}")
            edit.textChanged.connect(self.changed)
            row.addWidget(edit, 1)

    @property
    def ends(self) -> tuple[float, float]:
        """Both ends; infinite where nothing is written."""
        return _number(self.least.text(), -math.inf), _number(self.most.text(), math.inf)

    def set_ends(self, least: float, most: float) -> None:
        """Write two ends."""
        for edit, value in ((self.least, least), (self.most, most)):
            edit.setText(f"{value:.6g}" if math.isfinite(value) else "")


class GalleryFilters(QFrame):
    """One control for each filter, and the choice of a saved view.

    Signals:
        changed: Another choice.
        scores_chosen: Scores are to come from elsewhere.
        view_chosen: (name) A saved view.
        save_requested: The present choice is to get a name.
        forget_requested: (name) A saved view is to be forgotten.
    """

    changed = Signal()
    scores_chosen = Signal()
    view_chosen = Signal(str)
    save_requested = Signal()
    forget_requested = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("panel", True)
        self.setFixedWidth(scaled_px(WIDTH_PX))
        self.views = make_choice("Saved view", self)
        self.save, self.forget = QPushButton("Save view…", self), QPushButton("Forget", self)
        self.save.setToolTip("Keep these filters, the order and what is shown under a name")
        self.words, self.sample = QLineEdit(self), QLineEdit(self)
        self.words.setPlaceholderText("in the name or sample")
        self.sample.setPlaceholderText("its name, or how it begins")
        self._sample_names = QStringListModel(self)
        self._offer_samples()
        self.classes, self.splits = make_choice("Class", self), make_choice("Split", self)
        self.tags, self.verdicts = make_choice("Tag", self), make_choice("Verdict", self)
        self.sources, self.scores = make_choice("Source", self), make_choice("Score of", self)
        self.ranges = {name: RangeRow(name.capitalize(), self) for name in RANGES}
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(TYPING_MS)
        self._lay_out()
        self._connect()
        self.offer(None, RowFacts())

    def _offer_samples(self) -> None:
        completer = QCompleter(self._sample_names, self.sample)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self.sample.setCompleter(completer)

    def _lay_out(self) -> None:
        for combo in (self.views, self.classes, self.splits, self.tags, self.verdicts, self.sources, self.scores):
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            combo.setMinimumContentsLength(6)
            guard_wheel(combo)
        form = QFormLayout()
        form.setSpacing(2 * GRID_PX)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows: list[tuple[str, QWidget]] = [
            ("Class", self.classes),
            ("Split", self.splits),
            ("Sample", self.sample),
            ("Words", self.words),
            ("Tag", self.tags),
            ("Verdict", self.verdicts),
            ("Source", self.sources),
            ("Size, px", self.ranges["px"]),
            ("Shape", self.ranges["aspect"]),
            ("Score of", self.scores),
            ("Score", self.ranges["score"]),
        ]
        for words, widget in rows:
            add_row(form, words, widget)
            if isinstance(widget, QLineEdit):
                widget.setClearButtonEnabled(True)
                widget.setAccessibleName(words)
        for name, tip in RANGES.items():
            self.ranges[name].setToolTip(tip)
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID_PX)
        buttons.addWidget(self.save, 1)
        buttons.addWidget(self.forget)
        heading = QLabel("Saved views", self)
        heading.setProperty("muted", True)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        column.addLayout(form)
        column.addStretch(1)
        column.addWidget(heading)
        column.addWidget(self.views)
        column.addLayout(buttons)

    def _connect(self) -> None:
        for combo in (self.classes, self.splits, self.tags, self.verdicts, self.sources):
            combo.currentIndexChanged.connect(self.changed)
        self.scores.currentIndexChanged.connect(self.scores_chosen)
        for edit in (self.words, self.sample):
            edit.textChanged.connect(self._on_typed)
        for ends in self.ranges.values():
            ends.changed.connect(self._on_typed)
        self._typing.timeout.connect(self.changed)
        self.views.activated.connect(self._on_views_activated)
        self.save.clicked.connect(self.save_requested)
        self.forget.clicked.connect(lambda: self.forget_requested.emit(self.views.currentData()))

    @Slot()
    def _on_typed(self) -> None:
        self._typing.start()

    # What can be chosen

    def offer(self, table: GalleryTable | None, facts: RowFacts) -> None:
        """Offer what occurs among these rows; what is chosen stays so where it can be."""
        names = table.class_names if table is not None else ()
        has_objects = table is not None and table.has_objects
        fill_choice(self.classes, [(ALL_WORDS, ""), *((name, name) for name in names)])
        fill_choice(self.splits, [(ALL_WORDS, ""), *((name, name) for name in SPLIT_NAMES)])
        fill_choice(self.sources, [(ALL_WORDS, ""), *((name, name) for name in (table.sources if table else ()))])
        tags = [(f"{name}  {int(has.sum()):,}", name) for name, has in facts.tags.items()]
        fill_choice(self.tags, [(ALL_WORDS, ""), *tags])
        fill_choice(self.verdicts, [(ALL_WORDS, ""), *((each.value, each.value) for each in OUTCOMES)])
        self.sources.setEnabled(has_objects)
        self.tags.setEnabled(bool(tags))
        self.verdicts.setEnabled(facts.outcome_of is not None)
        self.ranges["score"].setEnabled(facts.score is not None)
        self._sample_names.setStringList(list(table.images.sample_names) if table is not None else [])

    def offer_scores(self, sources: Sequence[tuple[str, str]]) -> None:
        """Offer (words, value) of what gives scores."""
        fill_choice(self.scores, [("nothing", ""), *sources])
        self.scores.setEnabled(bool(sources))

    def offer_views(self, names: Sequence[str], *, can_save: bool) -> None:
        """Offer these saved views."""
        self.save.setEnabled(can_save)
        fill_choice(self.views, [("choose…" if names else "none yet", ""), *((name, name) for name in names)])
        self.views.setEnabled(bool(names))
        self.forget.setEnabled(bool(self.views.currentData()))

    def show_view(self, name: str) -> None:
        """Name a saved view as the one that is shown."""
        self.views.setCurrentIndex(max(0, self.views.findData(name)))
        self.forget.setEnabled(bool(self.views.currentData()))

    @Slot()
    def _on_views_activated(self) -> None:
        self.forget.setEnabled(bool(self.views.currentData()))
        if self.views.currentData():
            self.view_chosen.emit(self.views.currentData())

    # What is chosen

    @property
    def wanted(self) -> GalleryFilter:
        """What the filters say; those that mean nothing here are left out."""
        least_px, most_px = self.ranges["px"].ends
        least_aspect, most_aspect = self.ranges["aspect"].ends
        least_score, most_score = self.ranges["score"].ends
        return GalleryFilter(
            class_name=self.classes.currentData() or "",
            split=_chosen(self.splits),
            words=self.words.text(),
            source=_chosen(self.sources),
            sample=self.sample.text().strip(),
            tag=_chosen(self.tags),
            verdict=_chosen(self.verdicts),
            least_px=least_px,
            most_px=most_px,
            least_aspect=least_aspect,
            most_aspect=most_aspect,
            least_score=least_score,
            most_score=most_score,
        )

    def set_wanted(self, wanted: GalleryFilter, *, score_of: str | None = None) -> None:
        """Show a choice, without a signal; scores come from where they came where `score_of` is None."""
        was_blocked = self.blockSignals(True)
        if score_of is not None:
            self.scores.setCurrentIndex(max(0, self.scores.findData(score_of)))
        choices = {
            self.classes: wanted.class_name,
            self.splits: wanted.split,
            self.sources: wanted.source,
            self.tags: wanted.tag,
            self.verdicts: wanted.verdict,
        }
        for combo, value in choices.items():
            if value and combo.findData(value) < 0:  # it is still being read what there is
                combo.addItem(value, value)
            combo.setCurrentIndex(max(0, combo.findData(value)))
        self.words.setText(wanted.words)
        self.sample.setText(wanted.sample)
        self.ranges["px"].set_ends(wanted.least_px, wanted.most_px)
        self.ranges["aspect"].set_ends(wanted.least_aspect, wanted.most_aspect)
        self.ranges["score"].set_ends(wanted.least_score, wanted.most_score)
        self._typing.stop()
        self.blockSignals(was_blocked)

    def drop(self, name: str) -> None:
        """Open one filter: a field of `GalleryFilter`, or "px", "aspect" and "score" for both ends."""
        fresh, fields = GalleryFilter(), [name]
        if name in RANGES:
            fields = [f"least_{name}", f"most_{name}"]
        kept = dataclasses.replace(self.wanted, **{each: getattr(fresh, each) for each in fields})
        self.set_wanted(kept)
        self.changed.emit()


def words_of(wanted: GalleryFilter) -> list[tuple[str, str]]:
    """What is asked for, as (field or range, words)."""
    found = [
        ("class_name", wanted.class_name),
        ("split", wanted.split and f"split {wanted.split}"),
        ("sample", wanted.sample and f"sample {wanted.sample}"),
        ("words", wanted.words.strip() and f"“{wanted.words.strip()}”"),
        ("tag", wanted.tag and f"tag {wanted.tag}"),
        ("verdict", wanted.verdict),
        ("source", wanted.source),
        ("px", _range_words("size", wanted.least_px, wanted.most_px, " px")),
        ("aspect", _range_words("shape", wanted.least_aspect, wanted.most_aspect, "")),
        ("score", _range_words("score", wanted.least_score, wanted.most_score, "")),
    ]
    return [(name, words) for name, words in found if words]


def _range_words(what: str, least: float, most: float, unit: str) -> str:
    if math.isinf(least) and math.isinf(most):
        return ""
    if math.isinf(least):
        return f"{what} up to {most:.4g}{unit}"
    return f"{what} {least:.4g} to {most:.4g}{unit}" if math.isfinite(most) else f"{what} from {least:.4g}{unit}"


def _number(text: str, otherwise: float) -> float:
    try:
        number = float(text)
    except ValueError:
        return otherwise
    return number if math.isfinite(number) else otherwise


def _chosen(combo: QComboBox) -> str:
    return str(combo.currentData() or "") if combo.isEnabled() else ""
