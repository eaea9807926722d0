"""Applying an import plan: all of it in one transaction, or nothing.

Images that the project has already (same content) get the marks that they lack, or are left out, or become FOVs again:
`Existing`.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from synthstudio.core.annotations.merging import find_twins
from synthstudio.domain.ids import ClassId, FovId
from synthstudio.domain.plans import ImportPlan, PlannedFov, Problem
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import (
    AnnotationSource,
    Changes,
    Role,
    Storage,
    changes,
)
from synthstudio.project.files import copied_path, copy_into, stored_path
from synthstudio.project.guide_imports import NO_GUIDES, add_guides
from synthstudio.project.merging import NOTHING_MERGED, Merged, merge, to_annotation
from synthstudio.project.project import Project


class Existing(StrEnum):
    """What becomes of an image that the project has already."""

    MERGE = "merge"
    NEW = "new"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """What an import did.

    Attributes:
        n_fovs: FOVs that were added.
        n_merged: Images that the project had already and whose marks were merged.
        n_annotations: Annotations that were added, to new and to merged FOVs.
        n_known: Marks that a merged FOV had already.
        merged: What was added to FOVs that were there before, so that it can be taken back.
        n_guides: Images that came into the guide set.
    """

    n_fovs: int
    n_annotations: int
    classes: tuple[str, ...]
    problems: tuple[Problem, ...]
    changes: Changes
    n_merged: int = 0
    n_known: int = 0
    merged: Merged = NOTHING_MERGED
    n_guides: int = 0


@dataclass(slots=True)
class _Sorted:
    """The images of a plan by what becomes of them: added, merged into what is there, or left out."""

    fresh: list[PlannedFov] = field(default_factory=list)
    known: list[PlannedFov] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def apply_import(
    project: Project,
    plan: ImportPlan,
    *,
    copy: bool,
    source: AnnotationSource = AnnotationSource.IMPORTED,
    existing: Existing = Existing.MERGE,
    guide_set: str = "",
    keeps_snapshot: bool = True,
    tick: Tick = no_tick,
) -> ImportOutcome:
    """Add the FOVs, classes, annotations and image labels of a plan.

    Files are copied first, rows follow in one transaction: a cancelled or failed import leaves neither rows nor copies
    behind.

    Args:
        copy: Copy the images into the project instead of referring to them.
        existing: What becomes of images that the project, or the plan further up, has already.
        guide_set: The images that have captions become guide images of this set, which is made where there is none;
            empty for no guide images.
        keeps_snapshot: Keep the state before; not where images come one by one, whose snapshots would soon have pushed
            out all others.

    Raises:
        UserError: A file cannot be copied, or the project cannot be written.
        Cancelled: By the tick, before anything was recorded.
    """
    guide_set = guide_set.strip()  # as it will be called
    sorted_fovs = _sort(plan, {(fov.sha256, fov.page) for fov in project.fovs.list()}, existing)
    fresh = sorted_fovs.fresh
    sorted_fovs.problems += _find_split_conflicts(project, fresh)
    if existing is Existing.MERGE:
        sorted_fovs.problems += find_twins(plan.fovs)
    merged: list[Merged] = []
    with _kept_only_if_recorded() as copies:
        paths = _bring_files(project, fresh, copies if copy else None, tick)
        with project.transaction(before="import" if keeps_snapshot else ""):
            class_ids = _add_classes(project, plan)
            fresh_ids = [
                _add_fov(project, planned, path, class_ids=class_ids, copy=copy, source=source)
                for planned, path in zip(fresh, paths, strict=True)
            ]
            homes = {(fov.sha256, fov.page): fov for fov in reversed(project.fovs.list())} if sorted_fovs.known else {}
            for planned in sorted_fovs.known:
                fov = project.fovs.get(homes[planned.content].id)  # its state may have grown since
                merged.append(merge(project, planned, fov, class_ids=class_ids, source=source))
            known_ids = [homes[planned.content].id for planned in sorted_fovs.known]
            came = NO_GUIDES
            if guide_set:
                came = add_guides(
                    project, guide_set, list(zip(fresh + sorted_fovs.known, fresh_ids + known_ids, strict=True))
                )
            new_ids = set(fresh_ids)
            old = [(guide_set, guide) for guide in came.added if guide.fov_id not in new_ids]
            merged.append(Merged(guides=tuple(old), captions=came.captions))
    n_added = sum(len(each.annotations) for each in merged)
    return ImportOutcome(
        n_fovs=len(fresh),
        n_annotations=sum(len(planned.annotations) for planned in fresh) + n_added,
        classes=plan.class_names,
        problems=(*plan.problems, *sorted_fovs.problems, *came.problems),
        changes=changes("fovs", "samples", "classes", "annotations", *(["guides"] if guide_set else [])),
        n_merged=len(sorted_fovs.known),
        n_known=sum(len(planned.annotations) for planned in sorted_fovs.known) - n_added,
        merged=sum(merged, start=NOTHING_MERGED),
        n_guides=len(came.added),
    )


def _sort(plan: ImportPlan, known: set[tuple[str, int | None]], existing: Existing) -> _Sorted:
    found = _Sorted()
    for planned in plan.fovs:
        if existing is Existing.NEW or planned.content not in known:
            found.fresh.append(planned)
            known.add(planned.content)
        elif existing is Existing.MERGE:
            found.known.append(planned)
        else:
            found.problems.append(Problem(planned.name, "is in the project already; left out."))
    return found


def _find_split_conflicts(project: Project, fresh: list[PlannedFov]) -> list[Problem]:
    """Name each sample that the project has in another split than the import says: it stays, with its new images."""
    splits = {sample.name: sample.split for sample in project.samples.list()}
    found: dict[str, Problem] = {}
    for planned in fresh:
        known = splits.get(planned.sample, planned.split)
        if planned.split is not None and known != planned.split and planned.sample not in found:
            stays = f"in {known}" if known else "without a split"
            message = f"is listed as {planned.split}, but its sample {planned.sample!r} is in the project {stays}"
            found[planned.sample] = Problem(planned.path.name, f"{message}; it stays so")
    return list(found.values())


@contextmanager
def _kept_only_if_recorded() -> Iterator[list[Path]]:
    """Delete the files that the caller has listed where it fails: they would fill the disk, known to nobody."""
    copies: list[Path] = []
    try:
        yield copies
    except BaseException:
        for path in copies:
            with contextlib.suppress(OSError):
                path.unlink()
        raise


def _bring_files(project: Project, fresh: list[PlannedFov], copies: list[Path] | None, tick: Tick) -> list[str]:
    """Paths of the images for the database; with a list for the `copies` they are copied and the new ones listed."""
    paths: list[str] = []
    for done, planned in enumerate(fresh):
        tick(done, len(fresh))
        if copies is None:
            paths.append(stored_path(project.folder, planned.path))
            continue
        target = project.folder / copied_path(planned.path, sha256=planned.sha256)
        was_there = target.exists()  # the copy of an image that was removed from the project and may come back
        paths.append(copy_into(project.folder, planned.path, sha256=planned.sha256))
        if not was_there:
            copies.append(target)
    tick(len(fresh), max(len(fresh), 1))
    return paths


def _add_classes(project: Project, plan: ImportPlan) -> dict[str, ClassId]:
    ids: dict[str, ClassId] = {}
    for name in plan.class_names:
        known = project.classes.find(name)
        size = plan.class_sizes_px.get(name)
        if known is None:
            role = Role.ARTIFACT if name in plan.artifacts else Role.OBJECT
            known = project.classes.add(name, role=role, size_px=size, color=plan.class_colors.get(name))
        elif known.size_px is None and known.size_um is None and size is not None:
            project.classes.update(dataclasses.replace(known, size_px=size))
        ids[name] = known.id
    return ids


def _add_fov(
    project: Project,
    planned: PlannedFov,
    path: str,
    *,
    class_ids: dict[str, ClassId],
    copy: bool,
    source: AnnotationSource,
) -> FovId:
    sample = project.samples.get_or_add(planned.sample, split=planned.split)
    fov_id = project.fovs.add(
        sample_id=sample.id,
        name=_free_name(project, planned),
        stored_path=path,
        storage=Storage.COPY if copy else Storage.REFERENCE,
        sha256=planned.sha256,
        width=planned.width,
        height=planned.height,
        um_per_px=planned.um_per_px,
        state=planned.state,
        page=planned.page,
    )
    marks = [to_annotation(mark, fov_id, class_ids, source) for mark in planned.annotations]
    project.annotations.add(marks)
    for class_name, present in planned.labels:
        project.fovs.set_image_label(fov_id, class_ids[class_name], present=present)
    return fov_id


def _free_name(project: Project, planned: PlannedFov) -> str:
    """The planned name, or with a number behind it where another image of the sample has it already."""
    rows = project.database.rows(
        "SELECT fov.name FROM fov JOIN sample ON sample.id = sample_id WHERE sample.name = ?", (planned.sample,)
    )
    taken = {row["name"] for row in rows}
    stem, dot, suffix = planned.name.rpartition(".")
    name, number = planned.name, 1
    while name in taken:
        mark = planned.sha256[:6] if number == 1 else f"{planned.sha256[:6]} {number}"
        name = f"{stem or planned.name} ({mark}){dot}{suffix if stem else ''}"
        number += 1
    return name
