"""Lets a model search fields for what to suggest, in the queue of jobs, and says how far it has come."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId, RunId
from synthstudio.gui import errors
from synthstudio.gui.workspace import Workspace

if TYPE_CHECKING:
    from synthstudio.protocol.messages import AnyEvent, JobOutcome


class SuggestionSearch(QObject):
    """The searches that were asked for here.

    Signals:
        progressed: (str) How far they have come, in words; "" when none is under way any more.
    """

    progressed = Signal(str)

    def __init__(self, workspace: Workspace, window: QWidget) -> None:
        super().__init__(window)
        self._workspace, self._window = workspace, window
        self._n_fields: dict[RunId, int] = {}
        worker = workspace.gpu_worker
        worker.job_started.connect(self._on_worker_job_started)
        worker.event_received.connect(self._on_worker_event_received)
        worker.job_ended.connect(self._on_worker_job_ended)

    def search(self, run_id: RunId, fov_ids: Collection[FovId], *, again: bool = False) -> None:
        """Put a search of these fields into the queue; with none named, of all that are not complete.

        Args:
            again: Also those that the model has searched before.
        """
        from synthstudio.settings.suggest import SuggestSettings  # noqa: PLC0415 - pydantic, which the start need not wait for

        try:
            project = self._workspace.require_writable_project()
            chosen = set(fov_ids)
            names = tuple(fov.name for fov in project.fovs.list() if fov.id in chosen)
            places = tuple(f"#{each}" for each in sorted(chosen))  # samples may have images of one name
            what = names[0] if len(names) == 1 else f"{len(names):,} fields" if names else "all unfinished fields"
            settings = SuggestSettings(run=run_id, fovs=places, again=again)
            job = self._workspace.submit(settings, title=f"Suggestions for {what}")
        except UserError as error:
            errors.report(error, parent=self._window)
            return
        self._n_fields.setdefault(job, len(names))
        self.progressed.emit(self._waiting_words(job))

    def _waiting_words(self, job: RunId) -> str:
        worker = self._workspace.gpu_worker
        if job not in self._n_fields or (worker.is_idle and worker.running is None):
            return ""
        if worker.running is None and worker.is_paused:
            return "The search waits: the jobs are paused."
        return "Searching …" if worker.running in (None, job) else "The search waits for the job before it."

    @Slot(str)
    def _on_worker_job_started(self, job: RunId) -> None:
        if job in self._n_fields:
            self.progressed.emit("Searching …")

    @Slot(str, object)
    def _on_worker_event_received(self, job: RunId, event: AnyEvent) -> None:
        if job not in self._n_fields:
            return
        from synthstudio.protocol.messages import Progress  # noqa: PLC0415 - as above

        if isinstance(event, Progress) and event.total:
            n_fields, share = self._n_fields[job], event.done / event.total
            searched = f"{int(share * n_fields)} of {n_fields} fields" if n_fields > 1 else f"{share:.0%}"
            self.progressed.emit(f"Searching … {searched}")

    @Slot(str, object)
    def _on_worker_job_ended(self, job: RunId, _outcome: JobOutcome) -> None:
        if self._n_fields.pop(job, None) is not None:
            self.progressed.emit(self._waiting_words(next(iter(self._n_fields), RunId(""))))
