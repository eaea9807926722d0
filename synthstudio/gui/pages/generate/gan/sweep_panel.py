"""Sweeps: the same map in every tone, in growing sizes, with other conditions, as a grid of images."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.core.synthesis.sweeps import Sweep, SweepKnowledge, build_sweep, centered_request
from synthstudio.domain.errors import UserError
from synthstudio.domain.maps import MapRequest
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Changes, Run
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.drawing import DrawingWish, Drawn
from synthstudio.gui.errors import report
from synthstudio.gui.pages.generate.gan.editor_commands import KeepCommand, kept_image
from synthstudio.gui.pages.generate.gan.map_gan import MapGan, read_map_gan
from synthstudio.gui.pages.generate.gan.sweep_side import SweepSide
from synthstudio.gui.widgets.image_grid import to_qimage
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.widgets.picture_sheet import PictureSheet
from synthstudio.gui.workspace import Workspace

DELAY_MS = 120
"""After a change of the controls, so that a held arrow key does not start a sweep at each step."""
MENU = "Generate"
SET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
NO_GAN = "No GAN is trained yet", "Train one on the tab Training; then it draws sweeps of its maps here."
LOADING = "The GAN is being loaded…"


class SweepPanel(QWidget):
    """Joins the controls, the drawing engine and the sheet of images."""

    actions_outdated = Signal()
    """Other actions may be possible now."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._run: Run | None = None
        self._gan: MapGan | None = None
        self._find_base: Callable[[], MapRequest | None] = lambda: None
        self._is_stale = False
        self._generation = 0
        self.sweep: Sweep | None = None
        self.drawn: dict[int, Drawn] = {}
        self._wishes: list[DrawingWish] = []
        self.stack = QStackedWidget(self)
        self.notice = NextStep(*NO_GAN, parent=self)
        self.sheet = PictureSheet("Sweep", self)
        self.side = SweepSide(self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY_MS)
        self._lay_out()
        self._timer.timeout.connect(self.draw)
        self.side.changed.connect(self._timer.start)
        self.side.save_requested.connect(self.sheet.save)
        self.side.keep_requested.connect(self.keep)
        self.side.set_name_changed.connect(self._refresh)
        workspace.project_changed.connect(self._on_workspace_project_changed)
        workspace.records_changed.connect(self._on_workspace_records_changed)
        self._refresh()

    def _lay_out(self) -> None:
        content = QWidget(self)
        row = QHBoxLayout(content)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.sheet, 1)
        row.addWidget(self.side)
        self.stack.addWidget(self.notice)
        self.stack.addWidget(content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stack)

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word, not QWidget's list of QActions
        """What can be done here."""
        return (
            ActionSpec(
                "gan.sweep_save",
                "Save the sweep as a picture…",
                self.sheet.save,
                "Ctrl+Shift+S",
                "mdi6.image-outline",
                MENU,
                lambda: self.sheet.is_complete,
            ),
            ActionSpec(
                "gan.sweep_keep",
                "Keep the images of the sweep",
                self.keep,
                "Ctrl+Return",
                "mdi6.image-plus-outline",
                MENU,
                lambda: self.can_keep,
            ),
        )

    # Which GAN, and which map

    def set_base_source(self, find: Callable[[], MapRequest | None]) -> None:
        """Offer to start from the map that `find` gives: the editor's present one."""
        self._find_base = find
        self.side.offer_editor(is_there=True)

    def set_run(self, run: Run | None) -> None:
        """Draw with the GAN of this run."""
        is_same = run is not None and self._run is not None and run.id == self._run.id
        has_changed = run != self._run
        self._run = run
        if is_same:
            if has_changed and self.isVisible():
                self.draw()  # it has been trained further
            return
        self._forget()

    def _forget(self) -> None:
        self._generation += 1
        self._workspace.drawing.forget(self)
        self._gan, self.sweep = None, None
        self.drawn.clear()
        self._is_stale = self._run is not None
        self.notice.show_step(*((LOADING, "") if self._is_stale else NO_GAN))
        self.stack.setCurrentWidget(self.notice)
        self._refresh()
        if self._is_stale and self.isVisible():
            self._load()

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._is_stale:
            self._load()
        elif self._gan is not None and not self.sheet.is_complete:
            self._timer.start()
        elif self.side.base.currentData() == "":
            self._timer.start()  # the editor's map may be another one by now

    @override
    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()
        self._workspace.drawing.forget(self)

    def _load(self) -> None:
        project, run, generation = self._workspace.project, self._run, self._generation
        self._is_stale = False
        if project is None or run is None:
            return

        def read(_: Tick) -> MapGan:
            return read_map_gan(project, run)

        def adopt(gan: MapGan) -> None:
            if generation == self._generation:
                self._adopt(gan)

        def tell(error: Exception) -> None:
            if isinstance(error, UserError) and generation == self._generation:
                self.notice.show_step(error.message, error.hint)
            elif not isinstance(error, UserError):
                report(error, parent=self)

        self._workspace.background.run(read, done=adopt, failed=tell, owner=self)

    def _adopt(self, gan: MapGan) -> None:
        self._gan = gan
        self.side.show_gan(conditions=gan.card.class_names, tones=gan.tones, has_noise=gan.has_noise)
        self.stack.setCurrentIndex(1)
        self.draw()

    @Slot()
    def _on_workspace_project_changed(self) -> None:
        self._run = None
        self._forget()

    @Slot(object)
    def _on_workspace_records_changed(self, changed: Changes) -> None:
        if "sets" in changed.kinds and self.isVisible():
            self._refresh()

    # The grid

    def _base(self, gan: MapGan) -> MapRequest:
        """What is held. Raises UserError where the editor has no map for this GAN."""
        tone = self.side.tone.currentData()
        name = str(self.side.base.currentData() or "")
        if name:
            return centered_request(gan.card.side, int(tone), name)
        found = self._find_base()
        if found is None or found.side != gan.card.side:
            raise UserError("The editor has no map of this GAN.", "Draw one on the tab Editor, or start from another.")
        gan.coding.check(found)
        return MapRequest(found.side, int(tone), found.regions)

    @Slot()
    def draw(self) -> None:
        """Draw the sweep that the controls describe."""
        gan, run = self._gan, self._run
        if gan is None or run is None:
            return
        self.drawn.clear()
        self._wishes = []
        try:
            knowledge = SweepKnowledge(gan.card.class_names, gan.card.tone_levels)
            axes = self.side.axes
            sweep = build_sweep(self._base(gan), axes, knowledge, n_sizes=self.side.sizes.value())
        except UserError as error:
            self.sweep = None
            self.side.note.setText(f"{error.message} {error.hint}".strip())
            self.sheet.set_grid((), (), side_px=0)
            self._workspace.drawing.forget(self)
            self._refresh()
            return
        self.sweep = sweep
        self.side.sizes.setEnabled("size" in axes)
        self.side.tone.setEnabled("tone" not in axes)
        self.sheet.set_grid(sweep.rows, sweep.columns, side_px=gan.card.side)
        self._wishes = [DrawingWish(run.id, request, seed=self.side.seed.value()) for request in sweep.requests]
        self._workspace.drawing.draw(self._wishes, done=self._on_drawn, failed=self._on_failed, owner=self)
        self._refresh()

    def _on_drawn(self, drawn: Drawn) -> None:
        picture = to_qimage(drawn.image)
        for place, wish in enumerate(self._wishes):
            if wish == drawn.wish:
                self.drawn[place] = drawn
                self.sheet.set_picture(place, picture)
        self._refresh()

    def _on_failed(self, error: Exception) -> None:
        if isinstance(error, UserError):
            self.side.note.setText(f"{error.message} {error.hint}".strip())
        else:
            report(error, parent=self)

    # What becomes of it

    @property
    def can_keep(self) -> bool:
        """Whether the images can be added to the set."""
        return self.sheet.is_complete and self._workspace.is_writable and self._has_set_name()

    def _has_set_name(self) -> bool:
        return SET_NAME.fullmatch(self.side.set_name.text()) is not None

    @Slot()
    def _refresh(self) -> None:
        n_images = len(self.sweep.requests) if self.sweep is not None else 0
        if self.sweep is not None:
            words = (
                f"{n_images} images." if self.sheet.is_complete else f"{len(self.drawn)} of {n_images} images drawn."
            )
            self.side.note.setText(words if self._has_set_name() else "A set's name has letters, digits, dot and dash.")
        self.side.save.setEnabled(self.sheet.is_complete)
        self.side.keep.setEnabled(self.can_keep)
        self.actions_outdated.emit()

    @Slot()
    def keep(self) -> None:
        """Add all images to the set, with their boxes and where they come from."""
        gan, project = self._gan, self._workspace.project
        if gan is None or project is None or not self.can_keep:
            return
        drawn = [self.drawn[place] for place in sorted(self.drawn)]
        kept = [kept_image(each, gan.coding) for each in drawn]
        name = self.side.set_name.text()
        command = KeepCommand(self._workspace, name, kept, window=self)
        self.side.keep.setEnabled(False)

        def write(_: Tick) -> Changes:
            if not all(self._workspace.drawing.is_of_these_weights(each) for each in drawn):
                raise UserError("The GAN was trained further since these images were made.", "Keep the new ones.")
            return command.write_to(project, is_undo=False)

        def tell(changed: Changes) -> None:
            self._workspace.announce(changed)
            self._workspace.undo_stack.push(command)
            self._refresh()
            count = project.sets.get(name).n_images
            self.side.note.setText(f"{len(kept)} images were kept; the set {name} has {count:,} now.")

        def complain(error: Exception) -> None:
            self._refresh()
            report(error, parent=self)
            if self.isVisible():
                self._timer.start()  # drawn anew where the GAN is another one by now

        self._workspace.background.run(write, done=tell, failed=complain, owner=self)
