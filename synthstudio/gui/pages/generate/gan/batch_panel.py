"""Batches: a set of a trained generator, what it adds to the data, and whether a classifier gains by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Changes, Generator, Run
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.errors import Notice, Severity, post, report
from synthstudio.gui.pages.generate.gan.batch_side import BatchSide
from synthstudio.gui.theme import GRID_PX, current_theme, scaled_px
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.widgets.sortable_table import SortableTable
from synthstudio.gui.workspace import Workspace
from synthstudio.settings.evaluate import EvaluateSettings
from synthstudio.settings.generate import GenerateSettings

if TYPE_CHECKING:
    from synthstudio.gui.pages.generate.gan.batch_counts import BatchCounts, BatchMaterial
    from synthstudio.gui.widgets.bar_plot import BarPlot

SIDE_WIDTH_PX = 356
DELAY_MS = 200
"""After a change of the form, so that a number that is typed is planned once."""
TABLE_ROWS = 7
MENU = "Generate"
DATA_RECORDS = frozenset({"annotations", "fovs", "samples", "classes", "tones"})
READING = "Counting what the training images show…"


@dataclass(frozen=True, slots=True)
class BatchKind:
    """What makes the images.

    Attributes:
        start: What the form begins with.
        id_prefix: Of the ids of the actions.
        noun: What the images are called.
        nothing: Title and sentence while there is no generator.
        advice: What the sets are good for besides; empty for nothing.
    """

    start: GenerateSettings
    id_prefix: str
    noun: str
    nothing: tuple[str, str]
    advice: str = ""

    @property
    def generator(self) -> Generator:
        return Generator(self.start.generator)


GAN_BATCHES = BatchKind(
    GenerateSettings(),
    "gan.",
    "generated images",
    ("No GAN is trained yet", "Train one on the tab Training; then it makes sets of images here."),
)


class BatchPanel(QWidget):
    """Joins the form of a set, the chart before and after, and the comparison of two classifiers."""

    actions_outdated = Signal()
    """Other actions may be possible now."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None, *, kind: BatchKind = GAN_BATCHES) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._kind = kind
        self._run: Run | None = None
        self._is_stale = False
        self._generation = 0
        self._material: BatchMaterial | None = None
        self._side: BatchSide | None = None
        self.counts: BatchCounts | None = None
        self.stack = QStackedWidget(self)
        self.notice = NextStep(*kind.nothing, parent=self)
        self.content = QWidget(self)
        self.summary = QLabel(self.content)
        self.table = SortableTable("Images by condition and tone", self.content)
        self.charts: tuple[BarPlot, ...] = ()
        self._chart_row = QVBoxLayout()
        self.side_holder = QFrame(self)
        self._side_layout = QVBoxLayout(self.side_holder)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY_MS)
        self._timer.timeout.connect(self._count)
        self._lay_out()
        workspace.project_changed.connect(self._on_workspace_project_changed)
        workspace.records_changed.connect(self._on_workspace_records_changed)

    def _lay_out(self) -> None:
        self.summary.setWordWrap(True)
        self.summary.setProperty("muted", True)
        column = QVBoxLayout(self.content)
        column.setContentsMargins(2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        column.addWidget(self.summary)
        column.addLayout(self._chart_row, 1)
        column.addWidget(self.table)
        self.table.setFixedHeight(scaled_px(28) * (TABLE_ROWS + 1))
        self.stack.addWidget(self.notice)
        self.stack.addWidget(self.content)
        self.side_holder.setProperty("panel", True)
        self.side_holder.setFixedWidth(scaled_px(SIDE_WIDTH_PX))
        self._side_layout.setContentsMargins(0, 0, 0, 0)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.stack, 1)
        layout.addWidget(self.side_holder)

    @property
    def side(self) -> BatchSide:
        """The forms; made when they are first wanted."""
        if self._side is None:
            self._side = BatchSide(self._kind.start, self.side_holder)
            self._side_layout.addWidget(self._side)
            self._side.settings_changed.connect(self._timer.start)
            self._side.write_requested.connect(self.write)
            self._side.compare_requested.connect(self.compare)
            self._side.possibilities_changed.connect(self.actions_outdated)
            self._fit_side()
        return self._side

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word, not QWidget's list of QActions
        """What can be done here."""
        return (
            ActionSpec(
                f"{self._kind.id_prefix}write",
                f"Write set of {self._kind.noun}",
                self.write,
                "Ctrl+Return",
                "mdi6.content-save-outline",
                MENU,
                lambda: self._side is not None and self._side.write.isEnabled(),
            ),
            ActionSpec(
                f"{self._kind.id_prefix}compare",
                f"Train a classifier with and without the set of {self._kind.noun}",
                self.compare,
                icon="mdi6.scale-balance",
                menu=MENU,
                enabled_when=lambda: self._side is not None and self._side.comparison.compare.isEnabled(),
            ),
        )

    # Which generator

    def set_run(self, run: Run | None) -> None:
        """Make images with the generator of this run."""
        if run == self._run and self._material is not None:
            return
        self._run = run
        self._forget()

    def _forget(self) -> None:
        self._generation += 1
        self._material, self.counts = None, None
        self._is_stale = self._run is not None
        self.notice.show_step(*((READING, "") if self._is_stale else self._kind.nothing))
        self.stack.setCurrentWidget(self.notice)
        self._fit_side()
        if self._is_stale and self.isVisible():
            self._load()

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.side.show()
        self._fit_side()
        if self._is_stale:
            self._load()

    def _load(self) -> None:
        """Read what the data shows, in a thread."""
        from synthstudio.gui.pages.generate.gan.batch_counts import (  # noqa: PLC0415 - brings the plots, 0.4 s
            read_batch_material,
        )

        project, run, generation = self._workspace.project, self._run, self._generation
        self._is_stale = False
        if project is None or run is None:
            return

        def read(tick: Tick) -> BatchMaterial:
            return read_batch_material(project, run.id, tick)

        def adopt(found: BatchMaterial) -> None:
            if generation == self._generation:
                self._material = found
                self._fit_side()
                self._count()

        def tell(error: Exception) -> None:
            if isinstance(error, UserError) and generation == self._generation:
                self.notice.show_step(error.message, error.hint)
            elif not isinstance(error, UserError):
                report(error, parent=self)

        self._workspace.background.run(read, done=adopt, failed=tell, owner=self)

    @Slot()
    def _on_workspace_project_changed(self) -> None:
        self._run = None
        self._forget()

    @Slot(object)
    def _on_workspace_records_changed(self, changed: Changes) -> None:
        if "sets" in changed.kinds:
            self._fit_side()
        if changed.kinds & DATA_RECORDS:
            self._forget()

    def _fit_side(self) -> None:
        if self._side is None:
            return
        project, found, is_writable = self._workspace.project, self._material, self._workspace.is_writable
        self._side.fit(
            classes=found.material.class_names if found is not None else (),
            tones=found.material.tone_levels if found is not None else (),
            can_write=is_writable and found is not None,
        )
        sets = project.sets.list() if project is not None else []
        made = [each for each in sets if each.generator is self._kind.generator]
        self._side.comparison.show_sets(made, can_start=is_writable)
        self.actions_outdated.emit()

    # The chart before and after

    @Slot()
    def _count(self) -> None:
        """Plan the set of the form and show what it adds."""
        from synthstudio.gui.pages.generate.gan.batch_counts import count_batch  # noqa: PLC0415 - as in `_load`

        found, generation = self._material, self._generation
        settings = self.side.form.find_settings()
        if found is None or settings is None:
            return

        def adopt(counts: BatchCounts) -> None:
            if generation == self._generation and settings == self.side.form.find_settings():
                self._show(counts, settings)

        def tell(error: Exception) -> None:
            if not isinstance(error, UserError):
                report(error, parent=self)
            elif generation == self._generation:
                self.side.show_trouble(f"{error.message} {error.hint}".strip())

        self._workspace.background.run(lambda _: count_batch(found, settings), done=adopt, failed=tell, owner=self)

    def _show(self, counts: BatchCounts, settings: GenerateSettings) -> None:
        from synthstudio.gui.pages.generate.gan.batch_counts import chart_of, table_of  # noqa: PLC0415 - as in `_load`
        from synthstudio.gui.widgets.bar_plot import BarPlot  # noqa: PLC0415 - as in `_load`

        self.counts = counts
        if not self.charts:
            self.charts = BarPlot("Images of each condition", self.content), BarPlot("In each tone", self.content)
            for chart in self.charts:
                self._chart_row.addWidget(chart)
        colors = current_theme().scroll, current_theme().accent
        self.charts[0].set_chart(chart_of(counts.class_names, counts.of_classes(), colors=colors))
        self.charts[1].set_chart(chart_of(counts.tone_names, counts.of_tones(), colors=colors))
        self.charts[1].setVisible(counts.has_tones)
        self.table.set_table(*table_of(counts))
        n_empty = sum(not counts.shown.get((name, tone)) for name in counts.class_names for tone in counts.tones)
        missing = f" {n_empty} pairs of condition and tone are on no training image." if n_empty else ""
        self.summary.setText(
            f"Training images that show a condition, and {settings.count:,} images of the set besides.{missing}"
            f" {self._kind.advice}".rstrip()
        )
        self.stack.setCurrentWidget(self.content)
        self.side.show_trouble("")

    # What is done

    @Slot()
    def write(self) -> None:
        """Queue the job that writes the set; its progress is in the job bar."""
        project, run = self._workspace.project, self._run
        try:
            settings = self.side.form.settings()
            if project is None or run is None:
                return
            if project.sets.find(settings.set_name) is not None:
                raise UserError(f"There is already a set {settings.set_name}.", "Choose another name.")
            self._workspace.submit(settings.model_copy(update={"run": run.id}), title=f"Set {settings.set_name}")
        except UserError as error:
            report(error, parent=self)

    @Slot()
    def compare(self) -> None:
        """Queue two trainings of a classifier and their evaluations."""
        from synthstudio.client.with_and_without import plan_with_and_without  # noqa: PLC0415 - as the worker's

        comparison = self.side.comparison
        try:
            project, settings = self._workspace.require_writable_project(), comparison.form.settings()
            name = comparison.set_name
            planned = plan_with_and_without(project, name, settings)
            for each in planned:
                trained = self._workspace.submit(each.settings, title=each.title)
                self._workspace.submit(EvaluateSettings(run=trained), title=each.evaluation_title)
        except UserError as error:
            report(error, parent=self)
            return
        text = "When they have ended, choose both runs under Train, Results."
        post(
            Notice(f"Two trainings and two evaluations wait, with and without {name}.", text, Severity.INFO),
            parent=self,
        )
