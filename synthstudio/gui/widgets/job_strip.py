"""The line at the foot of the window: what runs, how far it is, how long it still takes, and how it is stopped."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QSizePolicy, QToolButton, QWidget

from synthstudio.gui.widgets.icons import themed_icon
from synthstudio.gui.widgets.time_left import duration_text

PROGRESS_WIDTH_PX = 160
NO_JOBS = "No jobs"


class JobStrip(QFrame):
    """Shows one piece of work, how many wait behind it, the device, and that all is saved.

    Signals:
        cancel_requested: The cancel button was pressed.
        pause_toggled: The pause button was pressed.
    """

    cancel_requested = Signal()
    pause_toggled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("jobStrip")
        self._idle_text = NO_JOBS
        self.title = QLabel(NO_JOBS)
        self.title.setProperty("muted", True)
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.stage = QLabel()
        self.stage.setProperty("muted", True)
        self.stage.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.stage.setTextFormat(Qt.TextFormat.PlainText)
        self.progress = QProgressBar()
        self.progress.setFixedWidth(PROGRESS_WIDTH_PX)
        self.progress.setTextVisible(False)
        self.remaining = QLabel()
        self.remaining.setProperty("muted", True)
        self.remaining.setMinimumWidth(96)
        self.cancel_button = QToolButton()
        self.cancel_button.setIcon(themed_icon("mdi6.close-circle-outline"))
        self.cancel_button.setIconSize(QSize(16, 16))
        self.cancel_button.setAccessibleName("Cancel this job")
        self.cancel_button.setToolTip("Cancel this job")
        self.cancel_button.clicked.connect(self.cancel_requested)
        self.pause_button = QToolButton()
        self.pause_button.setIconSize(QSize(16, 16))
        self.pause_button.clicked.connect(self.pause_toggled)
        self.queue = QLabel()
        self.queue.setProperty("muted", True)
        self.device = QLabel()
        self.device.setProperty("muted", True)
        self.saved = QLabel()
        self.saved.setProperty("muted", True)
        self._lay_out()
        self.show_nothing()
        self.show_pause(is_paused=False, hours="", has_jobs=False)

    def _lay_out(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 0, 12, 0)
        layout.setSpacing(12)
        for widget in (self.title, self.progress, self.remaining, self.cancel_button, self.pause_button):
            layout.addWidget(widget)
        layout.addWidget(self.stage, 1)
        for widget in (self.queue, self.device, self.saved):
            layout.addWidget(widget)
        self.setFixedHeight(max(24, self.fontMetrics().height() + 8))

    def show_nothing(self) -> None:
        """Say that nothing runs."""
        self.title.setText(self._idle_text)
        self.stage.clear()
        for widget in (self.progress, self.remaining, self.cancel_button):
            widget.hide()

    def show_work(self, title: str, stage: str, *, can_cancel: bool = True) -> None:
        """Show what runs; its progress comes by `show_progress`."""
        self.title.setText(title)
        self.stage.setText(stage)
        self.progress.setVisible(True)
        self.remaining.setVisible(True)
        self.cancel_button.setVisible(True)
        self.cancel_button.setEnabled(can_cancel)

    def show_progress(self, done: int, total: int, remaining_s: float | None) -> None:
        """Show how far it is; a total of 0 means that nobody knows."""
        self.progress.setRange(0, max(total, 0))
        self.progress.setValue(min(done, total))
        self.remaining.setText(f"{duration_text(remaining_s)} left" if remaining_s is not None else "")
        self.progress.setToolTip(f"{done:,} of {total:,}" if total else "")

    def show_queue(self, n_waiting: int) -> None:
        """Say how many jobs wait."""
        self.queue.setText(f"{n_waiting} waiting" if n_waiting else "")

    def show_pause(self, *, is_paused: bool, hours: str, has_jobs: bool) -> None:
        """Offer to begin no more jobs, or to go on; `hours` says until when the clock keeps them waiting."""
        words = "Begin the waiting jobs" if is_paused else "Begin no more jobs after this one"
        self.pause_button.setIcon(themed_icon("mdi6.play-outline" if is_paused else "mdi6.pause"))
        self.pause_button.setToolTip(f"{words}{f'. {hours}' if hours else ''}")
        self.pause_button.setAccessibleName(words)
        self.pause_button.setVisible(has_jobs or is_paused)
        self._idle_text = (hours or "Paused") if is_paused else NO_JOBS
        if not self.progress.isVisibleTo(self):
            self.title.setText(self._idle_text)
