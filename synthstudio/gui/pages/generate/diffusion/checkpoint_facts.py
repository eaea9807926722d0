"""The checkpoints of a fine-tuning: what is known of each, and the pictures that were made with it. No widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtGui import QImage

from synthstudio.core.training.diffusion_card import DiffusionCard, checkpoint_folder, read_diffusion_card
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.gui.pages.generate.trainings.sample_strip import Cells, cut_rows
from synthstudio.gui.widgets.sortable_table import TableCell, TableColumn, TableRow
from synthstudio.project import Project

LOSS = "loss/fixed"
COLUMNS = (
    TableColumn("Step", "Steps after which it was stored"),
    TableColumn("Loss", "On held-out guide images, else on the guide images, always with the same noise"),
    TableColumn("Size", "On the disk"),
    TableColumn("", is_number=False),
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint; the loss is None where it was not taken."""

    step: int
    loss: float | None
    n_bytes: int
    is_best: bool


def read_checkpoints(project: Project, run_id: RunId) -> list[Checkpoint]:
    """Read the checkpoints of a run, the newest first; none while it has not begun."""
    folder = project.run_folder(run_id)
    try:
        card = read_diffusion_card(folder)
    except UserError:  # it has not begun, or the card is being replaced: read anew with the next event
        return []
    losses = dict(project.runs.metrics(run_id).get(LOSS, []))
    return [_checkpoint(folder, card, step, losses.get(step)) for step in reversed(card.steps)]


def _checkpoint(folder: Path, card: DiffusionCard, step: int, loss: float | None) -> Checkpoint:
    files = (path for path in checkpoint_folder(folder, step).rglob("*") if path.is_file())
    return Checkpoint(step, loss, sum(path.stat().st_size for path in files), is_best=step == card.best_step)


def checkpoint_rows(checkpoints: Sequence[Checkpoint]) -> list[TableRow]:
    """A row for each."""
    return [
        TableRow(
            str(each.step),
            (
                TableCell(f"{each.step:,}", each.step),
                TableCell("" if each.loss is None else f"{each.loss:.4f}", each.loss),
                TableCell(_size_words(each.n_bytes), each.n_bytes),
                TableCell("best" if each.is_best else "", each.is_best, "Its loss is the least"),
            ),
        )
        for each in checkpoints
    ]


def _size_words(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.1f} MB"


def cut_prompts(folder: Path, picture: QImage, step: int) -> Cells:
    """A row for each prompt that the card names; nothing where it cannot be read."""
    try:
        prompts = read_diffusion_card(folder).sample_prompts
    except UserError:
        return Cells(0, ())
    return cut_rows(picture, prompts, lambda row, column: f"{prompts[row]}, image {column + 1}, step {step:,}")
