"""kill -9 of the window costs nothing that it had taken. The long version is tests/benchmarks/bench_kills.py."""

from pathlib import Path

import pytest

from synthstudio.core.fields.simulator import simulate_fov
from synthstudio.core.imaging import write_png
from tests.support.killed_window import build_clicking_project, kill_while_clicking


@pytest.mark.timeout(120)
def test_that_no_click_is_lost_when_the_window_is_killed(tmp_path: Path) -> None:
    write_png(tmp_path / "fov.png", simulate_fov(seed=1, sample_index=0, fov_index=0).image)
    build_clicking_project(tmp_path / "study", tmp_path / "fov.png")
    taken: dict[int, tuple[float, float]] = {}
    for seed in range(6):
        kill = kill_while_clicking(tmp_path / "study", taken, seed=seed, most=8)
        assert kill.reopen_s < 5
    assert len(taken) >= 6
