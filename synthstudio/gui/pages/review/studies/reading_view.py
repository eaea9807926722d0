"""One reader at work on a study: page after page, blind, each answer on the disk as it is given."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QImage, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.client.study_reading import Reading, find_next_page
from synthstudio.core.imaging import read_image
from synthstudio.core.review.study_design import AnswerForm
from synthstudio.core.review.study_items import ReaderAnswer, StudyPage
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick
from synthstudio.gui import errors
from synthstudio.gui.pages.review.studies.pick_grid import PickGrid
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.image_grid import to_qimage
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.widgets.segments import Segments
from synthstudio.gui.workspace import Workspace

CONFIDENCES = (
    (0.0, "surely synthetic"),
    (0.2, "probably synthetic"),
    (0.4, "rather synthetic"),
    (0.6, "rather real"),
    (0.8, "probably real"),
    (1.0, "surely real"),
)
"""An even number: a reader who cannot tell still leans one way, as in a forced choice."""
PROGRESS_PX = 160
PICK_HELP = "Click a picture, or walk with the arrow keys and press Space. Return ends the page."
ONE_HELP = "Answer with 1 to 6. The answer before can still be changed: Backspace goes back to it."


class ReadingView(QWidget):
    """Shows the pages that are not done with yet, in the reader's order.

    Signals:
        ended: The reader leaves, through or not.
        changed: (`Changes`) An answer was recorded.
        actions_outdated: Other actions may be possible now.
    """

    ended = Signal()
    changed = Signal(object)
    actions_outdated = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.reading: Reading | None = None
        self.page: StudyPage | None = None
        self._shown_since = 0.0
        self._images: dict[str, QImage] = {}
        self.question = QLabel(self)
        self.question.setProperty("heading", True)
        self.help = QLabel(self)
        self.help.setProperty("muted", True)
        self.progress = QProgressBar(self)
        self.progress.setFixedWidth(scaled_px(PROGRESS_PX))
        self.progress.setAccessibleName("Pages answered")
        self.grid = PickGrid(self)
        self.scale = Segments(
            [(f"{score:g}", f"{place}  {words}", "") for place, (score, words) in enumerate(CONFIDENCES, 1)], self
        )
        self.back = QPushButton("Back", self)
        self.forward = QPushButton("Next page", self)
        self.forward.setProperty("primary", True)
        self.leave = QPushButton("Pause", self)
        self.end = NextStep()
        self.stack = QStackedWidget(self)
        self._lay_out()
        self.grid.toggled.connect(self._on_grid_toggled)
        self.scale.chosen.connect(lambda value: self.answer(float(value)))
        self.back.clicked.connect(self.go_back)
        self.forward.clicked.connect(self.go_on)
        self.leave.clicked.connect(self.ended)
        self.end.button_clicked.connect(self.finish)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(2 * GRID_PX)
        head.addWidget(self.question, 1)
        head.addWidget(self.progress)
        head.addWidget(self.leave)
        foot = QHBoxLayout()
        foot.setSpacing(2 * GRID_PX)
        foot.addWidget(self.help, 1)
        foot.addWidget(self.back)
        foot.addWidget(self.forward)
        page = QWidget(self)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.grid, 1)
        column.addWidget(self.scale)
        self.stack.addWidget(page)
        self.stack.addWidget(self.end)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, 2 * GRID_PX)
        layout.setSpacing(2 * GRID_PX)
        layout.addLayout(head)
        layout.addWidget(self.stack, 1)
        layout.addLayout(foot)

    # Where the reader stands

    def read(self, reading: Reading | None) -> None:
        """Go on where the reader left off; None ends."""
        self.reading, self.page, self._images = reading, None, {}
        if reading is None:
            self.grid.show_page((), can_pick=False)
            return
        self.scale.setVisible(self.is_one)
        self.forward.setVisible(not self.is_one)
        self.back.setVisible(self.is_one)
        self.progress.setRange(0, len(reading.pages))
        self._show(find_next_page(reading))
        if self.is_one and self.page is not None and self._score() is not None:
            self.go_on()  # answered, but not beyond recall, when the reader left

    @property
    def is_one(self) -> bool:
        """Whether images come one at a time."""
        return self.reading is not None and self.reading.design.form is AnswerForm.ONE

    @property
    def is_asking(self) -> bool:
        """Whether a page waits for answers."""
        return self.page is not None and all(token in self._images for token in self.page.tokens)

    @property
    def can_go_back(self) -> bool:
        """Whether the answer before can still be changed."""
        if not self.is_one or self.reading is None:
            return False
        place = self.page.number if self.page is not None else len(self.reading.pages)
        return place > 0 and place - 1 not in self.reading.completed_pages()

    def _show(self, page: StudyPage | None) -> None:
        reading = self.reading
        assert reading is not None  # nobody reads otherwise
        self.page = page
        self.progress.setValue(page.number if page is not None else len(reading.pages))
        self.back.setEnabled(self.can_go_back)
        if page is None:
            self.question.setText("")
            self.help.setText("")
            self.forward.hide()
            self.end.show_step(
                "That was the last page.",
                "Your answers are kept. The truth is shown once the study has been closed.",
                "Hand in" if self.is_one else "Back to the studies",
            )
            self.stack.setCurrentWidget(self.end)
            self.end.button.setFocus()
        else:
            self.question.setText(reading.design.question(page.condition))
            self.help.setText(ONE_HELP if self.is_one else PICK_HELP)
            is_last = page.number == len(reading.pages) - 1
            self.forward.setText("Finish" if is_last else "Next page")
            self.stack.setCurrentIndex(0)
            self.grid.show_page((), can_pick=False)
            self._load(page)
        self.actions_outdated.emit()

    def _load(self, page: StudyPage) -> None:
        """Show the images of a page at once where they are here; read them, and those of the next page, otherwise."""
        reading = self.reading
        assert reading is not None  # as in `_show`
        if all(token in self._images for token in page.tokens):
            self._show_images()
        wanted = [page, *reading.pages[page.number + 1 : page.number + 2]]
        for priority, each in zip((1, 0), wanted, strict=False):
            missing = [token for token in each.tokens if token not in self._images]
            if missing:
                self._workspace.background.run(
                    partial(_read_images, reading, missing),
                    done=partial(self._keep, reading),
                    failed=partial(errors.report, parent=self),
                    owner=self,
                    priority=priority,
                    reads_images=True,
                )

    def _keep(self, reading: Reading, images: dict[str, QImage]) -> None:
        if self.reading is not reading:
            return
        near = {token for page in self._near() for token in page.tokens}
        self._images = {token: each for token, each in (self._images | images).items() if token in near}
        if self.is_asking and not self.grid.images:
            self._show_images()

    def _near(self) -> Sequence[StudyPage]:
        """The pages whose images are worth keeping."""
        if self.reading is None or self.page is None:
            return ()
        return self.reading.pages[max(0, self.page.number - 1) : self.page.number + 2]

    def _show_images(self) -> None:
        assert self.page is not None  # its images are here
        self.grid.show_page([self._images[token] for token in self.page.tokens], can_pick=not self.is_one)
        self._show_answers()
        self.grid.setFocus()
        self._shown_since = time.monotonic()
        self.actions_outdated.emit()

    def _show_answers(self) -> None:
        assert self.reading is not None  # answers are those of a reader
        assert self.page is not None  # to a page
        given = self.reading.answers(self.page.number)
        self.grid.set_picked(
            [
                place
                for place, token in enumerate(self.page.tokens)
                if not self.is_one and token in given and given[token].is_picked
            ]
        )
        score = self._score()
        self.scale.set_value(f"{score:g}" if score is not None else None)

    def _score(self) -> float | None:
        """The confidence that was given for the one image of the page."""
        if self.reading is None or self.page is None:
            return None
        given = self.reading.answers(self.page.number).get(self.page.tokens[0])
        return given.score if given is not None else None

    # Answers

    @property
    def _seconds(self) -> float:
        return round(time.monotonic() - self._shown_since, 3)

    @Slot(int)
    def _on_grid_toggled(self, place: int) -> None:
        if not self.is_asking or self.is_one:
            return
        reading, page = self.reading, self.page
        assert reading is not None  # it asks
        assert page is not None
        token = page.tokens[place]
        former = reading.answers(page.number).get(token)
        is_picked = not (former is not None and former.is_picked)
        if self._put(token, ReaderAnswer(is_picked, seconds=self._seconds)):
            self._show_answers()

    def answer(self, score: float) -> None:
        """Say how sure the reader is that the one image is real, and go on."""
        if self.is_asking and self.is_one:
            assert self.page is not None  # it asks
            if self._put(self.page.tokens[0], ReaderAnswer(score > 0.5, score, self._seconds)):
                self.go_on()

    def _put(self, token: str, answer: ReaderAnswer) -> bool:
        assert self.reading is not None  # it asks, see the callers
        assert self.page is not None
        try:
            self.changed.emit(self.reading.put(self.page.number, token, answer))
        except UserError as error:
            errors.report(error, parent=self)
            return False
        return True

    @Slot()
    def go_on(self) -> None:
        """End the page; one image at a time, end the one before, so that the last answer can still be changed."""
        reading, page = self.reading, self.page
        if reading is None or page is None:
            return
        if self.is_one and self._score() is None:
            return
        ending = page.number - 1 if self.is_one else page.number
        if not self._complete(range(max(0, ending), ending + 1)):
            return
        following = page.number + 1
        self._show(reading.pages[following] if following < len(reading.pages) else None)

    def _complete(self, numbers: range) -> bool:
        assert self.reading is not None  # see the callers
        try:
            for number in numbers:
                if number not in self.reading.completed_pages():
                    seconds = 0.0 if self.is_one else self._seconds
                    self.changed.emit(self.reading.complete(number, seconds=seconds))
        except UserError as error:
            errors.report(error, parent=self)
            return False
        return True

    @Slot()
    def go_back(self) -> None:
        """Show the image before, whose answer can still be changed."""
        if self.can_go_back and self.reading is not None:
            place = self.page.number if self.page is not None else len(self.reading.pages)
            self._show(self.reading.pages[place - 1])

    @Slot()
    def finish(self) -> None:
        """Hand in what was answered."""
        if self.reading is not None and self.page is None and self._complete(range(len(self.reading.pages))):
            self.ended.emit()

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.ended.emit()
        else:
            super().keyPressEvent(event)


def _read_images(reading: Reading, tokens: Sequence[str], tick: Tick) -> dict[str, QImage]:
    images = {}
    for done, token in enumerate(tokens):
        tick(done, len(tokens))
        images[token] = to_qimage(read_image(reading.image_path(token)))
    return images
