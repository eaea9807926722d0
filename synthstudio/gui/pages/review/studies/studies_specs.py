"""What can be done with reading studies, as data."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.pages.review.studies.reading_view import CONFIDENCES
from synthstudio.gui.pages.review.studies.studies_panel import StudiesPanel

MENU = "Review"


def study_specs(panel: StudiesPanel, *, show: Callable[[], None]) -> list[ActionSpec]:
    """All actions of the studies.

    Args:
        panel: Where they are done.
        show: Shows the panel in place of the verdicts.
    """
    return [*_list_specs(panel, show), *_reading_specs(panel)]


def _list_specs(panel: StudiesPanel, show: Callable[[], None]) -> list[ActionSpec]:
    def shown(callback: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            show()
            callback()

        return run

    def can_remove() -> bool:
        return panel.isVisible() and panel.chosen is not None and not panel.is_reading

    return [
        ActionSpec("study.show", "Show reading studies", show, icon="mdi6.eye-check-outline", menu=MENU),
        ActionSpec(
            "study.new",
            "New reading study…",
            shown(panel.add_study),
            icon="mdi6.eye-plus-outline",
            menu=MENU,
            enabled_when=lambda: panel.can_build and not panel.is_reading,
        ),
        ActionSpec(
            "study.read_folder",
            "Answer a study from a folder…",
            shown(panel.read_folder),
            icon="mdi6.folder-eye-outline",
            menu=MENU,
            enabled_when=lambda: not panel.is_reading,
            tip="One that was written for you on another machine; it needs no project",
        ),
        ActionSpec(
            "study.read",
            "Read the study…",
            panel.read,
            shortcut="R",
            icon="mdi6.eye-outline",
            menu=MENU,
            enabled_when=lambda: panel.isVisible() and panel.can_answer,
            area=panel,
        ),
        ActionSpec(
            "study.write",
            "Write the study for a reader…",
            panel.write,
            icon="mdi6.folder-arrow-right-outline",
            menu=MENU,
            enabled_when=lambda: panel.isVisible() and panel.can_answer,
        ),
        ActionSpec(
            "study.import",
            "Import the answers of a reader…",
            panel.take_answers,
            icon="mdi6.folder-arrow-left-outline",
            menu=MENU,
            enabled_when=lambda: panel.isVisible() and panel.can_answer,
        ),
        ActionSpec(
            "study.close",
            "Close the study…",
            panel.close_study,
            icon="mdi6.lock-outline",
            menu=MENU,
            enabled_when=lambda: panel.isVisible() and panel.can_answer,
        ),
        ActionSpec(
            "study.report",
            "Report of the study…",
            panel.write_report,
            icon="mdi6.file-document-outline",
            menu=MENU,
            enabled_when=lambda: panel.isVisible() and panel.can_report,
        ),
        ActionSpec(
            "study.remove",
            "Delete the study…",
            panel.remove,
            icon="mdi6.trash-can-outline",
            menu=MENU,
            enabled_when=can_remove,
        ),
    ]


def _reading_specs(panel: StudiesPanel) -> list[ActionSpec]:
    reading = panel.reading

    def is_rating() -> bool:
        return panel.is_reading and reading.is_one and reading.is_asking

    answers = [
        ActionSpec(
            f"study.answer_{place}",
            f"Answer: {words}",
            partial(reading.answer, score),
            shortcut=f"{place}",
            enabled_when=is_rating,
            area=panel,
        )
        for place, (score, words) in enumerate(CONFIDENCES, 1)
    ]
    return [
        *answers,
        ActionSpec(
            "study.next_page",
            "End the page",
            reading.go_on,
            shortcut=("Return", "Enter"),
            icon="mdi6.page-next-outline",
            enabled_when=lambda: panel.is_reading and reading.is_asking and not reading.is_one,
            area=panel,
        ),
        ActionSpec(
            "study.back",
            "Back to the answer before",
            reading.go_back,
            shortcut="Backspace",
            icon="mdi6.undo",
            enabled_when=lambda: panel.is_reading and reading.can_go_back,
            area=panel,
        ),
        ActionSpec(
            "study.pause",
            "Pause reading",
            panel.leave_reading,
            icon="mdi6.pause",
            menu=MENU,
            enabled_when=lambda: panel.is_reading,
        ),
    ]
