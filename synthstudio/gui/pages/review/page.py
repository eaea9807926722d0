"""The Review workspace: synthetic images are judged before anything learns from them, and read blind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.pages.review.counts_panel import CountsPanel
from synthstudio.gui.pages.review.specs import verdict_specs
from synthstudio.gui.pages.review.studies import StudiesPanel
from synthstudio.gui.pages.review.studies.studies_specs import study_specs
from synthstudio.gui.pages.review.verdicts_panel import VerdictsPanel
from synthstudio.gui.widgets.page_tabs import PageTabs
from synthstudio.gui.workspace import Workspace


class ReviewPage(QWidget):
    """Verdicts, what they come to, and reading studies."""

    title = "Review"
    icon = "mdi6.check-decagram-outline"

    actions_outdated = Signal()
    """Other actions may be possible now."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tabs = PageTabs(self)
        self.verdicts = VerdictsPanel(workspace, self)
        self.studies = StudiesPanel(workspace, self)
        self.tabs.addTab(self.verdicts, "Verdicts")
        self.counts = CountsPanel(workspace, self)
        self.tabs.addTab(self.counts, "Counts")
        self.tabs.addTab(self.studies, "Studies")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.tabs)
        self.tabs.currentChanged.connect(self.actions_outdated)
        self.verdicts.actions_outdated.connect(self.actions_outdated)
        self.counts.actions_outdated.connect(self.actions_outdated)
        self.studies.actions_outdated.connect(self.actions_outdated)

    def show_counts(self) -> None:
        """Show how images fared, by what they show."""
        self.tabs.setCurrentWidget(self.counts)

    def show_studies(self) -> None:
        """Show the reading studies."""
        self.tabs.setCurrentWidget(self.studies)

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # a page declares its actions as data
        """What can be done here; the verdicts' actions rest while the studies are shown."""
        verdicts = [
            replace(spec, area=self.verdicts, enabled_when=partial(_can_judge, self.verdicts, spec.enabled_when))
            for spec in verdict_specs(self.verdicts)
        ]
        tab = ActionSpec("review.counts", "Show counts of verdicts", self.show_counts, menu="Review")
        return (*verdicts, tab, *self.counts.specs(), *study_specs(self.studies, show=self.show_studies))


def _can_judge(panel: VerdictsPanel, condition: Callable[[], bool]) -> bool:
    return panel.isVisible() and condition()
