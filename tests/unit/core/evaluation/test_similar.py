"""Searching features, and how new a picture is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synthstudio.core.evaluation.feature_store import FeatureStore, picture_key, store_name
from synthstudio.core.evaluation.similar import (
    MOST_DIMENSIONS,
    FeatureIndex,
    FeatureRows,
    network_vectors,
    novelty,
)
from synthstudio.domain.records import CropSquare


def draw(n: int, d: int = 118, seed: int = 0) -> FeatureRows:
    return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)


def test_that_the_nearest_are_those_of_an_exhaustive_search_in_double_precision() -> None:
    vectors, query = draw(3000) + 20.0, draw(1, seed=1)[0] + 20.0
    found = FeatureIndex(vectors).nearest(query, count=25)
    distances = np.linalg.norm(vectors.astype(np.float64) - query, axis=1)
    expected = np.argsort(distances, kind="stable")[:25]
    assert found.rows.tolist() == expected.tolist()
    assert found.distances == pytest.approx(distances[expected])


def test_that_a_picture_is_nearest_to_itself_at_distance_0_and_of_repeats_the_first_is_named() -> None:
    vectors = draw(50)
    vectors[40] = vectors[7]
    found = FeatureIndex(vectors).nearest(vectors[40], count=2)
    assert (found.rows.tolist(), found.distances.tolist()) == ([7, 40], [0.0, 0.0])


def test_that_only_those_that_are_wanted_are_searched() -> None:
    vectors = draw(100)
    among = np.zeros(100, np.bool_)
    among[[3, 5]] = True
    assert set(FeatureIndex(vectors).nearest(vectors[0], count=10, among=among).rows.tolist()) == {3, 5}
    assert not len(FeatureIndex(vectors[:0]).nearest(vectors[0], count=10).rows)


def test_that_what_is_known_is_not_novel_and_what_lies_apart_is() -> None:
    known = draw(200)
    strange = known[:1] + 30.0
    found = novelty(np.concatenate([known[:20], strange]), known, neighbours=1)
    assert found[:20] == pytest.approx(np.zeros(20), abs=1e-3)
    assert found[20] > 100
    mean = np.sort(np.linalg.norm(known.astype(np.float64) - strange, axis=1))[:5].mean()
    assert novelty(strange, known)[0] == pytest.approx(mean, rel=1e-6)


def test_that_nothing_is_novel_where_nothing_is_known() -> None:
    assert novelty(draw(3), draw(0)).tolist() == [0.0, 0.0, 0.0]


def test_that_long_features_of_a_network_keep_their_order_in_fewer_dimensions() -> None:
    rng = np.random.default_rng(2)
    base = rng.standard_normal(2048)
    away = np.stack([base + step * rng.standard_normal(2048) for step in (0.1, 0.4, 0.8, 1.6)])
    vectors = network_vectors(np.concatenate([base[None], away]) * 7)
    assert vectors.shape == (5, MOST_DIMENSIONS)
    distances = np.linalg.norm(vectors[1:] - vectors[0], axis=1)
    assert distances.tolist() == sorted(distances.tolist())
    assert np.array_equal(vectors, network_vectors(np.concatenate([base[None], away]) * 7))
    short = network_vectors(rng.standard_normal((3, 64)))
    assert np.linalg.norm(short, axis=1) == pytest.approx(np.ones(3), rel=1e-6)


def test_that_a_store_gives_back_what_was_put_there_under_its_keys(tmp_path: Path) -> None:
    keys = [picture_key("image", None), picture_key("image", CropSquare(1, 2, 30)), picture_key("other", None)]
    assert len(set(keys)) == 3
    store = FeatureStore("built-in")
    vectors = draw(3, 4)
    store.put(keys[:2], vectors[:2])
    store.put(keys[2:], vectors[2:])
    store.write(tmp_path / "features", "")
    read = FeatureStore.read(tmp_path / "features", "", "built-in")
    assert np.array_equal(read.vectors()[read.rows([keys[2], keys[0]])], vectors[[2, 0]])
    assert read.rows([b"unknown", keys[1]]).tolist() == [-1, 1]
    few = read.only([keys[1], b"unknown", keys[1]])
    assert (len(few), few.name) == (1, "built-in")
    assert np.array_equal(few.vectors(), vectors[1:2])


def test_that_a_damaged_store_is_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / store_name("")).write_bytes(b"no archive")
    assert len(FeatureStore.read(tmp_path, "", "built-in")) == 0
    assert len(FeatureStore.read(tmp_path / "nowhere", "", "built-in")) == 0
