"""Which rows of the gallery are wanted, how they are sorted, and such a choice under a name."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from synthstudio.core.review.verdicts import Outcome
from synthstudio.domain.records import Split

GalleryView = Literal["images", "objects"]
SortKey = Literal[
    "order",
    "name",
    "sample",
    "split",
    "size",
    "aspect",
    "objects",
    "class",
    "source",
    "verdict",
    "score",
    "tags",
]
SORTS: Mapping[GalleryView, tuple[SortKey, ...]] = MappingProxyType(
    {
        "images": ("order", "name", "sample", "split", "size", "aspect", "objects", "verdict", "score", "tags"),
        "objects": (
            "order",
            "size",
            "aspect",
            "class",
            "source",
            "name",
            "sample",
            "split",
            "verdict",
            "score",
            "tags",
        ),
    }
)
"""By what each view can be sorted; "order" is that of the project."""
NO_SPLIT = "none"
SPLIT_NAMES: tuple[str, ...] = (*(each.value for each in Split), NO_SPLIT)
"""Names of the splits, that of images without one last."""
OUTCOMES: tuple[Outcome, ...] = tuple(Outcome)


@dataclass(frozen=True, slots=True)
class GalleryFilter:
    """Which rows are wanted; an empty word wants all.

    Attributes:
        class_name: Objects of a class, or images that show one of it.
        split: "train", "val", "test", or "none" for images without one.
        words: Each of them stands in the name or the sample of the image.
        source: Where annotations come from: "manual", "imported" and so on.
        sample: Name of a sample; or of several, where it is only how they begin.
        tag: A word that somebody has put on them.
        verdict: What the verdicts come to, one of `Outcome`.
        least_px, most_px: Ends of the sizes; a size at an end is wanted, too. Open at first, as the others.
        least_aspect, most_aspect: Ends of width by height.
        least_score, most_score: Ends of the scores; a row without a score is wanted where both are open.
    """

    class_name: str = ""
    split: str = ""
    words: str = ""
    source: str = ""
    sample: str = ""
    tag: str = ""
    verdict: str = ""
    least_px: float = -math.inf
    most_px: float = math.inf
    least_aspect: float = -math.inf
    most_aspect: float = math.inf
    least_score: float = -math.inf
    most_score: float = math.inf


@dataclass(frozen=True, slots=True, eq=False)
class RowFacts:
    """What people and runs have said about N rows.

    Attributes:
        tags: `(N,)` bool by tag, whether a row has it.
        outcome_of: `(N,)` place in `OUTCOMES`; None where nobody judges such rows.
        score: `(N,)` nan for a row without one; None where there are no scores.
    """

    tags: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    outcome_of: NDArray[np.int64] | None = None
    score: NDArray[np.float64] | None = None


NO_FACTS = RowFacts()


@dataclass(frozen=True, slots=True)
class GalleryChoice:
    """All that is chosen about the gallery.

    Attributes:
        set_name: The set whose images are shown; empty for the project.
        view: What a row is.
        wanted: Which rows.
        by, is_falling: In which order.
        score_of: Where the scores come from; empty for nowhere.
        has_boxes: Whether boxes are drawn.
    """

    set_name: str = ""
    view: GalleryView = "images"
    wanted: GalleryFilter = GalleryFilter()
    by: SortKey = "order"
    is_falling: bool = False
    score_of: str = ""
    has_boxes: bool = False

    def to_json(self) -> str:
        """The choice as text."""
        return json.dumps(dataclasses.asdict(self))


def read_choice(text: str) -> GalleryChoice:
    """Read what `GalleryChoice.to_json` wrote; a fresh choice where that is impossible."""
    try:
        choice = TypeAdapter(GalleryChoice).validate_python(json.loads(text))
    except ValueError:  # pydantic's error is one
        return GalleryChoice()
    return choice if choice.by in SORTS[choice.view] else dataclasses.replace(choice, by="order")
