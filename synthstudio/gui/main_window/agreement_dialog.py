"""A second opinion: how far two authors agree, and deciding where they do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from synthstudio.core.evaluation.agreement import Agreement, ClassAgreement, Disagreement
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import AnnotationId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Annotation, Changes
from synthstudio.gui import errors
from synthstudio.gui.item_models.disagreement_rows import DisagreementRowsModel
from synthstudio.gui.main_window.annotator import Annotator
from synthstudio.gui.main_window.author_comparison import Comparison, closest_pair, compare
from synthstudio.gui.project_command import ProjectCommand
from synthstudio.gui.widgets.dialog_layout import wish_size
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.adjudication import accept_marks

COMPARE_AFTER_MS = 120
HEADERS = ("Class", "First", "Second", "Both", "Precision", "Recall", "F1")
MAX_ROWS_SHOWN = 6
CHOOSE_TWO = "Choose two authors. Each annotation carries the name of who made it."
ONE_AUTHOR = (
    "All annotations are of one author. Let somebody else mark some of the same fields under a name of their own"
    " (File, Your name); then both are compared here."
)


@dataclass(frozen=True, slots=True)
class _Reported:
    """What is reported of two authors: how they agreed before anything was judged here.

    Attributes:
        as_marked: Nothing is known to have been judged before that, either.
    """

    comparison: Comparison
    as_marked: bool


class AgreementDialog(QDialog):
    """Stands beside the viewer: a disagreement that is chosen is shown there; A accepts it, R rejects it.

    Judging makes the authors agree. What is reported is how they agreed before: the table stays with those figures.
    """

    def __init__(self, workspace: Workspace, annotator: Annotator, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Compare authors")
        self._workspace, self._annotator, self._window = workspace, annotator, parent
        self.comparison: Comparison | None = None
        self._reported: dict[tuple[str, str], _Reported] = {}
        self._has_judged = False
        self.first, self.second = ElidedCombo(), ElidedCombo()
        self.first.setAccessibleName("First author")
        self.second.setAccessibleName("Second author")
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.table = self._make_table()
        self.model = DisagreementRowsModel(self)
        self.list = self._make_list()
        self.what = QLabel()
        self.what.setWordWrap(True)
        self.what.setProperty("muted", True)
        self.accept_button, self.reject_button = QPushButton("Accept (A)"), QPushButton("Reject (R)")
        self.accept_button.clicked.connect(self.accept_mark)
        self.reject_button.clicked.connect(self.reject_mark)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(COMPARE_AFTER_MS)
        self._timer.timeout.connect(self._compare)
        self._lay_out()
        stack = workspace.undo_stack
        keys: dict[str, Callable[[], object]] = {
            "A": self.accept_mark,
            "R": self.reject_mark,
            "Ctrl+Z": stack.undo,
            "Ctrl+Shift+Z": stack.redo,
            "Ctrl+Y": stack.redo,
        }
        for key, do in keys.items():
            QShortcut(QKeySequence(key), self).activated.connect(do)
        workspace.records_changed.connect(self._on_records_changed)
        workspace.project_changed.connect(self.close)
        self._read_authors()

    def _make_table(self) -> QTableWidget:
        table = QTableWidget(0, len(HEADERS))
        table.setAccessibleName("Agreement by class")
        table.verticalHeader().hide()
        table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        table.setTabKeyNavigation(False)
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        for column, text in enumerate(HEADERS):  # heads stand where the texts below them do
            head = QTableWidgetItem(text)
            side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
            head.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
            table.setHorizontalHeaderItem(column, head)
        return table

    def _make_list(self) -> QTableView:
        view = QTableView()
        view.setAccessibleName("Disagreements")
        view.setModel(self.model)
        view.setShowGrid(False)
        view.setTabKeyNavigation(False)
        view.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        view.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        view.verticalHeader().hide()
        view.verticalHeader().setDefaultSectionSize(view.fontMetrics().height() + 8)
        view.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        view.horizontalHeader().setHighlightSections(False)
        view.selectionModel().currentRowChanged.connect(self._on_row_changed)
        return view

    def _lay_out(self) -> None:
        authors = QHBoxLayout()
        authors.setSpacing(8)
        for text, box in (("First author", self.first), ("Second author", self.second)):
            label = QLabel(text)
            label.setBuddy(box)
            authors.addWidget(label)
            authors.addWidget(box, 1)
        keys = QHBoxLayout()
        keys.setSpacing(8)
        keys.addWidget(self.what, 1)
        for button in (self.accept_button, self.reject_button):
            button.setAutoDefault(False)
            keys.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        layout.addLayout(authors)
        layout.addWidget(self.summary)
        layout.addWidget(self.table)
        layout.addWidget(self.list, 1)
        layout.addLayout(keys)
        wish_size(self, width=620, height=560, window=self._window)

    # Reading

    def _read_authors(self) -> None:
        project = self._workspace.require_project()

        def show(found: tuple[dict[str, int], tuple[str, str] | None]) -> None:
            authors, pair = found
            for box in (self.first, self.second):
                for name, n in authors.items():
                    box.addItem(f"{_author(name)} ({n:,})", name)
            self.second.setCurrentIndex(min(1, self.second.count() - 1))
            if pair is not None:
                self.first.setCurrentIndex(self.first.findData(pair[0]))
                self.second.setCurrentIndex(self.second.findData(pair[1]))
            for box in (self.first, self.second):
                box.currentIndexChanged.connect(self._compare)
            self._compare()

        def read(_: Tick) -> tuple[dict[str, int], tuple[str, str] | None]:
            return project.annotations.authors(), closest_pair(project.annotations.authors_of_fovs().values())

        self._workspace.background.run(read, done=show, owner=self, priority=1)

    @Slot(object)
    def _on_records_changed(self, told: Changes) -> None:
        if "classes" in told.kinds:
            self._reported.clear()  # other sizes match other marks: it is measured anew
        if told.kinds & {"annotations", "classes", "adjudications"} and self.isVisible():
            self._timer.start()

    @property
    def _authors(self) -> tuple[str, str]:
        return self.first.currentData() or "", self.second.currentData() or ""

    @Slot()
    def _compare(self) -> None:
        project, authors = self._workspace.project, self._authors
        if project is None:
            return
        if authors[0] == authors[1]:
            self._show_nothing(CHOOSE_TWO if self.first.count() > 1 else ONE_AUTHOR)
            return

        def work(_: Tick) -> Comparison:
            return compare(project, *authors)

        def show(comparison: Comparison) -> None:
            if authors == self._authors and self._workspace.project is project:
                self._show(comparison)

        self._workspace.background.run(work, done=show, owner=self)

    def _show_nothing(self, text: str) -> None:
        self.comparison = None
        self.summary.setText(text)
        self.table.setRowCount(0)
        self.model.set_rows((), fovs={}, classes={}, authors=("", ""))
        self._on_row_changed()

    def _show(self, comparison: Comparison) -> None:
        reported = self._reported.get(self._authors)
        if reported is None or not self._has_judged:  # marks that are made meanwhile are compared, too
            if not comparison.agreement.n_fovs:
                self._show_nothing("There is no field that both have marked.")
                return
            is_decided = len(comparison.undecided) < len(comparison.agreement.disagreements)
            reported = _Reported(comparison, as_marked=not (is_decided or self._has_judged))
            self._reported[self._authors] = reported
        self.comparison = comparison
        self._show_summary(reported, comparison)
        agreement, classes = reported.comparison.agreement, reported.comparison.classes
        rows = [(classes[each].name, part) for each, part in agreement.by_class.items()]
        if len(rows) > 1:
            rows.append(("All", agreement.overall))
        self.table.setRowCount(len(rows))
        for row, (name, part) in enumerate(rows):
            self._fill(row, name, part)
        self.table.resizeRowsToContents()
        height = sum(self.table.rowHeight(row) for row in range(min(len(rows), MAX_ROWS_SHOWN)))
        self.table.setFixedHeight(height + self.table.horizontalHeader().sizeHint().height() + 4)
        names = {each.id: each.name for each in comparison.classes.values()}
        place = self.list.currentIndex().row()
        first, second = (_author(each) for each in self._authors)
        self.model.set_rows(comparison.undecided, fovs=comparison.fovs, classes=names, authors=(first, second))
        if not self.list.currentIndex().isValid() and self.model.rowCount():
            self.list.selectRow(min(max(place, 0), self.model.rowCount() - 1))
        self._on_row_changed()

    def _show_summary(self, reported: _Reported, now: Comparison) -> None:
        first, without_size = reported.comparison.agreement, reported.comparison.without_size
        text = (
            f"{first.n_fovs:,} fields marked by both; {first.n_matched:,} objects matched within half of the class's"
            f" size. {len(now.undecided):,} of {len(now.agreement.disagreements):,} disagreements are undecided."
        )
        if without_size:
            text += f" No size is known of {', '.join(without_size)}: only the very same points match."
        when = "As marked" if reported.as_marked else "When opened (some was judged before)"
        text += f"\n{when}: {_figures(first)}."
        if (now.agreement.overall, now.agreement.kappa) != (first.overall, first.kappa):
            text += f" Report these, and the table.\nAfter judging: {_figures(now.agreement)}; no measure of agreement."
        self.summary.setText(text)

    def _fill(self, row: int, name: str, part: ClassAgreement) -> None:
        shares = ("–" if each is None else f"{each:.3f}" for each in (part.precision, part.recall, part.f1))
        texts = (name, f"{part.n_first:,}", f"{part.n_second:,}", f"{part.n_both:,}", *shares)
        for column, text in enumerate(texts):
            item = QTableWidgetItem(text)
            if column:
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.table.setItem(row, column, item)

    # Deciding

    @property
    def chosen(self) -> Disagreement | None:
        """The disagreement that is to be decided."""
        index = self.list.currentIndex()
        return self.model.row(index.row()) if index.isValid() else None

    @Slot()
    def _on_row_changed(self) -> None:
        chosen = self.chosen
        can_decide = chosen is not None and self._workspace.is_writable
        self.accept_button.setEnabled(can_decide)
        self.reject_button.setEnabled(can_decide)
        self.what.setText(self._worded(chosen) if chosen else "")
        if chosen is not None:
            self._annotator.reveal_marks(chosen.fov_id, chosen.marks)

    def _worded(self, chosen: Disagreement) -> str:
        names = self.comparison.classes if self.comparison else {}
        said = [
            f"{_author(mark.author)}'s {names[mark.class_id].name}" for mark in chosen.marks if mark.class_id in names
        ]
        if len(said) == 2:
            return f"Accept keeps {said[0]}, reject keeps {said[1]}; the other is deleted."
        return f"Accept keeps {said[0]}, reject deletes it." if said else ""

    def accept_mark(self) -> None:
        """Keep the mark; of two classes the first author's."""
        chosen = self.chosen
        if chosen is not None:
            self._decide(chosen, kept=chosen.marks[:1], gone=chosen.marks[1:], text="accept annotation")

    def reject_mark(self) -> None:
        """Delete the mark; of two classes the first author's, which keeps the second's."""
        chosen = self.chosen
        if chosen is not None:
            self._decide(chosen, kept=chosen.marks[1:], gone=chosen.marks[:1], text="reject annotation")

    def _decide(
        self, chosen: Disagreement, *, kept: tuple[Annotation, ...], gone: tuple[Annotation, ...], text: str
    ) -> None:
        stack, row = self._workspace.undo_stack, self.list.currentIndex().row()
        accepted = tuple(mark.id for mark in kept)
        try:
            project = self._workspace.require_writable_project()
            if accepted:
                self._workspace.announce(accept_marks(project, accepted, accepted=True))
        except UserError as error:
            errors.report(error, parent=self._window)
            return
        self._has_judged = True
        stack.beginMacro(text)
        try:
            if gone:
                self._annotator.remove_marks(chosen.fov_id, gone, text)
            if accepted:
                stack.push(_AcceptCommand(self._workspace, accepted, text, self._window))
        finally:
            stack.endMacro()
        self.model.take(row)
        if self.model.rowCount():
            self.list.selectRow(min(row, self.model.rowCount() - 1))
        self._on_row_changed()
        self._timer.start()


class _AcceptCommand(ProjectCommand):
    """Marks that have been accepted."""

    def __init__(self, workspace: Workspace, ids: tuple[AnnotationId, ...], text: str, window: QWidget) -> None:
        super().__init__(workspace, text, window=window)
        self._ids = ids

    @override
    def write_to(self, project: Project, *, is_undo: bool) -> Changes:
        return accept_marks(project, self._ids, accepted=not is_undo)


def _author(name: str) -> str:
    return name or "nobody named"


def _figures(agreement: Agreement) -> str:
    f1, kappa = ("not defined" if each is None else f"{each:.3f}" for each in (agreement.overall.f1, agreement.kappa))
    return f"F1 {f1}, Cohen's kappa {kappa}"
