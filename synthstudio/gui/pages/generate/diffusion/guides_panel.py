"""Guide sets: the few images that a diffusion model is shown, with the captions that describe them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.core.export.guides import write_guides
from synthstudio.core.review.guide_checks import GuideProblem
from synthstudio.core.synthesis.guide_crops import guide_window
from synthstudio.core.synthesis.prompts import with_subject
from synthstudio.domain.errors import UserError
from synthstudio.domain.guides import GuideSet
from synthstudio.domain.ids import GuideId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Box, Changes
from synthstudio.gui import errors
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.pages.generate.diffusion.caption_side import CaptionSide
from synthstudio.gui.pages.generate.diffusion.guide_adding import GuideAdding
from synthstudio.gui.pages.generate.diffusion.guide_bar import GuideBar
from synthstudio.gui.pages.generate.diffusion.guide_command import change_guides
from synthstudio.gui.pages.generate.diffusion.guide_grid import GuideGrid
from synthstudio.gui.pages.generate.diffusion.guide_model import GuideModel
from synthstudio.gui.pages.generate.diffusion.guide_reader import GuideListing, GuideReader
from synthstudio.gui.pages.generate.diffusion.guide_specs import GuideDeeds, guide_specs
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project

RECORDS = frozenset({"guides", "fovs", "classes", "samples"})
REREAD_MS = 100
"""Several changes that follow one another are read together."""
SIDE_PX = 512
"""Of the squares that most models learn from; smaller images are told of."""


class GuidesPanel(QWidget):
    """Joins the row of sets, the captions, the assistant and the checks.

    Signals:
        page_requested: What would help: "import" or "annotations".
    """

    page_requested = Signal(str)
    actions_outdated = Signal()
    """Other actions may be possible now."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._name = ""
        self._listing: GuideListing | None = None
        self._is_stale = True
        self.reader = GuideReader(workspace, self)
        self.adding = GuideAdding(workspace, self)
        self.bar = GuideBar(self)
        self.model = GuideModel(self.reader.find_picture, self)
        self.stack = QStackedWidget(self)
        self.notice = NextStep(parent=self.stack)
        self.grid = GuideGrid(self.model, self.stack)
        self.side = CaptionSide(self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REREAD_MS)
        self._next: Callable[[], None] = self.adding.make_set
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        self.stack.addWidget(self.notice)
        self.stack.addWidget(self.grid)
        self.side.setProperty("panel", True)
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addWidget(self.stack, 1)
        row.addWidget(self.side)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addLayout(row, 1)
        self.bar.fill_menu(
            (
                ("Images…", self.adding.add_images),
                ("Crops around regions…", self.adding.add_regions),
                ("Import images with captions…", self.bring_captions),
            )
        )

    def _connect(self) -> None:
        self._workspace.project_changed.connect(self._on_workspace_project_changed)
        self._workspace.records_changed.connect(self._on_workspace_records_changed)
        self._timer.timeout.connect(self.read)
        self.reader.listed.connect(self._on_reader_listed)
        self.reader.looked.connect(self.model.show_picture)
        self.reader.checked.connect(self._on_reader_checked)
        self.reader.failed.connect(lambda error: errors.report(error, parent=self))
        self.adding.set_made.connect(self.show_set)
        self.bar.set_chosen.connect(self.show_set)
        self.bar.words_changed.connect(self.change_words)
        self.bar.new.clicked.connect(self.adding.make_set)
        self.bar.export.clicked.connect(self.export)
        self.bar.crop.clicked.connect(self.crop_to_regions)
        self.model.caption_edited.connect(lambda guide_id, text: self.write_captions({guide_id: text}))
        self.grid.selection_changed.connect(self._on_grid_selection_changed)
        self.side.captions_written.connect(self._on_side_captions_written)
        self.side.problem_chosen.connect(self._on_side_problem_chosen)
        self.notice.button_clicked.connect(self._on_notice_button_clicked)

    # What is shown

    @property
    def chosen(self) -> GuideSet | None:
        """The guide set that is shown."""
        return self._listing.chosen if self._listing is not None else None

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._is_stale:
            self.read()

    @Slot()
    def read(self) -> None:
        """Read the sets anew, off the GUI thread, where the panel is seen."""
        self._is_stale = not self.isVisible()
        if self._is_stale:
            return
        if self._workspace.project is None:
            self._show_notice("No project is open", "Open one to choose guide images.", "", self.adding.make_set)
            self.bar.setEnabled(False)
            return
        self.bar.setEnabled(True)
        self.reader.read(self._workspace.project, self._name, side=SIDE_PX)

    @Slot(str)
    def show_set(self, name: str) -> None:
        """Show another guide set."""
        self._name = name
        self.read()

    @Slot(object)
    def _on_reader_listed(self, listing: GuideListing) -> None:
        self._listing = listing
        self._name = listing.chosen.name if listing.chosen is not None else ""
        self.adding.set_listing(listing)
        is_writable = self._workspace.is_writable
        self.bar.show_sets(listing.sets, listing.chosen, listing.class_names, is_writable=is_writable)
        self.model.is_editable = is_writable
        chosen = self.grid.selected
        self.model.show_crops(listing.crops)
        if self.grid.selected != chosen:
            self.grid.select(chosen)
        self.side.offer_words(
            [each.caption for each in listing.crops], listing.chosen.subject if listing.chosen else ""
        )
        self.side.show_problems(None if listing.chosen is not None else ())
        self._show_selection()
        self._show_step(listing)
        self.actions_outdated.emit()

    def _show_step(self, listing: GuideListing) -> None:
        self.side.setVisible(listing.chosen is not None)
        if listing.chosen is None:
            text = (
                "Ten images of a condition with a caption each are what a diffusion model learns it from. Make a set "
                "here, or import a folder that has image.txt beside each image."
            )
            self._show_notice("No guide set yet.", text, "New guide set…", self.adding.make_set)
        elif not listing.crops:
            text = "Add images of the project, crops around their regions, or import images with captions."
            self._show_notice("No guide images yet", text, "Add images…", self.adding.add_images)
        else:
            self.stack.setCurrentWidget(self.grid)

    @Slot()
    def _on_notice_button_clicked(self) -> None:
        self._next()

    def _show_notice(self, title: str, text: str, button: str, deed: Callable[[], None]) -> None:
        self._next = deed
        self.notice.show_step(title, text, button if self._workspace.is_writable else "")
        self.stack.setCurrentWidget(self.notice)

    @Slot(object)
    def _on_reader_checked(self, problems: Sequence[GuideProblem]) -> None:
        by_guide: dict[GuideId, list[str]] = {}
        n = len(self.model.crops)
        for each in problems:
            # What all images share stands in the list alone: a mark on each would hide those that differ.
            for guide_id in each.guides if len(each.guides) < n or n == 1 else ():
                by_guide.setdefault(guide_id, []).append(each.message)
        self.model.show_problems(by_guide)
        self.side.show_problems(problems)

    @Slot()
    def _on_workspace_project_changed(self) -> None:
        self.reader.forget()
        self._name, self._listing = "", None
        self.model.show_crops(())
        self._is_stale = True
        self.read()

    @Slot(object)
    def _on_workspace_records_changed(self, told: Changes) -> None:
        if told.kinds & RECORDS:
            self._is_stale = True
            if self.isVisible():
                self._timer.start()

    @Slot()
    def _on_grid_selection_changed(self) -> None:
        self._show_selection()
        self.actions_outdated.emit()

    def _show_selection(self) -> None:
        captions = [self.model.crops[place].caption for place in self._places()]
        subject = self.chosen.subject if self.chosen is not None else ""
        self.side.show_captions(captions, subject, is_writable=self._workspace.is_writable)

    def _places(self) -> list[int]:
        """Places of the selected images."""
        return [place for each in self.grid.selected if (place := self.model.place_of(each)) is not None]

    @Slot(object)
    def _on_side_problem_chosen(self, problem: GuideProblem) -> None:
        if problem.guides:
            self.grid.select(problem.guides)
            self.grid.setFocus()

    # What is done

    def _change(self, text: str, change: Callable[[Project, GuideSet], Changes]) -> None:
        """Change the shown set as one step that can be undone; trouble is told."""
        name = self._name

        def work(project: Project) -> Changes:
            return change(project, project.guides.get(name))

        try:
            change_guides(self._workspace, name, text, work, window=self.window())
        except UserError as error:
            errors.report(error, parent=self)

    def write_captions(self, captions: Mapping[GuideId, str]) -> None:
        """Store captions of images of the shown set."""
        text = "caption" if len(captions) == 1 else f"{len(captions)} captions"
        self._change(text, lambda project, _: project.guides.set_captions(captions))

    @Slot(object)
    def _on_side_captions_written(self, captions: Mapping[int, str]) -> None:
        selected = self.grid.selected
        self.write_captions({selected[place]: text for place, text in captions.items() if place < len(selected)})

    @Slot(str, str)
    def change_words(self, class_name: str, identifier: str) -> None:
        """Give the set another class name or identifier; captions that hold the old ones get the new ones."""

        def change(project: Project, there: GuideSet) -> Changes:
            new = replace(there, class_name=class_name, identifier=identifier)
            images = tuple(
                replace(each, caption=with_subject(each.caption, old=there.subject, new=new.subject))
                for each in there.images
            )
            return project.guides.put(replace(new, images=images))

        self._change("class name and identifier", change)

    @Slot()
    def remove_images(self) -> None:
        """Take the selected images out of the set."""
        gone = self.grid.selected
        following = [place for place in range(len(self.model.crops)) if place not in self._places()]
        after = next((place for place in following if place > max(self._places(), default=0)), None)
        staying = after if after is not None else (following[-1] if following else None)
        chosen = [self.model.crops[staying].guide.id] if staying is not None else []
        text = "guide image taken out" if len(gone) == 1 else f"{len(gone)} guide images taken out"
        self.grid.select(chosen)
        self._change(text, lambda project, _: project.guides.remove_images(gone))

    @Slot()
    def crop_to_regions(self) -> None:
        """Ask which regions the selected images, or all, are cropped to."""
        self.adding.crop_to_regions(self.grid.selected)

    def move_images(self, step: int) -> None:
        """Move the selected images one place forward (-1) or back (1)."""
        moved = set(self.grid.selected)

        def change(project: Project, there: GuideSet) -> Changes:
            images = list(there.images)
            places = [place for place, each in enumerate(images) if each.id in moved]
            for place in places if step < 0 else reversed(places):
                other = place + step
                if 0 <= other < len(images) and images[other].id not in moved:
                    images[place], images[other] = images[other], images[place]
            return project.guides.put(replace(there, images=tuple(images)))

        self._change("order of guide images", change)

    @Slot()
    def remove_set(self) -> None:
        """Remove the shown set with its captions."""
        self._change("guide set removed", lambda project, there: project.guides.remove(there.name))

    @Slot()
    def go_to_uncaptioned(self) -> None:
        """Select the next image that has no caption, from the selected one on."""
        n = len(self.model.crops)
        start = max(self._places(), default=-1) + 1
        for place in (number % n for number in range(start, start + n)):
            if not self.model.crops[place].caption:
                self.grid.select([self.model.crops[place].guide.id])
                self.grid.setFocus()
                return

    @Slot()
    def show_field(self) -> None:
        """Show the selected image in its field of view."""
        places = self._places()
        if not places:
            return
        crop = self.model.crops[places[0]]
        window = guide_window(crop.fov, crop.guide.box)
        box = crop.guide.box or Box(window.x, window.y, window.x + window.side, window.y + window.side)
        self.page_requested.emit("annotations")  # first, as what is shown is fitted into the viewer as it is seen
        try:
            self._workspace.show_region(crop.fov.id, box)
        except UserError as error:
            errors.report(error, parent=self)

    @Slot()
    def bring_captions(self) -> None:
        """Open the import, on captions and for the shown set."""
        self._workspace.guides_to_import = self._name
        self.page_requested.emit("import")

    @Slot()
    def export(self) -> None:
        """Ask where to, then write the images with their captions."""
        start = Path.home() / f"{self._name}-guides"
        errors.ask.new_folder(self, title="Export guide set", start=start, answered=self._export_to)

    def _export_to(self, out: Path) -> None:
        guides = [(crop.guide, crop.fov) for crop in self.model.crops]

        def work(tick: Tick) -> int:
            return write_guides(guides, out, tick=tick)

        def done(n: int) -> None:
            errors.post(errors.Notice(f"Wrote {n} guide images to {out}.", "", errors.Severity.INFO), parent=self)

        self._workspace.background.run(work, done=done, owner=self, title="Exporting guide images", reads_images=True)

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word, not QWidget's list of QActions
        """What can be done here."""
        return guide_specs(self._deeds())

    def _deeds(self) -> GuideDeeds:
        def is_writable() -> bool:
            return self._workspace.project is not None and self._workspace.is_writable

        return GuideDeeds(
            area=self,
            grid=self.grid,
            has_project=is_writable,
            has_set=lambda: is_writable() and self.chosen is not None,
            has_images=lambda: bool(self.model.crops),
            has_selection=lambda: is_writable() and bool(self.grid.selected),
            can_write=self.side.write.isEnabled,
            make_set=self.adding.make_set,
            remove_set=self.remove_set,
            add_images=self.adding.add_images,
            add_regions=self.adding.add_regions,
            bring_captions=self.bring_captions,
            export=self.export,
            crop=self.crop_to_regions,
            edit=self.grid.edit_current,
            write=self.side.write_captions,
            remove_images=self.remove_images,
            move_earlier=lambda: self.move_images(-1),
            move_later=lambda: self.move_images(1),
            go_to_uncaptioned=self.go_to_uncaptioned,
            show_field=self.show_field,
        )
