"""Whether a fine-tuning fits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from synthstudio.client.device_memory import DeviceMemory, find_device_memory
from synthstudio.client.tuning_room import describe_room
from synthstudio.project import Project
from synthstudio.settings.train_diffusion import TrainDiffusionSettings


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project.create(tmp_path / "study")
    yield made
    made.close()


def test_that_a_small_device_is_told_with_what_would_fit(project: Project) -> None:
    words, trouble = describe_room(project, TrainDiffusionSettings(), DeviceMemory("The GPU", 12e9))
    assert "GB of memory" in words
    assert trouble.startswith("The GPU has 12.0 GB. It would fit with ")
    assert "LoRA" in trouble


def test_that_nothing_speaks_against_a_large_device(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthstudio.client.tuning_room._free_bytes", lambda _folder: 1e12)
    assert describe_room(project, TrainDiffusionSettings(), DeviceMemory("The GPU", 80e9))[1] == ""
    assert describe_room(project, TrainDiffusionSettings(), None)[1] == ""


def test_that_a_full_disk_is_told(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthstudio.client.tuning_room._free_bytes", lambda _folder: 2e9)
    assert describe_room(project, TrainDiffusionSettings(), None)[1] == "The disk has 2.0 GB free."


def test_that_the_memory_of_this_machine_is_found() -> None:
    found = find_device_memory()
    assert found is None or found.n_bytes > 1e8
