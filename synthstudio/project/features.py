"""Features of pictures: kept in the project's folder by what the pictures are, computed for what has changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synthstudio.core.evaluation.descriptor import DESCRIPTOR_NAME, SIDE_PX, describe_images
from synthstudio.core.evaluation.feature_store import FeatureStore
from synthstudio.core.evaluation.lone_objects import cut_lone_object
from synthstudio.core.evaluation.similar import FeatureRows
from synthstudio.core.imaging import (
    ImageArray,
    ImageSource,
    read_image_size,
    read_or_open,
    read_overview,
    sha256_of_file,
)
from synthstudio.core.synthesis.square_crops import cut_square
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId, SampleId
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import AnnotationState, FieldOfView, Storage
from synthstudio.project.pictures import Picture, by_image
from synthstudio.project.project import Project

FEATURES_FOLDER = "features"
BATCH = 16
KEEP_INTERVAL_S = 30.0
"""So much work is lost at most where a process is killed."""
_OVERVIEW_PX = 1024
"""Longer side at which an image is described that is too large to be held."""

Extract = Callable[[Sequence[ImageArray]], FeatureRows]
"""Describes a few images, `(H, W, 3)` uint8 RGB of any size, as `(N, D)`."""


@dataclass(frozen=True, slots=True)
class Describer:
    """What makes features.

    Attributes:
        extract: Does it.
        name: What it is, for the user.
        sha256: Of its file; empty for the built-in descriptor.
        side_px: Pictures are handed over as squares of about this side at most.
    """

    extract: Extract
    name: str
    sha256: str = ""
    side_px: int = SIDE_PX


def _built_in(images: Sequence[ImageArray]) -> FeatureRows:
    return np.asarray(describe_images(images), np.float32)


BUILT_IN = Describer(_built_in, DESCRIPTOR_NAME)


def features_folder(project: Project) -> Path:
    """Where features are kept."""
    return project.folder / FEATURES_FOLDER


def read_store(project: Project, *, sha256: str = "", name: str = DESCRIPTOR_NAME) -> FeatureStore:
    """Read the features of the built-in descriptor, or of the network whose file has this hash; may be empty."""
    return FeatureStore.read(features_folder(project), sha256, name)


def keep_store(project: Project, store: FeatureStore, *, sha256: str = "") -> None:
    """Write features into the project's folder. Raises UserError where that fails."""
    store.write(features_folder(project), sha256)


def describe_missing(
    pictures: Sequence[Picture], store: FeatureStore, describer: Describer = BUILT_IN, *, tick: Tick = no_tick
) -> list[str]:
    """Describe those pictures that a store does not know yet, and put them there.

    Args:
        pictures: Of any number of images; each image is read once.
        store: Is added to.
        describer: That made the store.
        tick: Counts images, and cancels between two.

    Returns:
        Why images could not be described, one sentence each.
    """
    fresh = list({each.key: each for each in pictures if each.key not in store}.values())
    groups = by_image(fresh)
    failed: list[str] = []
    waiting: list[tuple[Picture, ImageArray]] = []
    for done, group in enumerate(groups):
        tick(done, len(groups))
        try:
            pixels = _read_pictures(group, describer.side_px)
        except UserError as error:
            failed.append(error.message)
            continue
        waiting += zip(group, pixels, strict=True)
        while len(waiting) >= BATCH:
            _describe(waiting[:BATCH], store, describer)
            del waiting[:BATCH]
    if waiting:
        _describe(waiting, store, describer)
    tick(len(groups), max(1, len(groups)))
    return failed


def _describe(batch: Sequence[tuple[Picture, ImageArray]], store: FeatureStore, describer: Describer) -> None:
    store.put([picture.key for picture, _ in batch], describer.extract([pixels for _, pixels in batch]))


def _read_pictures(group: Sequence[Picture], side: int) -> list[ImageArray]:
    """Read the pictures of one image."""
    fov = group[0].fov
    path = Path(fov.path)
    if sha256_of_file(path) != fov.sha256:
        raise UserError(f"{path} is not the file that was recorded.", "Put the original file back.")
    image = read_or_open(path, page=fov.page)
    return [_cut(image, each, side) for each in group]


def _cut(image: ImageArray | ImageSource, picture: Picture, side: int) -> ImageArray:
    window = picture.window
    if window is None:
        return _whole(image)
    side, name = min(side, window.side), picture.fov.name
    if picture.outline is not None:
        return cut_lone_object(image, window, picture.outline, side=side, name=name)
    return cut_square(image, window, side=side, name=name)


def _whole(image: ImageArray | ImageSource) -> ImageArray:
    if not isinstance(image, ImageSource):
        return image
    factor = min(1.0, _OVERVIEW_PX / max(image.width, image.height))
    return read_overview(image, (max(1, round(image.width * factor)), max(1, round(image.height * factor))))


def describe_fovs(project: Project, fovs: Sequence[FieldOfView], *, tick: Tick = no_tick) -> FeatureRows:
    """Features of FOVs as wholes; see `describe_pictures`."""
    return describe_pictures(project, [Picture(fov) for fov in fovs], tick=tick)


def describe_pictures(project: Project, pictures: Sequence[Picture], *, tick: Tick = no_tick) -> FeatureRows:
    """Features of pictures by the built-in descriptor; what is not known yet is computed and kept.

    Needs no engine. A project that is open for reading only keeps nothing.

    Returns:
        `(N, D)`, a row of nan for a picture that cannot be read.

    Raises:
        UserError: The features cannot be written.
    """
    store = read_store(project)
    if project.is_read_only:
        describe_missing(pictures, store, tick=tick)
    else:
        describe_and_keep(project, pictures, store, tick=tick)
    return rows_of(store, pictures)


def describe_and_keep(
    project: Project,
    pictures: Sequence[Picture],
    store: FeatureStore,
    describer: Describer = BUILT_IN,
    *,
    tick: Tick = no_tick,
) -> list[str]:
    """As `describe_missing`; what was described is kept now and then, and also where the work is cancelled.

    Raises:
        UserError: The features cannot be written.
    """
    n_kept, kept_at = len(store), time.monotonic()

    def keep() -> None:
        nonlocal n_kept, kept_at
        if len(store) > n_kept:
            keep_store(project, store, sha256=describer.sha256)
        n_kept, kept_at = len(store), time.monotonic()

    def tick_and_keep(done: int, total: int) -> None:
        if time.monotonic() - kept_at > KEEP_INTERVAL_S:
            keep()
        tick(done, total)

    try:
        return describe_missing(pictures, store, describer, tick=tick_and_keep)
    finally:
        keep()


def rows_of(store: FeatureStore, pictures: Sequence[Picture]) -> FeatureRows:
    """`(N, D)` features of pictures; a row of nan for one that is not described."""
    rows, vectors = store.rows([each.key for each in pictures]), store.vectors()
    found = np.full((len(rows), vectors.shape[1]), np.nan, np.float32)
    found[rows >= 0] = vectors[rows[rows >= 0]]
    return found


def outside_picture(path: Path) -> Picture:
    """An image file that belongs to no project. Raises UserError where it is none."""
    size = read_image_size(path)
    fov = FieldOfView(
        id=FovId(0),
        sample_id=SampleId(0),
        sample_name="",
        split=None,
        name=path.name,
        path=str(path),
        storage=Storage.REFERENCE,
        sha256=sha256_of_file(path),
        width=size[0],
        height=size[1],
        um_per_px=None,
        tone=None,
        state=AnnotationState.NONE,
    )
    return Picture(fov)


def describe_alone(picture: Picture, describer: Describer = BUILT_IN) -> FeatureRows:
    """Features `(D,)` of one picture, which are not kept. Raises UserError where it cannot be read."""
    vectors = describer.extract(_read_pictures([picture], describer.side_px))
    return np.asarray(vectors[0], np.float32)
