"""Random edits in the real Annotate page against a model in plain Python, as many steps as wanted.

Run: QT_QPA_PLATFORM=offscreen PYTHONPATH=. python tests/benchmarks/bench_edits.py [--steps N]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication

from tests.support import editing_machine

STEPS_PER_SEQUENCE = 50


def main() -> None:
    parser = argparse.ArgumentParser(description="Random edits against a model in plain Python.")
    parser.add_argument("--steps", type=int, default=10_000, help="at least so many steps are compared")
    options = parser.parse_args()
    app = QApplication(sys.argv[:1])
    n_compared = count_comparisons()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, editing_machine.edited_page(Path(scratch) / "study") as edited:
        while n_compared[0] < options.steps:
            n_sequences = max((options.steps - n_compared[0]) // STEPS_PER_SEQUENCE, 1)
            editing_machine.run_random_edits(edited, n_sequences=n_sequences, n_steps=STEPS_PER_SEQUENCE)
    sys.stdout.write(f"{n_compared[0]:,} steps compared, no divergence, {time.monotonic() - started:.0f} s\n")
    app.quit()


def count_comparisons() -> list[int]:
    """A cell that counts how often page, database and model were compared."""
    counted = [0]
    compare = editing_machine.EditingMachine.compare_what_is_shown

    def counting(machine: editing_machine.EditingMachine) -> None:
        compare(machine)
        counted[0] += 1

    editing_machine.EditingMachine.compare_what_is_shown = counting  # type: ignore[method-assign]
    return counted


if __name__ == "__main__":
    main()
