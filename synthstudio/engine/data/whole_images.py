"""Real images that stand beside images made from prompts: whole FOVs that show the class, and the guide images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from synthstudio.core.imaging import read_or_open
from synthstudio.core.synthesis.guide_crops import guide_window
from synthstudio.core.synthesis.square_crops import cut_square
from synthstudio.domain.guides import GuideSet
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Box, FieldOfView, Split
from synthstudio.engine.data.measured_images import ImageFacts, MeasuredImage, Wanted, through_codec, tone_name
from synthstudio.project import Project
from synthstudio.project.guide_material import list_guide_crops
from synthstudio.project.image_labels import image_labels_by_fov
from synthstudio.project.patches import list_train_fovs
from synthstudio.project.tones import find_tone_scale


def read_class_images(
    project: Project, class_name: str, *, split: Split, side: int, wanted: Wanted, tick: Tick
) -> Iterator[MeasuredImage]:
    """Read the middle squares of a split's FOVs that show a class, by an annotation or by the label of the image.

    Raises:
        UserError: One cannot be read.
    """
    class_ids = {each.id for each in project.classes.list() if each.name == class_name}
    marks, labels = project.annotations.by_fov(), image_labels_by_fov(project)
    fovs = list_train_fovs(project) if split is Split.TRAIN else project.fovs.list(split=split)
    showing = [
        fov
        for fov in fovs
        if any(mark.class_id in class_ids for mark in marks.get(fov.id, []))
        or any(labels.get(fov.id, {}).get(each, False) for each in class_ids)
    ]
    squares = [(fov, None) for fov in showing if wanted.has(fov.id)]
    yield from _read_squares(project, squares, class_name, side=side, wanted=wanted, tick=tick)


def read_guide_images(
    project: Project, guide_set: GuideSet | None, class_name: str, *, side: int, wanted: Wanted, tick: Tick
) -> Iterator[MeasuredImage]:
    """Read the guide images that a training learned from; the middle squares of their FOVs where the set is gone.

    Raises:
        UserError: One cannot be read.
    """
    squares: list[tuple[FieldOfView, Box | None]]
    if guide_set is not None:
        squares = [(crop.fov, crop.guide.box) for crop in list_guide_crops(project, guide_set)]
    else:
        squares = [(fov, None) for fov in project.fovs.list()]
    chosen = [(fov, box) for fov, box in squares if wanted.has(fov.id)]
    yield from _read_squares(project, chosen, class_name, side=side, wanted=wanted, tick=tick)


def _read_squares(
    project: Project,
    squares: list[tuple[FieldOfView, Box | None]] | list[tuple[FieldOfView, None]],
    class_name: str,
    *,
    side: int,
    wanted: Wanted,
    tick: Tick,
) -> Iterator[MeasuredImage]:
    tones = find_tone_scale(project)
    chosen = wanted.choose(squares)
    for done, (fov, box) in enumerate(chosen):
        tick(done, len(chosen))
        window = guide_window(fov, box)
        image = cut_square(read_or_open(Path(fov.path), page=fov.page), window, side=side, name=fov.name)
        facts = ImageFacts(
            fov.sample_id,
            frozenset({class_name}),
            tone=tone_name(tones, fov.tone or 0),
            fov_id=fov.id,
            fov_name=fov.name,
            window=window,
        )
        yield through_codec(image, wanted.files), facts
    tick(len(chosen), max(1, len(chosen)))
