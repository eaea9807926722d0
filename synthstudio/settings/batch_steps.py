"""What a batch comes to: its jobs, once for each seed, in an order in which none comes before what it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from synthstudio.domain.errors import UserError
from synthstudio.settings.batch import REFERENCE, RUN_KEY, SEED_MARK, BatchJob, BatchSettings
from synthstudio.settings.recipe import recipe_from_toml
from synthstudio.settings.references import RUN_KINDS, run_read, set_written
from synthstudio.settings.registry import SETTINGS_BY_KIND, RecipeUnion


@dataclass(frozen=True, slots=True)
class StepKey:
    """What tells one step of a batch from the others: its job, and which of its seeds."""

    job: str
    number: int = 0


@dataclass(frozen=True, slots=True)
class BatchStep:
    """A job of a batch with one of its seeds.

    Attributes:
        seed: Of its settings.
        recipe: The settings as parsed TOML; its run may be a reference to that of another step.
        uses: The step whose run it refers to, by the name of its job; empty where it refers to none.
        after: All steps that must have ended well before it.
        is_repeated: Whether its job has several seeds.
    """

    key: StepKey
    seed: int
    recipe: Mapping[str, object]
    uses: Mapping[str, StepKey]
    after: tuple[StepKey, ...]
    is_repeated: bool

    @property
    def title(self) -> str:
        """Name of the job, with its seed where there are several."""
        return f"{self.key.job}, seed {self.seed}" if self.is_repeated else self.key.job

    @property
    def kind(self) -> str:
        """Of the job or plan."""
        return str(self.recipe.get("kind", ""))

    def settings(self, run_of: Callable[[StepKey], str]) -> RecipeUnion:
        """The settings, with the ids of the runs that they refer to.

        Raises:
            UserError: Settings are wrong; all are named.
        """
        values = dict(self.recipe)
        for key in self.uses.values():
            values[RUN_KEY] = run_of(key)
        return recipe_from_toml(values, origin=f"The job {self.title}")


def expand_batch(settings: BatchSettings) -> tuple[BatchStep, ...]:
    """Return all steps of a batch, each after those that it needs.

    Raises:
        UserError: A recipe is wrong, refers to a job that does not exist, or jobs wait for each other in a circle.
    """
    jobs = {job.name: job for job in settings.jobs}
    needs = {job.name: _needs(job, jobs) for job in settings.jobs}
    counts: dict[str, int] = {}
    steps: list[BatchStep] = []
    for name in _in_order(list(jobs), needs):
        made = _steps_of(jobs[name], needs[name], counts, base_seed=settings.seed)
        counts[name] = len(made)
        steps += made
    _check(steps, settings.name)
    return tuple(steps)


def _needs(job: BatchJob, jobs: Mapping[str, BatchJob]) -> dict[str, bool]:
    """The jobs that one needs: name -> whether it refers to their run. Raises UserError for one that is not there."""
    run = job.recipe.get(RUN_KEY)
    refers = isinstance(run, str) and run.startswith(REFERENCE) and run != REFERENCE
    uses = {str(run).removeprefix(REFERENCE)} if refers else set[str]()
    for name in (*uses, *job.after):
        if name not in jobs:
            raise UserError(
                f"The job {job.name} needs the job {name}, which the batch does not have.",
                f"Its jobs are: {', '.join(jobs)}.",
            )
    return {name: name in uses for name in dict.fromkeys((*job.after, *sorted(uses)))}


def _in_order(names: Sequence[str], needs: Mapping[str, Mapping[str, bool]]) -> list[str]:
    """The jobs in their own order, each after those that it needs."""
    ordered: list[str] = []
    waiting = list(names)
    while waiting:
        ready = next((name for name in waiting if all(each in ordered for each in needs[name])), None)
        if ready is None:
            raise UserError(
                f"These jobs wait for each other in a circle: {', '.join(waiting)}.", "Take one of their needs away."
            )
        waiting.remove(ready)
        ordered.append(ready)
    return ordered


def _steps_of(
    job: BatchJob, needs: Mapping[str, bool], counts: Mapping[str, int], *, base_seed: int
) -> list[BatchStep]:
    """A job once for each of its seeds, or as often as what it refers to."""
    used = [counts[name] for name, refers in needs.items() if refers and counts[name] > 1]
    if len(set(used)) > 1 or (used and job.seeds not in (1, used[0])):
        raise UserError(
            f"The job {job.name} refers to jobs with different numbers of seeds.", "Give them the same number."
        )
    count = max([job.seeds, *used])
    own = job.recipe.get("seed", base_seed)
    first = own if isinstance(own, int) else 0
    return [_step(job, needs, counts, number=number, count=count, seed=first + number) for number in range(count)]


def _step(
    job: BatchJob, needs: Mapping[str, bool], counts: Mapping[str, int], *, number: int, count: int, seed: int
) -> BatchStep:
    recipe = _replaced({**job.recipe, "seed": seed}, lambda text: text.replace(SEED_MARK, str(seed)))
    assert isinstance(recipe, dict)
    uses = {name: StepKey(name, number if counts[name] > 1 else 0) for name, refers in needs.items() if refers}
    others = [StepKey(name, each) for name in needs if name not in uses for each in range(counts[name])]
    key = StepKey(job.name, number)
    return BatchStep(key, seed, recipe, uses, (*uses.values(), *others), is_repeated=count > 1)


def _check(steps: Sequence[BatchStep], batch_name: str) -> None:
    """What some job would complain about in the middle of the night is told before it."""
    sets: dict[str, str] = {}
    plans = {batch_name: "The batch itself"}
    kinds = {step.key.job: step.kind for step in steps}
    for step in steps:
        made = step.settings(lambda key: f"{REFERENCE}{key.job}")
        if isinstance(made, BatchSettings):
            raise UserError(f"The job {step.key.job} is a batch itself.", "Put its jobs into this batch.")
        if made.kind not in SETTINGS_BY_KIND and step.is_repeated:
            raise UserError(
                f"The job {step.key.job} is a plan of many jobs and has seeds of its own.", "Leave its seeds out."
            )
        used = next((job for job in step.uses if kinds[job] not in SETTINGS_BY_KIND), None)
        if used is not None:
            raise UserError(
                f"The job {step.key.job} refers to the run of {used}, which is a plan of many runs.",
                f'Write after = ["{used}"] to wait for it, and name one run by its id.',
            )
        _check_kind_of_run(made, step.key.job, kinds)
        plan = getattr(made, "name", "") if made.kind not in SETTINGS_BY_KIND else ""
        if plan and plan in plans:
            raise UserError(
                f"{plans[plan]} and {step.title} would both be the plan {plan}.", "Give the plan another name."
            )
        if plan:
            plans[plan] = step.title
        name = set_written(made)
        if name and name in sets:
            raise UserError(
                f"{sets[name]} and {step.title} would both write the set {name}.",
                f"Put {SEED_MARK} into the name, or name them differently.",
            )
        if name:
            sets[name] = step.title


def _check_kind_of_run(settings: RecipeUnion, job: str, kinds: Mapping[str, str]) -> None:
    """Whether what a job refers to makes runs that it can use."""
    wanted, made_by = RUN_KINDS.get(settings.kind, ()), run_read(settings).removeprefix(REFERENCE)
    if made_by in kinds and kinds[made_by] not in wanted:
        raise UserError(
            f"The job {job} refers to the run of {made_by}, which is {kinds[made_by]}, not {' or '.join(wanted)}.",
            "Refer to another job.",
        )


def _replaced(value: object, change: Callable[[str], str]) -> object:
    """A parsed value with all its texts changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {str(key): _replaced(each, change) for key, each in value.items()}
    if isinstance(value, Sequence):
        return [_replaced(each, change) for each in value]
    return value
