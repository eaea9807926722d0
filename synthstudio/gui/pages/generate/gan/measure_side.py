"""What a measurement is told: what is measured, against what, and the button that starts it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.domain.records import Run
from synthstudio.gui.forms.job_side import JobSide
from synthstudio.settings.measure import MeasureSettings

GAN_WORDS = "The GAN chosen above"


class MeasureSide(JobSide[MeasureSettings]):
    """The choice between the GAN and a set, the form, and Start."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self._run: Run | None = None
        self._is_known = True
        super().__init__(
            MeasureSettings,
            parent,
            verb="Measure",
            target="What is measured",
            own=GAN_WORDS,
            hidden=("set_name", "run"),
        )
        self._refresh()

    def fit(self, *, run: Run | None, sets: Sequence[str], can_start: bool, is_known: bool) -> None:
        """Offer the GAN and these sets; what is chosen stays so where it is still there.

        Args:
            is_known: Whether these are the sets of the project; not where they could not be read.
        """
        self._run, self._is_known = run, is_known
        self.offer(sets, can_start=can_start, otherwise=int(run is None and bool(sets)))

    @override
    def _complete(self, settings: MeasureSettings, set_name: str) -> MeasureSettings | None:
        if not set_name and self._run is None:
            return None
        run = "" if set_name or self._run is None else self._run.id
        return settings.model_copy(update={"set_name": set_name, "run": run})

    @override
    def _trouble(self) -> str:
        if self.target.currentData() or self._run is not None:
            return ""
        if not self._is_known:
            return "The sets of the project could not be read."
        return "Train a GAN or write a set first: there is nothing to measure yet."
