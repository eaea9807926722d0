"""Which images enter a reading study, and in which order each reader sees them.

Everything is drawn from a secret that stays in the project: whoever knows the images, the design and the program still
cannot tell which image is which, nor which ones come twice.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from synthstudio.core.review.study_design import AnswerForm, StudyDesign, StudyKind
from synthstudio.domain.errors import UserError


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image that may enter a study.

    Attributes:
        source: What tells it from all others, and where it comes from, for the record.
        is_real: Whether it shows something that was photographed.
        class_names: What it shows.
        group: Images of one group are taken in turn, as windows of one photograph.
    """

    source: str
    is_real: bool
    class_names: frozenset[str]
    group: str = ""


@dataclass(frozen=True, slots=True)
class StudyItem:
    """An image of a study with the truth about it.

    Attributes:
        token: Random name; the only thing about it that a reader meets.
        source: That of its candidate.
        class_name: The class that it stands for: it is counted there.
        condition: Relevance study: what is asked on its page; else "".
        question: Relevance study: number of its page, from 0; else 0.
    """

    token: str
    source: str
    is_real: bool
    class_name: str
    condition: str = ""
    question: int = 0

    @property
    def shows_condition(self) -> bool:
        """Whether picking it is right in a relevance study."""
        return self.class_name == self.condition


@dataclass(frozen=True, slots=True)
class StudyPage:
    """What a reader sees at a time; nothing of it depends on the truth.

    Attributes:
        number: From 0, in the order of the reader.
        tokens: The images in their order on the page.
        condition: What is asked for, or "".
    """

    number: int
    tokens: tuple[str, ...]
    condition: str = ""


@dataclass(frozen=True, slots=True)
class ReaderAnswer:
    """About one image on one page.

    Attributes:
        is_picked: As real, or as showing the condition.
        score: How sure that it is real, 0 (surely synthetic) to 1 (surely real); None where only picked.
        seconds: From the page being shown to the answer.
    """

    is_picked: bool
    score: float | None = None
    seconds: float = 0.0

    def fits(self, design: StudyDesign) -> bool:
        """Whether the study asks for such an answer."""
        if design.form is AnswerForm.PICK:
            return self.score is None
        return self.score is not None and 0.0 <= self.score <= 1.0


def open_secret_stream(secret: str, purpose: str) -> np.random.Generator:
    """Random numbers that follow from a secret and what they are for, and tell nothing about it."""
    digest = hashlib.sha256(f"{purpose}:{secret}".encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))


def draw_items(candidates: Sequence[Candidate], design: StudyDesign, *, secret: str) -> list[StudyItem]:
    """Choose the images, classes in turn, and give each its random name.

    Args:
        candidates: All that may be shown; no two of one source.
        design: Which are wanted.
        secret: Of the study.

    Raises:
        UserError: There are too few images of some kind; what is missing is named.
    """
    design.check()
    choice = _Choice(candidates, open_secret_stream(secret, "items"))
    if design.kind is StudyKind.TURING:
        chosen = [
            StudyItem("", each.source, each.is_real, name)
            for is_real, n in ((True, design.n_real), (False, design.n_synthetic))
            for each, name in choice.take_balanced(n, is_real=is_real)
        ]
    else:
        chosen = _draw_questions(choice, design)
    return sorted(_with_tokens(chosen, secret), key=lambda item: item.token)


class _Choice:
    """Candidates in random order, each taken once."""

    def __init__(self, candidates: Sequence[Candidate], rng: np.random.Generator) -> None:
        order = rng.permutation(len(candidates))
        self._left = [candidates[place] for place in order]
        self._seen_of_group: Counter[str] = Counter()
        self.class_names = sorted({name for each in candidates for name in each.class_names})
        self.rng = rng

    def take(self, *, is_real: bool, shown: str, hidden: str = "") -> Candidate | None:
        """Take one that shows a class and does not show another; of the group that has given fewest."""
        fitting = [
            each
            for each in self._left
            if each.is_real == is_real and shown in each.class_names and hidden not in each.class_names
        ]
        if not fitting:
            return None
        # The first of equals, and they lie in random order.
        best: Candidate = min(fitting, key=lambda each: self._seen_of_group[each.group])
        self._left.remove(best)
        self._seen_of_group[best.group] += 1
        return best

    def take_balanced(self, n: int, *, is_real: bool, hidden: str = "") -> list[tuple[Candidate, str]]:
        """Take `n`, classes in turn; a class that has no more is left out. Raises UserError where all together have
        too few."""
        taken: list[tuple[Candidate, str]] = []
        names = [name for name in self.class_names if name != hidden]
        while len(taken) < n and names:
            for name in list(names):
                found = self.take(is_real=is_real, shown=name, hidden=hidden) if len(taken) < n else None
                if found is not None:
                    taken.append((found, name))
                elif len(taken) < n:
                    names.remove(name)
        if len(taken) < n:
            without = f' that do not show "{hidden}"' if hidden else ""
            raise _too_few(f"{'real' if is_real else 'synthetic'} images{without}", n, len(taken))
        return taken


def _draw_questions(choice: _Choice, design: StudyDesign) -> list[StudyItem]:
    """The images of each page of a relevance study; conditions in turn."""
    usable = list(choice.class_names)
    if len(usable) < 2:
        raise UserError(
            "A relevance study needs images of two or more classes.", "Annotate more classes, or run a Turing test."
        )
    order = [usable[place] for place in choice.rng.permutation(len(usable))]
    chosen: list[StudyItem] = []
    for question in range(design.n_questions):
        condition = order[question % len(order)]
        for is_real, n in ((True, design.n_real), (False, design.n_synthetic)):
            for _ in range(n):
                found = choice.take(is_real=is_real, shown=condition)
                if found is None:
                    kind = "real" if is_real else "synthetic"
                    n_wanted = n * len(range(order.index(condition), design.n_questions, len(order)))
                    n_taken = sum(item.class_name == condition and item.is_real == is_real for item in chosen)
                    raise _too_few(f'{kind} images of "{condition}"', n_wanted, n_taken)
                chosen.append(StudyItem("", found.source, is_real, condition, condition, question))
        # Which half the odd one belongs to changes from page to page.
        n_real = (design.n_others + question % 2) // 2
        for is_real, n in ((True, n_real), (False, design.n_others - n_real)):
            for found, name in choice.take_balanced(n, is_real=is_real, hidden=condition):
                chosen.append(StudyItem("", found.source, is_real, name, condition, question))
    return chosen


def _too_few(what: str, n_wanted: int, n_there: int) -> UserError:
    return UserError(
        f"The study needs {n_wanted} {what}, there are {n_there}.",
        "Ask for fewer images, or bring in more of them.",
    )


def _with_tokens(items: Iterable[StudyItem], secret: str) -> list[StudyItem]:
    rng = open_secret_stream(secret, "tokens")
    return [
        StudyItem(rng.bytes(8).hex(), item.source, item.is_real, item.class_name, item.condition, item.question)
        for item in items
    ]


def order_pages(items: Sequence[StudyItem], design: StudyDesign, *, secret: str, reader: int) -> list[StudyPage]:
    """Lay out what one reader sees: an order of its own, with the repeats in the second half.

    Args:
        items: All images of the study, in any order.
        design: Of the study.
        secret: Of the study; with it the same reader gets the same pages.
        reader: Number of the reader.

    Returns:
        The pages; on each, no image stands twice.
    """
    rng = open_secret_stream(secret, f"reader {reader}")
    by_token = sorted(items, key=lambda item: item.token)
    if design.kind is StudyKind.TURING:
        return [StudyPage(number, tokens) for number, tokens in enumerate(_order_turing(by_token, design, rng))]
    return _order_questions(by_token, design, rng)


def _order_turing(items: Sequence[StudyItem], design: StudyDesign, rng: np.random.Generator) -> list[tuple[str, ...]]:
    """All images, and mixed into the later ones those that come again, as many real as synthetic."""
    tokens = [items[place].token for place in rng.permutation(len(items))]
    n_repeats = _n_repeats(len(tokens), design)
    is_real = {item.token: item.is_real for item in items}
    n_real = round(n_repeats * sum(is_real.values()) / len(items))
    # The first ones come again, so that the two showings lie far apart.
    again = [token for token in tokens if is_real[token]][:n_real]
    again += [token for token in tokens if not is_real[token]][: n_repeats - n_real]
    again = [again[place] for place in rng.permutation(len(again))]
    earliest = max(len(tokens) // 2, max(tokens.index(token) for token in again) + design.page_size)
    if earliest > len(tokens):  # a short study: pages of their own, or an image might meet itself
        return [*_cut(tokens, design.page_size), *_cut(again, design.page_size)]
    late = [*tokens[earliest:], *again]
    mixed = [*tokens[:earliest], *(late[place] for place in rng.permutation(len(late)))]
    return _cut(mixed, design.page_size)


def _n_repeats(n: int, design: StudyDesign) -> int:
    # 0.1 is a little more than a tenth: without rounding, 160 images could ask for 17 repeats.
    return min(n, math.ceil(round(n * design.repeat_share, 9)))


def _cut(tokens: Sequence[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(tokens[start : start + size]) for start in range(0, len(tokens), size)]


def _order_questions(items: Sequence[StudyItem], design: StudyDesign, rng: np.random.Generator) -> list[StudyPage]:
    """All questions, then some of them again with their images in another order."""
    questions: dict[int, list[StudyItem]] = {}
    for item in items:
        questions.setdefault(item.question, []).append(item)
    order = [sorted(questions)[place] for place in rng.permutation(len(questions))]
    repeated = order[: _n_repeats(len(order), design)]
    half = len(order) // 2
    late = [*order[max(half, len(repeated)) :], *repeated]
    order = [*order[: max(half, len(repeated))], *(late[place] for place in rng.permutation(len(late)))]
    pages = []
    for number, question in enumerate(order):
        own = questions[question]
        tokens = tuple(own[place].token for place in rng.permutation(len(own)))
        pages.append(StudyPage(number, tokens, own[0].condition))
    return pages


def truth_commitment(items: Iterable[StudyItem], *, salt: str) -> str:
    """SHA-256 over the salt and the truth: proves afterwards that it was not changed, and tells nothing before."""
    rows = sorted((item.token, item.is_real, item.class_name, item.condition, item.source) for item in items)
    return hashlib.sha256(f"{salt}\n{json.dumps(rows, separators=(',', ':'))}".encode()).hexdigest()
