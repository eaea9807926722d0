"""Stacks by the command: which of their pages come, and that they are verified by their file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from synthstudio.project import Project
from tests.unit.cli.test_formats import result_of, synthstudio


@pytest.fixture
def images(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    tifffile.imwrite(tmp_path / "in" / "z.tif", np.zeros((6, 20, 30), np.uint8), photometric="minisblack")
    return tmp_path / "in"


def test_that_the_pages_asked_for_are_imported_and_verified(tmp_path: Path, images: Path) -> None:
    study = tmp_path / "study"
    assert synthstudio("new", study).returncode == 0
    found = result_of("import", study, images, "--format", "imagefolder", "--pages", "2,4-6:2")
    assert (found["n_images"], found["problems"]) == (3, [])
    project = Project.open(study, read_only=True)
    assert [fov.name for fov in project.fovs.list()] == [f"z.tif [page {number}]" for number in (2, 4, 6)]
    project.close()
    assert result_of("verify", study)["ok"] is True
    (images / "z.tif").write_bytes(b"II*")
    done = synthstudio("verify", study)
    assert done.returncode == 1
    assert done.stdout.count("has changed since it was imported") == 3


def test_that_pages_that_are_not_understood_are_a_wrong_use(tmp_path: Path, images: Path) -> None:
    synthstudio("new", tmp_path / "study")
    done = synthstudio("import", tmp_path / "study", images, "--format", "imagefolder", "--pages", "last")
    assert done.returncode == 2
    assert "The pages 'last' are not understood" in done.stderr
