"""The plan of a study: what comes next, what is never done twice, what stays apart from experiments; and its table."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthstudio.client import HostCancel, start_run
from synthstudio.client.experiment import begin_experiment, list_experiments
from synthstudio.client.gan_study import (
    GanTrial,
    PlannedJob,
    begin_study,
    estimate_study,
    get_study,
    list_studies,
    next_job,
    read_study,
    run_study,
    stored_study,
)
from synthstudio.client.gan_study_table import (
    PAPER_NOTE,
    TEST_NOTE,
    build_study_table,
    differences_line,
    paper_words,
    study_csv,
    study_json,
)
from synthstudio.domain.errors import NotFound, UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import RunStatus, Split
from synthstudio.project import Project
from synthstudio.protocol.messages import AnyEvent, JobOutcome
from synthstudio.settings.experiment import ExperimentSettings
from synthstudio.settings.gan_study import GanStudySettings, StudyMeasureSettings
from tests.support.engine_project import build_engine_project
from tests.support.gan_studies import play, play_all
from tests.support.scripted_engine import scripted_engine

SETTINGS = GanStudySettings(
    name="night",
    without=("checkerboard-mitigation", "region-loss"),
    seeds=2,
    seed=5,
    measure=StudyMeasureSettings(split=Split.TEST),
)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = build_engine_project(tmp_path, n_train=2, n_val=4, n_test=4)
    yield made
    made.close()


class Keeper:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def job_begins(self, job: PlannedJob, run_id: RunId) -> None:
        self.told.append(job.trial.variant)

    def on_event(self, event: AnyEvent) -> None:
        """Nothing is kept of it."""

    def job_ends(self, job: PlannedJob, outcome: JobOutcome) -> None:
        self.told.append(outcome.event)


def test_that_every_variant_is_trained_and_measured_with_one_seed_before_the_next(project: Project) -> None:
    begin_study(project, SETTINGS)
    jobs = play_all(project, SETTINGS)
    assert [(job.trial.seed, job.trial.variant, job.stage) for job in jobs] == [
        (seed, variant, stage)
        for seed in (5, 6)
        for variant in ("full", "checkerboard-mitigation", "region-loss")
        for stage in ("train", "measure")
    ]
    assert jobs[0].title == "night: full, seed 5"
    assert jobs[5].title == "night: measure without region loss, seed 5"
    assert [run.kind for run in project.runs.of_experiment("night")] == ["train-gan", "measure"] * 6
    assert stored_study(get_study(project, "night")) == SETTINGS
    assert next_job(project, SETTINGS) is None
    wider = SETTINGS.model_copy(update={"seeds": 3})
    assert {job.trial for job in play_all(project, wider)} == {
        GanTrial(variant.key, 7) for variant in SETTINGS.variants
    }


def test_that_a_training_that_was_cut_off_is_gone_on_with(project: Project) -> None:
    begin_study(project, SETTINGS)
    job = next_job(project, SETTINGS)
    assert job is not None
    run_id = start_run(project, job.settings, title=job.title, experiment="night")
    project.runs.set_ended(run_id, RunStatus.FAILED, message="The power was cut.")
    folder = project.run_folder(run_id) / "checkpoints"
    folder.mkdir()
    (folder / "last.safetensors").write_bytes(b"")
    resumed = next_job(project, SETTINGS)
    assert resumed is not None
    assert (resumed.trial, resumed.resume_run) == (job.trial, run_id)
    play(project, resumed, fid=30.0, experiment="night")
    following = next_job(project, SETTINGS)
    assert following is not None
    assert (following.stage, following.settings.run) == ("measure", run_id)  # type: ignore[attr-defined]  # it measures


def test_that_the_table_has_every_variant_beside_the_floor_and_the_paper(project: Project) -> None:
    begin_study(project, SETTINGS)
    play_all(project, SETTINGS)
    table = build_study_table(SETTINGS, read_study(project, SETTINGS))
    assert (table.n_done, table.n_planned, table.features, table.is_comparable) == (12, 12, "built-in", False)
    assert [measure.key for measure in table.measures] == ["fid", "kid", "precision", "image", "region", "seconds"]
    fids = {row.key: row.figures["fid"] for row in table.rows}
    assert fids["full"].mean == pytest.approx(35.5)
    assert fids["full"].sd == pytest.approx(0.5**0.5)
    assert fids["region-loss"].values == {5: 55.0, 6: 56.0}
    assert table.floor["fid"].mean == 10.0
    assert table.rows[0].figures["image"].mean == 12.0
    assert [paper_words(row.paper) for row in table.rows] == ["122.4 ± 3.4", "151.6 ± 3.4", "174 ± 4.7"]
    assert table.notes == ("The features are built in.", PAPER_NOTE)
    assert differences_line(table, "fid") == (
        "Against full, seed by seed: Without checkerboard mitigation +5 ± 0 (2 seeds);"
        " Without region loss +20 ± 0 (2 seeds)."
    )
    told = study_json(table)
    assert told["jobs"] == {"done": 12, "planned": 12}
    lines = list(csv.DictReader(study_csv(table).decode().splitlines()))
    assert lines[0]["variant"] == "real against real"
    assert {line["variant"] for line in lines} == {"real against real", *(row.title for row in table.rows)}


def test_that_one_seed_keeps_the_interval_of_its_measuring(project: Project) -> None:
    settings = SETTINGS.model_copy(update={"seeds": 1, "study": "grid", "grid": ("losses.features=0, 10",)})
    begin_study(project, settings)
    play_all(project, settings)
    table = build_study_table(settings, read_study(project, settings))
    assert table.rows[0].figures["fid"].interval == pytest.approx((40.5, 49.5))
    assert all(row.paper is None for row in table.rows)
    assert table.paper_floor is None
    assert table.notes == ("The features are built in.", TEST_NOTE)


def test_that_a_failed_training_does_not_stop_the_others_and_is_told(project: Project) -> None:
    settings = SETTINGS.model_copy(update={"seeds": 1, "without": ("region-loss",)})
    watcher = Keeper()
    failed = run_study(project, settings, watcher, cancel=HostCancel(), command=scripted_engine("failed"))
    assert [trial.variant for trial in failed] == ["full", "region-loss"]
    assert watcher.told == ["full", "failed", "region-loss", "failed"]
    table = build_study_table(settings, read_study(project, settings))
    assert table.failures[0] == "night: full, seed 5: The script says no."


def test_that_studies_and_experiments_do_not_mix(project: Project) -> None:
    begin_study(project, SETTINGS)
    begin_experiment(project, ExperimentSettings(name="other", arms=("synthetic",), with_detector=False))
    assert [each.name for each in list_studies(project)] == ["night"]
    assert [each.name for each in list_experiments(project)] == ["other"]
    with pytest.raises(NotFound, match="no study other"):
        get_study(project, "other")
    with pytest.raises(UserError, match="another kind of plan"):
        begin_study(project, SETTINGS.model_copy(update={"name": "other"}))


def test_that_what_the_night_would_lack_is_said_before_it_begins(project: Project) -> None:
    for fov in project.fovs.list(split=Split.TEST):
        project.annotations.remove(project.annotations.list(fov.id))
    with pytest.raises(UserError, match="test split"):
        begin_study(project, SETTINGS)
    few = SETTINGS.model_dump(mode="json") | {"measure": {"split": "val"}, "training": {"crops": {"crops_per_fov": 1}}}
    with pytest.raises(UserError, match="val split gives 4 crops of 4 samples: too few"):
        begin_study(project, GanStudySettings.model_validate(few))
    values = SETTINGS.model_dump(mode="json") | {"measure": {"split": "val"}}
    begin_study(project, GanStudySettings.model_validate(values))


def test_that_the_estimate_follows_what_was_measured(project: Project) -> None:
    begin_study(project, SETTINGS)
    guess = estimate_study(project, SETTINGS, read_study(project, SETTINGS))
    assert not guess.is_measured
    job = next_job(project, SETTINGS)
    assert job is not None
    play(project, job, fid=30.0, experiment="night")
    later = estimate_study(project, SETTINGS, read_study(project, SETTINGS))
    assert later.is_measured
    assert later.seconds == pytest.approx(5 * (4 + 90.0) + 6 * 64.0)
