"""Which FOVs of a project to annotate next, with reasons; see `core.suggestions.ranking`."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synthstudio.core.evaluation.agreement import Mark, match_marks
from synthstudio.core.patches.windows import mean_class_sizes, sizes_on_fov
from synthstudio.core.suggestions.criteria import Candidate, Proposals
from synthstudio.core.suggestions.ranking import Features, Pick, RankingRules, rank_fovs
from synthstudio.core.suggestions.regions import Region, rank_regions
from synthstudio.domain.guard import Guard, draw_random_place
from synthstudio.domain.ids import ClassId, FovId, RunId
from synthstudio.domain.progress import Tick, no_tick, part_of
from synthstudio.domain.records import FieldOfView, ObjectClass, Role, Split
from synthstudio.project.features import describe_fovs
from synthstudio.project.guard import read_guard
from synthstudio.project.project import Project

LEARNED_FROM: tuple[Split | None, ...] = (Split.TRAIN, None)
"""Splits whose FOVs are offered: what is marked on validation and test images teaches nothing."""
LOT_SEED = 0
"""One lot for all time: an FOV that was drawn once stays drawn, whatever is asked."""
_FEATURES_UNTIL = 0.8  # share of the time, the first time


@dataclass(frozen=True, slots=True)
class NextField:
    """One FOV to annotate.

    Attributes:
        pick: Its worth, and why.
        is_guarded: It is to be annotated without seeing suggestions.
        regions: Where on it a look is worth most; none where it is small, or guarded.
    """

    fov: FieldOfView
    pick: Pick
    is_guarded: bool
    regions: tuple[Region, ...]


@dataclass(frozen=True, slots=True)
class NextFields:
    """A list of FOVs to annotate.

    Attributes:
        fields: The one that is worth most first.
        run_ids: The models whose suggestions were read: the one that suggests, then the one it is compared with.
        n_candidates: FOVs that the list was chosen from.
        n_searched: Of these, so many were searched by the first model.
    """

    fields: tuple[NextField, ...]
    run_ids: tuple[RunId, ...]
    n_candidates: int
    n_searched: int


def rank_project(
    project: Project,
    *,
    count: int,
    run_ids: Sequence[RunId] | None = None,
    rules: RankingRules | None = None,
    splits: Collection[Split | None] = LEARNED_FROM,
    uses_features: bool = True,
    tick: Tick = no_tick,
) -> NextFields:
    """Choose FOVs that are not annotated exhaustively yet.

    Features of images that have none yet are computed, which takes some ms for each, and kept.

    Args:
        project: It may be open for reading only.
        count: How many.
        run_ids: The model that suggests, and one to compare it with; None takes the two that have searched last.
        rules: How; by default evenly weighted, a fifth by lot. Its `n_done` is counted here.
        splits: FOVs of these alone; None is no split.
        uses_features: Look for novelty.
        tick: Is told how far it is, and may cancel.
    """
    fovs = [fov for fov in project.fovs.list() if fov.split in splits]
    open_fovs = [fov for fov in fovs if not fov.state.is_complete]
    models = tuple(project.suggestions.runs()[:2] if run_ids is None else run_ids)
    classes = [each for each in project.classes.list() if each.role is Role.OBJECT]
    rules = dataclasses.replace(rules or RankingRules(), n_done=len(fovs) - len(open_fovs))
    features = None
    if uses_features and open_fovs:
        features = _read_features(project, open_fovs, fovs, tick=part_of(tick, 0.0, _FEATURES_UNTIL))
    candidates = _read_candidates(project, open_fovs, models, classes)
    totals = _count_classes(project, fovs)
    picks = rank_fovs(
        candidates,
        count=count,
        rules=rules,
        n_annotated={each.id: totals[each.id] for each in classes},
        class_names={each.id: each.name for each in classes},
        features=features,
        tick=part_of(tick, _FEATURES_UNTIL, 1.0),
    )
    return NextFields(
        fields=_with_regions(picks, open_fovs, candidates, read_guard(project)),
        run_ids=models,
        n_candidates=len(candidates),
        n_searched=sum(each.proposals is not None for each in candidates),
    )


def _count_classes(project: Project, fovs: Sequence[FieldOfView]) -> Counter[ClassId]:
    """Annotations of each class on these FOVs: those on test images teach nothing."""
    counts, totals = project.annotations.counts(), Counter[ClassId]()
    for fov in fovs:
        totals.update(counts.get(fov.id, {}))
    return totals


def _read_features(
    project: Project, candidates: Sequence[FieldOfView], fovs: Sequence[FieldOfView], *, tick: Tick
) -> Features:
    marked = project.annotations.counts()
    known = [fov for fov in fovs if fov.id in marked]
    rows = describe_fovs(project, [*candidates, *known], tick=tick)
    annotated = rows[len(candidates) :]
    return Features(rows[: len(candidates)], annotated[~np.isnan(annotated).any(axis=1)])


def _read_candidates(
    project: Project, fovs: Sequence[FieldOfView], models: Sequence[RunId], classes: Sequence[ObjectClass]
) -> list[Candidate]:
    marks = project.annotations.by_fov()
    measured = mean_class_sizes([mark for own in marks.values() for mark in own])
    read = [_Suggested(project, run_id) for run_id in models]
    candidates = []
    for fov in fovs:
        sizes_px = sizes_on_fov(classes, fov.um_per_px, measured)
        settled: list[Mark] = [*marks.get(fov.id, ())]
        settled += [each for model in read for each in model.found.get(fov.id, ()) if not each.is_open]
        proposals = [model.on(fov.id, settled, sizes_px) for model in read]
        candidates.append(
            Candidate(
                fov.id,
                proposals=proposals[0] if proposals else None,
                others=proposals[1] if len(proposals) > 1 and proposals[0] is not None else None,
                sizes_px=sizes_px,
                random_place=draw_random_place(fov, seed=LOT_SEED),
            )
        )
    return candidates


class _Suggested:
    """What a model suggests."""

    def __init__(self, project: Project, run_id: RunId) -> None:
        self.found = project.suggestions.of_run(run_id)
        self._searched = project.suggestions.searched(run_id)
        self._thresholds = project.suggestions.thresholds(run_id)

    def on(self, fov_id: FovId, settled: Sequence[Mark], sizes_px: Mapping[ClassId, float]) -> Proposals | None:
        """Its suggestions on an FOV, without those at places that are settled; None where it has not searched it.

        Args:
            fov_id: The FOV.
            settled: What is annotated there, and suggestions of any model that were judged.
            sizes_px: Mean side of each class there.
        """
        if fov_id not in self._searched:
            return None
        left = [each for each in self.found.get(fov_id, ()) if each.is_open]
        answered = {place for place, _ in match_marks(left, settled, sizes_px)}
        return Proposals([each for place, each in enumerate(left) if place not in answered], self._thresholds)


def _with_regions(
    picks: Sequence[Pick], fovs: Sequence[FieldOfView], candidates: Sequence[Candidate], guard: Guard
) -> tuple[NextField, ...]:
    by_id = {fov.id: (fov, candidate) for fov, candidate in zip(fovs, candidates, strict=True)}
    fields = []
    for pick in picks:
        fov, candidate = by_id[pick.fov_id]
        is_guarded = guard.hides(fov)
        regions = () if is_guarded else tuple(rank_regions(candidate, width=fov.width, height=fov.height))
        fields.append(NextField(fov, pick, is_guarded, regions))
    return tuple(fields)
