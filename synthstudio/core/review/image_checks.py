"""Checks of images as pictures: the same one twice, in two splits, badly exposed, blurred."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from synthstudio.core.review.findings import Finding, FoundImage, found
from synthstudio.core.review.image_facts import ImageFacts
from synthstudio.core.review.near_duplicates import SamePicture, find_same_pictures
from synthstudio.core.review.outliers import robust_deviations
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import FieldOfView
from synthstudio.settings.quality import ImageLimits

LEAST_BRIGHTNESS_SPREAD = 4.0
"""Grey levels that are no difference of exposure."""
LEAST_SHARPNESS_SPREAD = 0.08
"""Likewise of the logarithm of sharpness."""


def find_repeated(
    fovs: Sequence[FieldOfView], facts: Sequence[ImageFacts], limits: ImageLimits, tick: Tick = no_tick
) -> Iterator[Finding]:
    """Find pictures that are there more than once.

    Args:
        fovs: The images.
        facts: Of each of them.
        limits: What counts as the same.
        tick: Is told about the comparisons.
    """
    groups = find_same_pictures(facts, hash_distance=limits.hash_distance, correlation=limits.correlation, tick=tick)
    for group in groups:
        yield _repeated([fovs[number] for number in group.members], group)


def _repeated(fovs: Sequence[FieldOfView], group: SamePicture) -> Finding:
    images = [FoundImage.of(fov) for fov in fovs]
    how = (
        "are equal pixel for pixel"
        if group.is_exact
        else f"show the same picture (correlation {group.correlation:.2f})"
    )
    splits = sorted({fov.split.value for fov in fovs if fov.split})
    if len(splits) > 1:
        return found("split-leak", f"{_count(fovs)} in {_listed(splits)} {how}.", images=images)
    if len({fov.sha256 for fov in fovs}) == 1 and all(fov.page is not None for fov in fovs):
        # Neighbouring planes of one focus stack look alike; that is what a stack is.
        return found("near-duplicate", f"{_count(fovs)} of one stack {how}.", images=images, severity="note")
    samples = {fov.sample_id for fov in fovs}
    where = f"of the sample {fovs[0].sample_name}" if len(samples) == 1 else f"of {len(samples)} samples"
    return found("near-duplicate", f"{_count(fovs)} {where} {how}.", images=images)


def _count(fovs: Sequence[FieldOfView]) -> str:
    return f"{len(fovs)} images"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"


def find_badly_taken(
    fovs: Sequence[FieldOfView], facts: Sequence[ImageFacts], limits: ImageLimits
) -> Iterator[Finding]:
    """Find images that are far brighter, darker or less sharp than the others."""
    brightness = np.array([each.brightness for each in facts], np.float64)
    sharpness = np.array([each.sharpness for each in facts], np.float64)
    by_light = robust_deviations(brightness, floor=LEAST_BRIGHTNESS_SPREAD)
    by_detail = robust_deviations(sharpness, floor=LEAST_SHARPNESS_SPREAD)
    for number, fov in enumerate(fovs):
        image = [FoundImage.of(fov)]
        if abs(by_light[number]) > limits.exposure_deviations:
            how = "brighter" if by_light[number] > 0 else "darker"
            reason = (
                f"Its mean grey level is {brightness[number]:.0f}, that of most images {np.median(brightness):.0f}."
            )
            yield found("exposure", f"{fov.name} is much {how} than the other images. {reason}", images=image)
        if by_detail[number] < -limits.blur_deviations:
            share = np.exp(sharpness[number] - np.median(sharpness))
            yield found("blur", f"{fov.name} has {share:.0%} of the fine contrast of other images.", images=image)
