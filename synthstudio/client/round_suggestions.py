"""How good the suggestions of each round were, against what was annotated after them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from synthstudio.client.rounds import RoundState
from synthstudio.core.suggestions.outcomes import SuggestionScores, score_outcomes
from synthstudio.project import Project
from synthstudio.project.suggestion_outcomes import OutcomeReader

RoundScores = Mapping[str, SuggestionScores]
"""By the name of the round; those whose suggestions nobody has worked with are absent."""


def score_round_suggestions(project: Project, rounds: Iterable[RoundState]) -> RoundScores:
    """Score the suggestions of rounds whose training has finished; see `core.suggestions.outcomes`."""
    reader = OutcomeReader(project)
    read = {each.name: reader.read(each.training) for each in rounds if each.training is not None}
    return {name: score_outcomes(outcomes) for name, outcomes in read.items() if outcomes}


def suggestions_json(scores: SuggestionScores) -> dict[str, object]:
    """All figures as a JSON object; undefined ones are null."""
    return dataclasses.asdict(scores) | {"words": scores.words}
