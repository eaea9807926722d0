"""What can be asked for of a trained classifier: each puts a job into the queue, and says why where that is refused."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId, RunId
from synthstudio.domain.records import Split
from synthstudio.gui.errors import report
from synthstudio.gui.pages.train.cam_render import METHOD_NAMES
from synthstudio.gui.pages.train.run_facts import TrainingFacts
from synthstudio.gui.widgets.saving import choose_file
from synthstudio.gui.workspace import Workspace
from synthstudio.settings.base import JobSettings
from synthstudio.settings.evaluate import EvaluateSettings
from synthstudio.settings.explain import CamMethod, ExplainSettings
from synthstudio.settings.export_onnx import ExportOnnxSettings
from synthstudio.settings.train_classifier import TrainClassifierSettings


class TrainingJobs(QObject):
    """Submits jobs for a page, over which it asks and complains."""

    def __init__(self, workspace: Workspace, page: QWidget) -> None:
        super().__init__(page)
        self._workspace = workspace
        self._page = page

    def submit(self, settings: JobSettings, *, title: str, resume_run: RunId | None = None) -> RunId | None:
        """Put a job into the queue; None where that was refused."""
        try:
            return self._workspace.submit(settings, title=title, resume_run=resume_run)
        except UserError as error:
            report(error, parent=self._page)
            return None

    def resume(self, training: TrainingFacts) -> None:
        """Go on with a training from its last checkpoint."""
        settings = TrainClassifierSettings.model_validate_json(training.run.settings_json)
        self.submit(settings, title=training.run.title, resume_run=training.run.id)

    def evaluate(self, training: TrainingFacts, split: Split) -> None:
        """Score a training on the images of a split."""
        settings = EvaluateSettings(run=training.run.id, split=split)
        self.submit(settings, title=f"Evaluate {training.name} on {split.value}")

    def explain(self, training: TrainingFacts, split: Split, method: CamMethod) -> None:
        """Compute the maps of a training on all images of a split."""
        settings = ExplainSettings(run=training.run.id, split=split, method=method, sanity_check=True)
        self.submit(settings, title=f"{METHOD_NAMES[method]} of {training.name} on {split.value}")

    def explain_field(self, run_id: RunId, fov_id: FovId, method: CamMethod) -> RunId | None:
        """Compute the map of a training on one field."""
        fov = self._workspace.require_project().fovs.get(fov_id)
        settings = ExplainSettings(run=run_id, fovs=(fov.name,), method=method)
        return self.submit(settings, title=f"{METHOD_NAMES[method]} of {fov.name}")

    def export(self, training: TrainingFacts) -> None:
        """Ask where to, and write a training as an ONNX file."""
        run_id, name = training.run.id, training.name
        folder = self._workspace.require_project().folder.parent

        def submit(path: Path) -> None:
            self.submit(ExportOnnxSettings(run=run_id, out=str(path)), title=f"Export {name}")

        choose_file(self._page, str(folder / f"{run_id}.onnx"), "ONNX model (*.onnx)", submit)
