"""The compose job, run as the engine runs it, in this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthstudio.core.synthesis.manifest import MANIFEST_NAME
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.records import Split
from synthstudio.engine.context import CancelToken, JobContext
from synthstudio.engine.jobs.compose import run
from synthstudio.project import Project
from synthstudio.project.patches import list_train_fovs
from synthstudio.protocol.messages import AnyEvent, PreviewReady, Progress, WarningRaised
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from tests.support.cell_projects import make_cell_project

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
