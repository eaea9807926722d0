"""What all pages share: the open project, the job queue, what is shown, and the news of every change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QImage, QUndoStack

from synthstudio.domain.errors import ProjectIsReadOnly, UserError
from synthstudio.domain.ids import AnnotationId, ClassId, FovId, RunId
from synthstudio.domain.records import Box, Changes, FieldOfView
from synthstudio.gui.background import Background, Task
from synthstudio.gui.canvas.large_images import zoom_level_folder
from synthstudio.gui.canvas.tile_loader import TileLoader
from synthstudio.gui.canvas.view_state import ViewState
from synthstudio.gui.drawing import Drawing
from synthstudio.gui.fov_images import Failed, FovImages, ImageDone
from synthstudio.gui.gpu_worker import GpuWorker
from synthstudio.gui.preferences import Preferences, preferences_path, read_preferences, write_preferences
from synthstudio.project import Project
from synthstudio.project.origins import find_looked_at

FOLD_MS = 1000
"""How often the workspace looks whether commits wait to be folded into the database file."""

if TYPE_CHECKING:
    from synthstudio.settings.base import JobSettings
    from synthstudio.settings.compose import ComposeSettings


class Workspace(QObject):
    """Handed to every page; never global.

    Attributes:
        project: The open project, or None.
        background: The pool for short work.
        gpu_worker: The queue of jobs.
        drawing: Images of a GAN while a hand moves, beside that queue.
        undo_stack: Undo and redo of edits; cleared with the project.
        class_totals: Number of annotations of each class in the project, as last counted.
        tile_loader: Reads parts of large images.
        zoom_levels: Folder of the zoom levels that were made for large images.
        view_states: How each FOV was last looked at, so that it stays so on every page.

    Signals:
        project_changed: Another project is open, or none.
        records_changed: (`Changes`) Some records of the project changed; views re-read what they show.
        current_fov_changed: (`FovId` or None)
        current_class_changed: (`ClassId` or None)
        preferences_changed: Some preference changed.
        class_totals_changed: `class_totals` were counted anew.
    """

    project_changed = Signal()
    records_changed = Signal(object)
    current_fov_changed = Signal(object)
    current_class_changed = Signal(object)
    preferences_changed = Signal()
    class_totals_changed = Signal()
    annotation_wanted = Signal()
    """Some page wants `wanted_annotation_id` to be selected; who shows it sets that to None."""
    region_wanted = Signal()
    """Some page wants `wanted_region` to be seen; who shows it sets that to None."""
    set_wanted = Signal()
    """Some page wants the images of `wanted_set` to be judged; who shows it sets that to ""."""
    similar_wanted = Signal()
    """Some page wants what is like `wanted_similar` to be shown; who shows it sets that to None."""
    recipe_offered = Signal()
    """Some page wants `offered_recipe` to stand in the form of the sets; who shows it sets that to None."""

    def __init__(
        self,
        parent: QObject | None = None,
        *,
        engine_command: Sequence[str] | None = None,
        preferences_file: Path | None = None,
    ) -> None:
        super().__init__(parent)
        self.project: Project | None = None
        self.background = Background(self)
        self.undo_stack = QUndoStack(self)
        self.view_states: dict[FovId, ViewState] = {}
        self.current_fov_id: FovId | None = None
        self.wanted_annotation_id: AnnotationId | None = None
        self.wanted_region: tuple[FovId, Box] | None = None
        self.offered_recipe: ComposeSettings | None = None
        self.current_class_id: ClassId | None = None
        self.fov_order: tuple[FovId, ...] = ()
        self.class_totals: Mapping[ClassId, int] = {}
        self._preferences_file = preferences_file or preferences_path()
        self.active_plans: frozenset[str] = frozenset()
        """Names of the plans that some tab carries out."""
        self.wanted_set = ""
        self.wanted_similar: tuple[FovId, AnnotationId | None] | None = None
        self.set_to_export = ""  # what the export dialog offers first when it is opened from a set
        self.guides_to_import = ""  # the guide set that the import dialog offers when it is opened for one
        self.preferences_error: UserError | None = None
        self.preferences = self._read_preferences()
        self.gpu_worker = GpuWorker(self, device=self.preferences.device, command=engine_command)
        self.gpu_worker.records_changed.connect(self._on_worker_records_changed)
        self.drawing = Drawing(self, device=self.preferences.device, command=engine_command)
        self.zoom_levels = zoom_level_folder()
        self.tile_loader = TileLoader(self)
        self._images = FovImages(self, self)
        self._folding = QTimer(self)
        self._folding.setInterval(FOLD_MS)
        self._folding.timeout.connect(self._fold_when_quiet)

    # Preferences

    def _read_preferences(self) -> Preferences:
        try:
            return read_preferences(self._preferences_file)
        except UserError as error:
            self.preferences_error = error  # the window is not there yet to show it
            return Preferences()

    def set_preferences(self, preferences: Preferences) -> None:
        """Adopt preferences and write them. Raises UserError where they cannot be written; they are adopted anyway."""
        if preferences == self.preferences:
            return
        self.preferences = preferences
        self.gpu_worker.device = self.drawing.device = preferences.device
        self.preferences_changed.emit()
        write_preferences(self._preferences_file, preferences)

    # Project

    @property
    def is_writable(self) -> bool:
        """Whether a project is open and may be changed."""
        return self.project is not None and not self.project.is_read_only

    def require_project(self) -> Project:
        """Return the open project. Raises UserError where there is none."""
        if self.project is None:
            raise UserError("No project is open.", "Open one, or make a new one.")
        return self.project

    def require_writable_project(self) -> Project:
        """Return the open project. Raises UserError where there is none or it is read-only, with the reason."""
        project = self.require_project()
        if project.is_read_only:
            raise ProjectIsReadOnly(
                f"This project is open read-only: {project.read_only_reason}",
                "Close the other window or command, then open the project again.",
            )
        return project

    def open_project(self, path: Path) -> None:
        """Open a project in place of the present one. Raises UserError; the present one then stays open."""
        if self.project is not None and self.project.folder == path.expanduser().resolve():
            return
        self._adopt(Project.open(path))

    def reopen_project(self) -> None:
        """Open the present project anew, as it is on the disk. Raises UserError; it then stays as it was opened."""
        self._adopt(Project.open(self.require_project().folder))

    def create_project(self, path: Path) -> None:
        """Make a new project and open it. Raises UserError; the present one then stays open."""
        self._adopt(Project.create(path))

    def close_project(self) -> None:
        """Close the project; its jobs are stopped first."""
        if self.project is not None:
            self._release()
            self.project_changed.emit()
            self.set_current_fov(None)

    def _adopt(self, project: Project) -> None:
        self._release()
        self.project = project
        if not project.is_read_only:
            project.database.fold_when_quiet()
            self._folding.start()
        self.gpu_worker.set_project(project)
        self.drawing.set_project(project)
        self.project_changed.emit()
        fovs = project.fovs.list()
        self.fov_order = tuple(fov.id for fov in fovs)
        self.set_current_class(next((each.id for each in project.classes.list()), None))
        self.set_current_fov(self.fov_order[0] if self.fov_order else None)
        # Last: what fails here is only the list of recent projects; one that shows a foreign data set is not in it.
        if find_looked_at(project) is None:
            self.set_preferences(self.preferences.with_recent(project.folder))

    @Slot()
    def _fold_when_quiet(self) -> None:
        """Write what was committed into the database file while nobody clicks."""
        database = self.require_project().database
        if database.wants_folding:
            self.background.run(lambda _: database.fold(), done=lambda _: None, owner=self, priority=-1)

    def _release(self) -> None:
        self._folding.stop()
        self._images.forget_project()
        self.view_states.clear()
        self.undo_stack.clear()
        self.current_fov_id = self.current_class_id = self.wanted_annotation_id = self.wanted_region = None
        self.wanted_similar = None
        self.fov_order = ()
        if self.project is not None:
            self.gpu_worker.stop()
            self.background.drain()  # nothing may read a closed database
            self.gpu_worker.set_project(None)
            self.drawing.stop()
            self.drawing.set_project(None)
            self.project.close()
            self.project = None

    def shut_down(self) -> None:
        """Stop the jobs and the threads and close the project; the end of the window."""
        self.gpu_worker.stop()
        self.tile_loader.stop()
        self.background.stop()
        self._release()

    # Changes and what is shown

    def announce(self, changed: Changes) -> None:
        """Tell every view what a mutation touched; the one who mutates calls it once."""
        if "fovs" in changed.kinds and self.project is not None:
            self._refresh_fovs()
        if "classes" in changed.kinds:
            self._refresh_class()
        self.records_changed.emit(changed)

    def _refresh_fovs(self) -> None:
        order = tuple(fov.id for fov in self.require_project().fovs.list())
        if set(order) != set(self.fov_order):
            self.fov_order = order
        self._images.forget_all_but(frozenset(order))
        if self.current_fov_id not in order:
            self.set_current_fov(order[0] if order else None)

    def _refresh_class(self) -> None:
        known = [each.id for each in self.require_project().classes.list()]
        if self.current_class_id not in known:
            self.set_current_class(known[0] if known else None)

    def set_current_fov(self, fov_id: FovId | None) -> None:
        """Show another FOV on every page."""
        if fov_id != self.current_fov_id:
            self.current_fov_id = fov_id
            self.current_fov_changed.emit(fov_id)

    def show_annotation(self, fov_id: FovId, annotation_id: AnnotationId) -> None:
        """Show an FOV, with one of its annotations selected and in sight.

        Raises:
            UserError: The annotation is no longer there.
        """
        if annotation_id not in {each.id for each in self.require_project().annotations.list(fov_id)}:
            raise UserError("The annotation that this was cut from is no longer there.", "Compose anew.")
        self.wanted_annotation_id = annotation_id
        self.set_current_fov(fov_id)
        self.annotation_wanted.emit()

    def show_region(self, fov_id: FovId, box: Box) -> None:
        """Show a part of an FOV, framed, with some of its surroundings.

        Raises:
            UserError: The FOV is no longer there.
        """
        if fov_id not in {fov.id for fov in self.require_project().fovs.list()}:
            raise UserError("The field that this was cut from is no longer in the project.", "Evaluate the run again.")
        self.wanted_region = fov_id, box
        self.set_current_fov(fov_id)
        self.region_wanted.emit()

    def ask_for_review(self, set_name: str) -> None:
        """Have the images of a set shown to who judges them."""
        self.wanted_set = set_name
        self.set_wanted.emit()

    def ask_for_similar(self, fov_id: FovId, annotation_id: AnnotationId | None) -> None:
        """Have what is most like an object, or an FOV, looked for."""
        self.wanted_similar = fov_id, annotation_id
        self.similar_wanted.emit()

    def offer_recipe(self, settings: ComposeSettings) -> None:
        """Have the form of the sets show these settings."""
        self.offered_recipe = settings
        self.recipe_offered.emit()

    def set_fov_order(self, order: Sequence[FovId]) -> None:
        """Say in which order the list shows the FOVs, filtered and sorted; next and previous follow it."""
        self.fov_order = tuple(order)

    def set_class_totals(self, totals: Mapping[ClassId, int]) -> None:
        """Tell how many annotations of each class the project has; the list of fields counts them after a change."""
        if totals != self.class_totals:
            self.class_totals = totals
            self.class_totals_changed.emit()

    def step_fov(self, step: int) -> None:
        """Show the FOV `step` places further in the list; stays at its ends."""
        if not self.fov_order:
            return
        if self.current_fov_id in self.fov_order:
            place = self.fov_order.index(self.current_fov_id) + step
            self.set_current_fov(self.fov_order[min(max(place, 0), len(self.fov_order) - 1)])
        else:
            self.set_current_fov(self.fov_order[0])

    def set_current_class(self, class_id: ClassId | None) -> None:
        """Choose the class that new annotations get."""
        if class_id != self.current_class_id:
            self.current_class_id = class_id
            self.current_class_changed.emit(class_id)

    @property
    def view_state(self) -> ViewState | None:
        """How the current FOV was last looked at, or None where it was not yet."""
        return self.view_states.get(self.current_fov_id) if self.current_fov_id is not None else None

    @view_state.setter
    def view_state(self, state: ViewState) -> None:
        if self.current_fov_id is not None:
            self.view_states[self.current_fov_id] = state

    # Jobs

    def submit(
        self, settings: JobSettings, *, title: str = "", resume_run: RunId | None = None, experiment: str = ""
    ) -> RunId:
        """Put a job into the queue. Raises UserError where the project is read-only."""
        return self.gpu_worker.submit(settings, title=title, resume_run=resume_run, experiment=experiment)

    @Slot(object)
    def _on_worker_records_changed(self, changed: Changes) -> None:
        if self.project is not None:
            self.announce(changed)

    # Images

    def load_fov_image(
        self, fov_id: FovId, done: ImageDone, owner: QObject, *, failed: Failed | None = None
    ) -> Task | None:
        """Give the decoded image of an FOV to `done`: at once where it is cached, else from a thread."""
        return self._images.load(fov_id, done, owner, failed=failed)

    def load_thumbnail(self, fov: FieldOfView, done: Callable[[QImage | None], None], owner: QObject) -> None:
        """Give the thumbnail of an FOV to `done`, from a thread; None where its image cannot be read."""
        self._images.load_thumbnail(fov, done, owner)

    def forget_image(self, fov_id: FovId) -> None:
        """Decode the image of an FOV anew next time: its file has changed place or content."""
        self._images.forget(fov_id)
