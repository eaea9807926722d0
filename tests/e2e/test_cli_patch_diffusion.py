"""`synthstudio train-patch-diffusion` as a script would call it, without a network."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthstudio.core.training.gan_samples import find_samples
from tests.support.engine_project import build_engine_project
from tests.support.watched import Watched

TINY = (
    *("--side", "32", "--crops-per-fov", "1", "--base-channels", "8", "--steps", "2", "--batch-size", "2"),
    *("--sample-every", "1", "--sampler-steps", "2"),
)


def test_that_a_denoiser_is_trained_from_the_terminal_without_a_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = build_engine_project(tmp_path)
    project.close()
    watched = Watched(tmp_path, monkeypatch)
    result = watched.result_of("train-patch-diffusion", project.folder, *TINY)
    assert (result["status"], result["kind"], result["step"]) == ("finished", "train-patch-diffusion", 2)
    assert {"step", "validation/denoising", "kid/held-out"} == set(result["best"])
    folder = Path(str(result["folder"]))
    assert [step for step, _ in find_samples(folder)] == [1, 2]
    assert {"patch_diffusion.json", "denoiser.safetensors"} <= {path.name for path in folder.iterdir()}
    watched.check(n_engines=1)
