"""What is off with a guide set."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from synthstudio.core.imaging import ImageArray
from synthstudio.core.review.guide_checks import GuideLook, GuideProblem, check_guides
from synthstudio.core.review.image_facts import take_facts
from synthstudio.domain.guides import GuideImage, GuideSet
from synthstudio.domain.ids import FovId, GuideId, SampleId
from synthstudio.domain.records import AnnotationState, Box, FieldOfView, Split, Storage

GOOD = "a photo of zxq rash, red in colour"


def photograph(number: int, *, width: int = 600, height: int = 600, split: Split | None = Split.TRAIN) -> FieldOfView:
    return FieldOfView(
        id=FovId(number),
        sample_id=SampleId(number),
        sample_name=f"s{number}",
        split=split,
        name=f"{number}.png",
        path=f"/nowhere/{number}.png",
        storage=Storage.REFERENCE,
        sha256=str(number),
        width=width,
        height=height,
        um_per_px=None,
        tone=None,
        state=AnnotationState.NONE,
    )


def picture(number: int) -> ImageArray:
    """Blobs that no other number has."""
    rng = np.random.default_rng(number)
    return np.kron(rng.integers(0, 255, (8, 8, 3), np.uint8), np.ones((32, 32, 1), np.uint8))


def look(number: int, caption: str = GOOD, *, fov: FieldOfView | None = None, box: Box | None = None) -> GuideLook:
    guide = GuideImage(GuideId(number), FovId(number), box, caption)
    return GuideLook(guide, fov or photograph(number), take_facts(picture(number)))


def problems(looks: Sequence[GuideLook], **changes: str) -> list[GuideProblem]:
    guide_set = replace(GuideSet("ten", "rash", "zxq", tuple(each.guide for each in looks)), **changes)
    return check_guides(guide_set, looks, class_names=["rash"])


TEN = [look(number) for number in range(1, 11)]


def test_that_ten_good_images_raise_no_problem() -> None:
    assert problems(TEN) == []


@pytest.mark.parametrize(
    ("odd", "kind"),
    [
        (look(11, ""), "no-caption"),
        (look(11, "a photo of rash"), "no-identifier-in-caption"),
        (look(11, "a photo of zxq"), "no-class-in-caption"),
        (look(11, f"{GOOD} {'very ' * 80}"), "long-caption"),
        (look(11, fov=photograph(11, width=600, height=400)), "small"),
        (look(11, box=Box(0, 0, 200, 100)), "small"),
        (look(11, fov=photograph(11, width=1600, height=600)), "long-side"),
        (look(11, fov=photograph(11, split=Split.TEST)), "test-split"),
        (
            GuideLook(GuideImage(GuideId(11), FovId(11), None, GOOD), photograph(11), None, "11.png is gone."),
            "unreadable",
        ),
    ],
)
def test_that_each_kind_of_problem_names_its_image(odd: GuideLook, kind: str) -> None:
    (found,) = problems([*TEN, odd])
    assert found.kind == kind
    assert found.guides == (odd.guide.id,)
    assert "11.png" in found.message


def test_that_the_same_picture_is_found_as_it_is_turned_and_brightened() -> None:
    again = replace(TEN[0], guide=GuideImage(GuideId(11), FovId(11), None, GOOD), fov=photograph(11))
    (found,) = problems([*TEN, again])
    assert (found.kind, found.guides) == ("same-picture", (1, 11))
    assert "the same picture" in found.message
    changed = np.clip(np.rot90(picture(1)).astype(np.float64) * 0.8 + 20, 0, 255).astype(np.uint8)
    (found,) = problems([*TEN, replace(again, facts=take_facts(changed))])
    assert "nearly the same picture" in found.message


def test_that_a_set_says_what_it_lacks_as_a_whole_and_worst_comes_first() -> None:
    found = problems(TEN[:3], class_name="", identifier="")
    assert [each.kind for each in found] == ["no-class", "no-identifier", "few-images"]
    assert all(not each.guides for each in found)


def test_that_a_class_unknown_to_the_project_is_a_note() -> None:
    looks = [replace(each, guide=replace(each.guide, caption="zxq wart")) for each in TEN]
    (found,) = problems(looks, class_name="wart")
    assert (found.kind, found.severity) == ("unknown-class", "note")
    assert "before images are made" in found.message  # they are refused without it
