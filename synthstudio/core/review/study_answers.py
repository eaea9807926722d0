"""What a reader answered, and what it comes to once the truth is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synthstudio.core.review.reading_shares import Judgement
from synthstudio.core.review.relevance import RelevanceResult, judge_relevance
from synthstudio.core.review.study_design import StudyDesign, StudyKind
from synthstudio.core.review.study_items import ReaderAnswer, StudyItem, StudyPage
from synthstudio.core.review.turing import TuringResult, judge_turing

StudyResult = TuringResult | RelevanceResult


@dataclass(frozen=True, slots=True)
class ReaderAnswers:
    """All of one reader: the pages in his order, and the answers by page and token, on complete pages only."""

    reader: int
    pages: Sequence[StudyPage]
    answers: Mapping[tuple[int, str], ReaderAnswer]


def judge(
    items: Sequence[StudyItem], readers: Sequence[ReaderAnswers], design: StudyDesign, *, seed: int = 0
) -> StudyResult:
    """Compute the result of a study from the truth and all answers."""
    judgements = [each for reader in readers for each in list_judgements(items, reader)]
    if design.kind is StudyKind.TURING:
        return judge_turing(judgements, seed=seed)
    return judge_relevance(judgements, seed=seed)


def list_judgements(items: Sequence[StudyItem], reader: ReaderAnswers) -> list[Judgement]:
    """Join the answers of a reader with the truth: the first answer about an image counts, a second is a repeat."""
    shown: dict[str, list[ReaderAnswer]] = {}
    for page in reader.pages:
        for token in page.tokens:
            if (answer := reader.answers.get((page.number, token))) is not None:
                shown.setdefault(token, []).append(answer)
    return [
        Judgement(
            reader=reader.reader,
            item=item.token,
            is_real=item.is_real,
            class_name=item.class_name,
            is_picked=shown[item.token][0].is_picked,
            score=shown[item.token][0].score,
            again=shown[item.token][1].is_picked if len(shown[item.token]) > 1 else None,
            condition=item.condition,
        )
        for item in items
        if item.token in shown
    ]
