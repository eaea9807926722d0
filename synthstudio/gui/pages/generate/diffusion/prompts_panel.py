"""Images from prompts: what a diffusion model is asked for, its images as they come, what of each prompt is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtGui import QImage, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from synthstudio.core.imaging import read_image
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Changes, Run
from synthstudio.gui.actions import ActionSpec, trigger_action
from synthstudio.gui.errors import report
from synthstudio.gui.pages.generate.diffusion.place_dialog import PlaceDialog
from synthstudio.gui.pages.generate.diffusion.prompt_facts import (
    COLUMNS,
    PromptBook,
    PromptOffer,
    read_book,
    read_offer,
    rows_of,
    summary_of,
)
from synthstudio.gui.pages.generate.diffusion.prompt_trial import PromptTrial
from synthstudio.gui.pages.generate.diffusion.prompts_side import PromptsSide
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.elided_label import ElidedLabel
from synthstudio.gui.widgets.image_grid import to_qimage
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.widgets.run_choice import RunChoice
from synthstudio.gui.widgets.sortable_table import SortableTable
from synthstudio.gui.widgets.tile_grid import TileGrid
from synthstudio.gui.widgets.tile_pictures import Tile, draw_tile
from synthstudio.gui.workspace import Workspace
from synthstudio.project.prompt_images import PromptImage
from synthstudio.settings.generate import GenerateSettings

MENU = "Generate"
CHOSEN = "Chosen above"
SIDE_WIDTH_PX, SET_WIDTH_PX = 356, 240
TILE_PX = 132
REREAD_MS = 400
"""A job tells of each image; the set is read once for several of them."""
LEAST_ROWS, MOST_ROWS = 2, 8
NO_MODEL = (
    "There is no model that makes images from words yet.",
    "Bring in a Stable Diffusion, then train it on guide images; or ask it as it is.",
    "Bring in a model",
)
NO_SET = (
    "No set has been made from prompts yet.",
    "Write prompts on the right, with the identifier and the class of the guide images, and press “Write set”. The"
    " images appear here as they come.",
)


class PromptsPanel(QWidget):
    """The form of a set at the side; a set with its prompts and images beside it.

    Signals:
        actions_outdated: Other actions may be possible now.
        page_requested: (what) What would help.
    """

    actions_outdated = Signal()
    page_requested = Signal(str)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._run: Run | None = None
        self._writing: dict[RunId, GenerateSettings] = {}
        self._paths: dict[int, PromptImage] = {}
        self._shown = ""
        self._offer = PromptOffer()
        self._generation = 0
        self._is_stale = True
        self.book: PromptBook | None = None
        self.side_holder = QFrame(self)
        self.side = PromptsSide(self.side_holder)
        self.sets = RunChoice("Set made from prompts", self)
        self.summary = ElidedLabel(self)
        self.review = QPushButton("Judge in Review", self)
        self.table = SortableTable("Prompts", self)
        self.grid = TileGrid(self)
        self.trial = PromptTrial(workspace, self)
        self.stack = QStackedWidget(self)
        self.notice = NextStep(*NO_MODEL, parent=self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REREAD_MS)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        self.summary.setProperty("muted", True)
        self.sets.setFixedWidth(scaled_px(SET_WIDTH_PX))
        self.grid.setAccessibleName("Images of the chosen prompts")
        self.grid.set_tile_px(scaled_px(TILE_PX))
        head = QHBoxLayout()
        head.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, GRID_PX)
        head.setSpacing(2 * GRID_PX)
        head.addWidget(QLabel("Set", self))
        head.addWidget(self.sets)
        head.addWidget(self.summary, 1)
        head.addWidget(self.review)
        content = QWidget(self)
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.table)
        column.addWidget(self.grid, 1)
        self.stack.addWidget(self.notice)
        self.stack.addWidget(content)
        self.side_holder.setProperty("panel", True)
        self.side_holder.setFixedWidth(scaled_px(SIDE_WIDTH_PX))
        inner = QVBoxLayout(self.side_holder)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(self.side)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        left = QVBoxLayout()
        left.setSpacing(0)
        left.addWidget(self.trial)
        left.addWidget(self.stack, 1)
        layout.addLayout(left, 1)
        layout.addWidget(self.side_holder)

    def _connect(self) -> None:
        self._timer.timeout.connect(self._read)
        self.notice.button_clicked.connect(lambda: self.page_requested.emit("Models"))
        self.side.try_requested.connect(self.try_one)
        self.side.write_requested.connect(self.write)
        self.side.place_requested.connect(self.choose_place)
        self.side.possibilities_changed.connect(self.actions_outdated)
        self.sets.currentIndexChanged.connect(self._timer.start)
        self.review.clicked.connect(self.judge)
        self.table.selection_changed.connect(self._show_images)
        self.grid.tiles_requested.connect(self._on_grid_tiles_requested)
        self._workspace.project_changed.connect(self._on_workspace_project_changed)
        self._workspace.records_changed.connect(self._on_workspace_records_changed)
        self._workspace.gpu_worker.event_received.connect(self._on_gpu_worker_event_received)
        self._workspace.gpu_worker.job_ended.connect(self._on_gpu_worker_job_ended)

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word, not QWidget's list of QActions
        """What can be done here."""
        return (
            ActionSpec(
                "diffusion.write_prompts",
                "Write set of images from prompts",
                self.write,
                "Ctrl+Return",
                "mdi6.content-save-outline",
                MENU,
                self.side.write.isEnabled,
            ),
            ActionSpec(
                "diffusion.try_prompt",
                "Try one image of the prompt",
                self.try_one,
                "Ctrl+T",
                "mdi6.creation-outline",
                MENU,
                self.side.try_one.isEnabled,
            ),
            ActionSpec(
                "diffusion.choose_place",
                "Choose a place for images from prompts",
                self.choose_place,
                icon="mdi6.selection-drag",
                menu=MENU,
                enabled_when=lambda: self._offer.has_places,
            ),
            ActionSpec(
                "diffusion.judge_prompts",
                "Judge the images from prompts",
                self.judge,
                icon="mdi6.check-all",
                menu=MENU,
                enabled_when=self.review.isEnabled,
            ),
        )

    # Which model

    def set_run(self, run: Run | None) -> None:
        """Ask this fine-tuned model."""
        if run != self._run:
            self._run = run
            self.side.form.show_value("checkpoint", 0)
            self._forget()

    def set_checkpoint(self, step: int) -> None:
        """Ask the chosen model as it was at this step of its training."""
        self.side.form.show_value("model", "")
        self.side.form.show_value("checkpoint", step)

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._is_stale:
            self._read()

    def _forget(self) -> None:
        self._generation += 1
        self._is_stale = True
        if self.isVisible():
            self._timer.start()

    @Slot()
    def _on_workspace_project_changed(self) -> None:
        self._run, self.book, self._offer = None, None, PromptOffer()
        self._writing.clear()
        self.trial.forget()
        self.sets.show_runs(())
        self._forget()

    @Slot(object)
    def _on_workspace_records_changed(self, changed: Changes) -> None:
        if changed.kinds & {"sets", "verdicts", "models", "guides", "classes", "fovs"}:
            self._forget()

    @Slot(str, object)
    def _on_gpu_worker_event_received(self, run_id: str, _event: object) -> None:
        if RunId(run_id) in self._writing and not self._timer.isActive():
            self._forget()

    @Slot(str, object)
    def _on_gpu_worker_job_ended(self, run_id: str, _outcome: object) -> None:
        if self._writing.pop(RunId(run_id), None) is not None:
            self._forget()

    # The set

    @property
    def _newest_writing(self) -> str:
        return next((each.set_name for each in reversed(self._writing.values())), "")

    @Slot()
    def _read(self) -> None:
        """Read what can be asked for, and the chosen set, in a thread."""
        project, run, generation = self._workspace.project, self._run, self._generation
        self._is_stale = False
        if project is None:
            return
        name, writing = str(self.sets.currentData() or ""), self._newest_writing

        def read(_tick: Tick) -> tuple[PromptOffer, str, PromptBook]:
            offer = read_offer(project, run.id if run is not None else None)
            title = CHOSEN if run is not None else ""
            return offer, title, read_book(project, name, writing=writing)

        def adopt(found: tuple[PromptOffer, str, PromptBook]) -> None:
            if self._workspace.project is project and generation == self._generation:
                self._adopt(*found)

        def tell(error: Exception) -> None:
            if isinstance(error, UserError) and self._workspace.project is project:
                self.notice.show_step(error.message, error.hint)
                self.stack.setCurrentWidget(self.notice)
            elif not isinstance(error, UserError):
                report(error, parent=self)

        self._workspace.background.run(read, done=adopt, failed=tell, owner=self)

    def _adopt(self, offer: PromptOffer, title: str, book: PromptBook) -> None:
        self._offer, self.book = offer, book
        self.side.fit(offer, run_name=title, is_writable=self._workspace.is_writable)
        before = self.sets.currentData()
        self.sets.show_runs([(self._set_words(name), name) for name in book.sets])
        if not book.sets:
            can_ask = self._run is not None or bool(offer.models)
            self.notice.show_step(*(NO_SET if can_ask else NO_MODEL))
            self.stack.setCurrentWidget(self.notice)
        else:
            self.stack.setCurrentIndex(1)
        if self.sets.currentData() != book.name and self.sets.currentData() != before:
            self._timer.start()  # a newer set has come: it is read next
        self._show_book(book)

    def _set_words(self, name: str) -> str:
        return f"{name} · being written" if name in {each.set_name for each in self._writing.values()} else name

    def _planned(self, name: str) -> Mapping[str, int]:
        """How many images of each prompt a set that is being written will have."""
        settings = next((each for each in self._writing.values() if each.set_name == name), None)
        if settings is None:
            return {}
        return dict.fromkeys(settings.prompts.prompts, settings.prompts.variants)

    def _show_book(self, book: PromptBook) -> None:
        self.summary.setText(summary_of(book))
        self.review.setEnabled(book.pictures.is_complete and bool(book.name))
        self.table.set_table(COLUMNS, rows_of(book, self._planned(book.name)))
        self.table.show_all_rows(at_least=LEAST_ROWS)
        self.table.setMaximumHeight(min(self.table.maximumHeight(), scaled_px(28) * (MOST_ROWS + 1)))
        self._show_images()
        self.actions_outdated.emit()

    @Slot()
    def _show_images(self) -> None:
        """Show the images of the selected prompts, of all where none is; the newest first while they come."""
        if self.book is None:
            return
        images, chosen = self.book.pictures.images, set(self.table.selected)
        wanted = [each for each in images if not chosen or each.prompt in chosen]
        if not self.book.pictures.is_complete:
            wanted.reverse()
        if self.book.name != self._shown:  # tiles are kept where the same set has grown, or is finished now
            self._shown = self.book.name
            self.grid.forget_tiles()
        self._paths = {each.index: each for each in images}
        self.grid.set_keys([each.index for each in wanted], keep_place=True)

    @Slot(int, object)
    def _on_grid_tiles_requested(self, generation: int, keys: Sequence[int]) -> None:
        side, ratio = self.grid.picture_px, self.grid.devicePixelRatioF()
        wanted = {key: self._paths[key] for key in keys if key in self._paths}

        def read(tick: Tick) -> dict[int, QImage]:
            found = {}
            for number, (key, image) in enumerate(wanted.items()):
                tick(number, len(wanted))
                found[key] = _tile(image, side, ratio=ratio)
            return found

        tips = {key: image.prompt for key, image in wanted.items()}
        self._workspace.background.run(
            read,
            done=lambda tiles: self.grid.put_tiles(generation, tiles, tips),
            failed=partial(self._on_tiles_failed, generation),
            owner=self,
        )

    def _on_tiles_failed(self, generation: int, error: Exception) -> None:
        """A set that has just been finished has moved; it is read anew. What else is wrong is said."""
        self.grid.put_tiles(generation, {})
        if self.book is not None and self.book.pictures.is_complete:
            report(error, parent=self)

    # What is done

    @Slot()
    def write(self) -> None:
        """Queue the job that writes the set; its images appear here as they come."""
        project = self._workspace.project
        if project is None:
            return
        try:
            settings = self._settings()
            if project.sets.find(settings.set_name) is not None:
                raise UserError(f"There is already a set {settings.set_name}.", "Choose another name.")
            run_id = self._workspace.submit(settings, title=f"Set {settings.set_name}")
        except UserError as error:
            report(error, parent=self)
            return
        self._writing[run_id] = settings
        self._forget()

    @Slot()
    def try_one(self) -> None:
        """Make one more image of the selected prompt, of the first one where none is, without keeping it."""
        try:
            self._workspace.require_project()
            settings = self._settings()
        except UserError as error:
            report(error, parent=self)
            return
        chosen = self.table.selected
        self.trial.ask(settings, chosen[0] if chosen else settings.prompts.prompts[0])

    def _settings(self) -> GenerateSettings:
        """What the form says, with the prompts and the training that it leaves to be found. Raises UserError."""
        settings = self.side.form.settings()
        run = "" if settings.model or self._run is None else str(self._run.id)
        prompts = settings.prompts.model_copy(update={"prompts": self.side.prompts})
        return settings.model_copy(update={"generator": "diffusion", "run": run, "prompts": prompts})

    @Slot()
    def choose_place(self) -> None:
        """Ask for a field or a box in one, and add it to the places."""
        try:
            self._workspace.require_project()
            PlaceDialog(self._workspace, self.side.add_place, self).open()
        except UserError as error:
            report(error, parent=self)

    @Slot()
    def judge(self) -> None:
        """Open the set in Review."""
        if self.book is None or not self.book.name:
            return
        self._workspace.ask_for_review(self.book.name)
        trigger_action("go.review", self)


def _tile(image: PromptImage, side: int, *, ratio: float) -> QImage:
    drawn = draw_tile(Tile(to_qimage(read_image(image.path))), side)
    drawn.setDevicePixelRatio(ratio)
    return drawn
