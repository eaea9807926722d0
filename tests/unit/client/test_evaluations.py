from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from synthstudio.client.evaluations import find_evaluation, get_predictions
from synthstudio.core.evaluation.predictions import PREDICTIONS_NAME, write_predictions
from synthstudio.domain.errors import NotFound, UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import RunStatus, Split
from synthstudio.project import Project
from tests.support.evaluations import add_evaluation, make_predictions

TRAINING = RunId("training-1")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = Project.create(tmp_path / "study")
    project.runs.add(TRAINING, kind="train-classifier", title="real", settings_json="{}")
    yield project
    project.close()


def test_that_the_newest_evaluation_with_predictions_of_the_split_is_found(project: Project) -> None:
    first = add_evaluation(project, TRAINING, make_predictions(seed=1))
    add_evaluation(project, TRAINING, make_predictions(seed=2), split=Split.VAL)
    add_evaluation(project, RunId("other"), make_predictions(seed=3))
    add_evaluation(project, TRAINING, None)
    found = find_evaluation(project, TRAINING, Split.TEST)
    assert found is not None
    assert found.job.id == first
    assert (get_predictions(project, TRAINING, Split.TEST).scores == make_predictions(seed=1).scores).all()


def test_that_an_evaluation_may_be_named_itself(project: Project) -> None:
    first = add_evaluation(project, TRAINING, make_predictions(seed=1))
    add_evaluation(project, TRAINING, make_predictions(seed=2))
    assert (get_predictions(project, first, Split.TEST).scores == make_predictions(seed=1).scores).all()


def test_that_a_run_without_stored_predictions_names_the_next_step(project: Project) -> None:
    with pytest.raises(UserError, match="No predictions of the run training-1 on the test split") as caught:
        get_predictions(project, TRAINING, Split.TEST)
    assert "synthstudio evaluate" in caught.value.hint
    add_evaluation(project, TRAINING, None)
    with pytest.raises(UserError, match="No predictions"):
        get_predictions(project, TRAINING, Split.TEST)
    with pytest.raises(NotFound, match="no run absent"):
        get_predictions(project, RunId("absent"), Split.TEST)


def test_that_unfinished_and_unreadable_evaluations_are_passed_over(project: Project) -> None:
    failed = add_evaluation(project, TRAINING, make_predictions())
    project.runs.set_ended(failed, RunStatus.FAILED)
    strange = add_evaluation(project, TRAINING, make_predictions())
    project.runs.set_ended(strange, RunStatus.FINISHED, summary_json='{"kind": "evaluate", "future": 1}')
    assert find_evaluation(project, TRAINING, Split.TEST) is None


def test_that_a_damaged_file_is_told(project: Project) -> None:
    job = add_evaluation(project, TRAINING, make_predictions())
    path = project.run_folder(job) / PREDICTIONS_NAME
    path.write_bytes(b"PK nothing")
    with pytest.raises(UserError, match="damaged"):
        get_predictions(project, TRAINING, Split.TEST)
    write_predictions(path, make_predictions())
    assert len(get_predictions(project, TRAINING, Split.TEST))
