"""What a check is told: the project or a set, thresholds, and the button that starts it."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.gui.forms.job_side import JobSide
from synthstudio.gui.theme import scaled_px
from synthstudio.settings.quality import QualitySettings

WIDTH_PX = 300
PROJECT_WORDS = "The project"


class CheckSide(JobSide[QualitySettings]):
    """The choice between the project and a set, the form, and Start."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            QualitySettings, parent, verb="Check", target="What is checked", own=PROJECT_WORDS, hidden=("set_name",)
        )
        self.setProperty("panel", True)
        self.setFixedWidth(scaled_px(WIDTH_PX))
        self.target.setToolTip("With the project, what all of its sets were made from is checked too")
        self._refresh()

    @override
    def _complete(self, settings: QualitySettings, set_name: str) -> QualitySettings | None:
        return settings.model_copy(update={"set_name": set_name})
