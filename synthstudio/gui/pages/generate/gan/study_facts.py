"""What is known of the project's studies of GANs. No widgets."""

from __future__ import annotations

from typing import TypeAlias

from synthstudio.client.experiment_table import Figure
from synthstudio.client.experiment_times import duration_words
from synthstudio.client.experiment_words import figure_words
from synthstudio.client.gan_study import estimate_study, list_studies, read_study, stored_study
from synthstudio.client.gan_study_table import StudyRow, StudyTable, build_study_table, paper_words
from synthstudio.client.plan_facts import PlanFacts
from synthstudio.core.export.report.charts import series_color
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Experiment
from synthstudio.gui.widgets.bar_plot import Bar, BarChart, BarSeries
from synthstudio.gui.widgets.sortable_table import TableCell, TableColumn, TableRow
from synthstudio.project import Project
from synthstudio.settings.gan_study import GanStudySettings

FLOOR = "Real against real"
SHARES = frozenset({"precision", "recall", "density", "coverage"})
MAX_NAMED_BARS = 5
"""More bars than this are numbered as the rows of the table are."""


StudyFacts: TypeAlias = PlanFacts[GanStudySettings, StudyTable]


def read_studies(project: Project) -> list[StudyFacts]:
    """Read all studies of a project, newest first."""
    return [_facts(project, record) for record in reversed(list_studies(project))]


def _facts(project: Project, record: Experiment) -> StudyFacts:
    try:
        settings = stored_study(record)
    except UserError:
        return PlanFacts(record)
    states = read_study(project, settings)
    return PlanFacts(record, settings, build_study_table(settings, states), estimate_study(project, settings, states))


def columns_of(table: StudyTable) -> tuple[TableColumn, ...]:
    """Variant, measures, and the paper's own figures where its variants are compared."""
    measures = (TableColumn(each.title, each.help) for each in table.measures)
    paper = TableColumn("Paper's FID", "Ghorbani et al. 2019: other photographs, other features. Compare the order.")
    has_paper = table.paper_floor is not None
    return (TableColumn("Variant", is_number=False), *measures, *((paper,) if has_paper else ()))


def rows_of(table: StudyTable) -> list[TableRow]:
    """A row for each variant, and one for real images against other real ones."""
    rows = [_row(table, row, title) for row, title in zip(table.rows, titles_of(table), strict=True)]
    if table.floor:
        rows.append(_row(table, StudyRow(FLOOR, FLOOR, table.floor, table.paper_floor), FLOOR))
    return rows


def titles_of(table: StudyTable) -> list[str]:
    """Titles of the variants, numbered where their bars are."""
    if len(table.rows) <= MAX_NAMED_BARS:
        return [row.title for row in table.rows]
    return [f"{number}. {row.title}" for number, row in enumerate(table.rows, start=1)]


def _row(table: StudyTable, row: StudyRow, title: str) -> TableRow:
    cells = [TableCell(title, title)]
    for measure in table.measures:
        figure = row.figures.get(measure.key)
        cells.append(TableCell(_words(figure, measure.key), figure.mean if figure is not None else None, _tip(figure)))
    if table.paper_floor is not None:
        cells.append(TableCell(paper_words(row.paper), row.paper[0] if row.paper is not None else None))
    return TableRow(row.key, tuple(cells))


def _words(figure: Figure | None, key: str) -> str:
    if figure is None:
        return "–"
    if key == "seconds" and figure.mean is not None:
        return duration_words(figure.mean) if figure.mean >= 60 else f"{figure.mean:.0f} s"
    is_large = figure.mean is not None and abs(figure.mean) >= 5
    return figure_words(figure, digits=1 if is_large else 2 if key in SHARES else 3)


def _tip(figure: Figure | None) -> str:
    """Every seed's own figure."""
    if figure is None or not figure.values:
        return ""
    return ", ".join(f"{value:.4g} (seed {seed})" for seed, value in sorted(figure.values.items()))


def chart_of(table: StudyTable, key: str) -> BarChart:
    """One measure as bars, a bar for each variant, with the floor across all of them."""
    is_numbered = len(table.rows) > MAX_NAMED_BARS
    names = [str(number) if is_numbered else row.title for number, row in enumerate(table.rows, start=1)]
    floor = table.floor.get(key)
    bars = tuple(_bar(row.figures.get(key)) for row in table.rows)
    return BarChart(
        groups=tuple(names),
        series=(BarSeries("GAN", series_color(0), bars),),
        baselines=tuple(floor.mean if floor is not None else None for _ in table.rows),
        baseline_name=FLOOR.lower(),
    )


def _bar(figure: Figure | None) -> Bar:
    if figure is None:
        return Bar(None)
    low, high = figure.ends or (None, None)
    return Bar(figure.mean, low, high)


def whisker_line(table: StudyTable, key: str) -> str:
    """What the whiskers of the chart are; empty where it has none."""
    figures = [figure for row in table.rows if (figure := row.figures.get(key)) is not None]
    if any(figure.sd is not None for figure in figures):
        return "Whiskers: standard deviation over the seeds."
    if any(figure.interval is not None for figure in figures):
        return "Whiskers: 95 % interval over the draws of images; another training would differ by more."
    return ""


def features_line(table: StudyTable) -> str:
    """What the distances were measured with; empty where nothing was measured."""
    if not table.features:
        return ""
    return f"Features: {table.features}."
