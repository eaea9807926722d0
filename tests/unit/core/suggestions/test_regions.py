"""Where on a large FOV a look is worth most."""

from __future__ import annotations

from synthstudio.core.suggestions.criteria import Candidate, Proposals
from synthstudio.core.suggestions.regions import rank_regions, window_side
from synthstudio.domain.ids import ClassId, FovId, RunId, SuggestionId
from synthstudio.domain.suggestions import Suggestion

RED = ClassId(1)
SIZES = {RED: 40.0}


def suggestion(x: float, y: float, score: float) -> Suggestion:
    return Suggestion(SuggestionId(0), FovId(1), RunId("r"), RED, x, y, score)


def candidate(*marks: Suggestion, others: tuple[Suggestion, ...] | None = None) -> Candidate:
    return Candidate(FovId(1), Proposals(marks), Proposals(others) if others is not None else None, SIZES)


def test_that_the_window_with_most_doubt_comes_first_and_counts_it() -> None:
    doubtful = [suggestion(3000 + 30 * number, 2000, 0.5) for number in range(4)]
    sure = [suggestion(500 + 30 * number, 500, 0.99) for number in range(9)]
    one = suggestion(900, 2500, 0.45)
    regions = rank_regions(candidate(*doubtful, *sure, one), width=4072, height=3072)

    assert [region.n_doubtful for region in regions] == [4, 1]
    assert regions[0].reason == "4 doubtful"
    assert all(regions[0].box.x0 <= mark.x < regions[0].box.x1 for mark in doubtful)
    assert regions[0].box.width == regions[0].box.height == 400


def test_that_places_where_two_runs_differ_are_looked_at() -> None:
    found = suggestion(100, 100, 0.99)
    regions = rank_regions(candidate(found, others=(found, suggestion(2000, 1900, 0.99))), width=2048, height=2048)

    assert [(region.n_doubtful, region.n_differing) for region in regions] == [(0, 1)]
    assert regions[0].reason == "1 where the models differ"
    assert regions[0].box.x1 <= 2048


def test_that_a_window_at_the_edge_lies_within_the_image() -> None:
    regions = rank_regions(candidate(suggestion(1019, 5, 0.5)), width=1020, height=1000)

    box = regions[0].box
    assert (box.x0, box.y0, box.x1, box.y1) == (620, 0, 1020, 400)


def test_that_a_small_field_is_looked_at_as_a_whole() -> None:
    assert window_side(SIZES, width=600, height=500) is None
    assert rank_regions(candidate(suggestion(100, 100, 0.5)), width=600, height=500) == []


def test_that_a_field_without_doubt_or_search_has_no_region() -> None:
    assert rank_regions(candidate(suggestion(100, 100, 1.0)), width=4000, height=4000) == []
    assert rank_regions(Candidate(FovId(1), sizes_px=SIZES), width=4000, height=4000) == []
