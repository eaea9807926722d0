"""What is known of the project's recipe searches. No widgets."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from synthstudio.core.training.recipe_ranking import RecipeTable
from synthstudio.core.training.recipe_tables import read_table
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Run, RunStatus
from synthstudio.gui.pages.train.run_facts import STATUS_WORDS
from synthstudio.project import Project
from synthstudio.protocol.results import SearchRecipesResult
from synthstudio.settings.search_recipes import SearchRecipesSettings

SEARCH_KIND = "search-recipes"


@dataclass(frozen=True, slots=True)
class SearchFacts:
    """One recipe search.

    Attributes:
        settings: What was searched; None where another version wrote it.
        table: The ranking, of an unfinished search as far as it came; None before the first recipe.
        can_resume: It ended early; what it tried is kept.
    """

    run: Run
    settings: SearchRecipesSettings | None
    table: RecipeTable | None
    can_resume: bool

    @property
    def line(self) -> str:
        """When it began, how it stands, how many recipes."""
        moment = self.run.created_at[5:16].replace("T", " ")
        count = f" · {len(self.table.recipes)} recipes" if self.table is not None else ""
        return f"{moment} · {STATUS_WORDS[self.run.status]}{count}"


def read_searches(project: Project) -> list[SearchFacts]:
    """Read all recipe searches of a project, newest first."""
    return [_facts(project, run) for run in reversed(project.runs.list(kind=SEARCH_KIND))]


def _facts(project: Project, run: Run) -> SearchFacts:
    try:
        settings = SearchRecipesSettings.model_validate_json(run.settings_json)
    except ValidationError:
        settings = None
    ended_early = run.status in (RunStatus.FAILED, RunStatus.CANCELLED)
    has_trials = any((project.run_folder(run.id) / "trials").glob("*.json"))
    return SearchFacts(
        run=run,
        settings=settings,
        table=_table(project, run),
        can_resume=ended_early and has_trials and settings is not None,
    )


def _table(project: Project, run: Run) -> RecipeTable | None:
    if run.summary_json:
        try:
            return SearchRecipesResult.model_validate_json(run.summary_json).table
        except ValidationError:
            return None
    try:
        return read_table(project.run_folder(run.id))
    except UserError:
        return None  # what a search that was killed left half-way; resuming writes it anew
