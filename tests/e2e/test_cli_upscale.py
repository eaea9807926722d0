"""The diffusion upscaler from the terminal, without a network: trained further, and applied to a set."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from tests.e2e.test_no_network import _environment
from tests.support.cell_projects import make_cell_project
from tests.support.sets import add_set
from tests.support.tiny_diffusion import write_tiny_upscaler


def told_by(environment: Mapping[str, str], *arguments: str | Path) -> dict[str, object]:
    command = [sys.executable, "-m", "synthstudio", *map(str, arguments), "--device", "cpu", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_that_a_diffusion_upscaler_is_trained_and_enlarges_a_set_without_a_socket(tmp_path: Path) -> None:
    project = make_cell_project(tmp_path / "study")
    small = CompositionSettings(canvas_px=64, n_objects_max=4)
    add_set(project, ComposeSettings(set_name="composed", count=2, composition=small))
    project.close()
    model = write_tiny_upscaler(tmp_path / "x4")
    environment = _environment(tmp_path)
    trained = told_by(
        *(environment, "train-upscaler", project.folder, "--method", "diffusion", "--model", model),
        *("--small-side", "16", "--per-image", "4", "--steps", "2", "--evaluate-every", "2", "--batch-size", "2"),
        *("--sample-steps", "1"),
    )
    assert (trained["status"], trained["method"], trained["factor"], trained["step"]) == ("finished", "diffusion", 4, 2)
    larger = told_by(
        *(environment, "upscale", project.folder, "--source-set", "composed", "--set", "larger", "--steps", "2")
    )
    assert (larger["set"], larger["upscaler"], larger["size"]) == ("larger", trained["run"], [256, 256])
    lines = (tmp_path / "network.log").read_text().splitlines()
    assert [line for line in lines if not line.startswith("watched ")] == []
    assert sum("synthstudio.engine" in line for line in lines) == 2
