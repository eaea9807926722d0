"""The compose job, run as the engine runs it, in this process."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from synthstudio.core.export.datasets import ExportData
from synthstudio.core.export.writers import WRITERS
from synthstudio.core.imaging import read_image
from synthstudio.core.synthesis.composer import Composer
from synthstudio.core.synthesis.manifest import HEADER_NAME, MANIFEST_NAME
from synthstudio.core.synthesis.verification import verify_set
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.records import Split
from synthstudio.engine.context import CancelToken, JobContext
from synthstudio.engine.jobs.compose import run
from synthstudio.project import Project
from synthstudio.project.patches import build_project_bank, list_train_fovs
from synthstudio.project.set_images import list_set_images
from synthstudio.protocol.messages import AnyEvent, PreviewReady, Progress, WarningRaised
from synthstudio.settings.compose import ComposeSettings, CompositionSettings, PatchSettings
from tests.support.cell_projects import make_cell_project
from tests.support.sets import add_set

SMALL = CompositionSettings(canvas_px=96, n_objects_max=4)


class Stage:
    """A context and what the job says."""

    def __init__(self, project: Project, *, seed: int = 0) -> None:
        self.events: list[AnyEvent] = []
        self.cancel = CancelToken()
        self.context = JobContext(
            project=project,
            run_id="r",
            run_dir=project.folder,
            device="cpu",
            seed=seed,
            resume=False,
            emit=self.events.append,
            cancel=self.cancel,
            save_checkpoint=threading.Event(),
        )


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = make_cell_project(tmp_path / "study")
    yield made
    made.close()


def test_that_a_set_is_written_with_previews_and_counts(project: Project) -> None:
    stage = Stage(project)
    result = run(ComposeSettings(set_name="first", count=7, composition=SMALL), stage.context)
    folder = project.set_folder("first")
    assert len(list((folder / "images").iterdir())) == result.n_images == 7
    assert result.project_state == project.training_state()
    assert set(result.n_objects) <= {"round", "large"}
    assert sum(result.n_objects.values()) > 0
    assert [event.caption for event in stage.events if isinstance(event, PreviewReady)] == [
        "First images",
        "Last images",
    ]
    assert any(isinstance(event, Progress) and event.done == event.total == 7 for event in stage.events)
    assert not any(isinstance(event, WarningRaised) for event in stage.events)


@pytest.mark.parametrize("workers", [1, 2])
def test_that_workers_do_not_change_the_bytes(project: Project, workers: int) -> None:
    alone = run(ComposeSettings(set_name="alone", count=10, composition=SMALL, seed=3), Stage(project).context)
    settings = ComposeSettings(set_name="together", count=10, composition=SMALL, seed=3, workers=workers)
    together = run(settings, Stage(project).context)
    assert together.sha256 == alone.sha256


def test_that_a_cancelled_job_leaves_nothing_behind(project: Project) -> None:
    stage = Stage(project)
    stage.cancel.request()
    with pytest.raises(Cancelled):
        run(ComposeSettings(set_name="first", count=7, composition=SMALL), stage.context)
    assert list((project.folder / "sets").iterdir()) == []


def test_that_a_complete_set_without_a_row_is_written_anew(project: Project) -> None:
    settings = ComposeSettings(set_name="first", count=4, composition=SMALL)
    first = run(settings, Stage(project).context)
    manifest = project.set_folder("first") / MANIFEST_NAME
    manifest.write_text("damaged")
    assert run(settings, Stage(project).context).sha256 == first.sha256
    assert manifest.read_text() != "damaged"


def test_that_a_class_without_size_is_named(tmp_path: Path) -> None:
    project = make_cell_project(tmp_path / "study", with_sizes=False)
    with pytest.raises(UserError, match='"round" has no size') as caught:
        run(ComposeSettings(count=4, composition=SMALL), Stage(project).context)
    assert "size" in caught.value.hint
    project.close()


def test_that_test_images_never_give_patches(tmp_path: Path) -> None:
    project = make_cell_project(tmp_path / "study", splits=(Split.TEST, Split.VAL, Split.TRAIN))
    train = {fov.id for fov in project.fovs.list(split=Split.TRAIN)}
    assert {fov.id for fov in list_train_fovs(project)} == train
    run(ComposeSettings(set_name="first", count=8, composition=SMALL), Stage(project).context)
    lines = (project.set_folder("first") / MANIFEST_NAME).read_text()
    others = {fov.id for fov in project.fovs.list()} - train
    assert not any(f'"source_fovs":[{fov_id}' in lines or f",{fov_id}]" in lines for fov_id in others)
    project.close()


@pytest.mark.parametrize(("splits", "n_train"), [((None, None, None), 3), ((None, None, Split.TRAIN), 1)])
def test_that_images_without_a_split_count_as_train_only_where_none_has_one(
    tmp_path: Path, splits: tuple[Split | None, ...], n_train: int
) -> None:
    project = make_cell_project(tmp_path / "study", splits=splits)
    assert len(list_train_fovs(project)) == n_train
    project.close()


def test_that_a_project_without_training_images_is_told_so(tmp_path: Path) -> None:
    project = make_cell_project(tmp_path / "study", splits=(Split.TEST,) * 3)
    with pytest.raises(UserError, match="no training images"):
        run(ComposeSettings(count=4, composition=SMALL), Stage(project).context)
    project.close()


def test_that_a_rejected_annotation_is_in_no_image_and_the_set_depends_on_it(project: Project) -> None:
    first = run(ComposeSettings(set_name="first", count=6, composition=SMALL), Stage(project).context)
    rejected = {mark.id for marks in project.annotations.by_fov().values() for mark in marks[:4]}
    project.patch_verdicts.reject(rejected)
    second = run(ComposeSettings(set_name="second", count=6, composition=SMALL), Stage(project).context)
    assert second.project_state == project.training_state() != first.project_state
    lines = (project.set_folder("second") / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    used = {item["annotation"] for line in lines for item in json.loads(line)["objects"]}
    assert used
    assert not used & rejected
    headers = [json.loads((project.set_folder(name) / "set.json").read_bytes()) for name in ("first", "second")]
    assert headers[0]["patches_sha256"] != headers[1]["patches_sha256"]
    project.patch_verdicts.restore(rejected)
    assert project.training_state() == first.project_state


def test_that_the_bytes_are_the_same_after_the_project_moved(project: Project, tmp_path: Path) -> None:
    chosen = ComposeSettings(set_name="set", count=6, composition=SMALL, seed=5)
    first = run(chosen, Stage(project).context)
    moved_to = tmp_path / "elsewhere" / "ünïcode place"
    for path in tmp_path.iterdir():
        if path.name != "elsewhere":
            target = moved_to / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(path, target) if path.is_dir() else shutil.copy(path, target)
    moved = Project.open(moved_to / "study")
    try:
        shutil.rmtree(moved.set_folder("set"))
        again = run(chosen, Stage(moved).context)
    finally:
        moved.close()
    assert again.sha256 == first.sha256


def test_that_images_know_the_size_of_their_pixels_where_the_sources_agree(project: Project) -> None:
    fovs = project.fovs.list()
    project.fovs.set_calibration([fov.id for fov in fovs], 0.25)
    stage = Stage(project)
    run(ComposeSettings(set_name="one", count=1, composition=SMALL, patches=PatchSettings(scale=0.5)), stage.context)
    header = json.loads((project.set_folder("one") / HEADER_NAME).read_text())
    assert header["um_per_px"] == 0.5
    assert not any(isinstance(event, WarningRaised) for event in stage.events)
    project.fovs.set_calibration([fovs[0].id], 0.1)
    stage = Stage(project)
    run(ComposeSettings(set_name="two", count=1, composition=SMALL), stage.context)
    (warning,) = [event for event in stage.events if isinstance(event, WarningRaised)]
    assert "differ in their calibration" in warning.text
    assert json.loads((project.set_folder("two") / HEADER_NAME).read_text())["um_per_px"] is None


@pytest.mark.parametrize("canvas", ["emptied", "black"])
def test_that_whole_fields_in_another_format_are_written_and_verified(
    project: Project, canvas: Literal["emptied", "black"]
) -> None:
    wide = CompositionSettings(canvas_px=300, canvas_height_px=200, n_objects_min=20, n_objects_max=40, canvas=canvas)
    chosen = ComposeSettings(set_name="wide", count=3, format="webp", masks=True, composition=wide)
    stage = Stage(project)
    result = run(chosen, stage.context)
    bank = build_project_bank(project, chosen.patches, with_plates=wide.needs_plates)
    composer = Composer(bank, wide, seed=chosen.seed)
    assert verify_set(project.set_folder("wide"), composer, manifest_sha256=result.sha256) == []
    assert len(list((project.set_folder("wide") / "masks").iterdir())) == 3


@pytest.mark.parametrize("image_format", ["png", "jpeg", "webp"])
def test_that_a_set_of_any_format_is_read_and_exported(
    project: Project, tmp_path: Path, image_format: Literal["png", "jpeg", "webp"]
) -> None:
    add_set(project, ComposeSettings(set_name="made", count=4, format=image_format, composition=SMALL))
    fovs, marks = list_set_images(project, "made")
    assert [read_image(Path(fov.path)).shape for fov in fovs] == [(96, 96, 3)] * 4
    WRITERS["yolo"](ExportData(fovs, marks, project.classes.list()), tmp_path / "out")
    copied = sorted(path for path in (tmp_path / "out" / "images").rglob("*.*") if path.is_file())
    assert len(copied) == len(fovs)
    for path, fov in zip(copied, fovs, strict=True):
        np.testing.assert_array_equal(read_image(path), read_image(Path(fov.path)))
