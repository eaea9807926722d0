"""What the views of the Results tab share: the runs they speak of, and what stands there while there is nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from synthstudio.domain.progress import Tick
from synthstudio.gui.pages.train.run_colors import run_color
from synthstudio.gui.pages.train.run_facts import TrainingFacts
from synthstudio.gui.widgets.columns import fill_with_pages
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.workspace import Workspace

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RunSelection:
    """The runs that are selected in the table, from top to bottom, and the split of their scores.

    Attributes:
        chosen: The run that views of a single run show.
    """

    chosen: TrainingFacts | None = None
    runs: tuple[TrainingFacts, ...] = ()
    split: str = ""

    @property
    def evaluated(self) -> tuple[TrainingFacts, ...]:
        """Those that have scores on the split."""
        return tuple(each for each in self.runs if self.split in each.evaluations)

    @property
    def predicted(self) -> tuple[TrainingFacts, ...]:
        """Those whose answers on every crop were kept."""
        return tuple(each for each in self.runs if self.split in each.predictions)

    def color_of(self, training: TrainingFacts) -> str:
        """Colour of one of the runs in every chart."""
        return run_color(next((place for place, each in enumerate(self.runs) if each.run.id == training.run.id), 0))

    def label_of(self, training: TrainingFacts) -> str:
        """Name of one of the runs in a legend; the time tells runs of one name apart."""
        n_alike = sum(each.name == training.name for each in self.runs)
        moment = training.run.created_at[5:16].replace("T", " ")
        return f"{training.name}, {moment}" if n_alike > 1 else training.name


class ResultsView(QWidget):
    """A view; `content` is filled by the derived class."""

    evaluate_requested = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.selection = RunSelection()
        self._generation = 0
        self.stack = QStackedWidget(self)
        self.content = QWidget(self.stack)
        self.empty = NextStep(parent=self.stack)
        fill_with_pages(self, self.stack, self.content, self.empty)
        self.empty.button_clicked.connect(self.evaluate_requested)

    def show_selection(self, selection: RunSelection) -> None:
        """Show other runs, or the same ones in another state."""
        self.selection = selection
        self._generation += 1
        self._refresh()

    def _refresh(self) -> None:
        raise NotImplementedError(type(self))

    def _say(self, title: str, text: str, button: str = "") -> None:
        """Say why there is nothing to see, and what to do."""
        self.empty.show_step(title, text, button)
        self.stack.setCurrentWidget(self.empty)

    def _say_unevaluated(self) -> None:
        """Say that what is chosen was not evaluated."""
        chosen = self.selection.chosen
        is_ready = chosen is not None and chosen.score is not None
        self._say(
            "This run has not been evaluated yet." if chosen is not None else "No training is chosen.",
            "Evaluating scores it on held-out images: F1 per class, and where its class activation maps lie."
            if is_ready
            else "Train a classifier first; it can be scored once it has finished.",
            "Evaluate" if is_ready and self._workspace.is_writable else "",
        )

    def _say_unpredicted(self) -> None:
        """Say that the evaluation is of a version that kept no answers."""
        if not self.selection.evaluated:
            self._say_unevaluated()
            return
        self._say(
            "The answers of this run on every crop were not kept.",
            "It was evaluated by an earlier version. Evaluate it again to see its curves and the crops behind its"
            " scores.",
            "Evaluate" if self._workspace.is_writable else "",
        )

    def _work(self, work: Callable[[Tick], T], done: Callable[[T], None]) -> None:
        """Do work in a thread; what comes after other work was begun, or other runs were chosen, is dropped."""
        self._generation += 1
        generation = self._generation

        def deliver(found: T) -> None:
            if generation == self._generation:
                done(found)

        self._workspace.background.run(work, done=deliver, owner=self, priority=1)
