"""What is off with a guide set, before hours are spent on learning from it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from synthstudio.core.review.image_facts import ImageFacts, take_facts
from synthstudio.core.review.near_duplicates import find_same_pictures
from synthstudio.core.synthesis.guide_crops import guide_window, read_guide
from synthstudio.core.synthesis.prompts import MAX_TOKENS, estimate_tokens, has_words
from synthstudio.domain.errors import UserError
from synthstudio.domain.guides import GuideImage, GuideSet
from synthstudio.domain.ids import GuideId
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import FieldOfView, Split
from synthstudio.settings.quality import ImageLimits, Severity

LEAST_IMAGES = 10
"""So many images cover a condition in the published recipe (Kularathne et al. 2024)."""

LOOK_PX = 256
"""Side at which guide images are compared with one another."""

LONG_SHARE = 1.5
"""Of an image whose longer side is more than so many times the shorter one, the middle square leaves out much."""

GuideProblemKind = Literal[
    "no-class", "no-identifier", "unknown-class", "few-images", "test-split", "unreadable", "no-caption",
    "no-identifier-in-caption", "no-class-in-caption", "long-caption", "small", "long-side", "same-picture",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class GuideProblem:
    """One thing that is off.

    Attributes:
        message: One sentence, with what to do about it.
        guides: The images that it is about; empty for the set as a whole.
    """

    kind: GuideProblemKind
    severity: Severity
    message: str
    guides: tuple[GuideId, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class GuideLook:
    """A guide image that was looked at.

    Attributes:
        facts: Of the square that it shows; None where it cannot be read.
        trouble: Why it cannot be read.
    """

    guide: GuideImage
    fov: FieldOfView
    facts: ImageFacts | None
    trouble: str = ""


def look_at_guide(guide: GuideImage, fov: FieldOfView) -> GuideLook:
    """Read what a guide image shows; a file that cannot be read becomes a trouble."""
    try:
        return GuideLook(guide, fov, take_facts(read_guide(fov, guide.box, side=LOOK_PX)))
    except UserError as error:
        return GuideLook(guide, fov, None, error.message)


def check_guides(
    guide_set: GuideSet,
    looks: Sequence[GuideLook],
    *,
    class_names: Collection[str],
    side: int = 512,
    limits: ImageLimits | None = None,
    tick: Tick = no_tick,
) -> list[GuideProblem]:
    """Return what is off, worst first.

    Args:
        guide_set: The set.
        looks: At its images, in its order.
        class_names: The classes of the project.
        side: Of the square that is learned from, in px.
        limits: From when on two images show the same picture.
        tick: Is told about the comparisons.
    """
    found = [
        *_check_set(guide_set, looks, class_names),
        *_check_images(looks, side),
        *_check_captions(guide_set, looks),
        *_check_same(looks, limits or ImageLimits(), tick),
    ]
    order = ("error", "warning", "note")
    return sorted(found, key=lambda each: order.index(each.severity))


def _check_set(guide_set: GuideSet, looks: Sequence[GuideLook], class_names: Collection[str]) -> Iterator[GuideProblem]:
    if not guide_set.class_name:
        yield GuideProblem("no-class", "error", "The set has no class name: say what its images show.")
    elif guide_set.class_name not in class_names:
        yield GuideProblem(
            "unknown-class",
            "note",
            f'The project has no class "{guide_set.class_name}": made images get it as their label, so add it, or name'
            " another class, before images are made.",
        )
    if not guide_set.identifier:
        yield GuideProblem(
            "no-identifier",
            "warning",
            'The set has no identifier: choose a rare word, such as "zxq", that stands for what is learned.',
        )
    if len(looks) < LEAST_IMAGES:
        yield GuideProblem(
            "few-images",
            "warning",
            f"The set has {len(looks)} images: about {LEAST_IMAGES} that cover all forms of the condition are enough.",
        )


def _check_images(looks: Sequence[GuideLook], side: int) -> Iterator[GuideProblem]:
    if tests := [each for each in looks if each.fov.split is Split.TEST]:
        yield _about(
            tests, "test-split", "error", "of the test split, which no training takes. Remove them from the set."
        )
    for look in looks:
        if look.trouble:
            yield GuideProblem("unreadable", "error", look.trouble, (look.guide.id,))
    sides = {each.guide.id: guide_window(each.fov, each.guide.box).side for each in looks}
    if small := [each for each in looks if sides[each.guide.id] < side]:
        least = min(sides[each.guide.id] for each in small)
        yield _about(
            small,
            "small",
            "warning",
            f"smaller than the {side} px that are learned from, down to {least} px. Enlarged images teach blur.",
        )
    whole = [each for each in looks if each.guide.box is None]
    if long := [each for each in whole if _aspect(each.fov) > LONG_SHARE]:
        yield _about(
            long,
            "long-side",
            "note",
            "far from square, and only the middle square is learned from. Add a crop around what matters instead.",
        )


def _check_captions(guide_set: GuideSet, looks: Sequence[GuideLook]) -> Iterator[GuideProblem]:
    if missing := [each for each in looks if not each.guide.caption]:
        yield _about(
            missing,
            "no-caption",
            "warning",
            f'no caption, so that "{guide_set.subject}" alone stands for what is seen.',
        )
    written = [each for each in looks if each.guide.caption]
    if lacking := [each for each in written if not has_words(each.guide.caption, guide_set.identifier)]:
        yield _about(
            lacking,
            "no-identifier-in-caption",
            "warning",
            f'the caption lacks the identifier "{guide_set.identifier}", so that nothing is learned under it.',
        )
    if lacking := [each for each in written if not has_words(each.guide.caption, guide_set.class_name)]:
        yield _about(
            lacking, "no-class-in-caption", "warning", f'the caption lacks the class name "{guide_set.class_name}".'
        )
    if long := [each for each in written if estimate_tokens(each.guide.caption) > MAX_TOKENS]:
        yield _about(
            long,
            "long-caption",
            "warning",
            f"the caption has more than about {MAX_TOKENS} tokens, and what lies beyond is not read. Shorten it.",
        )


def _check_same(looks: Sequence[GuideLook], limits: ImageLimits, tick: Tick) -> Iterator[GuideProblem]:
    seen = [(each, each.facts) for each in looks if each.facts is not None]
    groups = find_same_pictures(
        [facts for _, facts in seen], hash_distance=limits.hash_distance, correlation=limits.correlation, tick=tick
    )
    for group in groups:
        members = [seen[number][0] for number in group.members]
        how = "the same" if group.is_exact else "nearly the same"
        yield _about(
            members,
            "same-picture",
            "warning",
            f"{how} picture, which would be learned by heart. Keep one of them.",
        )


def _about(looks: Sequence[GuideLook], kind: GuideProblemKind, severity: Severity, what: str) -> GuideProblem:
    """A problem of some images: the first by name, how many more, and what."""
    names = looks[0].fov.name if len(looks) == 1 else f"{looks[0].fov.name} and {len(looks) - 1} more"
    return GuideProblem(kind, severity, f"{names}: {what}", tuple(each.guide.id for each in looks))


def _aspect(fov: FieldOfView) -> float:
    return max(fov.width, fov.height) / min(fov.width, fov.height)
