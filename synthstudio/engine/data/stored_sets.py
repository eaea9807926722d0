"""Images of a stored set as training material: which of them may be used, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from pydantic import ValidationError
from typing_extensions import override

from synthstudio.core.imaging import sha256_of_file
from synthstudio.core.review.verdicts import find_outcomes
from synthstudio.core.synthesis.set_header import SetHeader, read_set_header
from synthstudio.core.training.crops import MarkedImage
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId
from synthstudio.domain.records import (
    Annotation,
    FieldOfView,
    Generator,
    ReviewRule,
    Split,
)
from synthstudio.domain.scale import WorkingScale
from synthstudio.engine.data.fields import MarkedReader
from synthstudio.engine.data.material import Material
from synthstudio.project import Project
from synthstudio.project.reviewed_sets import find_usable, index_of
from synthstudio.project.set_images import list_set_images, list_set_sources
from synthstudio.settings.compose import ComposeSettings


@dataclass(frozen=True, slots=True)
class StoredImages:
    """Images of a set that may be trained on.

    Attributes:
        fovs: The images as FOVs, with ids of the set alone.
        annotations: Boxes of their labelled objects.
        scale: What brings them to the working scale of the training.
        n_validation: How many of them show something of an image that validates the training.
        review: What their reviewers have left out, in words; empty for nothing.
    """

    fovs: Sequence[FieldOfView]
    annotations: Mapping[FovId, Sequence[Annotation]]
    scale: WorkingScale
    n_validation: int
    review: str = ""


class StoredReader(MarkedReader):
    """Reads images of a set, and makes sure that they are what was written."""

    @override
    def read(self, fov: FieldOfView) -> MarkedImage:
        """As for an FOV. Raises UserError also where the file was changed."""
        if sha256_of_file(Path(fov.path)) != fov.sha256:
            raise UserError(f"{fov.path} is not the image that was written.", "Compose the set again.")
        return super().read(fov)


def stored_state(project: Project, name: str) -> str:
    """All of a set that a training on it depends on, as text. Raises NotFound where there is no such set."""
    outcomes = find_outcomes(project.verdicts.list(name))
    return f"{project.sets.get(name).manifest_sha256} {sorted((index, str(each)) for index, each in outcomes.items())}"


def choose_stored_images(
    project: Project, name: str, material: Material, *, min_visible: float, side: int, review: ReviewRule = "accepted"
) -> StoredImages:
    """Choose the images of a set that its reviewers leave for use; see `choose_usable`.

    An image that a generator has made is a crop already, without a scale: it is brought whole to the training's crops.

    Args:
        project: Where the set is.
        name: Of the set.
        material: Of the training.
        min_visible: Share of an object that must be seen for it to count.
        side: Of the training's crops in px.
        review: Which images may be used.

    Raises:
        NotFound: There is no such set.
        UserError: It shows something of the test split, its reviewers leave no image, its files are damaged, or its
            scale and that of the training cannot be compared.
    """
    record = project.sets.get(name)
    sources = list_set_sources(project, name)
    is_generated = record.generator is not Generator.COMPOSITED
    _refuse_test_images(project, name, sources, is_generated=is_generated)
    fovs, annotations = list_set_images(project, name, min_visible=min_visible)
    usable = find_usable(project, name, [index_of(fov.id) for fov in fovs], review)
    kept = [fov for fov in fovs if index_of(fov.id) in usable.indices]
    if not kept:
        raise UserError(
            f"No image of the set {name} may be used, so there is nothing to train on. {usable.describe(name)}",
            "Accept images of it in Review, choose another set, or train on all that are not rejected.",
        )
    validation = {fov.id for fov in material.validation}
    return StoredImages(
        fovs=kept,
        annotations=annotations,
        scale=WorkingScale(whole_px=side)
        if is_generated or material.scale.whole_px
        else _scale_between(read_set_header(project.set_folder(record.name)), record.name, material.scale),
        n_validation=sum(not validation.isdisjoint(sources[fov.id]) for fov in kept),
        review=usable.describe(name),
    )


def _refuse_test_images(
    project: Project, name: str, sources: Mapping[FovId, frozenset[FovId]], *, is_generated: bool
) -> None:
    locked = {fov.id for fov in project.fovs.list(split=Split.TEST)}
    n_images = sum(not locked.isdisjoint(each) for each in sources.values())
    if n_images and is_generated:
        raise UserError(
            f"{n_images} of the {len(sources)} images of the set {name} were made by a generator that has learned from"
            " images of the test split, or upon such an image; on these nothing is ever trained.",
            "Train the generator again, on the training images of today, and write the set anew.",
        )
    if n_images:
        n_fovs = len(locked.intersection(chain.from_iterable(sources.values())))
        raise UserError(
            f"{n_images} of the {len(sources)} images of the set {name} show something of the test split ({n_fovs} of"
            " its images), on which nothing is ever trained.",
            "Compose the set again, from the training images of today.",
        )


def _compose_settings(header: SetHeader, name: str) -> ComposeSettings:
    """Of the composites, also where they were enlarged since."""
    try:
        return ComposeSettings.model_validate(header.values.get("settings"))
    except ValidationError as error:
        raise UserError(
            f"The set {name} was made by another version of SynthStudio, or not by compositing.",
            "Compose it again.",
        ) from error


def _scale_between(header: SetHeader, name: str, wanted: WorkingScale) -> WorkingScale:
    """What brings images of a set, whose pixel size may be known, to the working scale of the training."""
    own = _compose_settings(header, name).patches.working_scale
    if wanted.um_per_px and header.um_per_px:
        return wanted
    if wanted.um_per_px or own.um_per_px:
        raise UserError(
            f"The set {name} was made at a scale of {own}, and the training wants {wanted}.",
            "Give both a pixel size of the working scale, or neither.",
        )
    return WorkingScale(wanted.factor / (own.factor * header.enlargement))
