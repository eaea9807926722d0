"""What an import would bring, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from synthstudio.core.annotations.mapping import count_marks
from synthstudio.core.annotations.merging import find_twins
from synthstudio.domain.plans import ImportPlan, Problem
from synthstudio.domain.records import Split
from synthstudio.project import Project
from synthstudio.project.imports import Existing


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """A plan and what takes a while to find out about it.

    Attributes:
        counts: Marks of each class, by its name in the data set.
        known_classes: Names of the project's classes.
        n_existing: Images that the project has already.
        twins: Images that the data set itself has twice.
    """

    plan: ImportPlan
    counts: dict[str, int]
    known_classes: tuple[str, ...]
    n_existing: int
    twins: tuple[Problem, ...] = ()


def build_preview(plan: ImportPlan, project: Project | None) -> ImportPreview:
    """Count what a plan holds, and what of it the project has already."""
    known = {(fov.sha256, fov.page) for fov in project.fovs.list()} if project else set()
    names = tuple(each.name for each in project.classes.list()) if project else ()
    n_existing = sum(fov.content in known for fov in plan.fovs)
    return ImportPreview(plan, count_marks(plan.fovs), names, n_existing, tuple(find_twins(plan.fovs)))


def summary_of(preview: ImportPreview, mapping: Mapping[str, str], existing: Existing) -> str:
    """What would be imported, in a sentence or two."""
    fovs = preview.plan.fovs
    splits = [f"{sum(fov.split is split for fov in fovs):,} {split.value}" for split in Split]
    n_none = sum(fov.split is None for fov in fovs)
    parts = [part for part in splits if not part.startswith("0 ")] + ([f"{n_none:,} without split"] if n_none else [])
    n_marks = sum(n for name, n in preview.counts.items() if mapping.get(name, name))
    n_left_out = sum(preview.counts.values()) - n_marks
    text = f"{len(fovs):,} images ({', '.join(parts) or 'none'}), {n_marks:,} annotations"
    text += f" ({n_left_out:,} left out)." if n_left_out else "."
    stacks = Counter(fov.path for fov in fovs if fov.page is not None)
    if stacks:
        text += f" {sum(stacks.values()):,} of them are pages of {_counted(len(stacks), 'stack')}."
    return f"{text} {_existing_text(preview.n_existing, existing)}".strip()


def _counted(n: int, thing: str) -> str:
    return f"{n:,} {thing}" if n == 1 else f"{n:,} {thing}s"


def _existing_text(n: int, existing: Existing) -> str:
    if not n:
        return ""
    what = {
        Existing.MERGE: "the marks that they lack are added",
        Existing.NEW: "they come a second time",
        Existing.SKIP: "they are left out",
    }
    return f"{n:,} images are in the project already: {what[existing]}."


def samples_of(plan: ImportPlan) -> str:
    """How many samples there are, and which images make the first few."""
    by_sample: dict[str, list[str]] = {}
    for fov in plan.fovs:
        by_sample.setdefault(fov.sample, []).append(fov.name)
    examples = [
        f"{sample}: {names[0]}" + (f" and {len(names) - 1:,} more" if len(names) > 1 else "")
        for sample, names in list(by_sample.items())[:3]
    ]
    if not examples:
        return ""
    return f"{len(by_sample):,} samples: {'; '.join(examples)}{' …' if len(by_sample) > len(examples) else ''}"
