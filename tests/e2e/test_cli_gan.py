"""`synthstudio train-gan` as a script would call it."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthstudio.core.training.gan_samples import find_samples
from tests.e2e.test_cli import assert_one_line_error, command, result_of
from tests.support.engine_project import build_engine_project

TINY = (
    *("--side", "64", "--crops-per-fov", "1", "--base-channels", "8", "--discriminator-layers", "2"),
    *("--steps", "4", "--batch-size", "2", "--sample-every", "2"),
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made = build_engine_project(tmp_path)
    made.close()
    return made.folder


def test_that_a_gan_is_trained_and_can_be_resumed(project: Path) -> None:
    result = result_of("train-gan", project, *TINY)
    assert (result["status"], result["kind"], result["step"]) == ("finished", "train-gan", 4)
    assert {"step", "validation/image", "validation/region", "kid/held-out"} == set(result["best"])
    folder = Path(str(result["folder"]))
    assert [step for step, _ in find_samples(folder)] == [2, 4]
    assert {"gan.json", "generator.safetensors", "generator.onnx"} <= {path.name for path in folder.iterdir()}

    again = command("train-gan", project, "--resume", str(result["run"]))
    assert again.returncode == 0, again.stderr
    assert "held-out crops" in again.stdout
    assert f"last samples: {folder}" in again.stdout


def test_that_a_class_that_is_not_there_is_a_one_line_error(project: Path) -> None:
    done = command("train-gan", project, *TINY, "--classes", "ghost")
    assert_one_line_error(done, "ghost", status=1)
