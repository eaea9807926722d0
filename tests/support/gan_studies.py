"""A study of GANs whose jobs are finished at once, with figures that the test chooses."""

from __future__ import annotations

from collections.abc import Mapping

from synthstudio.client import start_run
from synthstudio.client.gan_study import PlannedJob, next_job
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import RunStatus
from synthstudio.project import Project
from synthstudio.protocol.results import (
    JobResult,
    MeasuredFigure,
    MeasuredGroup,
    MeasureResult,
    TrainGanResult,
)
from synthstudio.settings.gan_study import GanStudySettings
from synthstudio.settings.measure import MeasureSettings

FIDS: Mapping[str, float] = {"full": 30.0, "checkerboard-mitigation": 35.0, "region-loss": 50.0}


def play(project: Project, job: PlannedJob, *, fid: float, experiment: str) -> RunId:
    """Finish a job as the engine would."""
    run_id = job.resume_run or start_run(project, job.settings, title=job.title, experiment=experiment)
    result: JobResult
    if isinstance(job.settings, MeasureSettings):
        result = measurement(job.settings.run, fid)
    else:
        result = TrainGanResult(
            run=run_id,
            status="finished",
            seconds=90.0,
            best={"step": 60.0, "validation/image": 12.0, "validation/region": 20.0},
            step=60,
            n_crops=8,
            n_validation_crops=4,
            classes=("disc",),
        )
    project.runs.set_ended(run_id, RunStatus.FINISHED, summary_json=result.model_dump_json())
    return run_id


def measurement(run: str, fid: float) -> MeasureResult:
    """Of a GAN, by the built-in features."""
    figures = {
        key: MeasuredFigure(mean=value, ci95=(value * 0.9, value * 1.1), floor=floor, floor_ci95=(floor * 0.9, floor))
        for key, value, floor in (("fid", fid, 10.0), ("kid", fid / 100, 0.01), ("precision", 0.6, 0.9))
    }
    return MeasureResult(
        target="run",
        name=run,
        split="test",
        features="built-in",
        draws=5,
        n_duplicates=(0, 0),
        overall=MeasuredGroup(name="all", n_real=20, n_synthetic=20, n=10, figures=figures),
        n_too_near=0,
        notes=("The features are built in.",),
        seconds=3.0,
    )


def play_all(project: Project, settings: GanStudySettings) -> list[PlannedJob]:
    """Finish all that is left of a study."""
    done: list[PlannedJob] = []
    while (job := next_job(project, settings)) is not None:
        fid = FIDS.get(job.trial.variant, 40.0) + job.trial.seed
        play(project, job, experiment=settings.name, fid=fid)
        done.append(job)
    return done
