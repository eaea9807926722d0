"""How crops are cut: the settings of the training that decide it, and what comes of them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QHeaderView, QVBoxLayout, QWidget

from synthstudio.core.synthesis.region_crops import RegionStatistics
from synthstudio.gui.forms import Choice, SettingsForm
from synthstudio.gui.pages.generate.gan.crop_reader import PlannedCrops
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.class_chips import color_icon
from synthstudio.gui.widgets.score_table import ScoreColumn, ScoreRow, ScoreTable
from synthstudio.gui.widgets.section import Section
from synthstudio.settings.schema import setting_specs
from synthstudio.settings.train_gan import TrainGanSettings

OWN_GROUP = "crops."
OWN_SETTINGS = ("classes", "validation_share", "seed")
MAX_TABLE_ROWS, ROW_PX, MIN_COLUMN_PX = 8, 24, 28
"""More conditions are scrolled, so that the form keeps its room."""


class CropSide(QFrame):
    """The settings of the crops, and a table of the crops by condition and tone.

    Signals:
        settings_changed: (`TrainGanSettings`) By a hand; all but the settings of the crops stand at their defaults.
    """

    settings_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        names = [spec.name for spec in setting_specs(TrainGanSettings)]
        own = [name for name in names if name.startswith(OWN_GROUP) or name in OWN_SETTINGS]
        self.form = SettingsForm(TrainGanSettings, choices={"classes": ()}, only=own, parent=self)
        self.section = Section("Crops by condition and tone", parent=self)
        self._place = QVBoxLayout(self.section.body)
        self._place.setContentsMargins(0, 0, 0, 0)
        self.table: ScoreTable | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 3 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        column.addWidget(self.form, 1)
        column.addWidget(self.section)
        self.section.hide()
        self.form.settings_changed.connect(self._on_form_settings_changed)

    def take_settings(self, settings: TrainGanSettings) -> None:
        """Show the settings of the crops among these; the others are left alone."""
        shown = self.form.find_settings()
        wanted = _crops_alone(settings)
        if shown is None or _crops_alone(shown) != wanted:
            self.form.set_settings(wanted)

    def offer_classes(self, classes: Sequence[Choice]) -> None:
        """Offer the project's classes."""
        self.form.set_choices("classes", classes)

    def show_counts(self, planned: PlannedCrops | None) -> None:
        """Count the crops by condition and tone; None for no table."""
        if self.table is not None:
            self._place.removeWidget(self.table)
            self.table.deleteLater()
            self.table = None
        self.section.setVisible(planned is not None)
        if planned is None:
            return
        counted = planned.counted
        columns, cells = _columns(counted, planned.plans.tone_levels, has_unknown=planned.plans.has_unknown)
        rows = [
            ScoreRow(name, row, color_icon(planned.colors[name]), f"{name}: {sum(n_regions)} regions on crops")
            for name, row, n_regions in zip(counted.class_names, cells, counted.n_regions.tolist(), strict=True)
        ]
        self.table = _build_table([ScoreColumn(*each) for each in columns], rows, self.section.body)
        self._place.addWidget(self.table)

    @Slot(object)
    def _on_form_settings_changed(self, settings: TrainGanSettings) -> None:
        self.settings_changed.emit(settings)


def _build_table(columns: Sequence[ScoreColumn], rows: Sequence[ScoreRow], parent: QWidget) -> ScoreTable:
    """A table as wide as the panel, in which long names give way."""
    table = ScoreTable(columns, first="Condition", parent=parent)
    table.setAccessibleName("Crops by condition and tone")
    table.set_dense()
    table.verticalHeader().setMinimumSectionSize(ROW_PX)
    table.verticalHeader().setDefaultSectionSize(ROW_PX)
    header = table.horizontalHeader()
    header.setMinimumSectionSize(MIN_COLUMN_PX)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    table.set_rows(rows)
    if len(rows) > MAX_TABLE_ROWS:
        table.setFixedHeight(table.height() * MAX_TABLE_ROWS // len(rows))
    return table


def _crops_alone(settings: TrainGanSettings) -> TrainGanSettings:
    """Settings of which all but those of the crops are the defaults."""
    own = {"crops": settings.crops} | {name: getattr(settings, name) for name in OWN_SETTINGS}
    return TrainGanSettings().model_copy(update=own)


def _columns(
    counted: RegionStatistics, levels: Sequence[str], *, has_unknown: bool
) -> tuple[list[tuple[str, str]], list[tuple[str, ...]]]:
    """Heads with their help, and the cells of each condition: all tones, each tone, and the unknown one."""
    tones = [(level, f"Crops in tone {level}") for level in levels]
    numbers = counted.n_crops
    columns = [("All", "Crops on which the condition is seen"), *tones]
    order = list(range(1, len(levels) + 1))
    if has_unknown and levels:
        columns.append(("?", "Crops of images without a tone"))
        order.append(0)
    if not levels:
        order = []
    return columns, [(str(int(row.sum())), *(str(int(row[tone])) for tone in order)) for row in numbers]
