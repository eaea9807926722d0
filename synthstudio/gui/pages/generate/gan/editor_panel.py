"""The map editor: boxes of conditions and a tone on the left, the image that a GAN makes of them on the right."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.core.synthesis.region_crops import PlannedCrop, RegionCrop
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Changes, Run
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.drawing import Drawn
from synthstudio.gui.errors import report
from synthstudio.gui.pages.generate.gan.editor_commands import KeepCommand, kept_image
from synthstudio.gui.pages.generate.gan.editor_pictures import EditorPictures
from synthstudio.gui.pages.generate.gan.editor_side import EditorSide
from synthstudio.gui.pages.generate.gan.editor_specs import EditorParts, editor_specs
from synthstudio.gui.pages.generate.gan.image_following import ImageFollowing
from synthstudio.gui.pages.generate.gan.map_editing import MapEditing
from synthstudio.gui.pages.generate.gan.map_gan import MapGan, list_own_crops, read_map_gan
from synthstudio.gui.pages.generate.gan.map_state import MapState
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.workspace import Workspace
from synthstudio.project.region_crops import read_region_crops

NO_GAN = "No GAN is trained yet", "Train one on the tab Training; then it draws images of your maps here."
LOADING = "The GAN is being loaded…"


class MapEditorPanel(QWidget):
    """Joins map, engine, images and the set that they are kept in."""

    actions_outdated = Signal()
    """Other actions may be possible now."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._run: Run | None = None
        self._is_stale = False
        self._generation = 0
        self.pictures = EditorPictures(self)
        self.side = EditorSide(self)
        self.notice = NextStep(*NO_GAN, parent=self)
        self.editing = MapEditing(self.pictures.canvas, self)
        self.following = ImageFollowing(self.editing, workspace.drawing, self)
        self.stack = QStackedWidget(self)
        self._editor = QWidget(self)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        row = QHBoxLayout(self._editor)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.pictures, 1)
        row.addWidget(self.side)
        self.stack.addWidget(self.notice)
        self.stack.addWidget(self._editor)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stack)

    def _connect(self) -> None:
        editing, following, side, pictures = self.editing, self.following, self.side, self.pictures
        self._workspace.project_changed.connect(self._on_workspace_project_changed)
        self._workspace.records_changed.connect(self._on_workspace_records_changed)
        pictures.canvas.hand_moved.connect(following.follow)
        pictures.class_chosen.connect(editing.choose_class)
        pictures.delete_requested.connect(editing.remove_selected)
        editing.state_changed.connect(self._on_editing_state_changed)
        editing.class_changed.connect(side.show_class)
        editing.possibilities_changed.connect(self.actions_outdated)
        following.map_changed.connect(pictures.show_map)
        following.image_drawn.connect(self._on_following_image_drawn)
        following.drawing_failed.connect(lambda text: pictures.say(text, is_trouble=True))
        side.class_chosen.connect(editing.choose_class)
        side.tone_chosen.connect(editing.set_tone)
        side.seed_chosen.connect(editing.set_seed)
        side.start_chosen.connect(self.start_from)
        side.reset_requested.connect(editing.reset)
        side.keep_requested.connect(self.keep)
        side.set_name_changed.connect(self._refresh_keep)

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word, not QWidget's list of QActions
        """What can be done here."""
        parts = EditorParts(self.editing, self.pictures, self.side, keep=self.keep, can_keep=lambda: self.can_keep)
        return editor_specs(parts)

    # Which GAN

    def set_run(self, run: Run | None) -> None:
        """Draw with the GAN of this run. The map stays where the same run comes again."""
        is_same = run is not None and self._run is not None and run.id == self._run.id
        has_changed = run != self._run
        self._run = run
        if is_same:
            if has_changed:
                self.following.ask_again()
            return
        self._forget()
        self._is_stale = run is not None
        if self._is_stale and self.isVisible():
            self._load()

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._is_stale:
            self._load()
        self.following.set_on(True)

    @override
    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.following.set_on(False)

    def _forget(self) -> None:
        self._generation += 1
        self.following.forget()
        self.editing.set_gan(None)
        self.notice.show_step(*NO_GAN)
        self.stack.setCurrentWidget(self.notice)
        self.actions_outdated.emit()

    def _load(self) -> None:
        """Read GAN and crops in a thread."""
        project, run, generation = self._workspace.project, self._run, self._generation
        self._is_stale = False
        if project is None or run is None:
            return
        self.notice.show_step(LOADING, "")

        def read(_: Tick) -> tuple[MapGan, Sequence[PlannedCrop]]:
            gan = read_map_gan(project, run)
            return gan, list_own_crops(project, run, gan.coding)

        def adopt(found: tuple[MapGan, Sequence[PlannedCrop]]) -> None:
            if generation == self._generation:
                self._adopt(*found)

        def tell(error: Exception) -> None:
            if generation == self._generation and isinstance(error, UserError):
                self.notice.show_step(error.message, error.hint)
            elif not isinstance(error, UserError):
                report(error, parent=self)

        self._workspace.background.run(read, done=adopt, failed=tell, owner=self)

    def _adopt(self, gan: MapGan, crops: Sequence[PlannedCrop]) -> None:
        self.side.show_gan(gan)
        self.side.show_crops(crops)
        self.pictures.set_gan(gan)
        self.editing.set_gan(gan)
        self.stack.setCurrentWidget(self._editor)
        self.editing.begin_empty()
        self._refresh_keep()

    # The map and its image

    @Slot()
    def _on_editing_state_changed(self) -> None:
        if self.editing.state is not None:
            self.side.show_state(self.editing.state)
            self.following.follow()

    @Slot(object)
    def _on_following_image_drawn(self, drawn: Drawn) -> None:
        is_first = not self.side.keep.isEnabled()
        self.pictures.show_image(drawn, latency_s=self.following.latency_s)
        if is_first:
            self._refresh_keep()

    @Slot(object)
    def start_from(self, planned: PlannedCrop | None) -> None:
        """Start from the map of a real crop, or from an empty one."""
        project, gan, generation = self._workspace.project, self.editing.gan, self._generation
        if project is None or gan is None:
            return
        former = self.side.start
        self.side.show_start(planned)
        if planned is None:
            self.pictures.show_crop(None)
            self.editing.begin_empty()
            return

        def read(_: Tick) -> RegionCrop:
            return next(iter(read_region_crops(project, [planned])))

        def adopt(crop: RegionCrop) -> None:
            if generation == self._generation and self.side.start == planned:
                seed = self.editing.state.seed if self.editing.state is not None else 0
                self.pictures.show_crop(crop)
                self.editing.begin_with(MapState.of(crop.request, gan.ids, seed=seed))

        def tell(error: Exception) -> None:
            if generation == self._generation and self.side.start == planned:
                self.side.show_start(former)
            report(error, parent=self)

        self._workspace.background.run(read, done=adopt, failed=tell, owner=self)

    # Keeping

    @Slot(object)
    def _on_workspace_records_changed(self, changed: Changes) -> None:
        if "sets" in changed.kinds and self.isVisible():
            self._refresh_keep()

    @Slot()
    def _on_workspace_project_changed(self) -> None:
        self._run, self._is_stale = None, False
        self._forget()

    @property
    def can_keep(self) -> bool:
        """Whether the shown image can be added to the set."""
        return self.following.shown is not None and self._workspace.is_writable and bool(self.side.chosen_set)

    @Slot()
    def _refresh_keep(self) -> None:
        project = self._workspace.project
        if project is None or self.editing.gan is None:
            return
        known = project.sets.find(self.side.chosen_set)
        count = "" if known is None else f"{known.n_images:,} image{'' if known.n_images == 1 else 's'} in it."
        self.side.set_note.setText(project.read_only_reason if project.is_read_only else count)
        self.side.keep.setEnabled(self.can_keep)
        self.actions_outdated.emit()

    @Slot()
    def keep(self) -> None:
        """Add the shown image to the set, with its boxes and where it comes from."""
        drawn, gan, project, generation = (
            self.following.shown,
            self.editing.gan,
            self._workspace.project,
            self._generation,
        )
        if drawn is None or gan is None or project is None or not self.can_keep:
            return
        kept = kept_image(drawn, gan.coding)
        command = KeepCommand(self._workspace, self.side.chosen_set, [kept], window=self)
        self.side.keep.setEnabled(False)

        def write(_: Tick) -> Changes:
            if not self._workspace.drawing.is_of_these_weights(drawn):
                raise UserError("The GAN was trained further since this image was made.", "Add the new image.")
            return command.write_to(project, is_undo=False)

        def tell(changed: Changes) -> None:
            self._workspace.announce(changed)
            self._refresh_keep()
            if generation == self._generation:
                self.editing.undo_stack.push(command)

        def complain(error: Exception) -> None:
            self._refresh_keep()
            self.following.ask_again()
            report(error, parent=self)

        self._workspace.background.run(write, done=tell, failed=complain, owner=self)
