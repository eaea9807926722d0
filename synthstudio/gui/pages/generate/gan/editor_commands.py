"""Changes of the map and of the set that images are kept in, on the editor's own undo stack."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum

from PySide6.QtGui import QUndoCommand
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.client.kept_images import KeptImage, keep_images, remove_kept_images
from synthstudio.core.synthesis.semantic_maps import MapCoding
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Changes
from synthstudio.gui.drawing import Drawn
from synthstudio.gui.pages.generate.gan.map_state import MapState
from synthstudio.gui.project_command import ProjectCommand
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project


class Merged(IntEnum):
    """Changes of one kind that follow one another are undone together."""

    NEVER = -1
    NUDGES = 1
    SIZES = 2
    TONES = 3
    SEEDS = 4


class MapCommand(QUndoCommand):
    """From one state of the map to another; `show` shows a state."""

    def __init__(
        self, text: str, before: MapState, after: MapState, *, show: Callable[[MapState], None], merged: Merged
    ) -> None:
        super().__init__(text)
        self._before, self.after = before, after
        self._show, self._merged = show, merged

    @override
    def redo(self) -> None:
        self._show(self.after)

    @override
    def undo(self) -> None:
        self._show(self._before)

    @override
    def id(self) -> int:
        return int(self._merged)

    @override
    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, MapCommand) or self.after.ids != other.after.ids:
            return False
        self.after = other.after
        return True


def kept_image(drawn: Drawn, coding: MapCoding) -> KeptImage:
    """What is kept of an image: its map as it would be read back, so that no hidden box becomes a label."""
    wish = drawn.wish
    return KeptImage(drawn.image, coding.normalise(wish.map_request), wish.run_id, wish.seed, wish.index)


class KeepCommand(ProjectCommand):
    """Images that were added to a set."""

    def __init__(self, workspace: Workspace, set_name: str, kept: Sequence[KeptImage], *, window: QWidget) -> None:
        super().__init__(workspace, f"add to set {set_name}", window=window)
        self._set_name, self._kept = set_name, tuple(kept)
        self._n_images = 0

    @override
    def write_to(self, project: Project, *, is_undo: bool) -> Changes:
        if not is_undo:
            changed = keep_images(project, self._set_name, self._kept)
            self._n_images = project.sets.get(self._set_name).n_images
            return changed
        if project.sets.get(self._set_name).n_images != self._n_images:
            raise UserError(
                f"Other images were added to the set {self._set_name} or taken out since; this stays in it.",
                "Reject it in Review, so that it is not used.",
            )
        return remove_kept_images(project, self._set_name, len(self._kept))
