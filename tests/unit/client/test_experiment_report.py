from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from synthstudio.client.experiment import begin_experiment
from synthstudio.client.reporting.experiment import build_experiment_report
from synthstudio.core.export.report.document import Charts, Table
from synthstudio.core.export.report.html import render_html
from synthstudio.domain.errors import NotFound, UserError
from synthstudio.project import Project
from synthstudio.settings.experiment import ExperimentSettings
from tests.support.engine_project import build_engine_project
from tests.support.experiments import play_all

SETTINGS = ExperimentSettings(
    name="night", arms=("real", "synthetic"), seeds=2, seed=5, with_detector=True, n_explained=0
)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = build_engine_project(tmp_path, n_train=2, n_val=1, n_test=2)
    yield made
    made.close()


def test_that_an_experiment_is_reported_by_arm_and_one_training_of_each_in_full(project: Project) -> None:
    begin_experiment(project, SETTINGS)
    play_all(project, SETTINGS)
    document = build_experiment_report(project, "night")
    first = document.sections[0]
    assert first.title == "Experiment"
    (charts,) = [block for block in first.blocks if isinstance(block, Charts)]
    assert "Presence F1" in [drawing.title for drawing in charts.drawings]
    tables = [block for block in first.blocks if isinstance(block, Table)]
    assert [row[0] for row in tables[0].rows] == ["Real", "Synthetic"]
    assert "±" in str(tables[0].rows[0][1])
    assert tables[-1].rows[0][0] == "Synthetic − Real"
    runs = next(block for block in document.sections[1].blocks if isinstance(block, Table))
    assert [row[2] for row in runs.rows] == ["classifier", "classifier", "detector", "detector"]
    assert "seed 6" not in render_html(document)


def test_that_an_experiment_without_a_training_says_how_to_go_on(project: Project) -> None:
    with pytest.raises(NotFound, match="There is no experiment night"):
        build_experiment_report(project, "night")
    begin_experiment(project, SETTINGS)
    with pytest.raises(UserError, match="no finished training") as caught:
        build_experiment_report(project, "night")
    assert "--resume" in caught.value.hint
