"""What a recipe search is told: its settings, and the button that starts it."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from synthstudio.core.training.recipe_ranking import round_sizes
from synthstudio.gui.forms import Choice, SettingsForm
from synthstudio.gui.theme import GRID_PX
from synthstudio.settings.search_recipes import SearchRecipesSettings, grid_offers


class SearchSide(QFrame):
    """The settings form of the job, and how much it will try."""

    start_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._can_write = False
        title = QLabel("Find the best recipe", self)
        title.setProperty("strong", True)
        no_names: list[Choice] = []
        self.form = SettingsForm(
            SearchRecipesSettings, choices={"grid": grid_offers(), "composition.classes": no_names}, parent=self
        )
        self.effort = QLabel(self)
        self.effort.setProperty("muted", True)
        self.effort.setWordWrap(True)
        self.start = QPushButton("Search", self)
        self.start.setProperty("primary", True)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 3 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        for widget, stretch in ((title, 0), (self.form, 1), (self.effort, 0), (self.start, 0)):
            column.addWidget(widget, stretch)
        self.form.settings_changed.connect(self._refresh)
        self.form.validity_changed.connect(self._refresh)
        self.start.clicked.connect(self.start_requested)
        self._refresh()

    def set_writable(self, *, can_write: bool) -> None:
        """Allow or refuse a start."""
        self._can_write = can_write
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        settings = self.form.find_settings()
        self.start.setEnabled(self._can_write and settings is not None)
        self.effort.setText(_effort_words(settings) if settings is not None else "")


def _effort_words(settings: SearchRecipesSettings) -> str:
    """What will be tried, before it begins: it takes minutes to hours."""
    budgets = settings.step_budgets
    sizes = round_sizes(len(settings.recipes()), len(budgets))
    rounds = ", ".join(f"{size} with {steps:,} steps" for size, steps in zip(sizes, budgets, strict=True))
    n_steps = sum(size * steps for size, steps in zip(sizes, budgets, strict=True)) * settings.seeds
    return f"Recipes: {rounds}; {settings.seeds} trainings of each, {n_steps:,} steps in all."
