"""The answers that a run got wrong, one after the other. No widgets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from synthstudio.core.evaluation.cases import Case, list_cases
from synthstudio.core.evaluation.predictions import read_predictions
from synthstudio.domain.ids import FovId
from synthstudio.domain.records import Box

SPLITS = ("test", "val", "train")
"""In this order; what was held out comes first."""


@dataclass(frozen=True, slots=True)
class WrongAnswer:
    """One crop about which a run was wrong; `threshold` is the probability from which on it says "present"."""

    case: Case
    split: str
    threshold: float

    @property
    def fov_id(self) -> FovId:
        return FovId(self.case.fov_id)

    @property
    def area(self) -> Box:
        """The crop in px of its field."""
        x, y, width, height = self.case.box
        return Box(float(x), float(y), float(x + width), float(y + height))


@dataclass(frozen=True, slots=True)
class WrongAnswers:
    """All wrong answers of a run about a class, the most wrong first, and which of them is looked at.

    Attributes:
        n_crops: Of how many answers these are the wrong ones.
        place: Index; -1 before the first step.
    """

    answers: tuple[WrongAnswer, ...]
    class_name: str
    n_crops: int
    place: int = -1

    def stepped(self, step: int) -> WrongAnswers:
        """The same, one step on; round at the ends."""
        start = max(self.place, 0) if step < 0 else self.place
        place = (start + step) % len(self.answers) if self.answers else -1
        return WrongAnswers(self.answers, self.class_name, self.n_crops, place)

    @property
    def current(self) -> WrongAnswer | None:
        """What is looked at."""
        return self.answers[self.place] if 0 <= self.place < len(self.answers) else None

    @property
    def words(self) -> str:
        """What is looked at, in words."""
        found = self.current
        if found is None:
            return f"No wrong answer about {self.class_name} on {self.n_crops:,} crops."
        kind = found.case.kind.value
        return (
            f"{kind[:1].upper()}{kind[1:]} ({found.split}): probability {found.case.score:.2f}, present from"
            f" {found.threshold:.2f} on. {self.place + 1:,} of {len(self.answers):,}."
        )


def read_wrong_answers(predictions: Mapping[str, Path], class_name: str) -> WrongAnswers:
    """Read the stored answers of a run, by split. Raises UserError where they are damaged."""
    found: list[WrongAnswer] = []
    n_crops = 0
    for split in SPLITS:
        if split not in predictions:
            continue
        stored = read_predictions(predictions[split])
        if class_name not in stored.class_names:
            continue
        column = stored.column(class_name)
        n_crops += len(stored)
        threshold = float(stored.thresholds[column])
        found.extend(WrongAnswer(case, split, threshold) for case in list_cases(stored, columns=[column]))
    return WrongAnswers(tuple(found), class_name, n_crops)
