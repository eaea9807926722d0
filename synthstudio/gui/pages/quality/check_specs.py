"""What can be done with the checks of the data, as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from PySide6.QtWidgets import QWidget

from synthstudio.core.review.findings import Finding
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.pages.quality.check_facts import Checked
from synthstudio.gui.pages.quality.check_side import CheckSide
from synthstudio.gui.pages.quality.finding_bar import FindingBar
from synthstudio.gui.widgets.sortable_table import SortableTable


class Checks(Protocol):
    """What the actions need of the checks."""

    side: CheckSide
    bar: FindingBar
    findings: SortableTable

    @property
    def chosen(self) -> Checked | None: ...
    @property
    def finding(self) -> Finding | None: ...
    def start(self) -> None: ...
    def open_selected(self) -> None: ...
    def pick(self) -> None: ...
    def write_report(self) -> None: ...


def check_specs(checks: Checks, area: QWidget) -> Sequence[ActionSpec]:
    """The actions of the checks; they can be done while the area, their panel, is seen."""
    return (
        ActionSpec(
            "quality.check",
            "Check the data",
            checks.start,
            icon="mdi6.shield-search",
            menu="Quality",
            enabled_when=lambda: area.isVisible() and checks.side.start.isEnabled(),
        ),
        ActionSpec(
            "quality.show",
            "Show what was found",
            checks.open_selected,
            shortcut="Return",
            icon="mdi6.target",
            menu="Quality",
            enabled_when=lambda: area.isVisible() and checks.bar.can_show,
            focus=checks.findings,
        ),
        ActionSpec(
            "quality.relabel",
            "Change to the class that it looks like",
            checks.bar.relabel,
            shortcut="C",
            icon="mdi6.tag-check-outline",
            menu="Quality",
            enabled_when=lambda: area.isVisible() and checks.bar.can_relabel,
            area=area,
        ),
        ActionSpec(
            "quality.pick",
            "Show all that the check has found in the gallery",
            checks.pick,
            icon="mdi6.view-grid-outline",
            menu="Quality",
            enabled_when=lambda: area.isVisible() and checks.finding is not None,
        ),
        ActionSpec(
            "quality.report",
            "Report of the check…",
            checks.write_report,
            icon="mdi6.file-document-outline",
            menu="Quality",
            enabled_when=lambda: area.isVisible() and checks.chosen is not None,
        ),
    )
