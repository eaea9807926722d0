"""Generated sets from the terminal: written, and proved by an engine of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthstudio.domain.ids import RunId
from synthstudio.protocol.results import GenerateResult
from tests.e2e.test_cli import result_of
from tests.support.skin_study import build_skin_study
from tests.support.trained_gans import add_trained_gan


@pytest.fixture(scope="module")
def gan(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunId]:
    project = build_skin_study(tmp_path_factory.mktemp("skin") / "study", n_train=4, n_val=1, n_test=1)
    try:
        return project.folder, add_trained_gan(project)
    finally:
        project.close()


def test_that_a_set_is_generated_and_comes_out_the_same_when_it_is_made_again(gan: tuple[Path, RunId]) -> None:
    folder, run_id = gan
    generated = result_of(
        *("generate", folder, "--generator", "gan", "--run", run_id, "--set", "made", "--count", "5", "--seed", "2"),
        *("--distribution", "top-up", "--sizes", "uniform"),
    )
    assert set(GenerateResult.model_fields) <= set(generated)
    assert (generated["set"], generated["origin"], generated["n_images"]) == ("made", run_id, 5)
    verified = result_of("verify", folder, "--set", "made")
    assert verified["ok"] is True
    assert verified["sets"] == [{"set": "made", "n_images": 5, "remade": "made again and compared"}]
