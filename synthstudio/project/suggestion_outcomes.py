"""What became of the suggestions of a model: read from annotations that were made after it had searched."""

from __future__ import annotations

from synthstudio.core.evaluation.agreement import match_marks
from synthstudio.core.patches.windows import mean_class_sizes, sizes_on_fov
from synthstudio.core.suggestions.criteria import Proposals
from synthstudio.core.suggestions.outcomes import FovOutcome
from synthstudio.core.suggestions.ranking import RANDOM_SHARE
from synthstudio.domain.guard import draw_random_place
from synthstudio.domain.ids import FovId, RunId
from synthstudio.domain.records import FieldOfView
from synthstudio.project.guard import read_guard
from synthstudio.project.next_fields import LOT_SEED
from synthstudio.project.project import Project


def read_outcomes(project: Project, run_id: RunId) -> list[FovOutcome]:
    """Compare the suggestions of one model with what the expert has left; see `OutcomeReader`."""
    return OutcomeReader(project).read(run_id)


class OutcomeReader:
    """Reads what several models have in common once: annotations, FOVs, who judged where.

    Args:
        project: It may be open for reading only.
    """

    def __init__(self, project: Project) -> None:
        self._suggestions = project.suggestions
        self._marks = project.annotations.by_fov()
        self._moments = project.annotations.moments()
        self._judged = project.suggestions.judged_runs()
        self._guard = read_guard(project)
        self._classes = project.classes.list()
        self._sizes = mean_class_sizes([mark for own in self._marks.values() for mark in own])
        self._fovs = [fov for fov in project.fovs.list() if fov.state.is_complete]

    def read(self, run_id: RunId) -> list[FovOutcome]:
        """Compare the suggestions of a model with what the expert has left, FOV by FOV.

        Only FOVs that are annotated exhaustively count, and of these the ones of which most was marked after the
        search: what was there before was not swayed by it. One that is guarded, but on which suggestions were judged,
        or which was annotated with the suggestions of another model, is left out.

        Args:
            run_id: The training run of the model.
        """
        searched, thresholds = self._suggestions.searched(run_id), self._suggestions.thresholds(run_id)
        fovs = [fov for fov in self._fovs if fov.id in searched and self._is_later(fov.id, run_id, searched[fov.id])]
        if not fovs:
            return []
        found = self._suggestions.of_run(run_id)
        outcomes = []
        for fov in fovs:
            was_seen = self._was_seen(fov, run_id)
            if was_seen is not None:
                given = Proposals(found.get(fov.id, ()), thresholds)
                outcomes.append(self._compare(fov, given, was_seen=was_seen))
        return outcomes

    def _compare(self, fov: FieldOfView, given: Proposals, *, was_seen: bool) -> FovOutcome:
        """Match what was suggested above the thresholds with what was left of the classes that the model knows."""
        shown, known = given.shown(), given.thresholds
        left = [mark for mark in self._marks.get(fov.id, ()) if mark.class_id in known]
        classes = [each for each in self._classes if each.id in known]
        pairs = match_marks(shown, left, sizes_on_fov(classes, fov.um_per_px, self._sizes))
        return FovOutcome(
            fov_id=fov.id,
            sample_id=fov.sample_id,
            was_seen=was_seen,
            is_random=draw_random_place(fov, seed=LOT_SEED) < RANDOM_SHARE,
            n_right=sum(shown[i].class_id == left[j].class_id for i, j in pairs),
            n_suggested=len(shown),
            n_left=len(left),
        )

    def _is_later(self, fov_id: FovId, run_id: RunId, searched_at: str) -> bool:
        """Whether most of an FOV was marked after a search, or its suggestions were judged."""
        made = self._moments.get(fov_id, [])
        n_later = sum(each >= searched_at for each in made)
        return 2 * n_later > len(made) or run_id in self._judged.get(fov_id, ())

    def _was_seen(self, fov: FieldOfView, run_id: RunId) -> bool | None:
        """Whether suggestions of the model were seen; None where it cannot be told."""
        judged = self._judged.get(fov.id, frozenset())
        if self._guard.holds(fov):
            return None if judged else False
        return True if run_id in judged or not judged else None
