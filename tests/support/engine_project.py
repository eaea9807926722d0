"""A small project with drawn images, and a context that collects events, for tests of engine jobs."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from synthstudio.core.imaging import sha256_of_file, write_png
from synthstudio.domain.errors import Cancelled
from synthstudio.domain.ids import AnnotationId, FovId, RunId
from synthstudio.domain.records import (
    Annotation,
    AnnotationState,
    Box,
    ObjectClass,
    RunStatus,
    Split,
    Storage,
)
from synthstudio.engine.context import CancelToken, JobContext
from synthstudio.project import Project
from synthstudio.project.runs import new_run_id
from synthstudio.protocol.messages import AnyEvent, MetricLogged, WarningRaised

SIDE = 96
DISC_PX, SQUARE_PX = 18.0, 14.0


def _draw(rng: np.random.Generator) -> tuple[np.ndarray, list[tuple[str, float, float, float]]]:
    """Dark red discs and blue squares on a bright, noisy ground, at most one to a cell of a 3 x 3 grid."""
    image = np.full((SIDE, SIDE, 3), (205, 203, 198), np.float64) + rng.normal(0, 2, (SIDE, SIDE, 3))
    rows, columns = np.mgrid[:SIDE, :SIDE] + 0.5
    marks = []
    for cell in range(9):
        kind = int(rng.integers(0, 4))
        x, y = (cell % 3) * 32 + 16 + rng.uniform(-5, 5), (cell // 3) * 32 + 16 + rng.uniform(-5, 5)
        if kind == 0:
            image[np.hypot(columns - x, rows - y) <= DISC_PX / 2] *= (0.75, 0.4, 0.4)
            marks.append(("disc", x, y, DISC_PX))
        elif kind == 1:
            inside = (abs(columns - x) <= SQUARE_PX / 2) & (abs(rows - y) <= SQUARE_PX / 2)
            image[inside] *= (0.4, 0.45, 0.8)
            marks.append(("square", x, y, SQUARE_PX))
    return np.clip(image, 0, 255).astype(np.uint8), marks


UM_PER_PX = 0.4
"""Of the FOVs of a calibrated project that are not magnified."""


def build_engine_project(
    folder: Path,
    *,
    n_train: int = 8,
    n_val: int = 4,
    n_test: int = 4,
    with_boxes: bool = True,
    magnifications: tuple[int, ...] = (),
) -> Project:
    """Make a project of small drawn FOVs, one sample each, all annotated exhaustively.

    Args:
        magnifications: Taken in turns: how many times each FOV is enlarged. Then all are calibrated.
    """
    project = Project.create(folder / "project")
    rng = np.random.default_rng(7)
    classes: dict[str, ObjectClass] = {
        name: project.classes.add(name, size_um=size * UM_PER_PX)
        if magnifications
        else project.classes.add(name, size_px=size)
        for name, size in (("disc", DISC_PX), ("square", SQUARE_PX))
    }
    splits = [Split.TRAIN] * n_train + [Split.VAL] * n_val + [Split.TEST] * n_test
    for number, split in enumerate(splits):
        image, marks = _draw(rng)
        times = magnifications[number % len(magnifications)] if magnifications else 1
        if times != 1:
            image = image.repeat(times, axis=0).repeat(times, axis=1)
            marks = [(name, x * times, y * times, size * times) for name, x, y, size in marks]
        path = folder / "images" / f"{number:02d}.png"
        path.parent.mkdir(exist_ok=True)
        write_png(path, image)
        fov_id = project.fovs.add(
            sample_id=project.samples.get_or_add(f"s{number}", split=split).id,
            name=path.name,
            stored_path=str(path),
            storage=Storage.REFERENCE,
            sha256=sha256_of_file(path),
            width=SIDE * times,
            height=SIDE * times,
            um_per_px=UM_PER_PX / times if magnifications else None,
            state=AnnotationState.EXHAUSTIVE,
        )
        project.annotations.add([_annotation(fov_id, classes, mark, with_boxes=with_boxes) for mark in marks])
    return project


def _annotation(
    fov_id: FovId, classes: dict[str, ObjectClass], mark: tuple[str, float, float, float], *, with_boxes: bool
) -> Annotation:
    name, x, y, size = mark
    box = Box(x - size / 2, y - size / 2, x + size / 2, y + size / 2) if with_boxes else None
    return Annotation(AnnotationId(0), fov_id, classes[name].id, x, y, box)


class RecordingContext(JobContext):
    """A context that keeps its events, and cancels by itself at `stop_at`, a pair of (done, total)."""

    def __init__(self, project: Project, kind: str, *, seed: int = 0, run_dir: Path | None = None) -> None:
        self.events: list[AnyEvent] = []
        self.stop_at: tuple[int, int] | None = None
        run_id = new_run_id(kind) if run_dir is None else RunId(run_dir.name)
        folder = project.run_folder(run_id)
        if run_dir is None:
            folder.mkdir(parents=True)
            project.runs.add(run_id, kind=kind, title=kind, settings_json="{}")
        super().__init__(
            project=project,
            run_id=run_id,
            run_dir=folder,
            device="cpu",
            seed=seed,
            resume=run_dir is not None,
            emit=self.events.append,
            cancel=CancelToken(),
            save_checkpoint=threading.Event(),
        )

    def tick(self, done: int, total: int) -> None:
        """As the real one; raises Cancelled at the step and total of `stop_at`."""
        super().tick(done, total)
        if (done, total) == self.stop_at:
            raise Cancelled

    def finish(self) -> None:
        """Record that the run ended well, as the host does."""
        self.project.runs.set_ended(RunId(self.run_id), RunStatus.FINISHED)

    def metrics(self, name: str) -> list[tuple[int, float]]:
        """Logged (step, value) pairs of a name."""
        return [(each.step, each.value) for each in self.events if isinstance(each, MetricLogged) and each.name == name]

    @property
    def warnings(self) -> list[str]:
        return [each.text for each in self.events if isinstance(each, WarningRaised)]
