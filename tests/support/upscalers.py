"""Upscalers in a project that nobody has trained: bicubic enlargement as a compact network, and its card."""

from __future__ import annotations

from collections.abc import Sequence

from synthstudio.client.recording import Recorder
from synthstudio.core.training.upscaler_card import UpscalerCard, write_upscaler_card
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import RunStatus, Split
from synthstudio.project import Project
from synthstudio.project.runs import new_run_id
from synthstudio.protocol.messages import JobFinished
from synthstudio.protocol.results import UpscaleResult
from synthstudio.settings.train_upscaler import TrainUpscalerSettings
from synthstudio.settings.upscale import UpscaleSettings
from tests.support.engine_project import RecordingContext


def add_upscaler(project: Project, *, factor: int = 2, learned: Sequence[int] | None = None) -> RunId:
    """Enter a finished training; it has learned from all training images where no others are named."""
    from synthstudio.engine.compact_upscaling import CompactTraining
    from synthstudio.engine.networks.compact_upscaler import CompactShape, build_compact

    run_id = new_run_id("train-upscaler")
    folder = project.run_folder(run_id)
    folder.mkdir(parents=True)
    settings = TrainUpscalerSettings.model_validate({"factor": str(factor)})
    project.runs.add(run_id, kind="train-upscaler", title="Upscaler", settings_json=settings.model_dump_json())
    network = build_compact(CompactShape(32, 1, factor), seed=0)
    CompactTraining(network).save(folder, network.state_dict())
    train = [int(fov.id) for fov in project.fovs.list(split=Split.TRAIN)]
    card = UpscalerCard(
        method="compact",
        factor=factor,
        side=32,
        base="",
        base_sha256="",
        guides="",
        subject="",
        seed=0,
        step=0,
        train_fov_ids=tuple(train if learned is None else learned),
        validation_fov_ids=(),
        versions={},
        threads=1,
    )
    write_upscaler_card(folder, card)
    project.runs.set_ended(run_id, RunStatus.FINISHED)
    return run_id


def write_upscaled(project: Project, settings: UpscaleSettings) -> UpscaleResult:
    """Run the job in this process and record its set, as the host does."""
    from synthstudio.engine.jobs import upscale

    context = RecordingContext(project, "upscale", seed=settings.seed)
    result = upscale.run(settings, context)
    with Recorder(project, project.runs.get(RunId(context.run_id))) as recorder:
        recorder.finish(JobFinished(result=result))
    return result
