"""What the compact upscaler gains over bicubic enlargement on held-out patches of real images, after the CPU preset.

Imports the data set into a project of its own and trains as a user would: `train-upscaler --preset compact`.

python -m tests.benchmarks.bench_upscaling [--data bccd] [--steps N] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.shared_data import shared_data


def command(*arguments: str | Path) -> dict[str, object]:
    """Run a command on one thread; return the object that it prints."""
    line = [sys.executable, "-m", "synthstudio", *map(str, arguments), "--json"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(line, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return dict(json.loads(done.stdout))


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="bccd", help="folder of the shared data, in VOC format")
    parser.add_argument("--steps", type=int, help="of the training; those of the preset otherwise")
    parser.add_argument("--json", type=Path, help="write the result here, too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch) / "study"
        command("new", project)
        command("import", project, shared_data(arguments.data), "--format", "voc")
        steps = ("--steps", str(arguments.steps)) if arguments.steps else ()
        result = command("train-upscaler", project, "--preset", "compact", *steps)
    kept = ("psnr", "psnr_bicubic", "psnr_gain", "ssim", "ssim_bicubic", "ssim_gain", "n_held_out", "n_samples")
    figures = {name: result[name] for name in (*kept, "seconds", "step", "device")}
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
