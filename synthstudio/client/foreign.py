"""Data sets of other programs, read in place: a project in the user's cache refers to their images.

So all that looks at a project (checks, gallery, charts, map, reports) looks at them, too, and nothing is written where
they lie. What is known of an image goes by its content: after a change of the data set only what is new is computed.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from synthstudio.core.annotations.planning import ReadOptions
from synthstudio.domain.errors import UserError
from synthstudio.domain.plans import ImportPlan
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.project import Project
from synthstudio.project.imports import Existing, apply_import
from synthstudio.project.origins import LookedAt, find_looked_at, write_looked_at
from synthstudio.project.project import DATABASE_NAME

MOST_KEPT = 10


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set of another program.

    Attributes:
        path: Its folder, or one file.
        format: Name of the reader.
        options: What the reader was told.
    """

    path: Path
    format: str
    options: ReadOptions


def looked_at_folder() -> Path:
    """Where such projects are kept: the last `MOST_KEPT` of this user."""
    return platformdirs.user_cache_path("synthstudio", appauthor=False) / "data-sets"


def keep_data_set(data: DataSet, plan: ImportPlan, *, tick: Tick = no_tick) -> Path:
    """Bring a data set that was read into a project of its own, and return the folder of that.

    A former project of the data set is brought up to date; one in which somebody has changed marks stays as it is, and
    the data set gets another.

    Args:
        data: What was read.
        plan: What the reader has found.

    Raises:
        UserError: It holds no images, another window looks at it while it has changed, or the cache is not writable.
        Cancelled: By the tick.
    """
    if not plan.fovs:
        first = str(plan.problems[0]) if plan.problems else "it holds no images"
        raise UserError(
            f"There is nothing to look at in {data.path}: {first.rstrip('.')}.", "Choose another folder, or its format."
        )
    content = hashlib.sha256(repr((plan.fovs, plan.class_names, plan.class_sizes_px)).encode()).hexdigest()
    stem = hashlib.sha256(repr((str(data.path), data.format, data.options)).encode()).hexdigest()[:12]
    root = looked_at_folder()
    for number in range(1, MOST_KEPT + 1):
        folder = root / f"{stem}-{number}" / _name_of(data.path)
        if not (folder / DATABASE_NAME).is_file():
            project = Project.create(folder)  # what another window has made meanwhile is not ours to remove
            try:
                _fill(project, data, plan, content=content, tick=tick)
            except BaseException:
                shutil.rmtree(folder.parent, ignore_errors=True)
                raise
            _forget_oldest(root, kept=folder.parent)
            return folder
        if _bring_up_to_date(folder, data, plan, content=content, tick=tick):
            return folder
    raise UserError(
        f"There are {MOST_KEPT} edited copies of {data.path} already.", f"Remove some of the folders {root / stem}-*."
    )


def _name_of(path: Path) -> str:
    return path.stem if path.is_file() else path.name or "data set"


def _bring_up_to_date(folder: Path, data: DataSet, plan: ImportPlan, *, content: str, tick: Tick) -> bool:
    """Let a former project show the data set as it is now; False where somebody has edited that project."""
    try:
        project = _open_former(folder)
    except UserError:  # damaged, or a newer version's: the data set gets another
        return False
    try:
        former = find_looked_at(project)
        if former is not None and former.content == content:
            return True
        if former is None or project.training_state() != former.marks:
            return False
    finally:
        project.close()
    project = Project.open(folder)
    if project.is_read_only:
        reason = project.read_only_reason
        project.close()
        raise UserError(f"{data.path} has changed, but is still looked at. {reason}", "Close that window first.")
    _fill(project, data, plan, content=content, tick=tick)
    return True


def _open_former(folder: Path) -> Project:
    """Open a former project to read it. Raises UserError where that is impossible."""
    with contextlib.suppress(UserError):
        return Project.open(folder, read_only=True)
    Project.open(folder).close()  # which brings one that an older version has made up to date
    return Project.open(folder, read_only=True)


def _fill(project: Project, data: DataSet, plan: ImportPlan, *, content: str, tick: Tick) -> None:
    """Let a project hold what was read and nothing else; runs stay, as what they know of images goes by content."""
    try:
        with project.transaction():
            project.fovs.remove([fov.id for fov in project.fovs.list()])
            for each in project.classes.list():
                project.classes.remove(each.id)
            # Images that are there twice are to be found by the checks, not merged.
            apply_import(project, plan, copy=False, existing=Existing.NEW, keeps_snapshot=False, tick=tick)
            told = LookedAt(
                path=str(data.path),
                format=data.format,
                content=content,
                marks=project.training_state(),
                problems=tuple(str(problem) for problem in plan.problems),
            )
            write_looked_at(project, told)
    finally:
        project.close()


def _forget_oldest(root: Path, *, kept: Path) -> None:
    """Remove the projects that were not used for longest, except those that are open."""
    found = sorted(root.glob(f"*/*/{DATABASE_NAME}"), key=lambda path: path.stat().st_mtime, reverse=True)
    for database in found[MOST_KEPT:]:
        if database.parent.parent == kept:
            continue
        with contextlib.suppress(UserError):
            project = Project.open(database.parent)
            is_open = project.is_read_only
            project.close()
            if not is_open:
                shutil.rmtree(database.parent.parent, ignore_errors=True)
