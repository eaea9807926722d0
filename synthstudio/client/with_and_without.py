"""Is a set of generated images worth anything? A classifier with and without it, on the same untouched test images."""

from __future__ import annotations

from dataclasses import dataclass

from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Split
from synthstudio.project import Project
from synthstudio.settings.train_classifier import TrainClassifierSettings


@dataclass(frozen=True, slots=True)
class ComparedTraining:
    """One of the two trainings, and what it and its evaluation are called."""

    settings: TrainClassifierSettings
    title: str

    @property
    def evaluation_title(self) -> str:
        """Of the job that scores it."""
        return f"Evaluate: {self.title[:1].lower()}{self.title[1:]}"


def plan_with_and_without(
    project: Project, set_name: str, base: TrainClassifierSettings
) -> tuple[ComparedTraining, ComparedTraining]:
    """Plan a training on real crops alone, and one on the same crops with a set mixed in; all else is the same.

    Args:
        project: Where the set is.
        set_name: Of the set.
        base: Settings of both; source and set follow, the share of real crops is that of the mix.

    Raises:
        NotFound: There is no such set.
        UserError: There is nothing to compare the two on.
    """
    project.sets.get(set_name)
    marked = project.annotations.counts()
    if not any(fov.state.is_complete or fov.id in marked for fov in project.fovs.list(split=Split.TEST)):
        raise UserError(
            "No image of the test split is annotated, so there is nothing to compare the classifiers on.",
            "Put annotated samples into the test split first.",
        )
    without = base.model_copy(update={"source": "real-crops", "set_name": "", "real_limit": 1.0})
    mixed = base.model_copy(update={"source": "mix", "set_name": set_name, "real_limit": 1.0})
    return ComparedTraining(without, f"Without {set_name}"), ComparedTraining(mixed, f"With {set_name}")
