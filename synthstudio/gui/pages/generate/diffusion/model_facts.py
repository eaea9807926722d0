"""What the tab of local models shows of each, in words."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synthstudio.core.models.licences import licence_line
from synthstudio.core.models.needs import NEEDS, models_for
from synthstudio.domain.models import LocalModel
from synthstudio.domain.progress import Tick
from synthstudio.gui.widgets.sortable_table import TableCell, TableColumn, TableRow
from synthstudio.project import Project

PATH = "Path"
COLUMNS = (
    TableColumn("Name", "What settings call it", is_number=False),
    TableColumn("Kind", "What it is for", is_number=False),
    TableColumn("What it is", "Told from its contents", is_number=False),
    TableColumn("Size", "Of all its files"),
    TableColumn("Licence", "Found beside the weights", is_number=False),
    TableColumn("Files", "Where they lie", is_number=False),
)


@dataclass(frozen=True, slots=True)
class ModelShelf:
    """The models of a project, and the names of those whose card is damaged."""

    models: tuple[LocalModel, ...] = ()
    damaged: tuple[str, ...] = ()

    def find(self, name: str | None) -> LocalModel | None:
        """The model of this name."""
        return next((each for each in self.models if each.name == name), None)


def read_shelf(project: Project, _tick: Tick) -> ModelShelf:
    """Read the models of a project; not on the GUI thread."""
    return ModelShelf(tuple(project.models.list()), tuple(project.models.damaged()))


def model_rows(shelf: ModelShelf) -> list[TableRow]:
    """A row for each model; the damaged ones last."""
    rows = [TableRow(each.name, _cells(each)) for each in shelf.models]
    hollow = tuple(TableCell("") for _ in COLUMNS[3:])
    for name in shelf.damaged:
        words = TableCell("“Check files” says why", tip="Its card cannot be read")
        rows.append(TableRow(name, (TableCell(name, name), TableCell("damaged"), words, *hollow)))
    return rows


def _cells(model: LocalModel) -> tuple[TableCell, ...]:
    licence = licence_line(model.licence)
    return (
        TableCell(model.name, model.name),
        TableCell(model.kind.words, model.kind.words, tip=f"For {model.kind.purpose}"),
        TableCell(model.architecture, model.architecture),
        TableCell(size_words(model.n_bytes), model.n_bytes),
        TableCell(licence, licence),
        TableCell("outside the project" if model.is_in_place else "copied", tip=str(model.path)),
    )


def size_words(n_bytes: int) -> str:
    """ "4.3 GB", "12 MB", "340 kB"."""
    if n_bytes >= 1_000_000_000:
        return f"{n_bytes / 1e9:.1f} GB"
    return f"{n_bytes / 1e6:.0f} MB" if n_bytes >= 1_000_000 else f"{n_bytes / 1e3:.0f} kB"


def facts_of(model: LocalModel) -> Mapping[str, str]:
    """Title and value of all that is known of a model, but for its licence; of the path its end."""
    return {
        "For": model.kind.purpose,
        "What it is": model.architecture,
        **dict(model.facts),
        PATH: "/".join(("…", *model.path.parts[-2:])),
        "Added": model.added_at[:16].replace("T", " "),
        "SHA-256": model.sha256,
    }


def needs_html(models: Sequence[LocalModel]) -> str:
    """Which feature has a model, and what to get for those that have none."""
    parts: list[str] = []
    for need in NEEDS:
        names = ", ".join(each.name for each in models_for(need, models))
        feature = html.escape(need.feature[0].upper() + need.feature[1:])
        if names:
            parts.append(f"<p><b>✓ {feature}</b><br>{html.escape(names)}</p>")
        else:
            wants, without = html.escape(need.example), html.escape(need.without)
            parts.append(f"<p><b>{feature}</b><br>Wants {wants}. Without it: {without}.</p>")
    return "".join(parts)
