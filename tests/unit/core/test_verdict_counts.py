"""Counting what reviewers said, by what the images show."""

from synthstudio.core.review.verdict_counts import ImageFacts, count_outcomes, find_groupings
from synthstudio.core.review.verdicts import Outcome
from synthstudio.domain.ids import SetName
from synthstudio.domain.records import Verdict, VerdictKind

IMAGES = (
    ImageFacts(0, ("RBC",), "II", "a red cell", "diffusion"),
    ImageFacts(1, ("RBC", "WBC"), "", "two cells", "diffusion"),
    ImageFacts(2, (), "II", "a red cell", "gan"),
    ImageFacts(3, ("WBC",), "I", "", "gan"),
)


def verdict(index: int, kind: VerdictKind, reason: str = "", reviewer: str = "ann") -> Verdict:
    return Verdict(SetName("made"), index, kind, reason=reason, reviewer=reviewer, created_at="2026-11-22T00:00:00")


VERDICTS = (
    verdict(0, VerdictKind.ACCEPTED),
    verdict(1, VerdictKind.REJECTED, "blurred"),
    verdict(1, VerdictKind.REJECTED, "wrong colour", "ben"),
    verdict(2, VerdictKind.UNSURE, "blurred"),
)


def counted(by: str) -> dict[str, dict[str, int]]:
    groups = count_outcomes(IMAGES, VERDICTS, by=by)  # type: ignore[arg-type]  # one of the literals
    return {group.name: {outcome.value: n for outcome, n in group.counts.items()} for group in groups}


def test_that_an_image_counts_in_each_of_its_classes() -> None:
    assert counted("class") == {
        "RBC": {"accepted": 1, "rejected": 1},
        "WBC": {"rejected": 1, "undecided": 1},
        "none": {"unsure": 1},
    }


def test_that_prompts_stand_in_the_order_of_the_images() -> None:
    assert list(counted("prompt")) == ["a red cell", "two cells", "none"]
    assert counted("prompt")["a red cell"] == {"accepted": 1, "unsure": 1}


def test_that_tones_and_generators_are_counted_each_image_once() -> None:
    for by in ("tone", "generator", "prompt"):
        assert sum(sum(each.values()) for each in counted(by).values()) == len(IMAGES)
    assert list(counted("tone")) == ["I", "II", "none"]
    assert counted("generator")["gan"] == {"unsure": 1, "undecided": 1}


def test_that_reasons_count_the_images_that_got_them() -> None:
    assert counted("reason") == {
        "blurred": {"rejected": 1, "unsure": 1},
        "wrong colour": {"rejected": 1},
        "none": {"accepted": 1},
    }


def test_that_only_groupings_are_offered_that_tell_something() -> None:
    assert find_groupings(IMAGES, VERDICTS) == ("class", "prompt", "tone", "generator", "reason")
    assert find_groupings(IMAGES[3:], ()) == ("class", "tone")
    assert count_outcomes(IMAGES[3:], (), by="class")[0].counts == {Outcome.UNDECIDED: 1}
