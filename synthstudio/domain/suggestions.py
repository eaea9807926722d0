"""Suggestions: what a trained model proposes to annotate. They are no annotations, and are kept apart from them.

Nothing that counts, trains, exports or scores annotations reads suggestions. Accepting one inserts an ordinary
annotation, and the suggestion then tells where that came from: model, score, who accepted it and when.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum

from synthstudio.domain.ids import AnnotationId, ClassId, FovId, RunId, SuggestionId
from synthstudio.domain.records import Annotation, AnnotationSource, Box

SUGGESTING_KINDS = ("train-classifier", "train-detector")
"""Kinds of the trainings whose models can suggest."""


class SuggestionState(StrEnum):
    """What the expert said about a suggestion."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An object that a model believes to see on an FOV: a centre from a classifier's CAM, a box from a detector.

    Attributes:
        run_id: Training run of the model.
        class_id: What it takes the object for; an expert may accept it as another class.
        x, y: Centre in px of the FOV; for a box its middle.
        size_px: Side of this one object, where the model tells one without a box.
        score: 0 to 1.
        annotation_id: The annotation that accepting it made; it may have been changed or deleted since.
        judged_by, judged_at: Who accepted or rejected it, and when (ISO 8601 in UTC); empty while it is open.
    """

    id: SuggestionId
    fov_id: FovId
    run_id: RunId
    class_id: ClassId
    x: float
    y: float
    score: float
    box: Box | None = None
    size_px: float | None = None
    state: SuggestionState = SuggestionState.OPEN
    annotation_id: AnnotationId | None = None
    judged_by: str = ""
    judged_at: str = ""

    @property
    def is_open(self) -> bool:
        return self.state is SuggestionState.OPEN

    def to_annotation(self, *, class_id: ClassId | None = None, author: str = "") -> Annotation:
        """The annotation that accepting it makes, still without an id.

        Args:
            class_id: Of the annotation, where the expert sees another class.
            author: Who accepts.
        """
        return Annotation(
            id=AnnotationId(0),
            fov_id=self.fov_id,
            class_id=self.class_id if class_id is None else class_id,
            x=self.x,
            y=self.y,
            box=self.box,
            size_px=self.size_px,
            author=author,
            source=AnnotationSource.SUGGESTED,
        )

    def accepted(self, annotation_id: AnnotationId, *, by: str, at: str) -> Suggestion:
        """The suggestion once it has become this annotation."""
        return dataclasses.replace(
            self, state=SuggestionState.ACCEPTED, annotation_id=annotation_id, judged_by=by, judged_at=at
        )

    def rejected(self, *, by: str, at: str) -> Suggestion:
        """The suggestion once somebody has said that there is no such object."""
        return dataclasses.replace(self, state=SuggestionState.REJECTED, annotation_id=None, judged_by=by, judged_at=at)


@dataclass(frozen=True, slots=True)
class SuggestionCounts:
    """How many suggestions are in which state."""

    n_open: int = 0
    n_accepted: int = 0
    n_rejected: int = 0
