"""Tries a grid of recipes on a small budget, and ranks them by what a classifier trained on each does on validation."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Sequence

from pydantic import ValidationError

from synthstudio.core.imaging import read_bytes, write_bytes_atomically
from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.stats import MIN_RELIABLE_GROUPS
from synthstudio.core.training.recipe_ranking import (
    RankedRecipe,
    RecipeTable,
    Trial,
    mean_scores,
    rank_recipes,
    round_sizes,
    survivors,
)
from synthstudio.core.training.recipe_tables import write_tables
from synthstudio.domain.records import FieldOfView
from synthstudio.engine.context import JobContext
from synthstudio.engine.data.material import Material, choose_material
from synthstudio.engine.device import choose_device
from synthstudio.engine.training import build_marked_reader, build_training_bank, cut_crops
from synthstudio.engine.trials import Bench, ImpossibleRecipe, TrialMaterial, build_bench, score_trial, train_on_trial
from synthstudio.protocol.results import SearchRecipesResult
from synthstudio.settings.recipe import explain_validation, recipe_text
from synthstudio.settings.search_recipes import RecipeChoices, SearchRecipesSettings, in_words
from synthstudio.settings.train_classifier import TrainClassifierSettings

TRIALS, CACHE = "trials", "cache"
SCORING_VERSION = 1
"""Raised when scores of an earlier version cannot stand beside new ones: a resumed search then tries all anew."""
SCORING_TICKS = 10
"""What scoring a trial counts in the progress, in training steps."""
VALIDATION_STREAM = 7


def run(settings: SearchRecipesSettings, context: JobContext) -> SearchRecipesResult:
    """Try the recipes; those that an earlier, broken-off execution of this run has tried are not tried again.

    Raises:
        UserError: There is nothing to train on or to validate with, a recipe is impossible, or an image cannot be read.
        Cancelled: What was tried is kept.
    """
    began = time.monotonic()
    try:
        table = _Search(settings, context).run()
    finally:
        shutil.rmtree(context.run_dir / CACHE, ignore_errors=True)
    return SearchRecipesResult(table=table, seconds=round(time.monotonic() - began, 3))


class _Search:
    """One execution of the job."""

    def __init__(self, settings: SearchRecipesSettings, context: JobContext) -> None:
        self._settings = settings
        self._context = context
        self._device = choose_device(context.device)
        self._recipes = settings.recipes()
        self._check_recipes()
        # The base decides images, classes and scale for all recipes: only then can their scores be compared.
        self._material: Material = choose_material(context.project, settings.training((), seed=context.seed, steps=1))
        self._fovs = self._choose_validation()
        self._state = context.project.training_state()
        self._bank: tuple[str, PatchBank] | None = None
        self._trials: list[Trial] = []
        self._notes: list[str] = []
        self._impossible: dict[RecipeChoices, ImpossibleRecipe] = {}
        self._budgets = settings.step_budgets
        self._done = self._total = self._n_planned = 0

    def run(self) -> RecipeTable:
        """Do the work."""
        bench = self._build_bench()
        entrants = list(self._recipes)
        for number, steps in enumerate(self._budgets, start=1):
            self._plan(len(entrants), self._budgets[number - 1 :])
            tried = self._try_all(entrants, bench, steps=steps, round_words=f"Round {number} of {len(self._budgets)}")
            if not tried:
                raise next(iter(self._impossible.values()))
            entrants = survivors(mean_scores(tried))
        self._context.tick(self._total, self._total)
        table = self._write_table(is_whole=True)
        self._write_best(table.recipes[0])
        return table

    def _plan(self, n_entrants: int, budgets: Sequence[int]) -> None:
        """Count what is still to be done in these rounds; recipes may have dropped out."""
        seeds, sizes = self._settings.seeds, round_sizes(n_entrants, len(budgets))
        self._n_planned = len(self._trials) + sum(sizes) * seeds
        self._total = self._done + sum(
            (steps + SCORING_TICKS) * size * seeds for steps, size in zip(budgets, sizes, strict=True)
        )

    def _check_recipes(self) -> None:
        for choices in self._recipes:
            try:
                self._settings.training(choices, seed=0, steps=1)
            except ValidationError as error:
                raise explain_validation(
                    error, TrainClassifierSettings, origin=f"Recipe {in_words(choices)}"
                ) from error

    def _choose_validation(self) -> list[FieldOfView]:
        fovs, most = self._material.validation, self._settings.max_validation
        if not most or len(fovs) <= most:
            return fovs
        chosen = self._context.rng(VALIDATION_STREAM).permutation(len(fovs))[:most]
        return [fovs[number] for number in sorted(chosen.tolist())]

    def _build_bench(self) -> Bench:
        self._context.stage("Reading validation images")
        composition = self._settings.composition
        reader = build_marked_reader(self._context.project, self._material, side=composition.canvas_px)
        crops = cut_crops(
            reader,
            self._fovs,
            self._context.run_dir / CACHE / "validation.npy",
            material=self._material,
            composition=composition,
            tick=self._context.tick,
        )
        bench = build_bench(self._fovs, crops, reader, min_visible=composition.min_visible, seed=self._context.seed)
        self._note_weaknesses(bench)
        return bench

    def _note_weaknesses(self, bench: Bench) -> None:
        if not self._material.is_exhaustive:
            self._note(
                "No validation image is annotated exhaustively: objects that were not clicked count as absent, and"
                " centres are not scored."
            )
        if not bench.is_halved:
            self._note("There is a single validation image: thresholds are chosen and scored on it, which is too good.")
        n_samples = self._n_samples
        if n_samples < MIN_RELIABLE_GROUPS:
            self._note(
                f"Validation has only {n_samples} samples, {MIN_RELIABLE_GROUPS} are needed: another choice of samples"
                " might rank the recipes differently."
            )

    def _note(self, text: str) -> None:
        self._notes.append(text)
        self._context.warn(text)

    @property
    def _n_samples(self) -> int:
        return len({fov.sample_id for fov in self._fovs})

    def _try_all(self, recipes: Sequence[RecipeChoices], bench: Bench, *, steps: int, round_words: str) -> list[Trial]:
        found = []
        for number, choices in enumerate(recipes, start=1):
            stage = f"{round_words}, recipe {number} of {len(recipes)}: {in_words(choices)}"
            try:
                found += self._try_seeds(choices, bench, steps=steps, stage=stage)
            except ImpossibleRecipe as error:
                self._leave_out(choices, error)
            self._write_table()
        return found

    def _leave_out(self, choices: RecipeChoices, error: ImpossibleRecipe) -> None:
        if error.message not in {each.message for each in self._impossible.values()}:
            self._context.warn(f"{in_words(choices)} is left out: {error.message}")
        self._impossible[choices] = error

    def _try_seeds(self, choices: RecipeChoices, bench: Bench, *, steps: int, stage: str) -> list[Trial]:
        found = []
        for seed in range(self._settings.seed, self._settings.seed + self._settings.seeds):
            settings = self._settings.training(choices, seed=seed, steps=steps)
            trial = self._read_trial(choices, settings)
            if trial is None:
                if stage:
                    self._context.stage(stage)
                    stage = ""  # said once a recipe
                trial = self._try(choices, settings, bench)
                self._keep(settings, trial)
            self._done += steps + SCORING_TICKS
            self._trials.append(trial)
            self._log(trial)
            found.append(trial)
        return found

    def _try(self, choices: RecipeChoices, settings: TrainClassifierSettings, bench: Bench) -> Trial:
        began = time.monotonic()
        steps = settings.optimization.steps
        given = TrialMaterial(
            self._material,
            self._find_bank(settings),
            self._context.run_dir / CACHE / "trial",
            self._device,
            self._context.project.models,
        )
        classifier = train_on_trial(settings, given, lambda done, _: self._context.tick(self._done + done, self._total))
        self._context.tick(self._done + steps, self._total)

        def tick(done: int, total: int) -> None:
            self._context.tick(self._done + steps + SCORING_TICKS * done // total, self._total)

        scores = score_trial(classifier, bench, tick)
        seconds = round(time.monotonic() - began, 2)
        return Trial(choices=choices, steps=steps, seed=settings.seed, scores=scores, seconds=seconds)

    def _find_bank(self, settings: TrainClassifierSettings) -> PatchBank:
        """The patches of a recipe; kept for the next one, which in the order of a grid mostly cuts them alike."""
        needs_plates = settings.composition.needs_plates
        key = f"{settings.patches.model_dump_json()} {needs_plates}"
        if self._bank is None or self._bank[0] != key:
            self._bank = None  # the former goes first: two may not fit into the memory
            bank = build_training_bank(
                self._context.project,
                self._material,
                settings.patches,
                with_plates=needs_plates,
                warn=self._context.warn,
                tick=self._check_cancelled,
            )
            self._bank = (key, bank)
        return self._bank[1]

    def _check_cancelled(self, _done: int, _total: int) -> None:
        """A tick that leaves the progress of the whole search as it is."""
        self._context.tick(self._done, self._total)

    def _trial_name(self, settings: TrainClassifierSettings) -> str:
        """Name of a trial's file: it depends on all that its scores depend on."""
        facts = {
            "settings": settings.model_dump(mode="json"),
            "project": self._state,
            "fovs": [fov.id for fov in self._fovs],
            "min_visible": self._settings.composition.min_visible,
            "halves": self._context.seed,
            "scoring": SCORING_VERSION,
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:24] + ".json"

    def _read_trial(self, choices: RecipeChoices, settings: TrainClassifierSettings) -> Trial | None:
        path = self._context.run_dir / TRIALS / self._trial_name(settings)
        if not path.is_file():
            return None
        try:
            trial = Trial.model_validate_json(read_bytes(path))
        except ValidationError:
            return None  # of another version: tried again
        # Two ways of writing the same value are the same trial.
        return trial.model_copy(update={"choices": choices})

    def _keep(self, settings: TrainClassifierSettings, trial: Trial) -> None:
        path = self._context.run_dir / TRIALS / self._trial_name(settings)
        path.parent.mkdir(exist_ok=True)
        write_bytes_atomically(path, trial.model_dump_json().encode())

    def _log(self, trial: Trial) -> None:
        number = len(self._trials)
        self._context.metric("score", trial.scores.total, step=number)
        figures = {
            "f1/macro": trial.scores.macro_f1,
            "pointing/mean": trial.scores.pointing,
            "center_f1/mean": trial.scores.center_f1,
            **{f"f1/{name}": value for name, value in trial.scores.f1.items()},
        }
        for name, value in figures.items():
            if value is not None:
                self._context.metric(name, value, step=number)

    def _write_table(self, *, is_whole: bool = False) -> RecipeTable:
        recipes = rank_recipes(self._trials, n_seeds=self._settings.seeds)
        table = RecipeTable(
            varied=tuple(axis.path for axis in self._settings.axes),
            recipes=recipes,
            n_trials=len(self._trials),
            n_planned=self._n_planned,
            n_images=len(self._fovs),
            n_samples=self._n_samples,
            scale=self._material.scale.factor,
            notes=(*self._notes, *self._impossible_notes(), *(_spread_notes(recipes) if is_whole else ())),
        )
        write_tables(self._context.run_dir, table)
        return table

    def _impossible_notes(self) -> list[str]:
        """One sentence for each reason, since many recipes share it."""
        by_reason: dict[str, list[RecipeChoices]] = {}
        for choices, error in self._impossible.items():
            by_reason.setdefault(error.message, []).append(choices)
        return [
            f"{len(found)} of {len(self._recipes)} recipes were left out, such as {in_words(found[0])}: {reason}"
            for reason, found in by_reason.items()
        ]

    def _write_best(self, best: RankedRecipe) -> None:
        """Write the best recipe as a training and as a set, ready for `synthstudio run`."""
        folder = self._context.run_dir
        training = self._settings.as_training(best.choices)
        made = self._settings.as_set(best.choices, scale=self._material.scale.factor)
        write_bytes_atomically(folder / "best-train-classifier.toml", recipe_text(training).encode())
        write_bytes_atomically(folder / "best-compose.toml", recipe_text(made).encode())


def _spread_notes(recipes: Sequence[RankedRecipe]) -> list[str]:
    if len(recipes) < 2:
        return []
    if recipes[0].n_seeds < 2:
        return ["One seed tells nothing about chance: try two or more before trusting small differences."]
    n_tied = sum(each.is_tied for each in recipes[1:])
    if not n_tied:
        return ["The best recipe is ahead of all others by more than the spread over seeds."]
    return [
        f"The lead over {n_tied} of the other {len(recipes) - 1} recipes is within the spread over seeds, or below .01."
    ]
