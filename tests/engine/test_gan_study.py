"""A study with real engines: what trainings and measurings tell becomes its table."""

from __future__ import annotations

from pathlib import Path

from synthstudio.client import HostCancel
from synthstudio.client.gan_study import PlannedJob, read_study, run_study
from synthstudio.client.gan_study_table import build_study_table
from synthstudio.domain.ids import RunId
from synthstudio.protocol.messages import AnyEvent, JobFailed, JobOutcome
from synthstudio.settings.gan_study import GanStudySettings
from tests.support.skin_study import build_skin_study

STUDY = {
    "name": "tiny",
    "study": "grid",
    "grid": ["losses.features=5"],
    "training": {
        "crops": {"side": "64", "crops_per_fov": 4},
        "network": {"base_channels": 8, "discriminator_layers": 1},
        "optimization": {"steps": 2, "batch_size": 2, "sample_every": 2},
    },
    "measure": {"split": "test", "n_images": 16, "draws": 2},
}


class Listener:
    """Keeps what went wrong."""

    def __init__(self) -> None:
        self.trouble: list[str] = []

    def job_begins(self, job: PlannedJob, run_id: RunId) -> None:
        """Nothing is kept of it."""

    def on_event(self, event: AnyEvent) -> None:
        """Nothing is kept of it."""

    def job_ends(self, job: PlannedJob, outcome: JobOutcome) -> None:
        if isinstance(outcome, JobFailed):
            self.trouble.append(f"{job.title}: {outcome.message} {outcome.traceback}")


def test_that_a_study_trains_measures_and_tabulates(tmp_path: Path) -> None:
    project = build_skin_study(tmp_path, n_train=2, n_val=1, n_test=4, conditions=("red ring",))
    settings = GanStudySettings.model_validate(STUDY)
    listener = Listener()
    failed = run_study(project, settings, listener, cancel=HostCancel(), device="cpu")
    assert (failed, listener.trouble) == ((), [])
    table = build_study_table(settings, read_study(project, settings))
    project.close()
    assert (table.n_done, table.n_planned) == (2, 2)
    (row,) = table.rows
    assert {"fid", "kid", "image", "region", "seconds"} <= row.figures.keys()
    figure = row.figures["kid"]
    assert figure.mean is not None
    assert figure.interval is not None
    assert table.floor["kid"].mean is not None
    assert table.features
    assert not table.is_comparable
    assert not table.failures
