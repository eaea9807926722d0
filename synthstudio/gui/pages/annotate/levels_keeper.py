"""Which levels each image is shown with, and what counts its samples."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from PySide6.QtCore import QObject, Slot

from synthstudio.core.imaging import Channel, DeepSamples, Histogram, Levels, auto_range
from synthstudio.domain.ids import FovId
from synthstudio.domain.progress import Tick
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.background import Background
from synthstudio.gui.canvas.pyramid import ImagePyramid
from synthstudio.gui.pages.annotate.levels_panel import LevelsPanel
from synthstudio.gui.widgets.section import Section

MENU = "View"


class LevelsKeeper(QObject):
    """Levels belong to the image that they were chosen for, or to all; they last as long as the project is open.

    Args:
        panel: Shows and changes them.
        section: Samples are counted while it is unfolded.
        background: Counts.
    """

    def __init__(self, panel: LevelsPanel, section: Section, background: Background, parent: QObject) -> None:
        super().__init__(parent)
        self._panel, self._section, self._background = panel, section, background
        self._fov_id: FovId | None = None
        self._pyramid: ImagePyramid | None = None
        self._levels_of: dict[FovId, Levels] = {}
        self._common: Levels | None = None
        self._histogram: Histogram | None = None
        self._wants_auto = self._is_counting = False
        panel.levels_chosen.connect(self.set_levels)
        panel.auto_requested.connect(self.set_auto)
        panel.lock_chosen.connect(lambda locked: self.set_locked(locked=locked))
        section.folded_changed.connect(lambda _folded: self._look_closer())

    @property
    def levels(self) -> Levels:
        """Those of the shown image."""
        if self._common is not None:
            return self._common
        return self._levels_of.get(self._fov_id, Levels()) if self._fov_id is not None else Levels()

    @property
    def has_image(self) -> bool:
        return self._pyramid is not None

    @property
    def is_locked(self) -> bool:
        """Whether all images have the same levels."""
        return self._common is not None

    def forget(self) -> None:
        """Another project: what was chosen belongs to images that are gone."""
        self._levels_of.clear()
        self._common = None
        self._panel.set_locked(locked=False)

    def show(self, fov_id: FovId | None, pyramid: ImagePyramid | None) -> None:
        """Another image is shown, or none."""
        self._fov_id, self._pyramid = fov_id, pyramid
        self._histogram, self._wants_auto, self._is_counting = None, False, False
        self._panel.setEnabled(pyramid is not None)
        self._panel.set_histogram(None)
        if pyramid is not None:
            pyramid.set_levels(self.levels)
        self._panel.set_levels(self.levels)
        self._look_closer()

    @Slot(object)
    def set_levels(self, levels: Levels) -> None:
        """Show the image, or all of them, with other levels."""
        if self._pyramid is None or self._fov_id is None:
            return
        if self._common is not None:
            self._common = levels
        else:
            self._levels_of[self._fov_id] = levels
        self._pyramid.set_levels(levels)
        self._panel.set_levels(levels)
        self._look_closer()

    @Slot()
    def set_auto(self) -> None:
        """Stretch between the darkest and the brightest thousandth, as soon as they are counted."""
        self._wants_auto = True
        self._look_closer()

    def set_locked(self, *, locked: bool) -> None:
        """Show all images with the levels of this one, or each with its own again."""
        levels = self.levels
        self._common = levels if locked else None
        if not locked and self._fov_id is not None:
            self._levels_of[self._fov_id] = levels
        self._panel.set_locked(locked=locked)

    def reset(self) -> None:
        """Show the image as it is."""
        self.set_levels(Levels())

    def invert(self) -> None:
        """Show the negative, or the positive again."""
        self.set_levels(dataclasses.replace(self.levels, is_inverted=not self.levels.is_inverted))

    def step_channel(self) -> None:
        """Show the next channel alone; after the last all of them."""
        channels = list(Channel)
        following = channels[(channels.index(self.levels.channel) + 1) % len(channels)]
        self.set_levels(dataclasses.replace(self.levels, channel=following))

    # Counting and depth, off the GUI thread

    def _look_closer(self) -> None:
        """Bring what is missing: the histogram where it is seen or asked for, the depth where levels need it."""
        pyramid = self._pyramid
        if pyramid is None or self._is_counting:
            return
        is_seen = not self._section.is_folded or self._wants_auto
        needs_depth = pyramid.lacks_depth and (is_seen or not self.levels.is_neutral)
        if needs_depth or (is_seen and self._histogram is None):
            self._start_counting(pyramid, reads_depth=needs_depth)
        elif self._wants_auto and self._histogram is not None:
            self._wants_auto = False
            black, white = auto_range(self._histogram, self.levels.channel)
            self.set_levels(dataclasses.replace(self.levels, black=black, white=white))

    def _start_counting(self, pyramid: ImagePyramid, *, reads_depth: bool) -> None:
        self._is_counting = True

        def read(_: Tick) -> DeepSamples | None:
            return pyramid.read_depth() if reads_depth else None

        def adopt(depth: DeepSamples | None) -> None:
            if depth is not None:
                pyramid.set_depth(depth)
            if pyramid is self._pyramid:
                self._background.run(count, done=finish, owner=self)

        def count(_: Tick) -> Histogram:
            return pyramid.count_samples()

        def finish(histogram: Histogram) -> None:
            if pyramid is self._pyramid:
                self._is_counting = False
                self._histogram = histogram
                self._panel.set_histogram(histogram)
                self._look_closer()

        self._background.run(read, done=adopt, owner=self)


def levels_actions(keeper: LevelsKeeper) -> Sequence[ActionSpec]:
    """What can be done about levels, as data."""

    def has_image() -> bool:
        return keeper.has_image

    def toggle_lock() -> None:
        keeper.set_locked(locked=not keeper.is_locked)

    return [
        ActionSpec("annotate.levels_auto", "Automatic levels", keeper.set_auto, "W", "", MENU, has_image),
        ActionSpec("annotate.levels_reset", "Reset levels", keeper.reset, "Shift+W", "", MENU, has_image),
        ActionSpec(
            "annotate.levels_invert",
            "Show the negative",
            keeper.invert,
            "I",
            "",
            MENU,
            has_image,
            checked_when=lambda: keeper.levels.is_inverted,
        ),
        ActionSpec(
            "annotate.levels_channel", "Show the next channel", keeper.step_channel, "Shift+I", "", MENU, has_image
        ),
        ActionSpec(
            "annotate.levels_lock",
            "Same levels for all images",
            toggle_lock,
            "",
            "",
            MENU,
            has_image,
            checked_when=lambda: keeper.is_locked,
        ),
    ]
