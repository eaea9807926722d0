"""Saving what the CAM tab shows: picture at full resolution, array, boxes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QWidget

from synthstudio.core.explanation.boxes import boxes_to_csv
from synthstudio.core.explanation.picture import ClassMap, draw_class_map, write_class_map
from synthstudio.core.imaging import read_image, write_bytes_atomically, write_png
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import FieldOfView
from synthstudio.gui.errors import Notice, Severity, post
from synthstudio.gui.pages.train.cam_render import CamLook
from synthstudio.gui.widgets.saving import choose_file
from synthstudio.gui.workspace import Workspace


class CamFiles:
    """Asks where to, and writes off the GUI thread.

    Args:
        workspace: Does the work in its background.
        parent: Of the dialogs.
    """

    def __init__(self, workspace: Workspace, parent: QWidget) -> None:
        self._workspace, self._parent = workspace, parent

    def save_overlay(self, fov: FieldOfView, found: ClassMap, look: CamLook) -> None:
        """The map over the field, as it is shown, at the field's full resolution."""

        def write(path: Path) -> Path:
            image = read_image(Path(fov.path), page=fov.page)
            write_png(path, draw_class_map(image, found, look.for_file))
            return path

        self._save(self._name(found, "png"), "PNG (*.png)", write)

    def save_map(self, found: ClassMap, look: CamLook) -> None:
        """The map's numbers as .npy, with their meaning as .json beside."""

        def write(path: Path) -> Path:
            write_class_map(path.with_suffix(".npy"), found, threshold=look.threshold)
            return path

        self._save(self._name(found, "npy"), "NumPy array (*.npy)", write)

    def save_boxes(self, found: ClassMap, look: CamLook) -> None:
        """The boxes above the threshold as a table."""

        def write(path: Path) -> Path:
            boxes = found.boxes(look.threshold)
            text = boxes_to_csv(boxes, image=found.explanation.fov_name, class_name=found.known.name)
            write_bytes_atomically(path, text)
            return path

        self._save(self._name(found, "csv"), "Table (*.csv)", write)

    def _name(self, found: ClassMap, suffix: str) -> str:
        record = found.explanation
        words = f"{Path(record.fov_name).stem}-{found.known.name}-{record.method.replace('+', 'p')}"
        folder = self._workspace.require_project().folder.parent
        return str(folder / f"{re.sub(r'[^A-Za-z0-9._-]+', '_', words)}.{suffix}")

    def _save(self, suggested: str, filters: str, write: Callable[[Path], Path]) -> None:
        def chosen(path: Path) -> None:
            def work(_tick: Tick) -> Path:
                return write(path)

            def told(written: Path) -> None:
                post(Notice(f"Saved {written}.", "", Severity.INFO), parent=self._parent)

            self._workspace.background.run(work, done=told, owner=self._parent, title=f"Saving {path.name}")

        choose_file(self._parent, suggested, filters, chosen)
