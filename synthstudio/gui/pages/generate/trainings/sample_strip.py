"""What a network made of the same requests, step after step: a grid of pictures and a slider through time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSlider, QVBoxLayout, QWidget

from synthstudio.core.training.gan_samples import GAP_PX, find_samples
from synthstudio.domain.progress import Tick
from synthstudio.gui.background import Background
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.elided_label import ElidedLabel
from synthstudio.gui.widgets.image_grid import GridImage, ImageGrid
from synthstudio.gui.widgets.wheel_guard import guard_wheel

CROP_ROWS = ("Map", "Real", "Synthetic")
"""Of a sample picture of maps, from top to bottom; its columns are the crops."""


@dataclass(frozen=True, slots=True)
class Cells:
    """The pictures of a sample one by one, row after row, and what each row shows."""

    n_columns: int
    images: tuple[GridImage, ...]
    rows: tuple[str, ...] = ()


CutSample = Callable[[Path, QImage, int], Cells]
"""Cuts the sample picture of a run's folder and a step into its pictures; in any thread."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """A run's folder, and the step to show; None for the newest."""

    folder: Path
    step: int | None


@dataclass(frozen=True, slots=True)
class _Read:
    """The samples that a folder has, and the pictures of one of them."""

    samples: tuple[tuple[int, Path], ...]
    place: int
    cells: Cells


class SampleStrip(QWidget):
    """Follows the newest sample until another one is chosen.

    Signals:
        samples_changed: Others can be shown, or another one is shown.

    Args:
        background: Reads the pictures.
        parent: Where it stands.
        cut: Cuts a sample into its pictures.
    """

    samples_changed = Signal()

    def __init__(self, background: Background, parent: QWidget | None = None, *, cut: CutSample | None = None) -> None:
        super().__init__(parent)
        self._background = background
        self._cut = cut or cut_crops
        self._folder: Path | None = None
        self._samples: tuple[tuple[int, Path], ...] = ()
        self._place = -1
        self._is_reading = False
        self._is_outdated = False
        self.grid = ImageGrid(self)
        self.grid.setAccessibleName("Samples of the training")
        self.legend = ElidedLabel(self)
        self.legend.setProperty("muted", True)
        self.legend.hide()
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setAccessibleName("Step of the samples")
        self.slider.setPageStep(1)
        guard_wheel(self.slider)
        self.step = QLabel(self)
        self.step.setProperty("muted", True)
        self.latest = QPushButton("Latest", self)
        self.latest.setCheckable(True)
        self.latest.setChecked(True)
        self.latest.setToolTip("Follow the newest samples while the training goes on (End)")
        self._lay_out()
        self.slider.valueChanged.connect(self._on_slider_value_changed)
        self.latest.toggled.connect(self._on_latest_toggled)
        self._show_place()

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(2 * GRID_PX, 0, 2 * GRID_PX, 0)
        bar.setSpacing(2 * GRID_PX)
        bar.addWidget(self.slider, 1)
        bar.addWidget(self.step)
        bar.addWidget(self.latest)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID_PX)
        layout.addWidget(self.grid, 1)
        layout.addWidget(self.legend)
        layout.addLayout(bar)

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps of which there are samples."""
        return tuple(step for step, _ in self._samples)

    @property
    def shown_step(self) -> int | None:
        """The step whose samples are chosen; None where there are none."""
        return self._samples[self._place][0] if self._samples else None

    def set_folder(self, folder: Path | None, placeholder: str) -> None:
        """Show the samples of another run, the newest first; the text says what comes where it has none yet."""
        self.grid.set_placeholder(placeholder)
        if folder == self._folder:
            self.refresh()
            return
        self._folder = folder
        self._samples, self._place = (), -1
        self.latest.setChecked(True)
        self.grid.set_images(())
        self.legend.hide()
        self._show_place()
        self.refresh()

    def refresh(self) -> None:
        """Look for new samples, and read the one to be shown; one reading at a time, the newest wish wins."""
        wish = self._wish
        if wish is None:
            return
        if self._is_reading:
            self._is_outdated = True
            return
        self._is_reading, self._is_outdated = True, False
        cut = self._cutter()

        def read(_tick: Tick) -> _Read:
            return _read(wish, cut)

        task = self._background.run(read, done=lambda found: self._show(wish, found), owner=self)
        task.ended.connect(self._on_task_ended)

    def _cutter(self) -> CutSample:
        """What cuts the next sample."""
        return self._cut

    @property
    def _wish(self) -> _Wish | None:
        if self._folder is None:
            return None
        return _Wish(self._folder, None if self.latest.isChecked() else self.shown_step)

    @Slot()
    def _on_task_ended(self) -> None:
        self._is_reading = False
        if self._is_outdated:
            self.refresh()

    def _show(self, wish: _Wish, found: _Read) -> None:
        if wish.folder != self._folder:
            return
        if wish == self._wish:  # otherwise the hand is further on, and only sees what it passes
            self._samples, self._place = found.samples, found.place
        self.grid.set_columns(found.cells.n_columns)
        self.grid.set_images(found.cells.images)
        rows = found.cells.rows
        self.legend.setText("Rows: " + " · ".join(rows))
        self.legend.setToolTip("\n".join(rows))
        self.legend.setVisible(bool(rows))
        self._show_place()

    def _show_place(self) -> None:
        self.slider.blockSignals(True)
        self.slider.setRange(0, max(0, len(self._samples) - 1))
        self.slider.setValue(max(0, self._place))
        self.slider.blockSignals(False)
        self.slider.setEnabled(len(self._samples) > 1)
        step = self.shown_step
        total = len(self._samples)
        self.step.setText(f"step {step:,} · {self._place + 1} of {total}" if step is not None else "no samples yet")
        self.samples_changed.emit()

    @Slot(int)
    def _on_slider_value_changed(self, place: int) -> None:
        self.choose(place)

    def choose(self, place: int) -> None:
        """Show one of the samples; the newest is not followed any more."""
        if not 0 <= place < len(self._samples):
            return
        self.latest.blockSignals(True)
        self.latest.setChecked(False)
        self.latest.blockSignals(False)
        self._place = place
        self._show_place()
        self.refresh()

    def go_back(self) -> None:
        """Show the samples before these."""
        self.choose(self._place - 1)

    def go_forth(self) -> None:
        """Show the samples after these."""
        self.choose(self._place + 1)

    def go_first(self) -> None:
        """Show the first samples."""
        self.choose(0)

    def follow_latest(self) -> None:
        """Show the newest samples, and each one that is newer."""
        self.latest.setChecked(True)

    @Slot(bool)
    def _on_latest_toggled(self, _is_on: bool) -> None:
        self.refresh()


def _read(wish: _Wish, cut: CutSample) -> _Read:
    """Read samples; not on the GUI thread."""
    samples = tuple(find_samples(wish.folder))
    if not samples:
        return _Read((), -1, Cells(0, ()))
    steps = [step for step, _ in samples]
    place = steps.index(wish.step) if wish.step in steps else len(samples) - 1
    return _Read(samples, place, cut(wish.folder, QImage(str(samples[place][1])), steps[place]))


def cut_crops(_folder: Path, picture: QImage, step: int) -> Cells:
    """Maps, real crops and what was made of the maps."""
    return cut_rows(
        picture, CROP_ROWS, lambda row, column: f"{CROP_ROWS[row]}, held-out crop {column + 1}, step {step:,}"
    )


def cut_rows(picture: QImage, rows: Sequence[str], caption_of: Callable[[int, int], str]) -> Cells:
    """Cut a picture of square images with gaps between; none where the file is damaged.

    Args:
        picture: As `core.training.gan_samples.sample_grid` lays it out.
        rows: What each of its rows shows.
        caption_of: Caption of the image in a row and a column.
    """
    side = (picture.height() + GAP_PX) // len(rows) - GAP_PX if rows else 0
    if side <= 0:
        return Cells(0, ())
    step_px = side + GAP_PX
    n_columns = (picture.width() + GAP_PX) // step_px
    images = tuple(
        GridImage(
            picture.copy(column * step_px, row * step_px, side, side).convertToFormat(QImage.Format.Format_RGB32),
            caption=caption_of(row, column),
        )
        for row in range(len(rows))
        for column in range(n_columns)
    )
    return Cells(n_columns, images, tuple(rows))
