"""Bringing a table of attributes to the FOVs of a project, and taking it back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from synthstudio.core.annotations.attributes import AttributeTable, ImageAttributes
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import ClassId, FovId
from synthstudio.domain.plans import Problem
from synthstudio.domain.records import Changes, FieldOfView, Split, changes
from synthstudio.domain.tones import FITZPATRICK, ToneScale
from synthstudio.project.project import Project
from synthstudio.project.sampling import SampleAssignment, assign_samples, present_assignment
from synthstudio.project.tones import find_tone_scale, set_tone_scale

Labels = Mapping[tuple[FovId, ClassId], bool | None]


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a table can say, as it is at one time.

    Attributes:
        scale: The tone scale of the project.
        tones: Of each FOV that is spoken of.
        samples: Samples of FOVs, and splits of samples.
        labels: Image labels by FOV and class; None for none.
    """

    scale: ToneScale | None
    tones: Mapping[FovId, int | None]
    samples: SampleAssignment
    labels: Labels


@dataclass(frozen=True, slots=True)
class AttributeOutcome:
    """What a table brought.

    Attributes:
        n_rows: Rows that speak of an image of the project.
        before, after: So that it can be taken back, and brought again.
    """

    n_rows: int
    n_tones: int
    n_conditions: int
    problems: tuple[Problem, ...]
    before: Attributes
    after: Attributes
    changes: Changes


@dataclass(slots=True)
class _Wishes:
    """What the rows ask for, as far as they can be followed."""

    problems: list[Problem]
    tones: dict[FovId, int] = field(default_factory=dict)
    conditions: dict[FovId, str] = field(default_factory=dict)
    sample_of: dict[FovId, str] = field(default_factory=dict)
    split_of: dict[str, Split | None] = field(default_factory=dict)
    fov_ids: set[FovId] = field(default_factory=set)


def apply_attributes(project: Project, table: AttributeTable) -> AttributeOutcome:
    """Give the images of a project what a table says of them; where a row is silent, all stays as it is.

    A condition becomes a class, where there is none of that name, and an image label. Tones that are numbers or names
    of the Fitzpatrick scale make it the scale of a project without one.

    Raises:
        UserError: No row speaks of an image of the project, or the project cannot be written; nothing is changed.
    """
    scale = find_tone_scale(project) or _fitting_scale(table)
    with project.transaction(before="import of attributes"):
        wishes = _collect(project, table, scale)
        if not wishes.fov_ids:
            raise UserError(
                f"{table.path.name} names no image of this project.",
                "Import the images first, or choose another table.",
            )
        class_ids = _find_classes(project, wishes.conditions.values())
        labels = {(fov_id, class_ids[name]): True for fov_id, name in wishes.conditions.items()}
        before = _read(project, wishes.fov_ids, labels)
        wanted = Attributes(
            scale if wishes.tones else before.scale,
            {**before.tones, **wishes.tones},
            SampleAssignment(wishes.sample_of, wishes.split_of),
            labels,
        )
        told = write_attributes(project, wanted) | changes("classes")
        after = _read(project, wishes.fov_ids, labels)
    return AttributeOutcome(
        n_rows=len(wishes.fov_ids),
        n_tones=len(wishes.tones),
        n_conditions=len(wishes.conditions),
        problems=(*table.problems, *wishes.problems),
        before=before,
        after=after,
        changes=told,
    )


def write_attributes(project: Project, wanted: Attributes) -> Changes:
    """Make it so, in one transaction. Raises UserError where that cannot be."""
    with project.transaction(before="change of attributes"):
        told = assign_samples(project, wanted.samples)
        known = {fov.id for fov in project.fovs.list()}
        # The tones first: a scale may have no level for the former ones.
        told |= project.fovs.set_tones({fov_id: tone for fov_id, tone in wanted.tones.items() if fov_id in known})
        if find_tone_scale(project) != wanted.scale:
            told |= set_tone_scale(project, wanted.scale)
        for (fov_id, class_id), present in wanted.labels.items():
            if fov_id in known:
                told |= project.fovs.set_image_label(fov_id, class_id, present=present)
    return told


def _read(project: Project, fov_ids: Collection[FovId], labels: Collection[tuple[FovId, ClassId]]) -> Attributes:
    tones = {fov.id: fov.tone for fov in project.fovs.list() if fov.id in fov_ids}
    present = {fov_id: project.fovs.image_labels(fov_id) for fov_id, _ in labels}
    found = {(fov_id, class_id): present[fov_id].get(class_id) for fov_id, class_id in labels}
    return Attributes(find_tone_scale(project), tones, present_assignment(project), found)


def _fitting_scale(table: AttributeTable) -> ToneScale | None:
    texts = [row.tone for row in table.rows if row.tone]
    return FITZPATRICK if texts and all(FITZPATRICK.find(text) for text in texts) else None


def _collect(project: Project, table: AttributeTable, scale: ToneScale | None) -> _Wishes:
    by_name: dict[str, list[FieldOfView]] = defaultdict(list)
    for fov in project.fovs.list():
        by_name[fov.name.casefold()].append(fov)
        by_name[fov.name.casefold().rpartition(".")[0]].append(fov)
    wishes = _Wishes([])
    for row in table.rows:

        def report(message: str, line: int = row.line) -> None:
            wishes.problems.append(Problem(table.path.name, message, line))

        named = _find_image(row, by_name)
        if named is None:
            report(f"{row.image} is no image of this project, or several are called so; row skipped")
            continue
        wishes.fov_ids.add(named.id)
        if row.tone:
            tone = scale.find(row.tone) if scale is not None else None
            if tone is None:
                report(f"tone {row.tone[:40]!r} is no level of the scale" if scale else "the project has no tone scale")
            else:
                wishes.tones[named.id] = tone
        if row.condition:
            wishes.conditions[named.id] = row.condition
        sample = row.sample or named.sample_name
        if sample != named.sample_name:
            wishes.sample_of[named.id] = sample
        if row.split is not None and wishes.split_of.setdefault(sample, row.split) != row.split:
            report(f"sample {sample!r} is in {wishes.split_of[sample]} by a row further up; it stays there")
    return wishes


def _find_image(row: ImageAttributes, by_name: Mapping[str, list[FieldOfView]]) -> FieldOfView | None:
    name = row.image.casefold()
    found = by_name.get(name) or by_name.get(name.rpartition(".")[0]) or []
    if len(found) > 1:
        found = [fov for fov in found if fov.sample_name == row.sample]
    return found[0] if len(found) == 1 else None


def _find_classes(project: Project, names: Collection[str]) -> dict[str, ClassId]:
    ids: dict[str, ClassId] = {}
    for name in dict.fromkeys(names):
        known = project.classes.find(name)
        ids[name] = known.id if known is not None else project.classes.add(name).id
    return ids
