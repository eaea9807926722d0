"""Rounds: what they begin with, how they are gone on with, and the curve that they make."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthstudio.client.plans import begin_plan
from synthstudio.client.round_curve import (
    curve_of,
    known_classes,
    known_measures,
    outlook_words,
    rounds_csv,
    rounds_json,
)
from synthstudio.client.rounds import BEST_WEIGHTS, RoundPlan, next_round, read_rounds
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import AnnotationState, Split
from synthstudio.project import Project
from synthstudio.settings.experiment import ExperimentSettings
from synthstudio.settings.round import RoundSettings
from synthstudio.settings.train_detector import DetectorNetworkSettings, TrainDetectorSettings
from tests.support.engine_project import build_engine_project
from tests.support.rounds import click, play_round, play_stage

SETTINGS = RoundSettings(seed=3)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = build_engine_project(tmp_path, n_train=2, n_val=1, n_test=2)
    yield made
    made.close()


def test_that_rounds_are_numbered_and_train_with_the_seed_of_the_round(project: Project) -> None:
    first = next_round(project, SETTINGS)
    assert first.name == "R1"
    assert first.settings.training.seed == 3
    play_round(project, first, f1=0.5)
    second = next_round(project, SETTINGS)
    assert second.name == "R2"
    assert next_round(project, SETTINGS.model_copy(update={"name": "R1"})).name == "R1"
    (state,) = read_rounds(project)
    assert state.is_complete
    assert [run.kind for run in state.runs.values()][:2] == ["train-detector", "evaluate-detector"]
    assert state.training == state.runs["train"].id


def test_that_a_round_goes_on_from_the_weights_of_the_last_one_of_the_same_network(project: Project) -> None:
    settings = RoundSettings(goes_on=True, later_steps=70)
    first = next_round(project, settings)
    assert first.settings.training == settings.detector
    play_round(project, first, f1=0.5)
    assert not next_round(project, settings).settings.begins_with  # the file is gone
    (state,) = read_rounds(project)
    assert state.training is not None
    weights = project.run_folder(state.training) / BEST_WEIGHTS
    weights.parent.mkdir()
    weights.touch()
    second = next_round(project, settings)
    training = second.settings.training
    assert isinstance(training, TrainDetectorSettings)
    assert (training.network.weights, training.optimization.steps) == (str(weights), 70)
    begin_plan(project, second)
    assert play_stage(project, second) == "train"
    assert read_rounds(project)[-1].n_done == 1  # what is stored of the round says the same
    other = TrainDetectorSettings(network=DetectorNetworkSettings(name="fcos-small"))
    assert not next_round(project, settings.model_copy(update={"detector": other})).settings.begins_with
    assert not next_round(project, SETTINGS).settings.begins_with
    named = settings.model_copy(update={"name": "evening"})
    begun = next_round(project, named)
    assert begun.settings.begins_with == str(weights)
    begin_plan(project, begun)
    weights.unlink()
    assert next_round(project, named).settings == begun.settings  # gone on with, it is the same round


def test_that_a_round_is_gone_on_with_after_more_clicks_and_keeps_what_its_training_saw(project: Project) -> None:
    plan = next_round(project, SETTINGS)
    begin_plan(project, plan)
    before = read_rounds(project)[0].record.stock
    click(project, 5)
    begin_plan(project, plan)  # its training has not ended: it begins anew with what there is
    assert read_rounds(project)[0].record.stock.n_annotations == before.n_annotations + 5
    assert play_stage(project, plan) == "train"
    click(project, 5)
    begin_plan(project, plan)
    assert read_rounds(project)[0].record.stock.n_annotations == before.n_annotations + 5
    assert not read_rounds(project)[0].is_complete
    assert play_stage(project, plan) == "evaluate"


def test_that_a_round_suggests_as_long_as_some_image_is_not_complete(project: Project) -> None:
    plan = next_round(project, SETTINGS)
    assert [stage.name for stage in plan.lay_out(project)[0].stages] == ["train", "evaluate"]
    project.fovs.set_state(project.fovs.list(split=Split.TEST)[0].id, AnnotationState.PARTIAL)
    assert len(plan.lay_out(project)[0].stages) == 2  # test images are annotated without suggestions
    project.fovs.set_state(project.fovs.list(split=Split.TRAIN)[0].id, AnnotationState.PARTIAL)
    begin_plan(project, plan)
    assert [play_stage(project, plan) for _ in range(4)] == ["train", "evaluate", "suggest", ""]
    training, suggesting = (read_rounds(project)[0].runs[name] for name in ("train", "suggest"))
    assert f'"run": "{training.id}"' in suggesting.settings_json


def test_that_what_a_round_lacks_is_told_before_it_begins(project: Project) -> None:
    plan = next_round(project, SETTINGS)
    for fov in project.fovs.list(split=Split.TEST):
        project.fovs.set_state(fov.id, AnnotationState.PARTIAL)
    with pytest.raises(UserError, match="test split is annotated exhaustively"):
        begin_plan(project, plan)
    begin_plan(project, RoundPlan(plan.settings.model_copy(update={"task": "classifier"})))
    with pytest.raises(UserError, match="no name"):
        begin_plan(project, RoundPlan(SETTINGS))
    for marks in project.annotations.by_fov().values():
        project.annotations.remove(marks)
    with pytest.raises(UserError, match="Nothing is annotated"):
        begin_plan(project, plan)


def test_that_a_detector_on_real_boxes_wants_complete_images(project: Project) -> None:
    for fov in project.fovs.list(split=Split.TRAIN):
        project.fovs.set_state(fov.id, AnnotationState.PARTIAL)
    begin_plan(project, next_round(project, SETTINGS))
    real = SETTINGS.model_copy(update={"detector": TrainDetectorSettings(source="real-boxes")})
    with pytest.raises(UserError, match="train on synthetic images"):
        begin_plan(project, next_round(project, real))


def test_that_a_round_does_not_take_the_name_of_an_experiment(project: Project) -> None:
    settings = ExperimentSettings(name="R1")
    project.experiments.put("R1", settings_json=settings.model_dump_json(exclude_none=True), project_state="")
    assert next_round(project, SETTINGS).name == "R2"
    with pytest.raises(UserError, match="another kind of plan"):
        begin_plan(project, RoundPlan(SETTINGS.model_copy(update={"name": "R1"})))


def grow(project: Project, scores: list[float]) -> None:
    """So many rounds, each with twice the annotations of the one before."""
    for score in scores:
        play_round(project, next_round(project, SETTINGS), f1=score)
        click(project, project.rounds.n_annotations())


def test_that_the_curve_has_a_point_for_each_round_and_says_what_more_would_bring(project: Project) -> None:
    grow(project, [0.5, 0.6])
    assert "can be said after 3 rounds" in outlook_words(curve_of(read_rounds(project), "box_f1"))
    grow(project, [0.7])
    rounds = read_rounds(project)
    assert [each.key for each in known_measures(rounds)][:2] == ["box_f1", "ap50"]
    assert known_classes(rounds, "box_f1") == ("disc",)
    curve = curve_of(rounds, "box_f1")
    assert [each.point.score for each in curve] == [0.5, 0.6, 0.7]
    assert curve[-1].point.ci95 == pytest.approx((0.65, 0.75))
    assert curve[2].point.n_annotations == 4 * curve[0].point.n_annotations
    words = outlook_words(curve)
    assert "each doubling of the annotations brings +0.100" in words
    assert "would bring about +0.03" in words
    assert "could not show it: the newest score lies between 0.65 and 0.75" in words
    assert rounds_json(rounds, {})["pays"] is True


def test_that_a_flat_curve_says_that_more_clicks_have_stopped_paying(project: Project) -> None:
    grow(project, [0.700, 0.705, 0.710])
    rounds = read_rounds(project)
    assert "more clicks of the same kind have stopped paying" in outlook_words(curve_of(rounds, "box_f1"))
    assert rounds_json(rounds, {})["pays"] is False


def test_that_rounds_scored_on_other_test_images_are_not_on_the_curve(project: Project) -> None:
    grow(project, [0.5])
    project.fovs.set_state(project.fovs.list(split=Split.TEST)[0].id, AnnotationState.PARTIAL)
    grow(project, [0.6])
    rounds = read_rounds(project)
    assert [each.is_comparable for each in rounds] == [False, True]
    assert [each.name for each in curve_of(rounds, "box_f1")] == ["R2"]


def test_that_figures_are_exported_round_by_round_and_class_by_class(project: Project) -> None:
    assert rounds_json((), {})["measure"] is None
    grow(project, [0.5])
    rows = list(csv.DictReader(rounds_csv(read_rounds(project)).decode().splitlines()))
    assert {(row["measure"], row["class"]) for row in rows} >= {("box_f1", "all"), ("box_f1", "disc")}
    assert {row["round"] for row in rows} == {"R1"}
