"""The patch bank of the open project: built in the background, kept until annotations or patch settings change."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, Signal

from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.patches.remasking import differ_in_foreground_alone, with_foregrounds
from synthstudio.core.patches.table import PatchTable, tabulate
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import AnnotationId, FovId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Annotation, FieldOfView
from synthstudio.gui.errors import report
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.generated_patches import describe_generated, patch_state
from synthstudio.project.patch_verdicts import KIND as VERDICTS
from synthstudio.project.patches import build_project_bank, check_class_names, list_train_fovs
from synthstudio.settings.compose import PatchSettings

PATCH_RECORDS = frozenset({"annotations", "classes", "fovs", "samples", "sets", "verdicts", VERDICTS})
"""Kinds of record that the patches depend on."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no bank. `needs` says which records would mend it."""

    title: str
    text: str
    needs: str = ""


@dataclass(frozen=True, slots=True)
class _Wish:
    patches: PatchSettings
    with_plates: bool


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """All patches, also those that were rejected, as they are looked through.

    Attributes:
        bank: With every patch.
        table: Its patches' records.
        rejected: Annotations whose patches are used nowhere.
        fovs: The FOVs that the patches come from.
    """

    bank: PatchBank = field(repr=False)
    table: PatchTable = field(repr=False)
    rejected: frozenset[AnnotationId]
    fovs: Mapping[FovId, FieldOfView] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Built:
    """`state` is that of the project without its rejections, `bank` holds the patches that are used."""

    state: str
    wish: _Wish
    gallery: Gallery
    bank: PatchBank = field(repr=False)


class BankLoader(QObject):
    """Builds the bank off the GUI thread; the last bank stays usable until the new one is complete."""

    bank_changed = Signal(object)
    """`PatchBank`, or None where the project has none."""
    gallery_changed = Signal(object)
    """`Gallery`, or None where the project has none. Comes before `bank_changed`."""
    trouble_found = Signal(object)
    """`Trouble`."""
    building_changed = Signal(bool)

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._built: _Built | None = None
        self._wanted: _Wish | None = None
        self._is_busy = False
        self._is_outdated = False
        """Something may have changed since the work that is under way began."""
        self._generation = 0

    @property
    def bank(self) -> PatchBank | None:
        """The patches that are used; None where there is not one."""
        return self._built.bank if self._built is not None and self._built.bank.patches else None

    @property
    def gallery(self) -> Gallery | None:
        """All patches; None where the project has none."""
        return self._built.gallery if self._built is not None else None

    def forget(self) -> None:
        """Another project is open: nothing of the former one stays."""
        self._generation += 1
        self._built = self._wanted = None
        self._is_busy = self._is_outdated = False
        self.gallery_changed.emit(None)
        self.bank_changed.emit(None)

    def has(self, settings: PatchSettings, *, with_plates: bool = False) -> bool:
        """Whether the patches of these settings are there and nothing is under way.

        Asked at each move of a slider: whether the project has changed since, which `load` finds out, would cost the
        preview its time.
        """
        return not self._is_busy and self._built is not None and self._built.wish == _Wish(settings, with_plates)

    def load(self, settings: PatchSettings, *, with_plates: bool = False) -> None:
        """Bring the bank up to date; where nothing it depends on has changed, this costs one query.

        Args:
            settings: How the patches are cut.
            with_plates: Keep the emptied backgrounds too, for canvases that are made of them.
        """
        self._wanted = _Wish(settings, with_plates)
        self._is_outdated = self._is_busy
        if not self._is_busy and self._workspace.project is not None:
            self._start(self._workspace.project, self._wanted)

    def _start(self, project: Project, wish: _Wish) -> None:
        self._is_busy = True
        generation, known = self._generation, self._built
        self.building_changed.emit(True)
        task = self._workspace.background.run(
            lambda tick: _build(project, wish, known, tick),
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
            self.gallery_changed.emit(None)
            self.trouble_found.emit(built)
            return
        is_new = built is not self._built
        self._built = built
        self._end(built.wish)
        if is_new:
            self.gallery_changed.emit(built.gallery)
            self.bank_changed.emit(self.bank)
        if self.bank is None:
            self.trouble_found.emit(
                Trouble("Every patch is rejected.", "Restore those that composites may be made of.", "patches")
            )

    def _on_failed(self, error: Exception, generation: int) -> None:
        if generation != self._generation:
            return
        tried = self._wanted
        self._built = None
        self._end(tried)
        self.gallery_changed.emit(None)
        if isinstance(error, UserError):
            self.trouble_found.emit(Trouble(error.message, error.hint, "annotations"))
        else:
            report(error, parent=None)

    def _on_ended(self, generation: int, *, is_cancelled: bool) -> None:
        if generation == self._generation and is_cancelled:
            self._is_busy = False
            self.building_changed.emit(False)
            self.trouble_found.emit(Trouble("The patches were not cut.", "You cancelled it.", "again"))

    def _end(self, done: _Wish | None) -> None:
        self._is_busy = False
        self.building_changed.emit(False)
        is_wanted = self._wanted is not None and (self._wanted != done or self._is_outdated)
        self._is_outdated = False
        if is_wanted and self._wanted is not None and self._workspace.project is not None:
            self._start(self._workspace.project, self._wanted)


def _build(project: Project, wish: _Wish, known: _Built | None, tick: Tick) -> _Built | Trouble:
    state = patch_state(project, wish.patches, ignores_rejections=True)
    rejected = project.patch_verdicts.rejected()
    if known is not None and known.state == state and known.wish == wish:
        if known.gallery.rejected == rejected:
            return known
        gallery = dataclasses.replace(known.gallery, rejected=rejected)
        return dataclasses.replace(known, gallery=gallery, bank=gallery.bank.without(rejected))
    trouble = _find_trouble(project)
    if trouble is not None:
        return trouble
    if known is not None and known.state == state and _needs_masks_alone(known.wish, wish):
        check_class_names(wish.patches, [each.name for each in project.classes.list()])
        bank = with_foregrounds(known.gallery.bank, known.wish.patches, wish.patches, tick=tick)
        gallery = dataclasses.replace(known.gallery, bank=bank, rejected=rejected)
        return _Built(state, wish, gallery, bank.without(rejected))
    # All of them are cut, also the rejected ones: a verdict is then seen at once, and cuts nothing anew.
    bank = build_project_bank(project, wish.patches, rejected=(), with_plates=wish.with_plates, tick=tick)
    used = set(bank.fov_ids)
    fovs = {fov.id: fov for fov in project.fovs.list() if fov.id in used} | describe_generated(bank)
    return _Built(state, wish, Gallery(bank, tabulate(bank), rejected, fovs), bank.without(rejected))


def _needs_masks_alone(former: _Wish, wish: _Wish) -> bool:
    return former.with_plates == wish.with_plates and differ_in_foreground_alone(former.patches, wish.patches)


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
