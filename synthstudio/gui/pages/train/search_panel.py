"""The recipe searches of the project: their ranking, and what can be done with a recipe."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QWidget,
)

from synthstudio.core.training.recipe_ranking import RankedRecipe, RecipeTable
from synthstudio.core.training.recipe_tables import in_figures
from synthstudio.domain.records import RunStatus
from synthstudio.gui.pages.train.search_facts import SearchFacts
from synthstudio.gui.widgets.columns import fill_with_pages, panel_column
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.widgets.run_choice import RunChoice
from synthstudio.gui.widgets.score_table import ScoreColumn, ScoreRow, ScoreTable
from synthstudio.gui.widgets.wrapped_label import WrappedLabel

COLUMNS = (
    ScoreColumn("Steps", "Optimiser steps of its longest trainings; those that went further stand above the others."),
    ScoreColumn("Score", "Mean of macro F1 and localisation, which is the mean of pointing and centre F1."),
    ScoreColumn("Behind", "How far the best recipe is ahead, seed by seed; ≈ within the spread or below .01."),
    ScoreColumn("Macro F1", "Presence on crops of validation images, at thresholds chosen on other samples."),
    ScoreColumn("Pointing", "Share of the crops on which the hottest point of the map lies on an object."),
    ScoreColumn("Centre F1", "Peaks of the map against annotated centres, at thresholds chosen on other samples."),
    ScoreColumn("Time", "Seconds of one training with its scoring."),
)


class SearchPanel(QWidget):
    """One search at a time, best recipe first."""

    new_requested = Signal()
    resume_requested = Signal()
    generate_requested = Signal()
    train_requested = Signal()
    selection_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._searches: list[SearchFacts] = []
        self.stack = QStackedWidget(self)
        self.content = QWidget(self.stack)
        self.choice = RunChoice("Recipe search", self.content)
        self.resume = QPushButton("Resume", self.content)
        self.resume.setToolTip("Go on; what was tried is not tried again")
        self.new = QPushButton("New search…", self.content)
        self.trouble = WrappedLabel("danger", self.content)
        self.state = WrappedLabel("muted", self.content)
        self.scroller = QScrollArea(self.content)
        self.table = ScoreTable(COLUMNS, first="Recipe", parent=self.scroller.viewport())
        self.table.setSelectionMode(ScoreTable.SelectionMode.SingleSelection)
        self.generate = QPushButton("Use in Generate", self.content)
        self.generate.setToolTip("Put the chosen recipe into the form that writes sets")
        self.train = QPushButton("Use for training", self.content)
        self.train.setToolTip("Put the chosen recipe into the form of the training")
        self.notes = WrappedLabel("muted", self.content)
        self.empty = NextStep(parent=self.stack)
        self._lay_out()
        self._connect()
        self.show_searches([])

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.choice, 1)
        head.addWidget(self.resume)
        head.addWidget(self.new)
        foot = QHBoxLayout()
        foot.addWidget(self.generate)
        foot.addWidget(self.train)
        foot.addStretch(1)
        self.scroller.setWidgetResizable(True)
        self.scroller.setWidget(self.table)
        column = panel_column(self.content)
        column.addLayout(head)
        column.addWidget(self.trouble)
        column.addWidget(self.state)
        column.addWidget(self.scroller, 1)
        column.addLayout(foot)
        column.addWidget(self.notes)
        fill_with_pages(self, self.stack, self.content, self.empty)

    def _connect(self) -> None:
        self.choice.currentIndexChanged.connect(self._show_chosen)
        self.table.itemSelectionChanged.connect(self._on_table_item_selection_changed)
        self.resume.clicked.connect(self.resume_requested)
        self.new.clicked.connect(self.new_requested)
        self.empty.button_clicked.connect(self.new_requested)
        self.generate.clicked.connect(self.generate_requested)
        self.train.clicked.connect(self.train_requested)

    @property
    def chosen(self) -> SearchFacts | None:
        """The search that is shown."""
        run_id = self.choice.currentData()
        return next((each for each in self._searches if each.run.id == run_id), None)

    @property
    def recipe(self) -> RankedRecipe | None:
        """The recipe that is selected."""
        chosen, rows = self.chosen, self.table.selectionModel().selectedRows()
        if chosen is None or chosen.table is None or chosen.settings is None or not rows:
            return None
        row = rows[0].row()
        return chosen.table.recipes[row] if row < len(chosen.table.recipes) else None

    def show_searches(self, searches: Sequence[SearchFacts], *, can_write: bool = False) -> None:
        """Show these; the chosen one stays chosen, unless a newer one has begun."""
        self._searches = list(searches)
        self.choice.show_runs([(each.line, each.run.id) for each in searches])
        self.new.setEnabled(can_write)
        self.resume.setEnabled(can_write)
        self.empty.show_step(
            "No recipe has been searched for yet.",
            "A search tries ways of compositing, canvas, blending and more, on a small budget, and ranks them by how"
            " well a classifier trained on each does on the validation images.",
            "Find the best recipe…" if can_write else "",
        )
        self.stack.setCurrentWidget(self.content if searches else self.empty)
        self._show_chosen()

    def show_stage(self, text: str) -> None:
        """Say what the running search does."""
        chosen = self.chosen
        if chosen is not None and chosen.run.status is RunStatus.RUNNING:
            self.state.setText(text)

    @Slot()
    def _show_chosen(self) -> None:
        chosen = self.chosen
        table = chosen.table if chosen is not None else None
        row = self.table.currentRow()
        self.table.blockSignals(True)
        self.table.set_rows(_rows(table) if table is not None else [])
        if self.table.rowCount():
            self.table.selectRow(min(max(0, row), self.table.rowCount() - 1))
        self.table.blockSignals(False)
        self.resume.setVisible(chosen is not None and chosen.can_resume)
        trouble = f"{chosen.run.message} {chosen.run.hint}".strip() if chosen is not None else ""
        self.trouble.setText(trouble)
        self.trouble.setVisible(bool(trouble) and chosen is not None and chosen.run.status is RunStatus.FAILED)
        self.state.setText(_state_words(chosen, table))
        self.notes.setText("\n".join(table.notes) if table is not None else "")
        self.notes.setVisible(bool(self.notes.text()))
        self._on_table_item_selection_changed()

    @Slot()
    def _on_table_item_selection_changed(self) -> None:
        for button in (self.generate, self.train):
            button.setEnabled(self.recipe is not None)
        self.selection_changed.emit()


def _rows(table: RecipeTable) -> list[ScoreRow]:
    return [_row(each) for each in table.recipes]


def _row(each: RankedRecipe) -> ScoreRow:
    values = ", ".join(value.replace("_", " ") for _, value in each.choices)
    behind = "" if each.rank == 1 else f"{'≈ ' if each.is_tied else ''}{in_figures(each.behind)}"
    cells = (
        str(each.steps),
        in_figures(each.score),
        behind,
        in_figures(each.macro_f1),
        in_figures(each.pointing),
        in_figures(each.center_f1),
        f"{each.seconds:.0f} s",
    )
    return ScoreRow(f"{each.rank}. {values}", cells, tip="\n".join(f"{path} = {value}" for path, value in each.choices))


def _state_words(chosen: SearchFacts | None, table: RecipeTable | None) -> str:
    if chosen is None:
        return ""
    if table is None:
        return "The first recipe is being tried." if chosen.run.status is RunStatus.RUNNING else "Nothing was tried."
    done = (
        f"{table.n_trials:,} trainings"
        if table.n_trials >= table.n_planned
        else f"{table.n_trials:,} of {table.n_planned:,} trainings"
    )
    return (
        f"{done}, scored on {table.n_images:,} validation images of {table.n_samples:,} samples. Never on test images."
    )
