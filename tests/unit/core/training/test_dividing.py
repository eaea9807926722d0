"""Dividing samples: whole, complete, repeatable, close to the wanted shares."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthstudio.core.training.dividing import divide_samples
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import SampleId
from synthstudio.domain.records import Split

sizes = st.lists(st.integers(1, 30), min_size=3, max_size=60).map(
    lambda counts: {SampleId(i): (f"patient {i}", count) for i, count in enumerate(counts)}
)


@given(sizes, st.floats(0.01, 0.45), st.floats(0.01, 0.45), st.integers(0, 5))
def test_that_every_sample_gets_one_split_and_no_part_is_empty(
    samples: dict[SampleId, tuple[str, int]], val: float, test: float, seed: int
) -> None:
    division = divide_samples(samples, val=val, test=test, seed=seed)
    assert division.keys() == samples.keys()
    assert set(division.values()) == set(Split)
    assert division == divide_samples(dict(reversed(samples.items())), val=val, test=test, seed=seed)


def test_that_the_shares_are_met_where_the_samples_are_small() -> None:
    samples = {SampleId(i): (str(i), 2) for i in range(100)}
    division = divide_samples(samples, val=0.1, test=0.25, seed=3)
    counted = [list(division.values()).count(split) for split in Split]
    assert counted == [65, 10, 25]
    assert division != divide_samples(samples, val=0.1, test=0.25, seed=4)


def test_that_a_share_of_zero_takes_nothing() -> None:
    samples = {SampleId(i): (str(i), 1) for i in range(10)}
    assert Split.VAL not in divide_samples(samples, val=0, test=0.5, seed=0).values()


@pytest.mark.parametrize(("val", "test"), [(0.5, 0.5), (-0.1, 0.2), (0, 1.5)])
def test_that_impossible_shares_are_refused(val: float, test: float) -> None:
    with pytest.raises(UserError, match="nothing to train on"):
        divide_samples({SampleId(i): (str(i), 1) for i in range(10)}, val=val, test=test, seed=0)


def test_that_too_few_samples_are_refused() -> None:
    with pytest.raises(UserError, match="cannot be divided into 3 parts"):
        divide_samples({SampleId(1): ("a", 9), SampleId(2): ("b", 9)}, val=0.1, test=0.1, seed=0)
