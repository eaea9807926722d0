"""What training images show of each condition in each tone, and what a planned set would add. No widgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synthstudio.core.synthesis.requests import Cell, RequestMaterial, RequestPlanner
from synthstudio.core.training.map_origin import read_map_card
from synthstudio.domain.ids import RunId
from synthstudio.domain.maps import UNKNOWN_TONE
from synthstudio.domain.progress import Tick
from synthstudio.gui.widgets.bar_plot import Bar, BarChart, BarSeries
from synthstudio.gui.widgets.sortable_table import TableCell, TableColumn, TableRow
from synthstudio.project import Project
from synthstudio.project.request_material import read_request_material
from synthstudio.settings.generate import GenerateSettings

IN_DATA, WITH_SET = "in the data", "with the set"


@dataclass(frozen=True, slots=True)
class BatchMaterial:
    """What a generator can be asked for, and what the data shows of it."""

    run_id: RunId
    side: int
    material: RequestMaterial


def read_batch_material(project: Project, run_id: RunId, tick: Tick) -> BatchMaterial:
    """Read it from the project. Raises UserError where it or what it has learned from is gone."""
    card = read_map_card(project.run_folder(run_id))
    return BatchMaterial(run_id, card.side, read_request_material(project, card, tick=tick))


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """Images by condition and tone.

    Attributes:
        class_names: Conditions, as the generator orders them.
        tones: Levels that the data or the set has, in their order.
        tone_names: Their names.
        shown: Training images that show a pair.
        added: Images of the set that are asked to.
    """

    class_names: tuple[str, ...]
    tones: tuple[int, ...]
    tone_names: tuple[str, ...]
    shown: Mapping[Cell, int]
    added: Mapping[Cell, int]

    @property
    def has_tones(self) -> bool:
        """Whether anything is told apart by tone."""
        return self.tones != (UNKNOWN_TONE,)

    def of_classes(self) -> tuple[list[int], list[int]]:
        """In the data, and with the set, of each condition."""
        return self._sums([[(name, tone) for tone in self.tones] for name in self.class_names])

    def of_tones(self) -> tuple[list[int], list[int]]:
        """In the data, and with the set, in each tone."""
        return self._sums([[(name, tone) for name in self.class_names] for tone in self.tones])

    def _sums(self, groups: Sequence[Sequence[Cell]]) -> tuple[list[int], list[int]]:
        before = [sum(self.shown.get(cell, 0) for cell in cells) for cells in groups]
        added = [sum(self.added.get(cell, 0) for cell in cells) for cells in groups]
        return before, [one + more for one, more in zip(before, added, strict=True)]


def count_batch(found: BatchMaterial, settings: GenerateSettings) -> BatchCounts:
    """Plan a set and count it. Raises UserError where the generator does not know what is asked for."""
    material = found.material
    planner = RequestPlanner(settings.requests, material, side=found.side, seed=settings.seed)
    added = planner.count_cells(range(settings.first_index, settings.first_index + settings.count))
    seen = {tone for (_, tone), count in (*material.counts.items(), *added.items()) if count}
    tones = tuple(sorted(seen - {UNKNOWN_TONE})) + ((UNKNOWN_TONE,) if UNKNOWN_TONE in seen else ())
    return BatchCounts(
        class_names=material.class_names,
        tones=tones,
        tone_names=tuple(material.tone_name(tone) or "unknown" for tone in tones),
        shown=material.counts,
        added=added,
    )


def chart_of(groups: Sequence[str], figures: tuple[list[int], list[int]], *, colors: tuple[str, str]) -> BarChart:
    """A chart of images before and after, in the colours of both."""
    before, after = figures
    series = (
        BarSeries(IN_DATA, colors[0], tuple(Bar(float(value)) for value in before)),
        BarSeries(WITH_SET, colors[1], tuple(Bar(float(value)) for value in after)),
    )
    return BarChart(tuple(groups), series)


def table_of(counts: BatchCounts) -> tuple[list[TableColumn], list[TableRow]]:
    """A row for each condition, a column for each tone: images in the data, and what the set adds."""
    help_text = "Training images that show it, and images that the set adds"
    names = counts.tone_names if counts.has_tones else ("All",)
    columns = [TableColumn("Condition", is_number=False), *(TableColumn(name, help_text) for name in names)]
    rows = []
    for name in counts.class_names:
        cells = [TableCell(name, name)]
        for tone in counts.tones:
            before, more = counts.shown.get((name, tone), 0), counts.added.get((name, tone), 0)
            cells.append(TableCell(f"{before:,} + {more:,}", before + more))
        rows.append(TableRow(name, tuple(cells)))
    return columns, rows
