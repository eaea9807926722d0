"""Charts of what the composites will hold beside what the real images hold, as the controls are moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.synthesis.distributions import (
    Comparison,
    Distribution,
    compare,
    describe_annotations,
    describe_plans,
)
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick
from synthstudio.gui.errors import report
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.patches import list_train_fovs
from synthstudio.settings.compose import CompositionSettings

if TYPE_CHECKING:
    from synthstudio.gui.widgets.pair_plot import PairPlot

N_PLANS = 200
PLANS_S = 1.5
DELAY_MS = 120
"""A slider that is being dragged is waited for."""
COLUMNS = 2


@dataclass(frozen=True, slots=True, eq=False)
class DistributionWish:
    """What is to be compared with the real images of the project."""

    bank: PatchBank = field(repr=False)
    settings: CompositionSettings
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class _Described:
    """Real and composed images; `n_partial` real ones were left out because not every object on them is marked."""

    wish: DistributionWish
    real: Distribution
    made: Distribution
    n_fovs: int
    n_partial: int


class DistributionPanel(QWidget):
    """Plans in the background, the latest wish first; nothing is planned while the charts are out of sight."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._wish: DistributionWish | None = None
        self._tried: DistributionWish | None = None
        self._shown: _Described | None = None
        self._is_busy = False
        self.plots: list[PairPlot] = []
        self.classes = ElidedCombo(self)
        self.classes.setAccessibleName("Objects compared")
        self.legend = QLabel(self)
        self.note = QLabel(self)
        self.note.setProperty("muted", True)
        self.note.setWordWrap(True)
        self.note.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, 2 * GRID_PX)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY_MS)
        self._timer.timeout.connect(self._start)
        self._charts = QGridLayout()
        self._charts.setSpacing(GRID_PX)
        bar = QHBoxLayout()
        bar.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, GRID_PX)
        bar.setSpacing(2 * GRID_PX)
        bar.addWidget(QLabel("Objects", self))
        bar.addWidget(self.classes)
        bar.addWidget(self.legend)
        bar.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addLayout(self._charts, 1)
        layout.addWidget(self.note)
        self.classes.currentIndexChanged.connect(self._refresh)

    def set_wish(self, wish: DistributionWish | None) -> None:
        """Compare these; None where there is nothing to compare."""
        self._wish = wish
        if wish is not None and self.isVisible():
            self._timer.start()

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._wish is not self._tried:
            self._timer.start(0)

    @Slot()
    def _start(self) -> None:
        wish, project = self._wish, self._workspace.project
        if self._is_busy or wish is None or project is None:
            return
        self._is_busy = True
        self._tried = wish
        task = self._workspace.background.run(
            lambda tick: _describe(project, wish, tick), done=self._on_done, failed=self._on_failed, owner=self
        )
        task.ended.connect(self._on_ended)

    def _on_done(self, described: _Described) -> None:
        self._shown = described
        self._refresh()

    def _on_failed(self, error: Exception) -> None:
        if isinstance(error, UserError):
            self.note.setText(str(error))
        else:
            report(error, parent=self)

    @Slot()
    def _on_ended(self) -> None:
        self._is_busy = False
        if self._wish is not self._tried and self.isVisible():
            self._timer.start(0)

    @Slot()
    def _refresh(self) -> None:
        shown = self._shown
        if shown is None:
            return
        names = [item.name for item in shown.wish.bank.classes]
        self._offer(names)
        row = self.classes.currentIndex()
        comparisons = compare(shown.real, shown.made, names, rank=row - 1 if row > 0 else None)
        self._show_charts(comparisons)
        self.note.setText(_note(shown))

    def _offer(self, names: Sequence[str]) -> None:
        words = ["All classes", *names]
        if [self.classes.itemText(row) for row in range(self.classes.count())] != words:
            self.classes.blockSignals(True)
            self.classes.clear()
            self.classes.addItems(words)
            self.classes.blockSignals(False)

    def _show_charts(self, comparisons: Sequence[Comparison]) -> None:
        from synthstudio.gui.widgets.pair_plot import (  # noqa: PLC0415 - 0.4 s that the start need not wait for
            PairPlot,
            pair_legend,
        )

        self.legend.setText(pair_legend("composed"))

        for number, each in enumerate(comparisons):
            if number == len(self.plots):
                plot = PairPlot(each.title, self)
                self.plots.append(plot)
                self._charts.addWidget(plot, number // COLUMNS, number % COLUMNS)
            self.plots[number].set_comparison(each)


def _describe(project: Project, wish: DistributionWish, tick: Tick) -> _Described:
    fovs = list_train_fovs(project)
    whole = [fov for fov in fovs if fov.state.is_complete]
    used = whole or fovs
    by_fov = project.annotations.by_fov()
    marks = {fov.id: by_fov.get(fov.id, []) for fov in used}
    real = describe_annotations(used, marks, wish.bank.classes, scale=wish.bank.scale, settings=wish.settings)
    made = describe_plans(wish.bank, wish.settings, seed=wish.seed, n_images=N_PLANS, budget_s=PLANS_S, tick=tick)
    return _Described(wish, real, made, len(used), len(fovs) - len(used))


def _note(shown: _Described) -> str:
    width, height = shown.wish.settings.size
    text = (
        f"{len(shown.made.counts):,} composites, planned but not drawn, beside {len(shown.real.counts):,} crops of"
        f" {width} × {height} px of {shown.n_fovs:,} training fields. Places are those on the composite and on the"
        " whole field."
    )
    if shown.n_partial:
        text += f" {shown.n_partial:,} fields that are not annotated exhaustively are left out."
    return text
