"""Halving, ranking with its spread over seeds, and the tables of a recipe search."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthstudio.core.training.recipe_ranking import (
    RecipeScores,
    RecipeTable,
    Trial,
    mean_scores,
    rank_recipes,
    round_sizes,
    survivors,
)
from synthstudio.core.training.recipe_tables import (
    JSON_NAME,
    MARKDOWN_NAME,
    read_table,
    to_csv,
    to_markdown,
    write_tables,
)
from synthstudio.domain.errors import UserError
from synthstudio.settings.search_recipes import RecipeChoices


def _choices(canvas: str) -> RecipeChoices:
    return (("composition.canvas", canvas),)


def _trial(canvas: str, score: float | None, *, seed: int = 0, steps: int = 10) -> Trial:
    scores = RecipeScores(macro_f1=score, pointing=score, center_f1=score)
    return Trial(choices=_choices(canvas), steps=steps, seed=seed, scores=scores, seconds=2.0)


def test_that_the_score_weighs_presence_and_localisation_alike() -> None:
    scores = RecipeScores(macro_f1=0.8, pointing=0.5, center_f1=0.3)
    assert scores.total == pytest.approx((0.8 + (0.5 + 0.3) / 2) / 2)


def test_that_an_undefined_part_does_not_count() -> None:
    assert RecipeScores(macro_f1=0.8, pointing=0.5, center_f1=None).total == pytest.approx(0.65)
    assert RecipeScores(macro_f1=None, pointing=0.5, center_f1=0.3).total == pytest.approx(0.4)
    assert RecipeScores(macro_f1=None, pointing=None, center_f1=None).total == 0.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_that_halving_keeps_the_better_half_but_at_least_two_in_their_order(values: list[float]) -> None:
    scores = {_choices(str(number)): value for number, value in enumerate(values)}
    kept = survivors(scores)
    assert len(kept) == min(len(values), max(2, -(-len(values) // 2)))
    assert kept == [each for each in scores if each in kept]
    dropped = [value for each, value in scores.items() if each not in kept]
    assert not dropped or min(scores[each] for each in kept) >= max(dropped)
    assert round_sizes(len(values), 2)[1] == len(kept)


def test_that_later_rounds_come_first_and_scores_decide_within_a_round() -> None:
    trials = [
        _trial("black", 0.9),
        _trial("mean", 0.7),
        _trial("matched", 0.8),
        _trial("mean", 0.75, steps=20),
        _trial("matched", 0.85, steps=20),
    ]
    ranked = rank_recipes(trials, n_seeds=1)
    assert [(each.rank, each.choices[0][1], each.steps) for each in ranked] == [
        (1, "matched", 20),
        (2, "mean", 20),
        (3, "black", 10),
    ]


def test_that_the_lead_is_measured_seed_by_seed_at_the_same_steps() -> None:
    # Both vary a lot from seed to seed, but their difference hardly does.
    trials = [
        *(_trial("matched", value, seed=seed) for seed, value in enumerate((0.60, 0.80))),
        *(_trial("black", value, seed=seed) for seed, value in enumerate((0.55, 0.74))),
        *(_trial("matched", value, seed=seed, steps=20) for seed, value in enumerate((0.7, 0.9))),
    ]
    best, other = rank_recipes(trials, n_seeds=2)
    assert other.score.sd == pytest.approx(0.1344, abs=1e-3)
    assert other.behind.mean == pytest.approx(0.055)
    assert other.behind.sd == pytest.approx(0.00707, abs=1e-4)
    assert not other.is_tied
    assert best.behind.mean == 0.0
    assert best.is_tied


def test_that_a_lead_within_the_spread_is_called_a_tie() -> None:
    trials = [
        *(_trial("matched", value, seed=seed) for seed, value in enumerate((0.70, 0.80))),
        *(_trial("black", value, seed=seed) for seed, value in enumerate((0.79, 0.69))),
    ]
    assert rank_recipes(trials, n_seeds=2)[1].is_tied
    assert rank_recipes(trials[:1] + trials[3:], n_seeds=1)[1].is_tied  # one seed tells no spread


def test_that_a_lead_too_small_to_mean_anything_is_called_a_tie_even_where_seeds_agree() -> None:
    trials = [
        *(_trial("matched", value, seed=seed) for seed, value in enumerate((0.700, 0.800))),
        *(_trial("black", value, seed=seed) for seed, value in enumerate((0.695, 0.795))),
    ]
    assert rank_recipes(trials, n_seeds=2)[1].is_tied


def test_that_a_recipe_is_ranked_only_once_all_its_seeds_are_done() -> None:
    trials = [_trial("matched", 0.7), _trial("matched", 0.7, seed=1), _trial("black", 0.9)]
    assert [each.choices[0][1] for each in rank_recipes(trials, n_seeds=2)] == ["matched"]
    assert rank_recipes([], n_seeds=2) == ()


def test_that_means_keep_the_order_of_the_grid() -> None:
    trials = [_trial("black", 0.2), _trial("black", 0.4, seed=1), _trial("mean", 0.9)]
    assert mean_scores(trials) == {_choices("black"): pytest.approx(0.3), _choices("mean"): 0.9}


def _table() -> RecipeTable:
    trials = [
        *(_trial("matched", 0.7 + seed / 10, seed=seed) for seed in range(2)),
        *(_trial("black", None, seed=seed) for seed in range(2)),
    ]
    return RecipeTable(
        varied=("composition.canvas",),
        recipes=rank_recipes(trials, n_seeds=2),
        n_trials=4,
        n_planned=4,
        n_images=9,
        n_samples=8,
        scale=0.5,
        notes=("Mind this.",),
    )


def test_that_a_table_is_read_back_equal(tmp_path: Path) -> None:
    assert read_table(tmp_path) is None
    write_tables(tmp_path, _table())
    assert read_table(tmp_path) == _table()
    assert (tmp_path / MARKDOWN_NAME).read_text() == to_markdown(_table())


def test_that_a_damaged_table_is_told(tmp_path: Path) -> None:
    (tmp_path / JSON_NAME).write_text("{}")
    with pytest.raises(UserError, match="damaged"):
        read_table(tmp_path)


def test_that_undefined_figures_are_empty_in_csv_and_named_in_markdown() -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(_table()))))
    assert [row["composition.canvas"] for row in rows] == ["matched", "black"]
    assert float(rows[0]["macro_f1"]) == pytest.approx(0.75)
    assert rows[1]["pointing"] == ""
    text = to_markdown(_table())
    assert "| 1 | matched | 10 | 0.750 ± 0.071 |" in text
    assert "n/a" in text.splitlines()[3]
    assert text.endswith("Mind this.\n")
