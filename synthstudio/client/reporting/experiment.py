"""The report of an experiment: its arms over all seeds, then one training of each arm in full."""

from __future__ import annotations

from collections.abc import Sequence

from synthstudio.client.experiment import get_experiment, read_trials, stored_experiment
from synthstudio.client.experiment_table import (
    ALL_CLASSES,
    ArmRow,
    ExperimentTable,
    Measure,
    build_table,
)
from synthstudio.client.experiment_words import figure_words
from synthstudio.client.reporting.building import build_report
from synthstudio.client.reporting.words import difference_words, range_words
from synthstudio.core.export.report.charts import Axis, BarSeries, bar_chart
from synthstudio.core.export.report.document import Block, Cell, Charts, Document, Listing, Paragraph, Section, Table
from synthstudio.core.export.report.svg import Svg
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import Split
from synthstudio.project import Project


def build_experiment_report(project: Project, name: str, *, tick: Tick = no_tick) -> Document:
    """Gather the report of an experiment on the test split, as far as it has come.

    Args:
        project: Where it is; only read.
        name: Of the experiment.
        tick: Called between the parts.

    Raises:
        NotFound: There is no such experiment.
        UserError: It has no finished training yet.
    """
    settings = stored_experiment(get_experiment(project, name))
    states = read_trials(project, settings)
    table = build_table(project, settings, states)
    shown: dict[tuple[str, str], RunId] = {}  # of each arm and task the first seed that is finished
    for state in sorted(states, key=lambda each: each.trial.seed):
        training = state.finished("train")
        if training is not None:
            shown.setdefault((state.trial.task, state.trial.arm), training.id)
    if not shown:
        raise UserError(
            f"The experiment {name} has no finished training yet.",
            f'Go on with it: synthstudio experiment --resume "{name}"',
        )
    return build_report(
        project, list(shown.values()), split=Split.TEST, leading=(experiment_section(table),), tick=tick
    )


def experiment_section(table: ExperimentTable) -> Section:
    """Every arm's figures over its seeds, and how far the arms are apart."""
    words = (
        f"{table.name}: {table.n_done} of {table.n_planned} jobs are done, {table.n_seeds} seeds, {table.n_images} test"
        f" images of {table.n_samples} samples. Mean over the seeds and standard deviation; with one seed the 95 %"
        " interval from resampling samples. The other sections show the first finished seed of each arm."
    )
    blocks: list[Block] = [
        Paragraph(words),
        Charts(tuple(_chart(table, measure) for measure in table.measures), "Dotted: what chance reaches."),
        *(_table(table, measure) for measure in table.measures),
    ]
    if table.differences:
        blocks.append(_differences(table))
    remarks = (*table.failures, *table.notes)
    return Section("Experiment", (*blocks, *([Listing(remarks)] if remarks else [])))


def _chart(table: ExperimentTable, measure: Measure) -> Svg:
    names = _names(table, measure)
    series = []
    for place, row in enumerate(table.arms):
        figures = [row.figures.get((measure.key, name)) for name in names]
        series.append(
            BarSeries(
                row.title,
                place,
                tuple(figure.mean if figure is not None else None for figure in figures),
                tuple(figure.ends if figure is not None else None for figure in figures),
            )
        )
    return bar_chart(
        measure.title,
        [name or "all" for name in names],
        series,
        axis=Axis(""),
        baselines=[_chance(table.arms, measure, name) for name in names],
    )


def _names(table: ExperimentTable, measure: Measure) -> list[str]:
    known = {name for row in table.arms for key, name in row.figures if key == measure.key}
    return [name for name in (*table.classes, ALL_CLASSES) if name in known]


def _chance(arms: Sequence[ArmRow], measure: Measure, name: str) -> float | None:
    found = (row.figures.get((measure.key, name)) for row in arms)
    return next((figure.chance for figure in found if figure is not None and figure.chance is not None), None)


def _table(table: ExperimentTable, measure: Measure) -> Table:
    names = _names(table, measure)
    rows: list[list[Cell]] = [
        [row.title, *(figure_words(row.figures.get((measure.key, name))) for name in names)] for row in table.arms
    ]
    return Table.of(["Trained on", *(name or "all" for name in names)], rows, f"{measure.title}. {measure.help}")


def _differences(table: ExperimentTable) -> Table:
    titles: dict[str, str] = {row.arm: row.title for row in table.arms}
    measures = {measure.key: measure.title for measure in table.measures}
    rows: list[list[Cell]] = [
        [
            f"{titles[each.arm]} − {titles[each.reference]}",
            measures.get(each.measure, each.measure),
            difference_words(each.mean),
            f"{each.sd:.3f}" if each.sd is not None else None,
            each.n,
            range_words(each.ci95),
            each.p,
        ]
        for each in table.differences
    ]
    columns = ("Arms", "Measure", "Difference", "SD over seeds", "Seeds", "95 % by samples", "p")
    return Table.of(
        columns, rows, "Differences, seed by seed; intervals resample samples, the same draws for both arms."
    )
