"""Samples from names: which sample each field would get is shown before anything is changed."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from synthstudio.core.fields.images import SampleNaming
from synthstudio.core.fields.sample_plans import SamplePlan, plan_samples
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick
from synthstudio.gui.field_edits import change_samples
from synthstudio.gui.item_models.sample_rows import SampleRowsModel
from synthstudio.gui.widgets.dialog_layout import add_row, wish_size
from synthstudio.gui.workspace import Workspace
from synthstudio.project.sampling import SampleAssignment

PLAN_AFTER_MS = 150
MAX_REMARKS = 4
FIRST_PATTERN = r"^([^_]+)_"
RULES = (
    ("pattern", "A pattern in the name"),
    ("folder", "The subfolder"),
    ("stem", "Each field is a sample of its own"),
)
ALL_ONE = "All fields would be one sample: none could be held out for the test. Choose another pattern or rule."


class SamplesDialog(QDialog):
    """Plans in the background while the pattern is typed; applies in one transaction, which can be undone."""

    def __init__(self, workspace: Workspace, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Samples from names")
        self._workspace, self._window = workspace, parent
        self.plan: SamplePlan | None = None
        self._asked = 0
        self.rule = QComboBox()
        for value, text in RULES:
            self.rule.addItem(text, value)
        self.rule.currentIndexChanged.connect(self._on_rule_changed)
        self.pattern = QLineEdit(FIRST_PATTERN)
        self.pattern.setToolTip("A regular expression; what its one group finds in the name is the sample")
        self.pattern.textChanged.connect(self._plan_soon)
        self.only_changes = QCheckBox("Show only what changes")
        self.only_changes.toggled.connect(self._show_rows)
        self.model = SampleRowsModel(self)
        self.table = self._make_table()
        self.summary, self.remarks = QLabel(), QLabel()
        self.summary.setWordWrap(True)
        self.remarks.setWordWrap(True)
        self.remarks.setProperty("muted", True)
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setProperty("danger", True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Apply | QDialogButtonBox.StandardButton.Cancel)
        self.apply_button = self.buttons.button(QDialogButtonBox.StandardButton.Apply)
        self.apply_button.setProperty("primary", True)
        self.apply_button.clicked.connect(self.apply)
        self.buttons.rejected.connect(self.reject)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PLAN_AFTER_MS)
        self._timer.timeout.connect(self._start_planning)
        self._lay_out()
        self._plan_soon()

    def _make_table(self) -> QTableView:
        table = QTableView()
        table.setAccessibleName("Fields with the sample that each would get")
        table.setModel(self.model)
        table.setShowGrid(False)
        table.setTabKeyNavigation(False)
        table.setWordWrap(False)
        table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + 8)
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        table.horizontalHeader().setHighlightSections(False)
        return table

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setSpacing(8)
        add_row(form, "A sample is", self.rule)
        add_row(form, "Pattern", self.pattern)
        hint = QLabel(
            "In a pattern, ^ is the beginning, [^_]+ anything up to an underscore, \\d+ digits; round brackets hold the"
            " sample. A name that it does not match is a sample of its own."
        )
        hint.setProperty("muted", True)
        hint.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        layout.addLayout(form)
        for widget in (hint, self.summary, self.table, self.only_changes, self.remarks, self.problem, self.buttons):
            layout.addWidget(widget, 1 if widget is self.table else 0)
        wish_size(self, width=640, height=600, window=self._window)

    # Planning

    @Slot()
    def _on_rule_changed(self) -> None:
        self.pattern.setEnabled(self.rule.currentData() == "pattern")
        self._plan_soon()

    @Slot()
    def _plan_soon(self) -> None:
        self._asked += 1  # a plan that is being made is out of date
        self.plan = None
        self.apply_button.setEnabled(False)
        self._timer.start()

    @Slot()
    def _start_planning(self) -> None:
        project, asked = self._workspace.require_project(), self._asked
        rule, pattern = self.rule.currentData(), self.pattern.text()

        def plan(_: Tick) -> SamplePlan:
            naming = SampleNaming.from_option(pattern if rule == "pattern" else rule, default="stem")
            return plan_samples(project.fovs.list(), project.samples.list(), naming)

        def show(made: SamplePlan) -> None:
            if asked == self._asked:
                self._show(made)

        def fail(error: Exception) -> None:
            if asked == self._asked:
                self._show_problem(str(error))

        self._workspace.background.run(plan, done=show, failed=fail, owner=self)

    def _show(self, plan: SamplePlan) -> None:
        self.plan = plan
        n_now = len({row.fov.sample_name for row in plan.rows})
        self.summary.setText(
            f"{len(plan.rows):,} fields: {n_now:,} samples now, {plan.n_samples:,} then;"
            f" {plan.n_changes:,} fields change"
        )
        more = len(plan.remarks) - MAX_REMARKS
        self.remarks.setText("\n".join([*plan.remarks[:MAX_REMARKS], *([f"… and {more:,} more"] if more > 0 else [])]))
        self.remarks.setVisible(bool(plan.remarks))
        self._show_problem(plan.problems[0] if plan.problems else ALL_ONE if _joins_all(plan) else "")
        self.apply_button.setEnabled(not plan.problems and plan.n_changes > 0 and self._workspace.is_writable)
        self._show_rows()

    def _show_problem(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.setVisible(bool(text))

    @Slot()
    def _show_rows(self) -> None:
        rows = self.plan.rows if self.plan else ()
        self.model.set_rows([row for row in rows if row.is_change] if self.only_changes.isChecked() else rows)

    def apply(self) -> None:
        """Make the plan come true and close; where that is impossible, say why and stay."""
        if self.plan is None:
            return
        wanted = SampleAssignment({row.fov.id: row.sample for row in self.plan.rows}, self.plan.new_splits)
        try:
            change_samples(self._workspace, wanted, "samples from names", window=self._window)
        except UserError as error:
            self._show_problem(str(error))
            return
        self.accept()


def _joins_all(plan: SamplePlan) -> bool:
    """Whether fields of several samples would become one, as a pattern that says too little makes them."""
    return plan.n_samples == 1 and plan.n_changes > 0 and len(plan.rows) > 1
