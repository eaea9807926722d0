"""Applying an import plan: all of it in one transaction, or nothing."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from synthstudio.domain.ids import AnnotationId, ClassId
from synthstudio.domain.plans import ImportPlan, PlannedFov, Problem
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import Annotation, AnnotationSource, Changes, Storage, changes
from synthstudio.project.files import copied_path, copy_into, stored_path
from synthstudio.project.project import Project


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """What an import did."""

    n_fovs: int
    n_annotations: int
    classes: tuple[str, ...]
    problems: tuple[Problem, ...]
    changes: Changes


def apply_import(
    project: Project,
    plan: ImportPlan,
    *,
    copy: bool,
    source: AnnotationSource = AnnotationSource.IMPORTED,
    tick: Tick = no_tick,
) -> ImportOutcome:
    """Add the FOVs, classes, annotations and image labels of a plan.

    Images that the project has already (same content) are left out and named as problems. Files are copied first,
    rows follow in one transaction: a cancelled or failed import leaves neither rows nor copies behind.

    Args:
        copy: Copy the images into the project instead of referring to them.

    Raises:
        UserError: A file cannot be copied, or the project cannot be written.
        Cancelled: By the tick, before anything was recorded.
    """
    known = {fov.sha256 for fov in project.fovs.list()}
    fresh: list[PlannedFov] = []
    problems = list(plan.problems)
    for planned in plan.fovs:
        if planned.sha256 in known:
            problems.append(Problem(planned.path.name, "is in the project already; left out."))
        else:
            fresh.append(planned)
            known.add(planned.sha256)
    with _kept_only_if_recorded() as copies:
        paths = _bring_files(project, fresh, copies if copy else None, tick)
        with project.transaction():
            class_ids = _add_classes(project, plan)
            n_annotations = 0
            for planned, path in zip(fresh, paths, strict=True):
                n_annotations += _add_fov(project, planned, path, class_ids=class_ids, copy=copy, source=source)
    return ImportOutcome(
        n_fovs=len(fresh),
        n_annotations=n_annotations,
        classes=plan.class_names,
        problems=tuple(problems),
        changes=changes("fovs", "samples", "classes", "annotations"),
    )


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
            known = project.classes.add(name, size_px=size)
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
) -> int:
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
    )
    project.annotations.add(
        [
            Annotation(
                id=AnnotationId(0),
                fov_id=fov_id,
                class_id=class_ids[mark.class_name],
                x=mark.x,
                y=mark.y,
                box=mark.box,
                size_px=mark.size_px,
                source=source,
            )
            for mark in planned.annotations
        ]
    )
    for class_name, present in planned.labels:
        project.fovs.set_image_label(fov_id, class_ids[class_name], present=present)
    return len(planned.annotations)


def _free_name(project: Project, planned: PlannedFov) -> str:
    """The planned name, or with a number behind it where another image of the sample has it already."""
    row = project.database.row(
        "SELECT count(*) AS n FROM fov JOIN sample ON sample.id = sample_id WHERE sample.name = ? AND fov.name = ?",
        (planned.sample, planned.name),
    )
    if row is None or not row["n"]:
        return planned.name
    stem, dot, suffix = planned.name.rpartition(".")
    return f"{stem or planned.name} ({planned.sha256[:6]}){dot}{suffix if stem else ''}"
