"""The recipe search in the Train workspace: joins its table, its form, the queue and the forms that take a recipe."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.domain.records import RunStatus
from synthstudio.gui.actions import ActionSpec, trigger_action
from synthstudio.gui.pages.train.search_facts import SearchFacts, read_searches
from synthstudio.gui.pages.train.search_panel import SearchPanel
from synthstudio.gui.pages.train.search_side import SearchSide
from synthstudio.gui.run_tab import RunTab
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.protocol.messages import AnyEvent, MetricLogged, StageChanged

TITLE = "Recipe search"


class RecipeSearch(RunTab[SearchSide, list[SearchFacts]]):
    """Recipe searches: their tables, and the form of a new one."""

    side_wanted = Signal()
    """`wants_side` has changed."""
    training_offered = Signal(object)
    """`TrainClassifierSettings` of a recipe, for the form of the training."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        self.panel = SearchPanel()
        super().__init__(workspace, self.panel, parent)
        self.wants_side = False
        self.panel.new_requested.connect(self.open_form)
        self.panel.resume_requested.connect(self.resume)
        self.panel.generate_requested.connect(self.use_in_generate)
        self.panel.train_requested.connect(self.use_for_training)
        workspace.gpu_worker.event_received.connect(self._on_worker_event_received)

    @override
    def _make_form(self) -> SearchSide:
        form = SearchSide(self.side)
        form.start_requested.connect(self.start)
        return form

    @override
    def _fit_form(self, form: SearchSide) -> None:
        form.form.set_choices("composition.classes", self._class_names())
        form.set_writable(can_write=self._workspace.is_writable)

    @override
    def _read_facts(self, project: Project) -> list[SearchFacts]:
        return read_searches(project)

    @override
    def _show_facts(self, facts: list[SearchFacts] | None) -> None:
        self.panel.show_searches(facts or [], can_write=self._workspace.is_writable)

    @Slot(str, object)
    def _on_worker_event_received(self, run_id: str, event: AnyEvent) -> None:
        chosen = self.panel.chosen
        if chosen is None or chosen.run.id != run_id:
            return
        if chosen.run.status is not RunStatus.RUNNING and not self._reread.isActive():
            self._reread.start()  # it waited, or had ended early: now it runs
        match event:
            case StageChanged(text=text):
                self.panel.show_stage(text)
            case MetricLogged(name="score"):
                self._reread.start()
            case _:
                pass

    @Slot()
    def open_form(self) -> None:
        """Show the settings of a search beside the table."""
        self.form.form.setFocus()
        self._want_side(wanted=True)

    def _want_side(self, *, wanted: bool) -> None:
        self.wants_side = wanted
        self.side_wanted.emit()

    @Slot()
    def start(self) -> None:
        """Queue a search with the settings of the form."""
        settings = self.form.form.find_settings()
        if settings is not None and self._submit(settings, title=TITLE) is not None:
            self._want_side(wanted=False)
            self.refresh()

    @Slot()
    def resume(self) -> None:
        """Go on with the search that is shown."""
        chosen = self.panel.chosen
        if chosen is not None and chosen.can_resume and chosen.settings is not None:
            self._submit(chosen.settings, title=TITLE, resume_run=chosen.run.id)

    @Slot()
    def use_in_generate(self) -> None:
        """Put the selected recipe into the form of the sets, and go there by the window's own action."""
        chosen, recipe = self.panel.chosen, self.panel.recipe
        if chosen is None or chosen.settings is None or chosen.table is None or recipe is None:
            return
        self._workspace.offer_recipe(chosen.settings.as_set(recipe.choices, scale=chosen.table.scale))
        trigger_action("go.generate", self)

    @Slot()
    def use_for_training(self) -> None:
        """Put the selected recipe into the form of the training."""
        chosen, recipe = self.panel.chosen, self.panel.recipe
        if chosen is not None and chosen.settings is not None and recipe is not None:
            self.training_offered.emit(chosen.settings.as_training(recipe.choices))

    def actions(self, open_search: Callable[[], None]) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word
        """What can be done here; `open_search` shows this panel with its form."""

        def has_recipe() -> bool:
            return self.panel.recipe is not None

        return (
            ActionSpec(
                "train.search",
                "Find the best recipe…",
                open_search,
                icon="mdi6.trophy-outline",
                menu="Train",
                enabled_when=lambda: self._workspace.is_writable,
                tip="Try ways of compositing on a small budget and rank them by validation scores",
            ),
            ActionSpec(
                "train.recipe_to_generate",
                "Use this recipe in Generate",
                self.use_in_generate,
                icon="mdi6.auto-fix",
                menu="Train",
                enabled_when=has_recipe,
            ),
            ActionSpec(
                "train.recipe_to_training",
                "Use this recipe for training",
                self.use_for_training,
                menu="Train",
                enabled_when=has_recipe,
            ),
            ActionSpec(
                "train.resume_search",
                "Resume the recipe search",
                self.resume,
                menu="Train",
                enabled_when=lambda: (chosen := self.panel.chosen) is not None and chosen.can_resume,
            ),
        )
