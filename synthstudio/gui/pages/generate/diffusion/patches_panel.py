"""Sets of patches from a diffusion model that was trained from scratch: the panel of a GAN's batches, for its runs."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from synthstudio.gui.pages.generate.gan.batch_panel import BatchKind, BatchPanel
from synthstudio.gui.workspace import Workspace
from synthstudio.settings.generate import GenerateSettings

PATCH_BATCHES = BatchKind(
    GenerateSettings(generator="diffusion", set_name="patches"),
    "diffusion.patches_",
    "diffusion patches",
    (
        "No diffusion model has been trained from scratch yet.",
        "Train one on the tab From scratch; then it makes sets here.",
    ),
    "Under Compositing, name it among the sets of generated images: its objects are pasted like clicked ones.",
)


class PatchesPanel(BatchPanel):
    """What a model trained from scratch is asked for by class and tone."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent, kind=PATCH_BATCHES)
