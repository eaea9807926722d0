"""Streams of random numbers, and the cache that what is made from them is kept in."""

from __future__ import annotations

import pytest

from synthstudio.core.synthesis.memory import ByteCache
from synthstudio.core.synthesis.streams import IMAGES, VARIANTS, StreamSeries, open_stream

LARGEST_SEED = 2**63 - 1


@pytest.mark.parametrize("seed", [0, 7, LARGEST_SEED])
def test_the_streams_of_a_series_are_those_that_are_opened_one_by_one(seed: int) -> None:
    series = StreamSeries(seed, IMAGES)

    for index in (5, 0, 2**40, 5):
        stream, alone = series.open(index), open_stream(seed, IMAGES, index)
        # Of odd lengths, and with 32 bits left over, so that what one stream leaves must not reach the next.
        assert stream.random(7).tolist() == alone.random(7).tolist()
        assert (
            stream.integers(0, 2**31, 3, dtype="int32").tolist() == alone.integers(0, 2**31, 3, dtype="int32").tolist()
        )


def test_streams_of_another_index_or_purpose_differ() -> None:
    images, variants = StreamSeries(1, IMAGES), StreamSeries(1, VARIANTS)
    drawn = [images.open(0).random(), images.open(1).random(), variants.open(0).random()]

    assert len(set(drawn)) == len(drawn)


def test_a_cache_keeps_within_its_bound_and_lets_the_oldest_go() -> None:
    cache: ByteCache[str, str] = ByteCache(100)
    for name in ("a", "b", "c"):
        cache.add(name, name.upper(), 40)

    assert cache.n_bytes == 80
    assert [cache.find(name) for name in ("a", "b", "c")] == [None, "B", "C"]


def test_a_cache_keeps_the_last_entry_even_if_it_is_too_large() -> None:
    cache: ByteCache[str, str] = ByteCache(100)
    cache.add("a", "A", 40)
    cache.add("b", "B", 400)

    assert (cache.find("a"), cache.find("b"), cache.n_bytes) == (None, "B", 400)
