"""What can be done with results, for menus, palette and key sheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.pages.train.results_panel import ResultsPanel

VIEWS = (
    ("scores", "Show the scores of the run", "All scores of one run, class by class."),
    ("comparison", "Show the comparison of runs", "Bars of the selected runs, and their differences."),
    ("rates", "Show ROC and precision-recall curves", "Over all thresholds, of the selected runs."),
    ("learning", "Show how the selected runs learned", "A logged value over the steps."),
    ("errors", "Show right and wrong answers", "Confusion matrix, and the crops behind it, the most wrong first."),
)


def results_actions(panel: ResultsPanel, show: Callable[[], None]) -> Sequence[ActionSpec]:
    """Specs for the panel; `show` brings its tab to the front."""

    def shower(name: str) -> Callable[[], None]:
        def do() -> None:
            show()
            panel.show_view(name)

        return do

    def compare_all() -> None:
        show()
        panel.select_evaluated()

    return (
        *(ActionSpec(f"train.show_{name}", text, shower(name), menu="Train", tip=tip) for name, text, tip in VIEWS),
        ActionSpec(
            "train.compare_all",
            "Compare all evaluated runs",
            compare_all,
            icon="mdi6.compare-horizontal",
            menu="Train",
        ),
        ActionSpec(
            "train.evaluate_selected",
            "Evaluate the selected runs",
            panel.evaluate_unscored,
            menu="Train",
            tip="Scores those that are not scored on the split that is chosen in the results.",
            enabled_when=lambda: panel.can_write and bool(panel.unscored()),
        ),
        ActionSpec(
            "train.report",
            "Write a report of the selected runs…",
            panel.write_report,
            icon="mdi6.file-document-outline",
            menu="Train",
            enabled_when=panel.report.isEnabled,
        ),
        ActionSpec(
            "train.open_crop",
            "Open the selected crop in the viewer",
            panel.errors.open_selected,
            icon="mdi6.open-in-app",
            menu="Train",
            enabled_when=lambda: panel.errors.isVisible() and panel.errors.gallery.selected is not None,
        ),
    )
