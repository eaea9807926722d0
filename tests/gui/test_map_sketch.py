"""The sketch of a map tells tones by greys, and conditions by their colours."""

from __future__ import annotations

from synthstudio.domain.maps import UNKNOWN_TONE, MapRegion, MapRequest
from synthstudio.domain.records import Box
from synthstudio.gui.pages.generate.gan.map_sketch import sketch_map

COLORS = {"mole": "#0072B2", "plate": "#E69F00"}


def test_that_a_higher_tone_is_a_darker_grey_and_each_condition_its_own_colour() -> None:
    regions = (MapRegion("mole", Box(2, 2, 12, 12)), MapRegion("plate", Box(8, 8, 20, 16)))
    greys = []
    for tone in range(1, 7):
        sketch = sketch_map(MapRequest(32, tone, regions), COLORS, n_tones=6)
        assert len(set(sketch[30, 30])) == 1
        greys.append(int(sketch[30, 30, 0]))
        assert sketch[4, 4, 2] > sketch[4, 4, 0]  # bluish
        assert sketch[10, 10, 0] > sketch[10, 10, 2]  # orange lies over it
        assert (sketch[1, 1] == greys[-1]).all()
        assert (sketch[16, 19] == greys[-1]).all()
    assert greys == sorted(greys, reverse=True)
    assert len(set(greys)) == 6


def test_that_a_map_without_a_tone_is_sketched_too() -> None:
    unknown = sketch_map(MapRequest(16, UNKNOWN_TONE, (MapRegion("mole", Box(50, 50, 60, 60)),)), COLORS, n_tones=0)
    assert unknown.shape == (16, 16, 3)
    assert len(set(unknown.ravel().tolist())) == 1
