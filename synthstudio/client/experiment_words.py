"""The table of an experiment in words, as JSON and as CSV."""

from __future__ import annotations

import csv
import io

from synthstudio.client.experiment_table import ALL_CLASSES, ArmRow, ExperimentTable, Figure
from synthstudio.domain.figures import figure_text


def figure_words(figure: Figure | None, *, digits: int = 3) -> str:
    """A figure with its spread, for a cell of a table; a dash where nothing was scored yet."""
    if figure is None:
        return "–"
    if figure.mean is None:
        return "n/a"
    if figure.sd is not None:
        return f"{figure.mean:.{digits}f} ± {figure.sd:.{digits}f}"
    return figure_text(figure.mean, figure.interval, digits=digits)


def table_json(table: ExperimentTable) -> dict[str, object]:
    """The table as one JSON object; undefined figures are null."""
    return {
        "experiment": table.name,
        "jobs": {"done": table.n_done, "planned": table.n_planned},
        "seeds": table.n_seeds,
        "n_images": table.n_images,
        "n_samples": table.n_samples,
        "seconds": round(table.seconds, 1),
        "arms": [_arm_json(table, row) for row in table.arms],
        "differences": [
            {
                "arm": each.arm,
                "reference": each.reference,
                "measure": each.measure,
                "mean": each.mean,
                "sd": each.sd,
                "n": each.n,
                "ci95": each.ci95,
                "p": each.p,
            }
            for each in table.differences
        ],
        "failures": list(table.failures),
        "notes": list(table.notes),
    }


def _arm_json(table: ExperimentTable, row: ArmRow) -> dict[str, object]:
    def told(figure: Figure) -> dict[str, object]:
        values = [{"seed": seed, "value": value} for seed, value in figure.values.items()]
        spread = {"sd": figure.sd, "ci95": figure.interval, "chance": figure.chance}
        return {"mean": figure.mean, **spread, "values": values}

    measures: dict[str, object] = {}
    for measure in table.measures:
        if (overall := row.figures.get((measure.key, ALL_CLASSES))) is None:
            continue
        names = [name for name in table.classes if (measure.key, name) in row.figures]
        per_class = {name: told(row.figures[measure.key, name]) for name in names}
        measures[measure.key] = {**told(overall), "per_class": per_class}
    return {"arm": row.arm, "title": row.title, "measures": measures}


def table_csv(table: ExperimentTable) -> bytes:
    """The table as CSV, one line for each arm, measure and class."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["experiment", "arm", "task", "measure", "class", "mean", "sd", "ci95_low", "ci95_high", "chance"])
    for row in table.arms:
        for measure in table.measures:
            for name in (ALL_CLASSES, *table.classes):
                figure = row.figures.get((measure.key, name))
                if figure is not None:
                    low, high = figure.interval or (None, None)
                    numbers = (figure.mean, figure.sd, low, high, figure.chance)
                    cells = ["" if number is None else f"{number:.6g}" for number in numbers]
                    writer.writerow([table.name, row.title, measure.task, measure.title, name or "all", *cells])
    return text.getvalue().encode()
