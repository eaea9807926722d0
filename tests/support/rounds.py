"""Rounds whose jobs are finished at once, with scores that the test chooses."""

from __future__ import annotations

from synthstudio.client import start_run
from synthstudio.client.plans import begin_plan, next_planned_job
from synthstudio.client.rounds import RoundPlan
from synthstudio.domain.ids import AnnotationId
from synthstudio.domain.records import Annotation, RunStatus, Split
from synthstudio.project import Project
from synthstudio.protocol.results import (
    ClassDetection,
    EvaluateDetectorResult,
    JobResult,
    SuggestResult,
    TrainDetectorResult,
)


def scored(run: str, f1: float) -> EvaluateDetectorResult:
    """Of a detector that knows one class."""
    figures = ClassDetection(precision=f1, recall=f1, f1=f1, ap50=f1, ap=f1, support=3, count=None)
    return EvaluateDetectorResult(
        run=run,
        split="test",
        n_images=2,
        n_groups=2,
        per_class={"disc": figures},
        macro_f1=f1,
        map50=f1,
        map=None,
        ci95=(f1 - 0.05, f1 + 0.05),
        seconds=3.0,
    )


def click(project: Project, count: int) -> None:
    """Mark so many objects on the first training image, as a hand does."""
    fov, disc = project.fovs.list(split=Split.TRAIN)[0], project.classes.list()[0]
    project.annotations.add(
        [Annotation(AnnotationId(0), fov.id, disc.id, 8.0 + number, 8.0, author="ada") for number in range(count)]
    )


def play_stage(project: Project, plan: RoundPlan, *, f1: float = 0.8) -> str:
    """Finish the round's next job as the engine would; return its stage, "" where nothing is left."""
    job = next_planned_job(project, plan)
    if job is None:
        return ""
    run_id = job.resume_run or start_run(project, job.settings, title=job.title, experiment=plan.name)
    result: JobResult = scored(run_id, f1)
    if job.stage == "train":
        result = TrainDetectorResult(run=run_id, status="finished", seconds=70.0, best={})
    elif job.stage == "suggest":
        result = SuggestResult(run=run_id, fovs=(), n_known=0, provider="script", seconds=1.0)
    project.runs.set_ended(run_id, RunStatus.FINISHED, summary_json=result.model_dump_json())
    return job.stage


def play_round(project: Project, plan: RoundPlan, *, f1: float) -> None:
    """Do a whole round."""
    begin_plan(project, plan)
    while play_stage(project, plan, f1=f1):
        pass
