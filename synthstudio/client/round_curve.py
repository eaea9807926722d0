"""The learning curve of a project's rounds: its points, in words, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from synthstudio.client.experiment_table import ALL_CLASSES, MEASURES, Measure, Score, scores_of
from synthstudio.client.experiment_times import duration_words
from synthstudio.client.round_suggestions import RoundScores, suggestions_json
from synthstudio.client.rounds import RoundState
from synthstudio.core.suggestions.learning import LEAST_GAIN, N_LAST, LearningPoint, look_ahead
from synthstudio.core.suggestions.outcomes import Rate, SuggestionScores
from synthstudio.domain.figures import figure_text

FIRST_MEASURES = ("box_f1", "f1")
"""What a detector and a classifier are mainly judged by."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A round on the curve."""

    name: str
    point: LearningPoint


def known_measures(rounds: Sequence[RoundState]) -> tuple[Measure, ...]:
    """Measures that some round has a score of, the main ones first, those of the newest round's model before others."""
    newest_first = [key for each in reversed(rounds) for key, name in _scores(each) if name == ALL_CLASSES]
    known = {measure.key: measure for measure in MEASURES}
    main = [key for key in newest_first if key in FIRST_MEASURES]
    return tuple(known[key] for key in dict.fromkeys([*main, *newest_first]))


def known_classes(rounds: Sequence[RoundState], key: str) -> tuple[str, ...]:
    """Names of the classes that a measure is known of."""
    names = (name for each in rounds for found, name in _scores(each) if found == key and name != ALL_CLASSES)
    return tuple(dict.fromkeys(names))


def score_of(each: RoundState, key: str, class_name: str = ALL_CLASSES) -> Score | None:
    """A score of a round, or None."""
    return _scores(each).get((key, class_name))


def curve_of(rounds: Sequence[RoundState], key: str, class_name: str = ALL_CLASSES) -> tuple[CurvePoint, ...]:
    """The rounds that were scored on the test images of the newest one, oldest first."""
    found = []
    for each in rounds:
        score = score_of(each, key, class_name) if each.is_comparable else None
        if score is not None and score.value is not None:
            stock = each.record.stock
            point = LearningPoint(stock.n_annotations, stock.n_actions, stock.expert_s, score.value, score.ci95)
            found.append(CurvePoint(each.name, point))
    return tuple(found)


def _scores(each: RoundState) -> dict[tuple[str, str], Score]:
    return scores_of(each.result) if each.result is not None else {}


def outlook_words(curve: Sequence[CurvePoint]) -> str:
    """Whether more clicks still pay, and by which rule."""
    points = [each.point for each in curve]
    found = look_ahead(points)
    if found is None:
        return (
            f"Whether more clicks pay can be said after {N_LAST} rounds on the same test images, with a tenth more"
            " annotations in the last of them."
        )
    time = f", about {duration_words(found.more_s)} of work" if found.more_s is not None else ""
    text = (
        f"By the last {N_LAST} rounds each doubling of the annotations brings {found.per_doubling:+.3f}: a quarter more"
        f" ({found.n_more:,}{time}) would bring about {found.gain:+.3f}."
    )
    if not found.pays:
        return f"{text} That is less than {LEAST_GAIN:g}: more clicks of the same kind have stopped paying."
    return text + _doubt(points[-1], found.gain)


def _doubt(newest: LearningPoint, gain: float) -> str:
    if newest.ci95 is None or newest.ci95[1] - newest.ci95[0] < 2 * gain:
        return ""
    return (
        f" These test images alone could not show it: the newest score lies between {newest.ci95[0]:.2f} and"
        f" {newest.ci95[1]:.2f}."
    )


def score_words(score: Score | Rate | None, *, digits: int = 3) -> str:
    """A score with its interval; a dash where there is none yet."""
    if score is None or score.value is None:
        return "–"
    return figure_text(score.value, score.ci95, digits=digits)


def rounds_json(rounds: Sequence[RoundState], suggested: RoundScores) -> dict[str, object]:
    """All rounds, and what became of their suggestions, as one JSON object; undefined figures are null."""
    measures = known_measures(rounds)
    outlook = look_ahead([each.point for each in curve_of(rounds, measures[0].key)]) if measures else None
    return {
        "rounds": [_round_json(each, suggested.get(each.name)) for each in rounds],
        "measure": measures[0].key if measures else None,
        "pays": outlook.pays if outlook is not None else None,
        "gain_of_a_quarter_more": outlook.gain if outlook is not None else None,
        "outlook": outlook_words(curve_of(rounds, measures[0].key)) if measures else "",
    }


def _round_json(each: RoundState, suggested: SuggestionScores | None) -> dict[str, object]:
    stock = each.record.stock
    scores: dict[str, dict[str, object]] = {}
    for (key, name), score in _scores(each).items():
        scores.setdefault(key, {})[name or "all"] = {"value": score.value, "ci95": score.ci95}
    return {
        "round": each.name,
        "created_at": each.record.created_at,
        "annotations": stock.n_annotations,
        "complete_images": stock.n_complete,
        "actions": stock.n_actions,
        "expert_minutes": round(stock.expert_s / 60, 2),
        "training": each.training,
        "jobs": {"done": each.n_done, "planned": each.n_jobs},
        "comparable": each.is_comparable,
        "scores": scores,
        "suggestions": suggestions_json(suggested) if suggested is not None else None,
    }


def rounds_csv(rounds: Sequence[RoundState]) -> bytes:
    """One line for each round, measure and class."""
    text = io.StringIO()
    writer = csv.writer(text)
    head = ["round", "annotations", "complete_images", "actions", "expert_minutes", "comparable"]
    writer.writerow([*head, "measure", "class", "score", "ci95_low", "ci95_high"])
    for each in rounds:
        stock = each.record.stock
        facts = [each.name, stock.n_annotations, stock.n_complete, stock.n_actions, f"{stock.expert_s / 60:.2f}"]
        for (key, name), score in _scores(each).items():
            numbers = (score.value, *(score.ci95 or (None, None)))
            cells = ["" if number is None else f"{number:.6g}" for number in numbers]
            writer.writerow([*facts, each.is_comparable, key, name or "all", *cells])
    return text.getvalue().encode()
