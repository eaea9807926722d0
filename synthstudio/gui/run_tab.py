"""A tab that has runs of its own kind, and a form for a place beside them."""

from __future__ import annotations

from typing import Generic, TypeVar

from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.progress import Tick
from synthstudio.gui.errors import report
from synthstudio.gui.forms import Choice
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.settings.base import JobSettings

REREAD_MS = 500
"""A running job tells several things at once; its records are read once for all of them."""

Form = TypeVar("Form", bound=QWidget)
Facts = TypeVar("Facts")


NOTHING_TO_LEARN = "Nothing is annotated yet. Mark some objects in Annotate, or import annotations."


def can_learn(project: Project) -> bool:
    """Whether there is anything to train on: annotations outside the test images, or a set."""
    return bool(project.rounds.n_annotations() or project.sets.list())


def set_choices(project: Project | None) -> list[Choice]:
    """Names of the stored sets that can be trained on, as choices, after none of them."""
    return [("", "none"), *((item.name, item.name) for item in (project.sets.list() if project is not None else []))]


class RunTab(QWidget, Generic[Form, Facts]):
    """Holds the panel, the place of the form and the timer that reads the records anew.

    The form is made when it is first wanted: most people who open the workspace never want it.
    """

    def __init__(self, workspace: Workspace, panel: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._form: Form | None = None
        self._is_stale = True
        self._n_asked = self._n_shown = 0
        self.side = QWidget(self)
        self._side_layout = QStackedLayout(self.side)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(panel)
        self._reread = QTimer(self)
        self._reread.setSingleShot(True)
        self._reread.setInterval(REREAD_MS)
        self._reread.timeout.connect(self.refresh)

    @property
    def form(self) -> Form:
        """The form; made now where nobody has wanted it before."""
        if self._form is None:
            self._form = self._make_form()
            self._side_layout.addWidget(self._form)
            self._fit_form(self._form)
        return self._form

    def _make_form(self) -> Form:
        raise NotImplementedError(type(self))

    def _fit_form(self, form: Form) -> None:
        """Fit the form to the project."""
        raise NotImplementedError(type(self))

    def refresh(self) -> None:
        """Read the runs anew, off the GUI thread, where the tab is seen: there may be hundreds."""
        self._is_stale = not self.isVisible()
        if not self._is_stale:
            self._read()

    def _read(self) -> None:
        project = self._workspace.project
        if project is None:
            self._show(None)
            return

        self._n_asked += 1
        number = self._n_asked

        def read(_tick: Tick) -> Facts:
            return self._read_facts(project)

        def done(facts: Facts) -> None:
            if number > self._n_shown:  # a slow one may come after one that was asked for later
                self._n_shown = number
                self._show(facts)

        self._workspace.background.run(read, done=done, owner=self)

    def _read_facts(self, project: Project) -> Facts:
        """Read what the tab shows; not on the GUI thread."""
        raise NotImplementedError(type(self))

    def _show_facts(self, facts: Facts | None) -> None:
        """Show what was read; None where there is no project."""
        raise NotImplementedError(type(self))

    def _show(self, facts: Facts | None) -> None:
        self._show_facts(facts)
        if self._form is not None:
            self._fit_form(self._form)

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._is_stale:
            self.refresh()

    def _class_names(self) -> list[tuple[str, str]]:
        """Names of the project's classes, as choices."""
        project = self._workspace.project
        return [(item.name, item.name) for item in project.classes.list()] if project is not None else []

    def _submit(self, settings: JobSettings, *, title: str, resume_run: RunId | None = None) -> RunId | None:
        """Put a job into the queue; where that is refused, say why."""
        try:
            return self._workspace.submit(settings, title=title, resume_run=resume_run)
        except UserError as error:
            report(error, parent=self)
            return None
