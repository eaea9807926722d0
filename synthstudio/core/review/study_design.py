"""What a reading study asks: how many images of which kind, how they are shown, and the published designs.

Turing test: real and synthetic images mixed, the reader picks those that look real, on pages or one at a time with a
confidence. Relevance study: a page of real and synthetic images, the reader picks those that show a condition
(Ghorbani et al. 2019).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from synthstudio.domain.errors import UserError

MIN_REPEAT_SHARE = 0.1
"""At least this share of what a reader sees comes twice, so that a reader can be compared with himself."""

MAX_IMAGES = 2000
"""More than a reader can look at."""


class StudyKind(StrEnum):
    """What the reader is asked."""

    TURING = "turing"
    RELEVANCE = "relevance"


class AnswerForm(StrEnum):
    """How the reader answers: by picking on a page, or one image at a time with a confidence."""

    PICK = "pick"
    ONE = "one"


@dataclass(frozen=True, slots=True)
class StudyDesign:
    """The plan of a study.

    Attributes:
        n_real, n_synthetic: Turing test: images in all. Relevance study: images on a page that show its condition.
        n_others: Relevance study: images on a page that show other conditions, half of them synthetic; else 0.
        n_questions: Relevance study: pages with a question, repeats not counted; else 0.
        page_size: Turing test: images on a page; 1 where they come one at a time.
        n_readers: How many readers are planned; more or fewer may answer.
        repeat_share: Share of the images (Turing test) or pages (relevance study) that come a second time, unannounced.
        side_px: Side of the square images as they are shown.
        quality: JPEG quality, 1 to 100, that all images go through alike before they are stored without loss.
    """

    kind: StudyKind
    form: AnswerForm = AnswerForm.PICK
    n_real: int = 80
    n_synthetic: int = 80
    n_others: int = 0
    n_questions: int = 0
    page_size: int = 20
    n_readers: int = 10
    repeat_share: float = MIN_REPEAT_SHARE
    side_px: int = 256
    quality: int = 90

    def check(self) -> None:
        """Raises UserError where the design cannot be carried out; the first fault is named."""
        for is_fine, message, hint in self._rules():
            if not is_fine:
                raise UserError(message, hint)

    def _rules(self) -> tuple[tuple[bool, str, str], ...]:
        is_turing = self.kind is StudyKind.TURING
        is_one = self.form is AnswerForm.ONE
        return (
            (self.n_real >= 1 and self.n_synthetic >= 1, "A study needs real and synthetic images.", "Ask for both."),
            (
                self.n_images <= MAX_IMAGES,
                f"{self.n_images} images are too many for a study.",
                f"Ask for {MAX_IMAGES} at most.",
            ),
            (
                MIN_REPEAT_SHARE <= self.repeat_share <= 1.0,
                f"A share of {self.repeat_share:g} cannot be repeated.",
                f"Choose {MIN_REPEAT_SHARE:g} to 1.",
            ),
            (
                is_turing or not is_one,
                "A relevance study is answered by picking on pages.",
                'Choose the form "pick".',
            ),
            (
                (self.page_size == 1) == is_one or not is_turing,
                f"Pages of {self.page_size} images do not fit the form {self.form.value}.",
                "One at a time means pages of one image; picking needs two or more.",
            ),
            (
                self.page_size >= 1 and self.n_readers >= 1,
                "A study needs at least one reader, and one image on a page.",
                "Choose 1 or more of both.",
            ),
            (
                is_turing == (self.n_questions == 0) and self.n_questions >= 0,
                f"{self.n_questions} questions do not fit a {self.kind.value} study.",
                "A relevance study has 1 or more, a Turing test none.",
            ),
            (
                self.n_others >= 0 and (not is_turing or self.n_others == 0),
                "Images of other conditions belong to relevance studies.",
                "Leave them at 0.",
            ),
            (
                is_turing or self.n_others >= 2,
                "A page that shows the condition only asks nothing.",
                "Add 2 or more images of other conditions.",
            ),
            (32 <= self.side_px <= 2048, f"Images of {self.side_px} px cannot be shown.", "Choose 32 to 2048 px."),
            (1 <= self.quality <= 100, f"There is no JPEG quality {self.quality}.", "Choose 1 to 100."),
        )

    @property
    def images_per_question(self) -> int:
        """Images on a page of a relevance study."""
        return self.n_real + self.n_synthetic + self.n_others

    @property
    def n_images(self) -> int:
        """Different images that are needed, if no image serves two questions."""
        if self.kind is StudyKind.TURING:
            return self.n_real + self.n_synthetic
        return self.n_questions * self.images_per_question

    def question(self, condition: str = "") -> str:
        """What the reader is asked on a page."""
        if self.kind is StudyKind.RELEVANCE:
            return f"Pick the images that show {condition}."
        if self.form is AnswerForm.ONE:
            return "Is this image real, and how sure are you?"
        return "Pick the images that look real."

    def to_json(self) -> str:
        """The design as JSON text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> StudyDesign:
        """Read a design. Raises UserError where it is damaged or impossible."""
        try:
            values = json.loads(text)
            design = cls(**{**values, "kind": StudyKind(values["kind"]), "form": AnswerForm(values["form"])})
            design.check()
        except (ValueError, TypeError, KeyError) as error:
            raise UserError(f"The design of the study is damaged: {error}.", "Build the study again.") from error
        return design


_TURING = StudyDesign(StudyKind.TURING)
PRESETS: Mapping[str, StudyDesign] = MappingProxyType(
    {
        "turing-published": _TURING,
        "turing-one-at-a-time": replace(_TURING, form=AnswerForm.ONE, page_size=1),
        # The publication tells the number of questions, not what stood on a page: a third real, a third synthetic.
        "relevance-published": StudyDesign(
            StudyKind.RELEVANCE, n_real=4, n_synthetic=4, n_others=4, n_questions=16, page_size=12
        ),
    }
)
"""Ghorbani et al. 2019: 10 readers saw 80 real and 80 synthetic images; 16 questions about conditions."""
