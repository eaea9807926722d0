"""The plan of an experiment: what comes next, what is gone on with, what is never done twice; and its table."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthstudio.client import HostCancel, start_run
from synthstudio.client.experiment import (
    PlannedJob,
    Trial,
    begin_experiment,
    explained_fovs,
    next_job,
    read_trials,
    run_experiment,
    stored_experiment,
)
from synthstudio.client.experiment_table import ALL_CLASSES, OWN_REMARKS, build_table
from synthstudio.client.experiment_times import duration_words, estimate
from synthstudio.client.experiment_words import figure_words, table_csv, table_json
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import AnnotationState, RunStatus, Split, Storage
from synthstudio.project import Project
from synthstudio.protocol.messages import AnyEvent, JobOutcome, MetricLogged
from synthstudio.settings.experiment import ExperimentSettings
from tests.support.engine_project import build_engine_project
from tests.support.experiments import play, play_all
from tests.support.scripted_engine import scripted_engine

SETTINGS = ExperimentSettings(
    name="night", arms=("real", "synthetic", "mix"), seeds=2, seed=5, with_detector=False, n_explained=1
)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = build_engine_project(tmp_path, n_train=2, n_val=1, n_test=2)
    yield made
    made.close()


class Keeper:
    """Keeps what it is told; asks for a cancel once a job has begun to work."""

    def __init__(self, cancel: HostCancel | None = None) -> None:
        self.told: list[str] = []
        self._cancel = cancel

    def job_begins(self, job: PlannedJob, run_id: RunId) -> None:
        self.told.append(job.trial.arm)

    def on_event(self, event: AnyEvent) -> None:
        if self._cancel is not None and isinstance(event, MetricLogged):
            self._cancel.request()

    def job_ends(self, job: PlannedJob, outcome: JobOutcome) -> None:
        self.told.append(outcome.event)


def test_that_every_arm_is_trained_scored_and_explained_with_one_seed_before_the_next(project: Project) -> None:
    begin_experiment(project, SETTINGS)
    jobs = play_all(project, SETTINGS)
    assert [(job.trial.seed, job.trial.arm, job.stage) for job in jobs] == [
        (seed, arm, stage)
        for seed in (5, 6)
        for arm in ("real", "synthetic", "mix")
        for stage in ("train", "evaluate", "explain")
    ]
    assert jobs[0].title == "night: real, seed 5"
    assert jobs[7].title == "night: evaluate synthetic + 10 % real, seed 5"
    kinds = [run.kind for run in project.runs.of_experiment("night")]
    assert kinds == ["train-classifier", "evaluate", "explain"] * 6
    assert stored_experiment(project.experiments.get("night")) == SETTINGS


def test_that_a_wider_plan_keeps_what_is_finished_and_other_settings_do_not_count(project: Project) -> None:
    begin_experiment(project, SETTINGS)
    play_all(project, SETTINGS)
    wider = SETTINGS.model_copy(update={"seeds": 3, "with_detector": True})
    begin_experiment(project, wider)
    jobs = play_all(project, wider)
    assert {job.trial for job in jobs} == {Trial("classifier", arm, 7) for arm in ("real", "synthetic", "mix")} | {
        Trial("detector", arm, seed) for arm in ("real", "synthetic", "mix") for seed in (5, 6, 7)
    }
    shorter = ExperimentSettings.model_validate(
        {**SETTINGS.model_dump(), "classifier": {"optimization": {"steps": 5}}, "arms": ("real",)}
    )
    assert all(state.n_done == 0 for state in read_trials(project, shorter))


def test_that_a_training_that_was_cut_off_is_resumed_where_it_left_a_checkpoint(project: Project) -> None:
    begin_experiment(project, SETTINGS)
    job = next_job(project, SETTINGS)
    assert job is not None
    run_id = start_run(project, job.settings, title=job.title, experiment="night")
    project.runs.set_ended(run_id, RunStatus.FAILED, message="The power was cut.")
    again = next_job(project, SETTINGS)
    assert again is not None
    assert (again.trial, again.resume_run) == (job.trial, None)
    checkpoints = project.run_folder(run_id) / "checkpoints"
    checkpoints.mkdir()
    (checkpoints / "last.safetensors").write_bytes(b"")
    resumed = next_job(project, SETTINGS)
    assert resumed is not None
    assert (resumed.trial, resumed.resume_run) == (job.trial, run_id)
    other = next_job(project, SETTINGS, given_up=[job.trial])
    assert other is not None
    assert other.trial == Trial("classifier", "synthetic", 5)


def test_that_a_failed_trial_does_not_stop_the_others_and_is_told(project: Project) -> None:
    settings = SETTINGS.model_copy(update={"seeds": 1, "arms": ("real", "synthetic")})
    watcher = Keeper()
    failed = run_experiment(project, settings, watcher, cancel=HostCancel(), command=scripted_engine("failed"))
    assert [trial.arm for trial in failed] == ["real", "synthetic"]
    assert watcher.told == ["real", "failed", "synthetic", "failed"]
    table = build_table(project, settings, read_trials(project, settings))
    assert len(table.failures) == 2
    assert table.failures[0].startswith("night: real, seed 5: ")


def test_that_data_that_has_changed_is_not_compared_with_what_was_trained_before(project: Project) -> None:
    begin_experiment(project, SETTINGS)
    project.classes.add("third", size_px=10.0)
    begin_experiment(project, SETTINGS)  # nothing is finished yet
    job = next_job(project, SETTINGS)
    assert job is not None
    play(project, job)
    project.classes.add("fourth", size_px=10.0)
    with pytest.raises(UserError, match="another name"):
        begin_experiment(project, SETTINGS)


def test_that_an_experiment_without_test_images_is_refused_at_once(tmp_path: Path) -> None:
    empty = build_engine_project(tmp_path, n_train=2, n_val=1, n_test=0)
    with pytest.raises(UserError, match="test split"):
        begin_experiment(empty, SETTINGS)
    empty.close()


def test_that_a_detector_without_exhaustive_images_is_refused_before_the_night(project: Project) -> None:
    with_detector = SETTINGS.model_copy(update={"with_detector": True})
    begin_experiment(project, with_detector)
    for fov in project.fovs.list(split=Split.TRAIN):
        project.fovs.set_state(fov.id, AnnotationState.PARTIAL)
    with pytest.raises(UserError, match="train split is annotated exhaustively"):
        begin_experiment(project, with_detector)
    begin_experiment(project, with_detector.model_copy(update={"arms": ("synthetic",)}))
    begin_experiment(project, SETTINGS)


def test_that_maps_are_written_of_images_that_their_names_tell_apart(project: Project) -> None:
    test = project.fovs.list(split=Split.TEST)
    assert explained_fovs(project, 5) == tuple(fov.name for fov in test)
    assert explained_fovs(project, 1) == (test[0].name,)
    assert explained_fovs(project, 0) == ()
    project.fovs.add(
        sample_id=project.samples.get_or_add("another", split=Split.TRAIN).id,
        name=test[0].name,
        stored_path="elsewhere.png",
        storage=Storage.REFERENCE,
        sha256="ab",
        width=8,
        height=8,
    )
    assert explained_fovs(project, 1) == (test[1].name,)


def test_that_the_table_gives_mean_spread_chance_and_the_differences_seed_by_seed(project: Project) -> None:
    settings = SETTINGS.model_copy(update={"with_detector": True})
    begin_experiment(project, settings)
    play_all(project, settings)
    table = build_table(project, settings, read_trials(project, settings))
    assert (table.n_done, table.n_planned, table.classes) == (30, 30, ("disc",))
    assert [measure.key for measure in table.measures] == [
        "f1",
        "pointing",
        "center_f1",
        "energy",
        "box_f1",
        "ap50",
        "ap",
    ]
    real, synthetic, mix = table.arms
    assert mix.title == "Synthetic + 10 % real"
    figure = real.figures["f1", ALL_CLASSES]
    assert figure.values == pytest.approx({5: 0.8, 6: 0.82})
    assert figure.mean == pytest.approx(0.81)
    assert figure.sd == pytest.approx(0.02 / 2**0.5)
    assert figure_words(figure) == "0.810 ± 0.014"
    assert synthetic.figures["pointing", "disc"].chance == pytest.approx(0.2)
    assert [figure_words(each) for each in (real.figures["ap", ALL_CLASSES], None)] == ["n/a", "–"]
    (gap,) = (each for each in table.differences if each.arm == "mix" and each.measure == "box_f1")
    assert (gap.reference, gap.n) == ("real", 2)
    assert gap.mean == pytest.approx(0.1)
    assert gap.sd == pytest.approx(0.0, abs=1e-12)
    assert table.notes == ("Intervals are unreliable.", OWN_REMARKS)
    told = json.loads(json.dumps(table_json(table), allow_nan=False))
    assert told["arms"][0]["measures"]["f1"]["per_class"]["disc"]["chance"] == pytest.approx(0.6)
    rows = list(csv.DictReader(table_csv(table).decode().splitlines()))
    assert len(rows) == 3 * 7 * 2


def test_that_one_seed_has_the_interval_of_its_test_images_in_place_of_a_spread(project: Project) -> None:
    settings = SETTINGS.model_copy(update={"seeds": 1, "arms": ("synthetic",)})
    begin_experiment(project, settings)
    play_all(project, settings)
    (row,) = build_table(project, settings, read_trials(project, settings)).arms
    figure = row.figures["f1", ALL_CLASSES]
    assert (figure.sd, figure.ends) == (None, (0.1, 0.9))
    assert figure_words(figure) == "0.700 (0.10–0.90)"


def test_that_the_time_left_is_guessed_first_and_measured_once_a_training_is_through(project: Project) -> None:
    begin_experiment(project, SETTINGS)
    first = estimate(project, SETTINGS, read_trials(project, SETTINGS))
    assert not first.is_measured
    assert "guess" in first.words
    for _ in range(2):
        job = next_job(project, SETTINGS)
        assert job is not None
        play(project, job)
    later = estimate(project, SETTINGS, read_trials(project, SETTINGS))
    assert later.is_measured
    # Five trainings of 70 s and scorings of 3 s are left, six times maps of one image, and the starts of the engine.
    assert later.seconds == pytest.approx(5 * (70 + 4) + 5 * (3 + 4) + 6 * (60 + 4))
    assert [duration_words(each) for each in (20, 59 * 60, 61 * 60, 20 * 3600)] == [
        "1 min",
        "59 min",
        "1 h 1 min",
        "20 h",
    ]


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"arms": ("real", "real")}, "once"),
        ({"with_classifier": False, "with_detector": False}, "choose the classifier"),
        ({"classifier": {"source": "real-crops"}}, "follows from the arm"),
        ({"name": "a/b"}, "name"),
    ],
)
def test_that_an_impossible_plan_is_refused(wrong: dict[str, object], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        ExperimentSettings.model_validate(wrong)


def test_that_a_cancel_ends_the_experiment_with_the_running_job(project: Project) -> None:
    cancel = HostCancel()
    watcher = Keeper(cancel)
    failed = run_experiment(project, SETTINGS, watcher, cancel=cancel, command=scripted_engine("patient"))
    assert failed == ()
    assert watcher.told == ["real", "cancelled"]
    assert [run.status for run in project.runs.of_experiment("night")] == [RunStatus.CANCELLED]
