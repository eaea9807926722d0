"""The patch bank of the open project: built in the background, kept until annotations or patch settings change."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import QObject, Signal

from synthstudio.core.patches.bank import PatchBank
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Annotation, FieldOfView
from synthstudio.gui.errors import report
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.patches import build_project_bank, list_train_fovs
from synthstudio.settings.compose import PatchSettings

PATCH_RECORDS = frozenset({"annotations", "classes", "fovs", "samples"})
"""Kinds of record that the patches depend on."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no bank. `needs` says which records would mend it."""

    title: str
    text: str
    needs: str = ""


@dataclass(frozen=True, slots=True)
class _Built:
    state: str
    settings: PatchSettings
    bank: PatchBank = field(repr=False)


class BankLoader(QObject):
    """Builds the bank off the GUI thread; the last bank stays usable until the new one is complete."""

    bank_changed = Signal(object)
    """`PatchBank`, or None where the project has none."""
    trouble_found = Signal(object)
    """`Trouble`."""
    building_changed = Signal(bool)

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._built: _Built | None = None
        self._wanted: PatchSettings | None = None
        self._is_busy = False
        self._generation = 0

    @property
    def bank(self) -> PatchBank | None:
        return self._built.bank if self._built is not None else None

    def forget(self) -> None:
        """Another project is open: nothing of the former one stays."""
        self._generation += 1
        self._built = self._wanted = None
        self._is_busy = False
        self.bank_changed.emit(None)

    def load(self, settings: PatchSettings) -> None:
        """Bring the bank up to date; where nothing it depends on has changed, this costs one query."""
        self._wanted = settings
        if not self._is_busy and self._workspace.project is not None:
            self._start(self._workspace.project, settings)

    def _start(self, project: Project, settings: PatchSettings) -> None:
        self._is_busy = True
        generation, known = self._generation, self._built
        self.building_changed.emit(True)
        task = self._workspace.background.run(
            lambda tick: _build(project, settings, known, tick),
            done=lambda built: self._on_done(built, generation),
            failed=lambda error: self._on_failed(error, generation),
            owner=self,
            title="Cutting patches",
        )
        task.ended.connect(lambda: self._on_ended(generation, is_cancelled=task.is_cancelled))

    def _on_done(self, built: _Built | Trouble, generation: int) -> None:
        if generation != self._generation:
            return
        if isinstance(built, Trouble):
            self._built = None
            self._end(self._wanted)
            self.trouble_found.emit(built)
            return
        is_new = built is not self._built
        self._built = built
        self._end(built.settings)
        if is_new:
            self.bank_changed.emit(built.bank)

    def _on_failed(self, error: Exception, generation: int) -> None:
        if generation != self._generation:
            return
        tried = self._wanted
        self._end(tried)
        if isinstance(error, UserError):
            self.trouble_found.emit(Trouble(error.message, error.hint, "annotations"))
        else:
            report(error, parent=None)

    def _on_ended(self, generation: int, *, is_cancelled: bool) -> None:
        if generation == self._generation and is_cancelled:
            self._is_busy = False
            self.building_changed.emit(False)
            self.trouble_found.emit(Trouble("The patches were not cut.", "You cancelled it.", "again"))

    def _end(self, done: PatchSettings | None) -> None:
        self._is_busy = False
        self.building_changed.emit(False)
        if self._wanted is not None and self._wanted != done and self._workspace.project is not None:
            self._start(self._workspace.project, self._wanted)


def _build(project: Project, settings: PatchSettings, known: _Built | None, tick: Tick) -> _Built | Trouble:
    state = project.training_state()
    if known is not None and known.state == state and known.settings == settings:
        return known
    trouble = _find_trouble(project)
    if trouble is not None:
        return trouble
    return _Built(state, settings, build_project_bank(project, settings, tick=tick))


def _find_trouble(project: Project) -> Trouble | None:
    fovs = list_train_fovs(project)
    by_fov = project.annotations.by_fov()
    annotations = [mark for fov in fovs for mark in by_fov.get(fov.id, [])]
    if not project.fovs.list():
        return Trouble(
            "There are no images yet.", "Import a folder of fields of view, then click some objects.", "import"
        )
    if not fovs:
        return Trouble(
            "No image is in the training split.",
            "Put samples into the split “train” in the list of fields; composites are made from those alone.",
            "annotations",
        )
    if not annotations:
        return Trouble(
            "Nothing is annotated yet.",
            "Click the centres of some objects on images of the training split. Each click becomes a patch.",
            "annotations",
        )
    return _find_class_without_size(project, fovs, annotations)


def _find_class_without_size(
    project: Project, fovs: list[FieldOfView], annotations: list[Annotation]
) -> Trouble | None:
    by_id = {fov.id: fov for fov in fovs}
    for item in project.classes.list():
        marks = [mark for mark in annotations if mark.class_id == item.id]
        if any(mark.box is not None for mark in marks):
            continue  # measured from its boxes
        if any(not mark.size_px and item.size_in(by_id[mark.fov_id].um_per_px) is None for mark in marks):
            return Trouble(
                f"The class {item.name} has no size.",
                "Give it a mean size in µm or px: it is the side of the window that is cut around each click.",
                "classes",
            )
    return None
