"""Which recipe trains best: scores of trials, successive halving, and the ranking with its spread over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

from pydantic import BaseModel, ConfigDict

from synthstudio.settings.search_recipes import RecipeChoices

MIN_LEAD = 0.01
"""F1 on a few hundred crops cannot tell finer, however little the seeds differ."""

MIN_SURVIVORS = 2
"""A winner that was compared with nobody at the full budget is none."""


class RecipeScores(BaseModel):
    """How a trained classifier does on validation images; None where undefined.

    Attributes:
        macro_f1: Mean over the classes of F1 for presence on crops.
        pointing: Mean over the classes of the share of crops on which the hottest place of the map is on an object.
        center_f1: Mean over the classes of F1 of the map's peaks against the annotated centres.
        f1: F1 for presence of each class.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    macro_f1: float | None
    pointing: float | None
    center_f1: float | None
    f1: dict[str, float | None] = {}

    @property
    def total(self) -> float:
        """What recipes are ranked by: the mean of macro F1 and localisation, which is that of pointing and centre F1.

        Parts that are undefined do not count; with none at all it is 0.
        """
        located = _mean([self.pointing, self.center_f1])
        return _mean([self.macro_f1, located]) or 0.0


class Trial(BaseModel):
    """One recipe, trained once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    choices: RecipeChoices
    steps: int
    seed: int
    scores: RecipeScores
    seconds: float


class Figure(BaseModel):
    """A mean over seeds and its standard deviation; None where undefined, and where a single seed has no spread."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: float | None
    sd: float | None


class RankedRecipe(BaseModel):
    """A recipe with the figures of its longest trials.

    Attributes:
        rank: 1 is the best; recipes that went further in the halving come before those that did not.
        steps: Of the longest trials.
        score: What it is ranked by.
        behind: How much the best recipe is ahead at these steps, seed by seed: pairs have less spread than the scores.
        is_tied: The lead of the best recipe is not beyond the spread over seeds, or too small to mean anything. Also
            True for the best itself.
        seconds: Of one of the longest trials.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rank: int
    choices: RecipeChoices
    steps: int
    n_seeds: int
    score: Figure
    behind: Figure
    is_tied: bool
    macro_f1: Figure
    pointing: Figure
    center_f1: Figure
    seconds: float


class RecipeTable(BaseModel):
    """A ranking and what is to be known about it.

    Attributes:
        varied: Paths of the settings that were varied.
        recipes: Best first.
        n_trials, n_planned: Trainings that are done, and all that were planned.
        n_images, n_samples: Validation images that were scored, and the samples that they are of.
        scale: Working scale of the patches.
        notes: What a reader must know before trusting the figures.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    varied: tuple[str, ...]
    recipes: tuple[RankedRecipe, ...]
    n_trials: int
    n_planned: int
    n_images: int
    n_samples: int
    scale: float
    notes: tuple[str, ...] = ()


def survivors(scores: Mapping[RecipeChoices, float]) -> list[RecipeChoices]:
    """The better half of the recipes, in the order in which they were given; at least two."""
    n_kept = min(len(scores), max(MIN_SURVIVORS, -(-len(scores) // 2)))
    kept = set(sorted(scores, key=lambda each: -scores[each])[:n_kept])
    return [each for each in scores if each in kept]


def round_sizes(n_recipes: int, n_rounds: int) -> list[int]:
    """How many recipes each round tries."""
    sizes = [n_recipes]
    while len(sizes) < n_rounds:
        sizes.append(min(sizes[-1], max(MIN_SURVIVORS, -(-sizes[-1] // 2))))
    return sizes


def mean_scores(trials: Sequence[Trial]) -> dict[RecipeChoices, float]:
    """Mean score of each recipe over these trials, in the order in which the recipes first appear."""
    by_recipe: dict[RecipeChoices, list[float]] = {}
    for trial in trials:
        by_recipe.setdefault(trial.choices, []).append(trial.scores.total)
    return {choices: fmean(scores) for choices, scores in by_recipe.items()}


def rank_recipes(trials: Sequence[Trial], *, n_seeds: int) -> tuple[RankedRecipe, ...]:
    """Rank the recipes by their longest trials.

    Args:
        trials: Those that are finished, in any number; rounds that have not yet seen all seeds are left out.
        n_seeds: Trials of a recipe in each round.
    """
    rounds: dict[tuple[RecipeChoices, int], list[Trial]] = {}
    for trial in sorted(trials, key=lambda each: each.seed):
        rounds.setdefault((trial.choices, trial.steps), []).append(trial)
    whole = {key: found for key, found in rounds.items() if len(found) == n_seeds}
    longest: dict[RecipeChoices, list[Trial]] = {}
    for (choices, steps), found in whole.items():
        if choices not in longest or steps > longest[choices][0].steps:
            longest[choices] = found
    ordered = sorted(longest.values(), key=lambda found: (-found[0].steps, -_total(found)))
    return tuple(
        _ranked(number, found, best=whole.get((ordered[0][0].choices, found[0].steps), []))
        for number, found in enumerate(ordered, start=1)
    )


def _ranked(rank: int, found: Sequence[Trial], *, best: Sequence[Trial]) -> RankedRecipe:
    leads = [mine.scores.total - other.scores.total for mine, other in zip(best, found, strict=False)]
    behind = _figure(leads) if rank > 1 else Figure(mean=0.0, sd=None)
    return RankedRecipe(
        rank=rank,
        choices=found[0].choices,
        steps=found[0].steps,
        n_seeds=len(found),
        score=_figure([each.scores.total for each in found]),
        behind=behind,
        is_tied=rank == 1 or behind.mean is None or behind.sd is None or behind.mean <= max(behind.sd, MIN_LEAD),
        macro_f1=_figure([each.scores.macro_f1 for each in found]),
        pointing=_figure([each.scores.pointing for each in found]),
        center_f1=_figure([each.scores.center_f1 for each in found]),
        seconds=round(fmean(each.seconds for each in found), 2),
    )


def _total(found: Sequence[Trial]) -> float:
    return fmean(each.scores.total for each in found)


def _mean(values: Sequence[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return fmean(defined) if defined else None


def _figure(values: Sequence[float | None]) -> Figure:
    defined = [value for value in values if value is not None]
    return Figure(mean=_mean(defined), sd=stdev(defined) if len(defined) > 1 else None)
