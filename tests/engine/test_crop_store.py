"""Crops kept in a mapped file."""

import errno
import os
from pathlib import Path

import pytest

from synthstudio.domain.errors import UserError
from synthstudio.engine.data.crops import build_crop_store
from synthstudio.engine.data.fields import MarkedReader
from tests.support.engine_project import build_engine_project


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="the system cannot claim disk space")
def test_that_a_full_disk_is_told_before_the_file_is_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = build_engine_project(tmp_path, n_train=1, n_val=0, n_test=0)
    reader = MarkedReader(project, project.classes.list(), sizes_px=[18.0, 14.0], scale=1.0, side=64)

    def full(descriptor: int, start: int, length: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(UserError, match="disk is full"):
        build_crop_store(
            reader,
            project.fovs.list(),
            tmp_path / "cache" / "crops.npy",
            scale=1.0,
            side=64,
            n_classes=2,
            min_visible=0.5,
        )
    project.close()
