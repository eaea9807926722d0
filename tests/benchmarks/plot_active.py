"""The picture of `bench_active`: score against actions, a line for each seed and way to work.

QT_QPA_PLATFORM=offscreen python -m tests.benchmarks.plot_active CURVE.csv [CURVE.csv ...] OUT.png
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from PySide6.QtWidgets import QApplication

from synthstudio.gui.theme import apply_theme
from synthstudio.gui.widgets.curve_plot import Curve, CurvePlot

COLORS = {"random": ("#777777", "#999999", "#bbbbbb"), "suggested": ("#2962d9", "#5f8ae6", "#94b2ee")}
NAMES = {"random": "by hand", "suggested": "suggested"}
SIZE = (680, 400)  # as wide as the window of the guide shows it


def main(paths: list[Path], out: Path) -> None:
    """Draw the points of all files into one picture."""
    app = QApplication([])
    apply_theme(app, "light")
    points: defaultdict[tuple[str, int], list[tuple[float, float]]] = defaultdict(list)
    for path in paths:
        with path.open(newline="") as stream:
            for row in csv.DictReader(stream):
                points[row["way"], int(row["seed"])].append((float(row["n_actions"]), float(row["score"])))
    plot = CurvePlot("Macro F1 on the test images", x_name="actions of the hand")
    plot.resize(*SIZE)
    curves = []
    for (way, seed), found in sorted(points.items()):
        xs, ys = np.array(sorted(found), np.float64).T
        name, color = f"{NAMES[way]}, {seed}", COLORS[way][seed % len(COLORS[way])]
        curves.append(Curve(name, color, xs, ys, is_dashed=way == "random", has_points=True))
    plot.set_curves(tuple(curves))
    plot.show()
    app.processEvents()
    plot.grab().save(str(out))


if __name__ == "__main__":
    main([Path(each) for each in sys.argv[1:-1]], Path(sys.argv[-1]))
