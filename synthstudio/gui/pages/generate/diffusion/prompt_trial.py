"""One image of a prompt at a time, made at once by a standing engine: what a wording comes to."""

from __future__ import annotations

from collections import deque

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from synthstudio.core.synthesis.prompt_requests import PromptPlanner
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.progress import Tick
from synthstudio.domain.prompts import PromptRequest
from synthstudio.gui.drawing import DrawingWish, Drawn
from synthstudio.gui.errors import report
from synthstudio.gui.pages.generate.diffusion.prompt_facts import side_of
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.elided_label import ElidedLabel
from synthstudio.gui.widgets.image_grid import GridImage, ImageGrid, to_qimage
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.prompt_sources import find_places
from synthstudio.settings.generate import GenerateSettings

HEIGHT_PX = 190
MOST_SHOWN = 8
FIRST = "Loading the model and making the image: the first one takes longest."


class PromptTrial(QFrame):
    """The last images that were tried, the newest first; out of sight until there is one."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._asked: tuple[GenerateSettings, str] | None = None
        self._tries = 0
        self.shown: deque[Drawn] = deque(maxlen=MOST_SHOWN)
        self.words = ElidedLabel(self)
        self.words.setProperty("muted", True)
        self.clear = QPushButton("Clear", self)
        self.grid = ImageGrid(self)
        self.grid.setAccessibleName("Tried images")
        head = QHBoxLayout()
        head.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, GRID_PX)
        head.setSpacing(2 * GRID_PX)
        head.addWidget(QLabel("Tried", self))
        head.addWidget(self.words, 1)
        head.addWidget(self.clear)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.grid, 1)
        self.setFixedHeight(scaled_px(HEIGHT_PX))
        self.clear.clicked.connect(self.forget)
        self.hide()

    def ask(self, settings: GenerateSettings, prompt: str) -> None:
        """Make the first image of a prompt, as it would be in the set of these settings; asked again, the next one.

        So other settings, or other words, begin with the same noise: what they change is seen.
        """
        project = self._workspace.require_project()
        self._tries = self._tries + 1 if self._asked == (settings, prompt) else 0
        self._asked = settings, prompt
        tries = self._tries

        def plan(_tick: Tick) -> DrawingWish:
            return plan_wish(project, settings, prompt, tries=tries)

        self._workspace.background.run(plan, done=self._draw, failed=self._tell, owner=self)

    def _draw(self, wish: DrawingWish) -> None:
        self.words.setText(FIRST if not self.shown else f"Making image {wish.index}…")
        self.grid.set_placeholder("" if self.shown else "The image comes here.")
        self.show()
        self._workspace.drawing.draw([wish], done=self._show, failed=self._tell, owner=self)

    def _show(self, drawn: Drawn) -> None:
        self.shown.appendleft(drawn)
        self.words.setText(_caption(drawn))
        self.grid.set_images([GridImage(to_qimage(each.image), (), _caption(each)) for each in self.shown])

    def _tell(self, error: Exception) -> None:
        self.words.setText(error.message if isinstance(error, UserError) else "")
        self.setVisible(bool(self.shown))
        report(error, parent=self)

    @Slot()
    def forget(self) -> None:
        """Show none any more, and begin again with the first image of each prompt."""
        self._workspace.drawing.forget(self)
        self._asked = None
        self.shown.clear()
        self.grid.set_images(())
        self.hide()


def plan_wish(project: Project, settings: GenerateSettings, prompt: str, *, tries: int) -> DrawingWish:
    """The wish for one more image of a prompt: image `n * tries + number of the prompt` of the set.

    Raises:
        NotFound: There is no such run, model or place.
        UserError: The model's card is damaged, or a place cannot be used.
    """
    wanted = settings.prompts
    side = side_of(project, settings)
    fovs = find_places(project, wanted.places)
    planner = PromptPlanner(wanted, prompts=(), side=side, fovs=fovs)
    number = planner.prompts.index(prompt) if prompt in planner.prompts else 0
    index = settings.first_index + len(planner.prompts) * tries + number
    return DrawingWish(
        RunId(settings.run),
        planner.plan(index),
        seed=settings.seed,
        index=index,
        model=settings.model,
        checkpoint=settings.checkpoint,
    )


def _caption(drawn: Drawn) -> str:
    request = drawn.wish.request
    prompt = request.prompt if isinstance(request, PromptRequest) else ""
    return f"Image {drawn.wish.index}, {drawn.engine_s:.1f} s: {prompt}"
