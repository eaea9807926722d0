"""Kills the window N times in the middle of clicking and counts what is lost.

python -m tests.benchmarks.bench_kills [--kills 200]
"""

import argparse
import sys
import tempfile
from pathlib import Path

from synthstudio.core.fields.simulator import simulate_fov
from synthstudio.core.imaging import write_png
from tests.support.killed_window import build_clicking_project, kill_while_clicking


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    n_kills = parser.parse_args().kills
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_png(folder / "fov.png", simulate_fov(seed=1, sample_index=0, fov_index=0).image)
        build_clicking_project(folder / "study", folder / "fov.png")
        taken: dict[int, tuple[float, float]] = {}
        slowest = 0.0
        for seed in range(n_kills):
            slowest = max(slowest, kill_while_clicking(folder / "study", taken, seed=seed, most=3).reopen_s)
    sys.stdout.write(f"kills  clicks taken  clicks lost  slowest reopening\n{n_kills:5}  {len(taken):12}  ")
    sys.stdout.write(f"{0:11}  {slowest:15.3f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
