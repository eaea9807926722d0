"""A batch made of files: of its own one, or of recipes that were written for single jobs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from synthstudio.domain.errors import UserError
from synthstudio.settings.batch import BatchJob, BatchSettings
from synthstudio.settings.recipe import read_recipe

NOT_IN_NAMES = str.maketrans(dict.fromkeys("@/\\:{}", "-"))


def read_batch(paths: Sequence[Path]) -> BatchSettings:
    """Read a batch file; or recipes, each of which becomes a job named after its file, in the order of the files.

    Raises:
        UserError: A file cannot be read, is wrong, or is a batch among others.
    """
    recipes = [(path, read_recipe(path)) for path in paths]
    if len(recipes) == 1 and isinstance(recipes[0][1], BatchSettings):
        return recipes[0][1]
    jobs: list[BatchJob] = []
    for path, recipe in recipes:
        if isinstance(recipe, BatchSettings):
            raise UserError(f"{path} is a batch itself.", "Open it alone.")
        stem = path.stem.translate(NOT_IN_NAMES).strip()[:40] or "job"
        taken = {job.name for job in jobs}
        name = stem if stem not in taken else next(f"{stem} {n}" for n in range(2, 999) if f"{stem} {n}" not in taken)
        jobs.append(BatchJob(name=name, recipe=recipe.model_dump(mode="json", exclude_none=True)))
    return BatchSettings(name=f"{jobs[0].name}{'' if len(jobs) == 1 else ' and others'} batch", jobs=tuple(jobs))
