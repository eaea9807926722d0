"""A batch: what comes next, what waits, what is left out, and what is never done twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from synthstudio.client import start_run
from synthstudio.client.batch_words import batch_json, build_batch_table, result_words, took_words
from synthstudio.client.batches import BatchCourse, BatchJob, StepStatus, list_batches, stored_batch
from synthstudio.client.plans import was_cancelled
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId, SetName
from synthstudio.domain.records import Generator, RunStatus, SyntheticSet
from synthstudio.project import Project
from synthstudio.protocol.results import ComposeResult, JobResult, TrainResult
from synthstudio.settings.batch import BatchSettings
from synthstudio.settings.evaluate import EvaluateSettings
from tests.support.engine_project import build_engine_project
from tests.support.experiments import evaluation

NIGHT: dict[str, object] = {
    "name": "night",
    "jobs": [
        {"name": "train", "seeds": 2, "recipe": {"kind": "train-classifier"}},
        {"name": "score", "recipe": {"kind": "evaluate", "run": "@train"}},
        {"name": "set", "recipe": {"kind": "compose", "set_name": "more", "count": 2}},
        {"name": "late", "after": ["set", "score"], "recipe": {"kind": "quality"}},
    ],
}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = build_engine_project(tmp_path, n_train=2, n_val=1, n_test=2)
    yield made
    made.close()


def course(values: dict[str, object] | None = None) -> BatchCourse:
    return BatchCourse(BatchSettings.model_validate(values or NIGHT))


def play(project: Project, job: BatchJob, *, status: RunStatus = RunStatus.FINISHED) -> RunId:
    """End a job as the engine would."""
    run_id = job.resume_run or start_run(project, job.settings, title=job.title, experiment=job.plan)
    if status is not RunStatus.FINISHED:
        project.runs.set_ended(run_id, status, message="It broke.")
        return run_id
    result: JobResult
    if job.settings.kind == "evaluate":
        result = evaluation(run_id, 0.8)
    elif job.settings.kind == "compose":
        result = ComposeResult(set="more", n_images=2, n_objects={}, seconds=1.0, sha256="0" * 64, project_state="s")
    else:
        result = TrainResult(run=run_id, status="finished", seconds=70.0, best={"step": 3.0, "f1/macro": 0.9})
    project.runs.set_ended(run_id, status, summary_json=result.model_dump_json())
    return run_id


def titles(project: Project, batch: BatchCourse) -> list[str]:
    """Finish all that is left; the titles in order."""
    done = []
    while (job := batch.next_job(project)) is not None:
        play(project, job)
        done.append(job.title)
    return done


def test_that_jobs_are_done_in_order_with_the_runs_that_they_refer_to(project: Project) -> None:
    batch = course()
    batch.begin(project)
    first = batch.next_job(project)
    assert first is not None
    trained = play(project, first)
    assert [state.status for state in batch.read(project)] == [
        StepStatus.FINISHED,
        StepStatus.READY,
        StepStatus.READY,
        StepStatus.WAITING,
        StepStatus.READY,
        StepStatus.WAITING,
    ]
    second = batch.next_job(project)
    assert second is not None
    play(project, second)
    third = batch.next_job(project)
    assert third is not None
    assert third.settings == EvaluateSettings(run=trained)
    assert titles(project, batch) == ["night: score, seed 0", "night: score, seed 1", "night: set", "night: late"]
    assert titles(project, batch) == []
    (record,) = list_batches(project)
    assert stored_batch(record) == batch.settings


def test_that_what_needs_a_failed_job_is_left_out_and_the_rest_goes_on(project: Project) -> None:
    batch = course()
    batch.begin(project)
    given_up = []
    while (job := batch.next_job(project, given_up=given_up)) is not None:
        has_failed = job.title == "night: train, seed 1"
        play(project, job, status=RunStatus.FAILED if has_failed else RunStatus.FINISHED)
        if has_failed:
            given_up.append(job.trial)
    table = build_batch_table(project, batch)
    assert {row.title: (row.status.value, row.outcome) for row in table.rows} == {
        "train, seed 0": ("finished", "F1 0.900"),
        "train, seed 1": ("failed", "It broke."),
        "score, seed 0": ("finished", "macro F1 0.800, pointing 0.800"),
        "score, seed 1": ("left out", "train, seed 1 has failed"),
        "set": ("finished", "2 images"),
        "late": ("left out", "score, seed 1 has failed"),
    }
    assert (table.n_done, table.n_jobs, table.is_finished, table.seconds) == (3, 6, False, 74.0)
    assert batch_json(table)["done"] == 3
    again = batch.next_job(project)  # the next session tries it again
    assert again is not None
    assert again.title == "night: train, seed 1"
    assert titles(project, batch) == ["night: train, seed 1", "night: score, seed 1", "night: late"]


def test_that_a_training_that_was_cut_off_is_resumed_and_changed_settings_are_done_anew(project: Project) -> None:
    batch = course()
    batch.begin(project)
    job = batch.next_job(project)
    assert job is not None
    run_id = play(project, job, status=RunStatus.FAILED)
    checkpoints = project.run_folder(run_id) / "checkpoints"
    checkpoints.mkdir()
    (checkpoints / "last.safetensors").write_bytes(b"")
    resumed = batch.next_job(project)
    assert resumed is not None
    assert (resumed.title, resumed.resume_run) == (job.title, run_id)
    titles(project, batch)
    other = course({**NIGHT, "jobs": [{"name": "train", "recipe": {"kind": "train-classifier", "seed": 1}}]})
    assert [state.status for state in other.read(project)] == [StepStatus.READY]


def test_that_a_cancelled_job_is_told_as_such_until_the_batch_goes_on(project: Project) -> None:
    batch = course()
    batch.begin(project)
    assert not build_batch_table(project, batch).is_begun
    assert not was_cancelled(project, batch.plan_names)
    job = batch.next_job(project)
    assert job is not None
    play(project, job, status=RunStatus.CANCELLED)
    table = build_batch_table(project, batch)
    assert [row.status.value for row in table.rows[:3]] == ["cancelled", "ready", "waiting"]
    assert table.is_begun
    assert was_cancelled(project, batch.plan_names)
    again = batch.next_job(project)
    assert again is not None
    run_id = start_run(project, again.settings, title=again.title, experiment=again.plan)
    assert not was_cancelled(project, batch.plan_names)  # it waits for its turn
    project.runs.set_ended(run_id, RunStatus.FAILED, message="It broke.")
    assert not was_cancelled(project, batch.plan_names)
    titles(project, batch)
    assert not was_cancelled(project, batch.plan_names)


def test_that_a_round_in_a_batch_that_was_cancelled_is_cancelled(project: Project) -> None:
    batch = course({"name": "night", "jobs": [{"name": "again", "recipe": {"kind": "round", "name": "R1"}}]})
    batch.begin(project)
    job = batch.next_job(project)
    assert job is not None
    play(project, job, status=RunStatus.CANCELLED)
    assert [state.status for state in batch.read(project)] == [StepStatus.CANCELLED]
    assert was_cancelled(project, batch.plan_names)


def test_that_a_job_without_a_training_to_use_is_found_before_the_night(project: Project) -> None:
    score: dict[str, object] = {"name": "score", "recipe": {"kind": "evaluate"}}
    with pytest.raises(UserError, match="The job score: No classifier has been trained in this project yet"):
        course({"name": "night", "jobs": [score]}).begin(project)
    before: list[dict[str, object]] = [
        {"name": "train", "recipe": {"kind": "train-classifier"}},
        {"name": "again", "recipe": {"kind": "round", "name": "R1", "task": "classifier"}},
    ]
    for each in before:  # either will have made one by then
        course({"name": "night", "jobs": [each, score]}).check(project)


def test_that_a_round_in_a_batch_says_from_which_weights_it_goes_on(project: Project) -> None:
    again: dict[str, object] = {"kind": "round", "name": "R1", "goes_on": True}
    with pytest.raises(
        UserError, match="The job again: A round in a batch cannot go on from the last one without saying"
    ):
        course({"name": "night", "jobs": [{"name": "again", "recipe": again}]}).begin(project)
    said = {**again, "begins_with": "/weights/best.safetensors"}
    course({"name": "night", "jobs": [{"name": "again", "recipe": said}]}).check(project)


def test_that_an_experiment_in_a_batch_is_an_experiment_of_its_own(project: Project) -> None:
    batch = course(
        {
            "name": "night",
            "jobs": [
                {
                    "name": "compare",
                    "recipe": {
                        "kind": "experiment",
                        "name": "arms",
                        "arms": ["real", "synthetic"],
                        "seeds": 1,
                        "with_detector": False,
                        "n_explained": 0,
                    },
                },
                {"name": "set", "after": ["compare"], "recipe": {"kind": "compose", "set_name": "more", "count": 2}},
            ],
        }
    )
    batch.begin(project)
    assert [(each.n_jobs, each.status) for each in batch.read(project)] == [
        (4, StepStatus.READY),
        (1, StepStatus.WAITING),
    ]
    first = batch.next_job(project)
    assert first is not None
    play(project, first, status=RunStatus.FAILED)
    second = batch.next_job(project, given_up=[first.trial])
    assert second is not None
    assert second.title == "arms: synthetic, seed 0"  # one arm that fails leaves the other
    assert len(titles(project, batch)) == 5
    assert {run.experiment for run in project.runs.list()} == {"arms", "night"}


def test_that_a_name_that_another_kind_of_plan_has_is_refused(project: Project) -> None:
    project.experiments.put("night", settings_json='{"kind": "experiment"}', project_state="s")
    with pytest.raises(UserError, match="another kind of plan"):
        course().begin(project)


def test_that_all_runs_and_sets_that_jobs_name_are_looked_up_before_any_of_them_starts(project: Project) -> None:
    project.sets.put(SyntheticSet(SetName("more"), Generator.COMPOSITED, None, 2, "", "{}", "", ""))
    wrong = course(
        {
            "name": "night",
            "jobs": [
                {"name": "score", "recipe": {"kind": "evaluate", "run": "yesterday"}},
                {"name": "set", "recipe": {"kind": "compose", "set_name": "more", "count": 2}},
                {"name": "large", "recipe": {"kind": "upscale", "source_set": "none", "set_name": "large"}},
                {"name": "look", "recipe": {"kind": "quality", "set_name": "large"}},
                {"name": "train", "recipe": {"kind": "train-detector", "network": {"weights": "/no/a.safetensors"}}},
            ],
        }
    )
    with pytest.raises(UserError) as caught:
        wrong.begin(project)
    assert str(caught.value) == (
        "The job score: There is no run yesterday in this project. Finished runs of that kind: none yet."
        " The job set: There is already a set more in this project. Choose another name."
        " The job large: There is no set none in this project. Sets of this project: more."
        f" The job train: There is no file {Path('/no/a.safetensors')}. Name a local model of this project, or a"
        " .safetensors file."
    )
    assert list_batches(project) == []


def test_that_a_job_whose_set_is_finished_is_not_asked_for_another_name(project: Project) -> None:
    batch = course()
    batch.begin(project)
    titles(project, batch)
    batch.begin(project)


def test_that_a_run_of_a_kind_that_a_job_cannot_use_is_refused() -> None:
    with pytest.raises(UserError, match="score refers to the run of set, which is compose, not train-classifier"):
        course(
            {
                "name": "night",
                "jobs": [
                    {"name": "set", "recipe": {"kind": "compose", "set_name": "more", "count": 2}},
                    {"name": "score", "recipe": {"kind": "evaluate", "run": "@set"}},
                ],
            }
        )


def test_that_outcomes_and_times_are_short(project: Project) -> None:
    run_id = start_run(project, EvaluateSettings(run="x"))
    project.runs.set_ended(run_id, RunStatus.FINISHED, summary_json="{}")
    assert result_words(project.runs.get(run_id)) == ""
    assert [took_words(each) for each in (None, 3.2, 130.0, 7260.0)] == ["", "3 s", "2 min 10 s", "2 h 1 min"]
