"""How good suggestions are, and what seeing them does; and which share of the fields is annotated without them."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QDoubleSpinBox, QFormLayout, QLabel, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.core.evaluation.comparison import Difference
from synthstudio.core.suggestions.outcomes import OutcomeFigures, Rate, SuggestionScores, score_outcomes
from synthstudio.domain.errors import UserError
from synthstudio.domain.figures import change_text, figure_text
from synthstudio.domain.guard import Guard
from synthstudio.domain.ids import RunId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Changes
from synthstudio.gui import errors
from synthstudio.gui.background import Task
from synthstudio.gui.pages.annotate.suggestion_facts import model_line
from synthstudio.gui.project_command import ProjectCommand
from synthstudio.gui.widgets.dialog_layout import MARGIN_PX, SPACING_PX, add_row, hint_label, wish_size
from synthstudio.gui.widgets.inset import inset_number
from synthstudio.gui.widgets.run_choice import RunChoice
from synthstudio.gui.widgets.score_table import ScoreColumn, ScoreRow, ScoreTable
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.guard import read_guard, write_guard

COLUMNS = (
    ScoreColumn("Fields", "Annotated exhaustively after the model had searched them"),
    ScoreColumn(
        "Precision", "Share of the suggestions above the threshold that the expert left; with its 95 % interval"
    ),
    ScoreColumn("Recall", "Share of what the expert left that had been suggested; with its 95 % interval"),
    ScoreColumn("Annotations a field", "What the expert left on each; with its 95 % interval"),
)
ABOUT = (
    "Suggestions are compared with what was annotated after them. Whoever sees a suggestion tends to agree with it, so"
    " that a share of the fields, drawn once, is annotated without: there they are hidden until the field is marked as"
    " annotated exhaustively. Intervals resample samples."
)
NO_MODEL = (
    "No model has suggested anything yet. Choose one under “Suggestions” in the Annotate workspace, and press"
    " “Search this field”."
)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the dialog shows.

    Attributes:
        models: What is said of each model, and its id; the one that searched last first.
        scores: Of the chosen one; None without any.
        n_held, n_fovs: FOVs that the guard holds, of all.
    """

    models: tuple[tuple[str, str], ...]
    scores: SuggestionScores | None
    guard: Guard
    n_held: int
    n_fovs: int


def read_score_facts(project: Project, wanted: RunId | None) -> _Facts:
    """Read what the dialog shows, of a model, or of the one that searched last."""
    from synthstudio.project.suggestion_outcomes import read_outcomes  # noqa: PLC0415 - it takes long to load: in a thread

    known = {run.id: run for run in project.runs.list()}
    ids = [run_id for run_id in project.suggestions.runs() if run_id in known]
    models = tuple((model_line(known[each]), each) for each in ids)
    chosen = wanted if wanted in ids else (ids[0] if ids else None)
    guard, fovs = read_guard(project), project.fovs.list()
    scores = score_outcomes(read_outcomes(project, chosen)) if chosen is not None else None
    return _Facts(models, scores, guard, sum(guard.holds(fov) for fov in fovs), len(fovs))


class SuggestionScoresDialog(QDialog):
    """Stands beside the viewer and follows what is annotated."""

    def __init__(self, workspace: Workspace, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("How good are the suggestions?")
        self._workspace, self._window = workspace, parent
        self._guard = Guard()
        self._reading: Task | None = None
        self.models = RunChoice("Model that suggests")
        self.models.currentIndexChanged.connect(lambda _row: self.read())
        self.table = ScoreTable(COLUMNS, first="Suggestions")
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.share = QDoubleSpinBox()
        inset_number(self.share)
        self.share.setRange(0.0, 100.0)
        self.share.setDecimals(0)
        self.share.setSingleStep(5.0)
        self.share.setSuffix(" % of the fields")
        self.share.setKeyboardTracking(False)
        self.share.setEnabled(workspace.is_writable)
        self.share.valueChanged.connect(self._on_share_chosen)
        self.held = hint_label("")
        self._lay_out()
        workspace.records_changed.connect(self._on_records_changed)
        workspace.project_changed.connect(self.close)
        self.read()

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setSpacing(8)
        add_row(form, "Model", self.models)
        guard = QFormLayout()
        guard.setSpacing(8)
        add_row(guard, "Without suggestions", self.share)
        guard.addRow("", self.held)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        layout.setSpacing(SPACING_PX)
        layout.addLayout(form)
        layout.addWidget(self.table)
        layout.addWidget(self.words)
        layout.addStretch(1)
        layout.addLayout(guard)
        layout.addWidget(hint_label(ABOUT))
        layout.addWidget(buttons)
        wish_size(self, width=800, height=460, window=self._window)

    # Reading

    @Slot()
    def read(self) -> None:
        """Read anew, in a thread."""
        project, wanted = self._workspace.project, self.models.currentData()
        if project is None:
            return

        def work(_: Tick) -> _Facts:
            return read_score_facts(project, RunId(wanted) if wanted else None)

        if self._reading is not None:
            self._reading.cancel()  # of another model, perhaps: it must not come last
        self._reading = self._workspace.background.run(work, done=self._show, owner=self, priority=1)

    @Slot(object)
    def _on_records_changed(self, told: Changes) -> None:
        if told.kinds & {"suggestions", "fovs", "runs"}:
            self.read()

    def _show(self, facts: _Facts) -> None:
        self.models.show_runs(facts.models)
        self.models.setEnabled(bool(facts.models))
        self._guard = facts.guard
        self.share.blockSignals(True)
        self.share.setValue(100.0 * facts.guard.share)
        self.share.blockSignals(False)
        self.held.setText(f"{facts.n_held:,} of {facts.n_fovs:,} fields, those that are done already among them")
        self.table.setVisible(facts.scores is not None)
        self.table.set_rows(score_rows(facts.scores) if facts.scores is not None else ())
        self.words.setText(facts.scores.words if facts.scores is not None else NO_MODEL)

    # The guard

    @Slot(float)
    def _on_share_chosen(self, percent: float) -> None:
        try:
            project = self._workspace.require_writable_project()
            before, after = self._guard, Guard(percent / 100.0, self._guard.seed)
            self._workspace.announce(write_guard(project, after))
        except UserError as error:
            errors.report(error, parent=self._window)
            return
        self._guard = after
        self._workspace.undo_stack.push(_GuardCommand(self._workspace, before, after, window=self._window))


class _GuardCommand(ProjectCommand):
    """Another share of the fields is annotated without suggestions."""

    def __init__(self, workspace: Workspace, before: Guard, after: Guard, *, window: QWidget) -> None:
        super().__init__(workspace, "share of fields without suggestions", window=window)
        self._before, self._after = before, after

    @override
    def write_to(self, project: Project, *, is_undo: bool) -> Changes:
        return write_guard(project, self._before if is_undo else self._after)


def score_rows(scores: SuggestionScores) -> list[ScoreRow]:
    """The figures with and without suggestions, and their difference."""
    sides = (
        ("Seen", scores.seen, "Where they were shown while the field was annotated"),
        ("Seen, picked by lot", scores.by_lot, "Of these, fields that were picked by lot: an estimate for all fields"),
        ("Not seen", scores.unseen, "Where they were hidden: the honest figures"),
    )
    rows = [_figures_row(name, each, tip) for name, each, tip in sides]
    changes = (_change_words(scores.precision), _change_words(scores.recall), _change_words(scores.left, digits=1))
    return [*rows, ScoreRow("What seeing does", ("", *changes), tip=scores.words)]


def _figures_row(name: str, figures: OutcomeFigures, tip: str) -> ScoreRow:
    words = (_rate_words(figures.precision), _rate_words(figures.recall), _rate_words(figures.left, digits=1))
    return ScoreRow(name, (f"{figures.n_fovs:,}", *words), tip=tip)


def _rate_words(rate: Rate, *, digits: int = 3) -> str:
    return figure_text(rate.value, rate.ci95, digits=digits)


def _change_words(change: Difference, *, digits: int = 3) -> str:
    return change_text(change.difference, change.ci95, digits=digits)
