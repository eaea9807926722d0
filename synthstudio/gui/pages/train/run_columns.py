"""The table of all trainings: what was trained on what, with which settings, and what came of it. No widgets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from synthstudio.domain.figures import figure_text
from synthstudio.gui.pages.train.run_facts import STATUS_WORDS, TrainingFacts
from synthstudio.gui.widgets.sortable_table import TableCell, TableColumn, TableRow
from synthstudio.protocol.results import Interval
from synthstudio.settings.differences import differing_names, flat_settings
from synthstudio.settings.schema import setting_specs
from synthstudio.settings.train_classifier import TrainClassifierSettings

NOT_DEFINED = "n/a"
TITLES = {spec.name: (spec.title, spec.help, spec.unit) for spec in setting_specs(TrainClassifierSettings)}
SHOWN_ANYWAY = ("kind", "source")
"""Settings with a column of their own, or none."""


def build_table(trainings: Sequence[TrainingFacts], split: str) -> tuple[list[TableColumn], list[TableRow]]:
    """Columns and rows of the trainings, with their scores on a split."""
    flats, names = _settings_of(tuple(each.run.settings_json for each in trainings))
    classes = list(
        dict.fromkeys(
            name
            for each in trainings
            if split in each.evaluations
            for name in each.evaluations[split].classification.per_class
        )
    )
    columns = [*_score_columns(classes), *(_setting_column(name) for name in names), *_END_COLUMNS]
    rows = [
        TableRow(
            each.run.id,
            (
                *_score_cells(each, split, classes),
                *(_setting_cell(flat.get(name)) for name in names),
                *_end_cells(each),
            ),
        )
        for each, flat in zip(trainings, flats, strict=True)
    ]
    return columns, rows


@lru_cache(maxsize=4)
def _settings_of(stored: tuple[str, ...]) -> tuple[list[dict[str, object]], list[str]]:
    """Settings of the runs, and the names of those that differ: the same at every event of a running training."""
    flats = [flat_settings(each) for each in stored]
    return flats, [name for name in differing_names(flats) if name not in SHOWN_ANYWAY]


def _score_columns(classes: Sequence[str]) -> list[TableColumn]:
    return [
        TableColumn("Run", "Its title, or source and network.", is_number=False),
        TableColumn("Trained on", "Where its training images come from.", is_number=False),
        TableColumn("Macro F1", "Mean over the classes, with its 95 % interval from resampling samples."),
        *(TableColumn(f"F1 {name}", f"F1 of {name}, with its 95 % interval.") for name in classes),
        TableColumn("AUC", "Mean area under the ROC curve."),
        TableColumn("Pointing", "Share of the images on which the hottest point of the map lies on an object."),
    ]


_END_COLUMNS = (
    TableColumn("Images", "Fields that it learned from."),
    TableColumn("Clicks", "Annotations on those fields today."),
    TableColumn("Time", "Duration of the training."),
    TableColumn("Device", "What it was trained on.", is_number=False),
    TableColumn("Date", "When it was started.", is_number=False),
    TableColumn("State", "How it ended.", is_number=False),
)


def _setting_column(name: str) -> TableColumn:
    title, words, unit = TITLES.get(name, (name, "", ""))
    return TableColumn(f"{title}, {unit}" if unit else title, f"{name}. {words}".strip())


def _setting_cell(value: object) -> TableCell:
    if value is None:
        return TableCell("")
    if isinstance(value, bool):
        return TableCell("yes" if value else "no", str(value))
    if isinstance(value, int | float):
        return TableCell(f"{value:g}" if abs(value) < 1e6 else f"{value:,.0f}", float(value))
    words = ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)
    return TableCell(words, words, tip=words)


def _score_cells(training: TrainingFacts, split: str, classes: Sequence[str]) -> list[TableCell]:
    name = TableCell(training.name, training.name.casefold(), tip=f"{training.name}\n{training.run.id}")
    source = TableCell(training.source, training.source)
    result = training.evaluations.get(split)
    if result is None:
        waiting = TableCell("", tip=f"This run has not been evaluated on {split} yet.")
        return [name, source, *(waiting for _ in range(len(classes) + 3))]
    whole = result.classification
    scores = [whole.per_class.get(each) for each in classes]
    return [
        name,
        source,
        _figure_cell(whole.macro_f1, whole.ci95),
        *(_figure_cell(each.f1, each.ci95) if each is not None else TableCell("") for each in scores),
        _figure_cell(whole.auc),
        _figure_cell(result.localization.pointing_accuracy),
    ]


def _figure_cell(value: float | None, interval: Interval | None = None) -> TableCell:
    return TableCell(figure_text(value, interval), value)


def _end_cells(training: TrainingFacts) -> list[TableCell]:
    result, run = training.result, training.run
    seconds = result.seconds if result is not None else None
    return [
        _count_cell(training.n_images),
        _count_cell(training.n_marks),
        TableCell(duration_words(seconds) if seconds is not None else "", seconds),
        TableCell(result.device, result.device) if result is not None and result.device else TableCell(""),
        TableCell(run.created_at[:16].replace("T", " "), run.created_at),
        TableCell(STATUS_WORDS[run.status], STATUS_WORDS[run.status], tip=f"{run.message} {run.hint}".strip()),
    ]


def _count_cell(count: int | None) -> TableCell:
    return TableCell("") if count is None else TableCell(f"{count:,}", float(count))


def duration_words(seconds: float) -> str:
    """Seconds, minutes or hours, as short as they can be said."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def figure_words(value: float | None) -> str:
    """A share with three decimals; undefined is n/a, never 0."""
    return NOT_DEFINED if value is None else f"{value:.3f}"
