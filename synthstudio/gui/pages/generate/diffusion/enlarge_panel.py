"""Enlarging a set: which one, by which upscaler, and what comes out beside plain enlargement."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QImage, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Changes, Run
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.errors import report
from synthstudio.gui.forms import Choice, SettingsForm
from synthstudio.gui.pages.generate.diffusion.upscaler_facts import LargerSet, list_larger_sets, read_pairs
from synthstudio.gui.pages.generate.trainings.sample_strip import cut_rows
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.choices import fill_choice
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.widgets.image_grid import GridImage, ImageGrid
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.widgets.wheel_guard import guard_wheel
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.gui.workspace import Workspace
from synthstudio.project.upscalers import MODEL_KINDS
from synthstudio.protocol.messages import AnyEvent, PreviewReady, Progress
from synthstudio.settings.upscale import UpscaleSettings

SIDE_WIDTH_PX = 356
MENU = "Generate"
TRAINED = "the chosen training"
TO_START = "Choose a set on the right and press “Enlarge the set”."


@dataclass(frozen=True, slots=True)
class _Found:
    """What a project has to enlarge, and to enlarge with."""

    sources: Sequence[Choice]
    models: Sequence[Choice]
    larger: Sequence[LargerSet]


class EnlargePanel(QWidget):
    """The form of a larger set, and pairs of pictures: enlarged bicubically, and by the upscaler.

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
        self._found = _Found((), (), ())
        self._job: RunId | None = None
        self._target = ""
        self.stack = QStackedWidget(self)
        self.empty = NextStep(parent=self.stack)
        self.content = QWidget(self.stack)
        self.state = WrappedLabel("muted", self.content)
        self.sets = ElidedCombo(self.content)
        self.sets.setAccessibleName("Enlarged set")
        self.sets.setPlaceholderText("No enlarged set yet")
        guard_wheel(self.sets)
        self.review = QPushButton("Judge in Review", self.content)
        self.pairs = ImageGrid(self.content)
        self.pairs.setAccessibleName("Enlarged images, after the same of bicubic enlargement")
        self.pairs.set_placeholder(TO_START)
        self.side = QFrame(self)
        self.form = SettingsForm(
            UpscaleSettings, choices={"source_set": (), "model": ()}, hidden={"run"}, parent=self.side
        )
        self.trouble = WrappedLabel("warning", self.side)
        self.write = QPushButton("Enlarge the set", self.side)
        self.write.setProperty("primary", True)
        self._lay_out()
        self._connect()
        self._refresh()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.state, 1)
        head.addWidget(self.sets)
        head.addWidget(self.review)
        column = QVBoxLayout(self.content)
        column.setContentsMargins(2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX)
        column.setSpacing(GRID_PX)
        column.addLayout(head)
        column.addWidget(self.pairs, 1)
        self.stack.addWidget(self.content)
        self.stack.addWidget(self.empty)
        self.side.setProperty("panel", True)
        self.side.setFixedWidth(scaled_px(SIDE_WIDTH_PX))
        form = QVBoxLayout(self.side)
        form.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 3 * GRID_PX)
        form.setSpacing(2 * GRID_PX)
        form.addWidget(self.form, 1)
        form.addWidget(self.trouble)
        form.addWidget(self.write)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.stack, 1)
        layout.addWidget(self.side)

    def _connect(self) -> None:
        workspace = self._workspace
        workspace.project_changed.connect(self._on_workspace_project_changed)
        workspace.records_changed.connect(self._on_workspace_records_changed)
        workspace.gpu_worker.event_received.connect(self._on_worker_event_received)
        self.form.settings_changed.connect(self._refresh)
        self.form.validity_changed.connect(self._refresh)
        self.write.clicked.connect(self.enlarge)
        self.review.clicked.connect(self.open_review)
        self.sets.currentIndexChanged.connect(self._read_pairs)
        self.empty.button_clicked.connect(lambda: self.page_requested.emit("Images"))

    # What there is

    def set_run(self, run: Run | None) -> None:
        """Enlarge by the upscaler of this run, where the form names no local model."""
        self._run = run
        self._offer()

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._read()

    @Slot()
    def _on_workspace_project_changed(self) -> None:
        self._run, self._job, self._target = None, None, ""
        self._found = _Found((), (), ())
        self._show_found()
        self._read()

    @Slot(object)
    def _on_workspace_records_changed(self, changed: Changes) -> None:
        if changed.kinds & {"sets", "models", "runs"}:
            self._read()

    def _read(self) -> None:
        """Look what the project has, in a thread."""
        project = self._workspace.project
        if project is None or not self.isVisible():
            return  # read when it is shown

        def read(_tick: Tick) -> _Found:
            larger = list_larger_sets(project)
            enlarged = {each.name for each in larger}
            sets = [each for each in reversed(project.sets.list()) if each.name not in enlarged]
            models = project.models.list(*MODEL_KINDS)
            return _Found(
                [(each.name, each.name) for each in sets],
                [(each.name, f"{each.name} · {each.kind.words.lower()}") for each in models],
                larger,
            )

        def adopt(found: _Found) -> None:
            if project is self._workspace.project:
                self._found = found
                self._show_found()

        self._workspace.background.run(read, done=adopt, owner=self)

    def _show_found(self) -> None:
        known = [self.sets.itemData(place) for place in range(self.sets.count())]
        names = [each.name for each in self._found.larger]
        chosen = self.sets.currentData()
        if names and names[0] not in known:
            chosen = names[0]  # the newest has just come
        if names != known:
            fill_choice(self.sets, [(each.line, each.name) for each in self._found.larger], chosen=chosen)
            self._read_pairs()
        self._offer()

    def _offer(self) -> None:
        self.form.set_choices("source_set", self._found.sources)
        first = [("", TRAINED)] if self._run is not None else []
        self.form.set_choices("model", [*first, *self._found.models])
        self._refresh()

    # Pictures

    @Slot()
    def _read_pairs(self) -> None:
        project, name = self._workspace.project, str(self.sets.currentData() or "")
        self.review.setEnabled(bool(name))
        self.actions_outdated.emit()
        self.pairs.set_images(())
        self.pairs.set_placeholder("Reading…" if name else TO_START)
        if project is None or not name:
            return

        def read(_tick: Tick) -> Sequence[GridImage]:
            return read_pairs(project, name)

        def show(images: Sequence[GridImage]) -> None:
            if name == self.sets.currentData():
                self._show_pairs(images)

        def tell(error: Exception) -> None:
            if not isinstance(error, UserError):
                report(error, parent=self)
            elif name == self.sets.currentData():
                self.pairs.set_images(())
                self.pairs.set_placeholder(f"{error.message} {error.hint}".strip())

        self._workspace.background.run(read, done=show, failed=tell, owner=self)

    def _show_pairs(self, images: Sequence[GridImage]) -> None:
        self.pairs.set_columns(4 if len(images) > 4 else 2)
        self.pairs.set_images(images)
        if images and self._job is None:
            self.state.setText("Left of each pair: bicubic enlargement. Right: the upscaler.")

    @Slot(str, object)
    def _on_worker_event_received(self, run_id: str, event: AnyEvent) -> None:
        if run_id != self._job:
            return
        match event:
            case Progress(done=done, total=total):
                self.state.setText(f"Enlarging into {self._target}: {done:,} of {total:,}.")
            case PreviewReady(png=png, caption=caption):
                picture = QImage.fromData(base64.b64decode(png))
                self._show_pairs(cut_rows(picture, (caption,), lambda _row, _column: caption).images)
            case _:
                pass

    # What is done

    @Slot()
    def _refresh(self) -> None:
        """Say what is possible, and why not."""
        is_open, settings = self._workspace.project is not None, self.form.find_settings()
        has_upscaler = self._run is not None or bool(self._found.models)
        if is_open and not self._found.sources and not self._found.larger:
            self.empty.show_step(
                "No set to enlarge yet.", "Make images first; then they are enlarged here.", "Make images"
            )
        elif not has_upscaler and not self._found.larger:
            self.empty.show_step(
                "No upscaler yet.", "Train one on the left of this switch, or bring one in on the tab Models."
            )
        is_empty = not is_open or not (self._found.larger or (self._found.sources and has_upscaler))
        self.stack.setCurrentWidget(self.empty if is_empty else self.content)
        trouble = "" if has_upscaler or not is_open else "There is no upscaler: train one, or bring one in."
        self.trouble.setText(trouble)
        self.trouble.setVisible(bool(trouble))
        is_ready = settings is not None and bool(settings.source_set) and has_upscaler and self._workspace.is_writable
        self.write.setEnabled(is_ready)
        self.actions_outdated.emit()

    @Slot()
    def enlarge(self) -> None:
        """Queue the job; its progress is in the job bar, too."""
        try:
            project, settings = self._workspace.require_writable_project(), self.form.settings()
            if project.sets.find(settings.set_name) is not None:
                raise UserError(f"There is already a set {settings.set_name}.", "Choose another name.")
            run = "" if settings.model or self._run is None else self._run.id
            chosen = settings.model_copy(update={"run": run})
            self._job = self._workspace.submit(chosen, title=f"Larger set {settings.set_name}")
        except UserError as error:
            report(error, parent=self)
            return
        self._target = settings.set_name
        self.state.setText(f"The set {settings.set_name} waits for its turn.")

    @Slot()
    def open_review(self) -> None:
        """Judge the images of the enlarged set that is shown."""
        if name := str(self.sets.currentData() or ""):
            self._workspace.ask_for_review(name)

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word, not QWidget's list of QActions
        """What can be done here."""
        return (
            ActionSpec(
                "diffusion.enlarge_set",
                "Enlarge the set",
                self.enlarge,
                "Ctrl+Return",
                "mdi6.arrow-expand-all",
                MENU,
                lambda: self.isVisible() and self.write.isEnabled(),
            ),
            ActionSpec(
                "diffusion.review_larger",
                "Judge the enlarged set in Review",
                self.open_review,
                icon="mdi6.check-all",
                menu=MENU,
                enabled_when=lambda: self.isVisible() and self.review.isEnabled(),
            ),
        )
