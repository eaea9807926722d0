"""Crops kept in a mapped file."""

import errno
import os
from pathlib import Path

import pytest

from synthstudio.core.training.crops import plan_squares
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import AnnotationState, CropLabel
from synthstudio.domain.scale import WorkingScale
from synthstudio.engine.data.crops import build_crop_store
from synthstudio.engine.data.fields import MarkedReader
from tests.support.engine_project import build_engine_project


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="the system cannot claim disk space")
def test_that_a_full_disk_is_told_before_the_file_is_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = build_engine_project(tmp_path, n_train=1, n_val=0, n_test=0)
    reader = MarkedReader(project, project.classes.list(), sizes_px=[18.0, 14.0], scale=WorkingScale(), side=64)

    def full(descriptor: int, start: int, length: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(UserError, match="disk is full"):
        build_crop_store(
            reader,
            project.fovs.list(),
            tmp_path / "cache" / "crops.npy",
            side=64,
            n_classes=2,
            min_visible=0.5,
        )
    project.close()


def test_that_crops_judged_by_people_overrule_annotations_and_bring_fields_without_any(tmp_path: Path) -> None:
    project = build_engine_project(tmp_path, n_train=2, n_val=0, n_test=0)
    classes = project.classes.list()
    first, second = project.fovs.list()
    project.fovs.set_state(second.id, AnnotationState.NONE)
    project.annotations.remove(project.annotations.list(second.id))
    asked = frozenset(each.id for each in classes)
    square = plan_squares(first.width, first.height, side=64, scale=1.0)[0]
    project.crop_labels.put(CropLabel(first.id, square, asked, frozenset()))
    project.crop_labels.put(CropLabel(second.id, square, asked, frozenset({classes[1].id})))
    second = project.fovs.get(second.id)
    reader = MarkedReader(project, classes, sizes_px=[18.0] * len(classes), scale=WorkingScale(), side=64)
    options = {"side": 64, "n_classes": len(classes), "min_visible": 0.5}
    plain = build_crop_store(reader, [first], tmp_path / "plain.npy", **options)  # type: ignore[arg-type]
    store = build_crop_store(reader, [first, second], tmp_path / "judged.npy", by_people=True, **options)  # type: ignore[arg-type]
    assert len(store) == len(plain) + 1  # of the field without annotations only the judged crop
    assert not store.presence[0].any()
    assert (store.presence[1 : len(plain)] == plain.presence[1:]).all()
    assert store.presence[-1].tolist() == [False, True, *[False] * (len(classes) - 2)]
    project.close()
