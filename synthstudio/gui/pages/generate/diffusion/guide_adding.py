"""Making guide sets and bringing images into them, by dialogs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from synthstudio.domain.errors import UserError
from synthstudio.domain.guides import NEW_GUIDE, GuideImage
from synthstudio.domain.ids import FovId, GuideId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Box, Changes, FieldOfView
from synthstudio.gui import errors
from synthstudio.gui.pages.generate.diffusion.guide_command import change_guides
from synthstudio.gui.pages.generate.diffusion.guide_dialogs import (
    AddImagesDialog,
    AddRegionsDialog,
    CropToRegionsDialog,
    NewGuideSetDialog,
    RegionWish,
)
from synthstudio.gui.pages.generate.diffusion.guide_reader import GuideListing
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.guide_regions import crop_to_regions, list_region_guides


class GuideAdding(QObject):
    """Knows which set is shown, and asks what is to come into it.

    Signals:
        set_made: (name)
    """

    set_made = Signal(str)

    def __init__(self, workspace: Workspace, panel: QWidget) -> None:
        super().__init__(panel)
        self._workspace = workspace
        self._panel = panel
        self._listing: GuideListing | None = None

    def set_listing(self, listing: GuideListing) -> None:
        """What the panel shows."""
        self._listing = listing

    @Slot()
    def make_set(self) -> None:
        """Ask for the words of a new set."""
        names = self._listing.class_names if self._listing is not None else ()
        NewGuideSetDialog(names, self._make, self._panel).open()

    def _make(self, name: str, class_name: str, identifier: str) -> None:
        def make(project: Project) -> Changes:
            return project.guides.add(name, class_name=class_name, identifier=identifier)[1]

        change_guides(self._workspace, name.strip(), "new guide set", make, window=self._panel.window())
        self.set_made.emit(name.strip())

    @Slot()
    def add_images(self) -> None:
        """Ask which images of the project come into the shown set."""
        project = self._workspace.project
        if project is None:
            return

        def show(fovs: Sequence[FieldOfView]) -> None:
            current = self._workspace.current_fov_id
            AddImagesDialog(fovs, [current] if current is not None else [], self._add_fovs, self._panel).open()

        def work(_: Tick) -> list[FieldOfView]:
            return project.fovs.list()

        self._workspace.background.run(work, done=show, owner=self._panel)

    def _add_fovs(self, fov_ids: Sequence[FovId]) -> None:
        self._add([GuideImage(NEW_GUIDE, each) for each in fov_ids])

    @Slot()
    def add_regions(self) -> None:
        """Ask for crops around which regions."""
        listing = self._listing
        if listing is None or listing.chosen is None:
            return
        AddRegionsDialog(listing.class_names, listing.chosen.class_name, self._add_regions, self._panel).open()

    def crop_to_regions(self, guide_ids: Collection[GuideId]) -> None:
        """Ask which regions these images of the shown set are cropped to; all of them where none is named."""
        listing = self._listing
        if listing is None or listing.chosen is None:
            return
        chosen = frozenset(guide_ids) or None

        def crop(wish: RegionWish) -> None:
            self._crop(wish, chosen)

        CropToRegionsDialog(listing.class_names, listing.chosen.class_name, crop, self._panel).open()

    def _crop(self, wish: RegionWish, guide_ids: frozenset[GuideId] | None) -> None:
        if self._listing is None or self._listing.chosen is None:
            return
        name, project = self._listing.chosen.name, self._workspace.require_writable_project()

        def work(_: Tick) -> dict[GuideId, Box | None]:
            there = project.guides.get(name)
            cropped = crop_to_regions(project, there, wish.class_names, margin=wish.margin, guide_ids=guide_ids)
            return {each.id: each.box for each in cropped.images}

        def done(boxes: Mapping[GuideId, Box | None]) -> None:
            def change(project: Project) -> Changes:
                there = project.guides.get(name)  # captions may have been written meanwhile
                images = tuple(replace(each, box=boxes.get(each.id, each.box)) for each in there.images)
                return project.guides.put(replace(there, images=images))

            self._try(
                lambda: change_guides(self._workspace, name, "crop to regions", change, window=self._panel.window())
            )

        self._workspace.background.run(work, done=done, owner=self._panel)

    def _add_regions(self, wish: RegionWish) -> None:
        project = self._workspace.require_writable_project()

        def work(_: Tick) -> list[GuideImage]:
            return list_region_guides(project, wish.class_names, margin=wish.margin, count=wish.count)

        self._workspace.background.run(work, done=self._add, owner=self._panel)

    def _add(self, images: Sequence[GuideImage]) -> None:
        if self._listing is None or self._listing.chosen is None:
            return
        name = self._listing.chosen.name
        n_added = 0

        def change(project: Project) -> Changes:
            nonlocal n_added
            added, told = project.guides.add_images(name, images)
            n_added = len(added)
            return told

        text = f"{len(images)} guide images added" if len(images) != 1 else "guide image added"
        self._try(lambda: change_guides(self._workspace, name, text, change, window=self._panel.window()))
        if n_added < len(images):
            known = f"{len(images) - n_added} of {len(images)} images were in the guide set already."
            errors.post(errors.Notice(known, "", errors.Severity.INFO), parent=self._panel)

    def _try(self, deed: Callable[[], None]) -> None:
        try:
            deed()
        except UserError as error:
            errors.report(error, parent=self._panel)
