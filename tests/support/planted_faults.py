"""Faults of 18 kinds, planted into a sound project whose images are copies: what each check has to find, and where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from synthstudio.core.fields.simulator import SIMULATED_CLASSES, simulate_study
from synthstudio.core.imaging import ImageArray, read_image, sha256_of_file, write_png
from synthstudio.domain.ids import AnnotationId, ClassId, FovId
from synthstudio.domain.records import Annotation, AnnotationSource, AnnotationState, Box, FieldOfView, Split, Storage
from synthstudio.project import Project

N_FLIPPED = 8
"""Objects that get a wrong class."""

CONSEQUENCES = {
    "tiny-box": {"implausible-size"},
    "huge-box": {"implausible-size", "label-suspect"},
    "outside-image": {"label-suspect", "implausible-size"},
    "implausible-size": {"label-suspect"},
    "label-suspect": {"implausible-size"},
    "duplicate-annotation": {"label-suspect"},
    # The one mark of an image that was added lies on nothing.
    **{kind: {"label-suspect"} for kind in ("near-duplicate", "split-leak", "exposure", "blur")},
}
"""What else a fault may be found as, on its own image."""


@dataclass(slots=True)
class Planted:
    """What has been planted.

    Attributes:
        images: Names of the images that each check has to find.
        marks: Ids of the annotations that each check has to find, where it finds annotations.
        classes: Names of the classes that each check has to find.
        sets: Names of the sets that each check has to find.
    """

    images: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    marks: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    classes: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    sets: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @property
    def checks(self) -> set[str]:
        """The kinds of faults."""
        return {*self.images, *self.marks, *self.classes, *self.sets}

    def explains(self, check: str, names: Sequence[str]) -> bool:
        """Whether a finding of a check on these images is planted, or the consequence of what is."""
        kinds = {kind for kind, known in self.images.items() if known & set(names)}
        return check in kinds or any(check in CONSEQUENCES.get(kind, ()) for kind in kinds)


def build_simulated_project(folder: Path, *, n_samples: int = 12, fovs_per_sample: int = 4, seed: int = 5) -> Project:
    """Make a project of simulated sediment with boxes, annotated in full, its images beside it."""
    project = Project.create(folder / "project")
    classes = {each.name: project.classes.add(each.name, role=each.role).id for each in SIMULATED_CLASSES}
    splits = (Split.TRAIN, Split.TRAIN, Split.TRAIN, Split.TEST)
    (folder / "images").mkdir()
    study = simulate_study(n_samples, fovs_per_sample, seed=seed, width=320, height=240, density=1.6)
    for number, fov in enumerate(study):
        fov_id = _store_image(
            project,
            folder / "images" / f"{fov.name}.png",
            fov.image,
            sample=fov.sample,
            split=splits[number // fovs_per_sample % len(splits)],
        )
        marks = [
            Annotation(AnnotationId(0), fov_id, classes[each.class_name], 0.0, 0.0).with_box(each.box)
            for each in fov.objects
        ]
        project.annotations.add([replace(mark, source=AnnotationSource.SIMULATED) for mark in marks])
    return project


def _store_image(project: Project, path: Path, image: ImageArray, *, sample: str, split: Split) -> FovId:
    write_png(path, image)
    return project.fovs.add(
        sample_id=project.samples.get_or_add(sample, split=split).id,
        name=path.name,
        stored_path=str(path),
        storage=Storage.REFERENCE,
        sha256=sha256_of_file(path),
        width=image.shape[1],
        height=image.shape[0],
        state=AnnotationState.EXHAUSTIVE,
    )


def plant_faults(project: Project, *, n_each: int, scratch: Path, spared: set[str]) -> Planted:
    """Plant faults of every kind, each on images of its own.

    Args:
        project: Its image files are changed.
        n_each: Faults of each kind.
        scratch: An empty folder for images that are added.
        spared: Names of images that are left as they are.
    """
    marks = project.annotations.by_fov()
    free = (fov for fov in project.fovs.list() if fov.name not in spared and len(marks.get(fov.id, ())) >= 3)
    planted, some = Planted(), _Some(free, n_each)
    _plant_in_files(planted, some)
    _plant_in_marks(project, planted, some)
    _plant_wrong_classes(project, planted, some)
    _plant_copies(project, planted, some, scratch)
    _plant_bad_takes(project, planted, some, scratch)
    _plant_gaps(project, planted, some)
    return planted


@dataclass(frozen=True, slots=True)
class _Some:
    """Hands out images, each once."""

    free: Iterator[FieldOfView]
    n_each: int

    def take(self, n: int = 0) -> list[FieldOfView]:
        taken = list(islice(self.free, n or self.n_each))
        assert len(taken) == (n or self.n_each), "there are too few images"
        return taken


def _plant_in_files(planted: Planted, some: _Some) -> None:
    def cut_short(path: Path) -> None:
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])

    def invert(path: Path) -> None:
        _write_like(path, 255 - read_image(path))

    def crop(path: Path) -> None:
        _write_like(path, read_image(path)[:-8])

    faults: dict[str, Callable[[Path], None]] = {
        "missing-file": Path.unlink,
        "unreadable-file": cut_short,
        "changed-file": invert,
        "wrong-dimensions": crop,
    }
    for check, spoil in faults.items():
        for fov in some.take():
            spoil(Path(fov.path))
            planted.images[check].add(fov.name)


def _write_like(path: Path, image: ImageArray) -> None:
    """Write an image in the format of its name."""
    encoded, data = cv2.imencode(path.suffix, np.ascontiguousarray(image[..., ::-1]))
    assert encoded
    path.write_bytes(data.tobytes())


def _plant_in_marks(project: Project, planted: Planted, some: _Some) -> None:
    def sides(fov: FieldOfView) -> Box:
        return Box(0, 0, fov.width, fov.height)

    def tiny(box: Box, _: Box) -> Box:
        return Box(box.x0, box.y0, box.x0 + 1.5, box.y1)

    def implausible(box: Box, whole: Box) -> Box:
        x, y = whole.width / 2, whole.height / 2
        half = 0.45 * min(whole.width, whole.height)
        return Box(x - half, y - half, x + half, y + half)

    def beyond(box: Box, whole: Box) -> Box:
        return box.moved(whole.width - box.x0 - box.width / 2, 0)

    changes: dict[str, Callable[[Box, Box], Box]] = {
        "outside-image": beyond,
        "tiny-box": tiny,
        "huge-box": lambda _, whole: whole,
        "implausible-size": implausible,
        "duplicate-annotation": lambda box, _: box.moved(0.2, 0.2),
    }
    frequent = _by_frequency(project)[0]
    for check, change in changes.items():
        for fov in some.take():
            own = [each for each in project.annotations.list(fov.id) if each.box]
            usual = [each for each in own if each.class_id == frequent] or own  # whose sizes are well known
            mark = min(usual, key=lambda each: (each.box.width * each.box.height) if each.box else 0.0)
            assert mark.box is not None
            wrong = mark.with_box(change(mark.box, sides(fov)))
            if check == "duplicate-annotation":
                (wrong,), _ = project.annotations.add([replace(wrong, id=AnnotationId(0))])
            else:
                project.annotations.update([wrong])
            planted.images[check].add(fov.name)
            planted.marks[check].add(wrong.id)


def _plant_wrong_classes(project: Project, planted: Planted, some: _Some) -> None:
    """Give objects of the class that is most frequent the class that is second."""
    frequent, second = _by_frequency(project)[:2]
    n = 0
    while n < N_FLIPPED:
        (fov,) = some.take(1)
        own = [each for each in project.annotations.list(fov.id) if each.class_id == frequent][:2]
        project.annotations.update([replace(each, class_id=second) for each in own])
        planted.marks["label-suspect"] |= {each.id for each in own}
        planted.images["label-suspect"].add(fov.name)
        n += len(own)


def _by_frequency(project: Project) -> list[ClassId]:
    totals = project.annotations.totals()
    return sorted(totals, key=lambda each: -totals[each])


def _plant_copies(project: Project, planted: Planted, some: _Some, scratch: Path) -> None:
    disguises: tuple[Callable[[ImageArray], ImageArray], ...] = (
        lambda image: image,
        lambda image: image[:, ::-1],
        lambda image: np.asarray(image * 0.95, np.uint8),
    )
    held_out = next(fov.split for fov in project.fovs.list() if fov.split not in (None, Split.TRAIN))
    assert held_out is not None
    other = {Split.TRAIN: held_out, held_out: Split.TRAIN}
    for check in ("near-duplicate", "split-leak"):
        for number, fov in enumerate(some.take()):
            assert fov.split is not None
            split = fov.split if check == "near-duplicate" else other.get(fov.split, Split.TRAIN)
            name = f"{check}-{number}.png"
            copy = np.ascontiguousarray(disguises[number](read_image(Path(fov.path))))
            _add(project, scratch / name, copy, split=split)
            planted.images[check] |= {fov.name, name}


def _plant_bad_takes(project: Project, planted: Planted, some: _Some, scratch: Path) -> None:
    takes: dict[str, Callable[[ImageArray], ImageArray]] = {
        "exposure": lambda image: np.asarray(np.ascontiguousarray(image[::-1]) * 0.35, np.uint8),
        "blur": lambda image: np.asarray(cv2.GaussianBlur(np.rot90(image, 2), (0, 0), 7), np.uint8),
    }
    for check, take in takes.items():
        for number, fov in enumerate(some.take()):
            path = Path(fov.path)
            name = f"{check}-{number}.png"
            _add(project, scratch / name, take(read_image(path)), split=fov.split or Split.TRAIN)
            project.fovs.remove([fov.id])  # else the two were the same picture
            planted.images[check].add(name)


def _add(project: Project, path: Path, image: ImageArray, *, split: Split) -> None:
    """Add an image of a sample of its own, with one mark."""
    fov_id = _store_image(project, path, image, sample=f"of {path.stem}", split=split)
    frequent = _by_frequency(project)[0]
    sizes = [each for own in list(project.annotations.by_fov().values())[:20] for each in own if each.box]
    box = next(each.box for each in sizes if each.class_id == frequent)
    assert box is not None
    placed = Box(5, 5, 5 + box.width, 5 + box.height)
    project.annotations.add([Annotation(AnnotationId(0), fov_id, frequent, 0.0, 0.0).with_box(placed)])


def _plant_gaps(project: Project, planted: Planted, some: _Some) -> None:
    for number in range(some.n_each):
        planted.classes["empty-class"].add(project.classes.add(f"never seen {number}").name)
        rare = project.classes.add(f"rare {number}")
        (fov,) = some.take(1)
        x, y = fov.width / 2, fov.height / 2
        box = Box(x, y, x + 20.0 + number, y + 20.0)
        project.annotations.add([Annotation(AnnotationId(0), fov.id, rare.id, 0.0, 0.0).with_box(box)])
        planted.classes["class-missing-in-split"].add(rare.name)
    for fov in some.take():
        project.annotations.remove(project.annotations.list(fov.id))
        project.fovs.set_state(fov.id, AnnotationState.EXHAUSTIVE)
        planted.images["unmarked-image"].add(fov.name)
