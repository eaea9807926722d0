"""What people say about FOVs, to be put back as it was."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from synthstudio.domain.errors import NotFound
from synthstudio.domain.ids import FovId
from synthstudio.domain.records import AnnotationState, Changes, FieldOfView, changes
from synthstudio.project.project import Project

MAX_READ_ALONE = 100
"""Of more FOVs the whole list is read; for a few that would take longer than a hand should wait."""


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """What a person may change about an FOV besides its annotations and its sample."""

    state: AnnotationState
    note: str
    is_flagged: bool
    um_per_px: float | None
    tone: int | None


def read_field_facts(project: Project, fov_ids: Collection[FovId]) -> dict[FovId, FieldFacts]:
    """Return the facts of FOVs; one that is gone is passed over."""
    fovs = _iter_known(project, fov_ids) if len(fov_ids) <= MAX_READ_ALONE else project.fovs.list()
    wanted = set(fov_ids)
    return {
        fov.id: FieldFacts(fov.state, fov.note, fov.is_flagged, fov.um_per_px, fov.tone)
        for fov in fovs
        if fov.id in wanted
    }


def _iter_known(project: Project, fov_ids: Collection[FovId]) -> Iterator[FieldOfView]:
    for fov_id in fov_ids:
        try:
            yield project.fovs.get(fov_id)
        except NotFound:
            continue


def write_field_facts(project: Project, wanted: Mapping[FovId, FieldFacts]) -> Changes:
    """Make it so, in one transaction; only what differs is written. Raises UserError where it cannot be."""
    with project.transaction():
        for fov_id, now in read_field_facts(project, wanted).items():
            facts = wanted[fov_id]
            if facts.state is not now.state:
                project.fovs.set_state(fov_id, facts.state)
            if facts.note != now.note:
                project.fovs.set_note(fov_id, facts.note)
            if facts.is_flagged != now.is_flagged:
                project.fovs.set_flagged([fov_id], flagged=facts.is_flagged)
            if facts.um_per_px != now.um_per_px:
                project.fovs.set_calibration([fov_id], facts.um_per_px)
            if facts.tone != now.tone:
                project.fovs.set_tones({fov_id: facts.tone})
    return changes("fovs")
