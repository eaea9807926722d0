"""Rounds: annotate, train, evaluate on the locked test images, suggest; and again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stock:
    """What there was to learn from at one moment, and what it had cost. Test images are left out of all but the last.

    Attributes:
        n_annotations: Annotations that a training may see, wherever they come from.
        n_complete: FOVs that are annotated exhaustively.
        n_actions: Marks that a hand has placed and suggestions that it has judged; many at once are one action.
        expert_s: Seconds of work behind them, idle time left out.
        test_state: Hash of the test images and their annotations: scores under another one cannot be compared.
    """

    n_annotations: int
    n_complete: int
    n_actions: int
    expert_s: float
    test_state: str


@dataclass(frozen=True, slots=True)
class Round:
    """One round. Its jobs carry its name, as those of every plan do.

    Attributes:
        stock: What there was when its training began.
        created_at: ISO 8601 in UTC.
    """

    name: str
    stock: Stock
    created_at: str
