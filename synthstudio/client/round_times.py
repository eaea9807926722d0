"""How long what is left of a round takes."""

from __future__ import annotations

from synthstudio.client.experiment_times import Estimate, estimate_one_training, estimate_other_s, finished_runs
from synthstudio.client.plans import TRAIN, read_states
from synthstudio.client.rounds import RoundPlan
from synthstudio.project import Project


def estimate_round(project: Project, plan: RoundPlan) -> Estimate:
    """Estimate it, from what this project's own runs took, else from a stated guess."""
    (state,) = read_states(project, plan)
    finished = finished_runs(project)
    training = estimate_one_training(finished, plan.settings.training)
    is_left = state.finished(TRAIN) is None
    (planned,) = plan.lay_out(project)
    others = [stage.settings("").kind for stage in planned.stages[1:] if state.finished(stage.name) is None]
    seconds = (training.seconds if is_left else 0.0) + sum(estimate_other_s(finished, kind) for kind in others)
    return Estimate(seconds, training.is_measured or not is_left)
