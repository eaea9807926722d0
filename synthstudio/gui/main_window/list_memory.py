"""How the list of fields was filtered and sorted, remembered for each project on this computer.

Not in the project: whoever opens it elsewhere shall see all of its fields.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from PySide6.QtCore import QObject, QSettings, Slot

from synthstudio.domain.ids import ClassId
from synthstudio.domain.records import AnnotationState, Split
from synthstudio.gui.item_models.fov_listing import FovArrangement, FovFilter, FovOrder
from synthstudio.gui.main_window.fov_filter_bar import FovFilterBar
from synthstudio.gui.workspace import Workspace


class ListMemory(QObject):
    """Keeps filter and order of the open project, and brings them back when it is opened again.

    Args:
        settings: Where they are kept.
        workspace: Tells which project is open.
        bar: Over the list; it has been cleared by its panel when a project is opened.
    """

    def __init__(self, settings: QSettings, workspace: Workspace, bar: FovFilterBar) -> None:
        super().__init__(bar)
        self._settings, self._workspace, self._bar = settings, workspace, bar
        self._folder: Path | None = None
        bar.filter_changed.connect(self._keep)
        bar.arrangement_changed.connect(self._keep)
        workspace.project_changed.connect(self._on_project_changed)

    @Slot()
    def _on_project_changed(self) -> None:
        project = self._workspace.project
        self._folder = None  # what is brought back is not kept again, half of it
        if project is not None:
            wanted, arrangement = self._read(project.folder)
            self._bar.set_arrangement(arrangement)
            self._bar.set_wanted(wanted)
            self._folder = project.folder

    @Slot()
    def _keep(self) -> None:
        project = self._workspace.project
        # While a project is exchanged the bar is cleared: that is no wish of the user's.
        if project is not None and project.folder == self._folder:
            self._settings.setValue(_key(self._folder), _to_text(self._bar.wanted, self._bar.arrangement))

    def _read(self, folder: Path) -> tuple[FovFilter, FovArrangement]:
        text = self._settings.value(_key(folder))
        if text is None:
            return FovFilter(), FovArrangement()
        try:
            return _from_text(str(text))
        except (KeyError, TypeError, ValueError):  # written by another version
            return FovFilter(), FovArrangement()


def _key(folder: Path) -> str:
    return f"lists/{hashlib.sha256(str(folder).encode(errors='replace')).hexdigest()[:16]}"


def _to_text(wanted: FovFilter, arrangement: FovArrangement) -> str:
    """As JSON, by hand: the window's first paint does not wait for a library that does it."""
    record = {
        "text": wanted.text,
        "states": sorted(wanted.states),
        "splits": sorted(split or "" for split in wanted.splits),
        "class_ids": sorted(wanted.class_ids),
        "is_flagged": wanted.is_flagged,
        "is_unannotated": wanted.is_unannotated,
        "order": arrangement.order,
        "is_reversed": arrangement.is_reversed,
        "by_sample": arrangement.by_sample,
    }
    return json.dumps(record)


def _from_text(text: str) -> tuple[FovFilter, FovArrangement]:
    """Raises KeyError, TypeError or ValueError where it is not what `_to_text` gives."""
    record = json.loads(text)
    wanted = FovFilter(
        text=str(record["text"]),
        states=frozenset(AnnotationState(each) for each in record["states"]),
        splits=frozenset(Split(each) if each else None for each in record["splits"]),
        class_ids=frozenset(ClassId(int(each)) for each in record["class_ids"]),
        is_flagged=bool(record["is_flagged"]),
        is_unannotated=bool(record["is_unannotated"]),
    )
    order = FovArrangement(FovOrder(record["order"]), bool(record["is_reversed"]), bool(record["by_sample"]))
    return wanted, order
