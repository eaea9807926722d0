"""The table of a recipe search, as the run's folder keeps it: JSON to be read again, CSV and Markdown for people."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from synthstudio.core.imaging import read_bytes, write_bytes_atomically
from synthstudio.core.training.recipe_ranking import Figure, RecipeTable
from synthstudio.domain.errors import UserError

JSON_NAME, CSV_NAME, MARKDOWN_NAME = "recipes.json", "recipes.csv", "recipes.md"
NOT_DEFINED = "n/a"


def write_tables(folder: Path, table: RecipeTable) -> None:
    """Write the table in its three forms. Raises UserError where that fails."""
    write_bytes_atomically(folder / JSON_NAME, table.model_dump_json(indent=1).encode())
    write_bytes_atomically(folder / CSV_NAME, to_csv(table).encode())
    write_bytes_atomically(folder / MARKDOWN_NAME, to_markdown(table).encode())


def read_table(folder: Path) -> RecipeTable | None:
    """Read the table of a run; None where no recipe has been tried yet. Raises UserError where it is damaged."""
    path = folder / JSON_NAME
    if not path.is_file():
        return None
    try:
        return RecipeTable.model_validate_json(read_bytes(path))
    except ValidationError as error:
        raise UserError(f"{path} is damaged: {error.errors()[0]['msg']}.", "Search again.") from error


def to_csv(table: RecipeTable) -> str:
    """One line a recipe; each figure beside its standard deviation over seeds, empty where undefined."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    figures = ("score", "behind", "macro_f1", "pointing", "center_f1")
    heads = [head for name in figures for head in (name, f"{name}_sd")]
    writer.writerow(["rank", *table.varied, "steps", "seeds", *heads, "seconds"])
    for each in table.recipes:
        found = [each.score, each.behind, each.macro_f1, each.pointing, each.center_f1]
        cells = ["" if value is None else f"{value:.5f}" for figure in found for value in (figure.mean, figure.sd)]
        writer.writerow(
            [each.rank, *(value for _, value in each.choices), each.steps, each.n_seeds, *cells, each.seconds]
        )
    return text.getvalue()


def to_markdown(table: RecipeTable) -> str:
    """The table for a report or the guide, notes below."""
    heads = ["Rank", *(_last_part(path) for path in table.varied), "Steps", "Score", "Behind", "Macro F1", "Pointing"]
    lines = [_line([*heads, "Centre F1", "Seconds"]), _line(["---"] * (len(heads) + 2))]
    for each in table.recipes:
        figures = [each.score, each.behind, each.macro_f1, each.pointing, each.center_f1]
        values = [value for _, value in each.choices]
        cells = [str(each.rank), *values, str(each.steps), *(in_figures(figure) for figure in figures)]
        lines.append(_line([*cells, f"{each.seconds:.0f}"]))
    lines += ["", *table.notes]
    return "\n".join(lines) + "\n"


def in_figures(figure: Figure) -> str:
    """Mean and standard deviation, ".812 ± .010"; undefined is n/a, never 0."""
    if figure.mean is None:
        return NOT_DEFINED
    return f"{figure.mean:.3f}" if figure.sd is None else f"{figure.mean:.3f} ± {figure.sd:.3f}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _last_part(path: str) -> str:
    return path.rsplit(".", 1)[-1].replace("_", " ").capitalize()
