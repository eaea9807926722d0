"""The five workspaces, and their making when they are first needed."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from PySide6.QtWidgets import QWidget

from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.workspace import Workspace


@runtime_checkable
class Page(Protocol):
    """What the window asks of a page, which is a QWidget besides."""

    title: str
    icon: str

    def actions(self) -> Sequence[ActionSpec]:
        """What can be done on the page."""


@runtime_checkable
class LazyPage(Protocol):
    """A page that makes its parts when they are first shown; its signal `actions_added` tells what they can do."""

    def build_next(self) -> bool:
        """Make one of the parts that are not there yet; False where all are."""


@dataclass(frozen=True, slots=True)
class PageEntry:
    """Where a page comes from. Plots and forms take longer to load than the first paint may: pages load when shown."""

    id: str
    title: str
    icon: str
    module: str
    class_name: str
    uses_fovs: bool = True
    ahead: tuple[str, ...] = ()
    """Modules that the page itself only imports when it needs them."""

    def load(self) -> type[QWidget]:
        """Import the page's class; may be called in any thread, which makes the later building fast."""
        page_class: type[QWidget] = getattr(importlib.import_module(self.module), self.class_name)
        return page_class

    def load_all(self) -> None:
        """Import the page's class and all that it will need later; may be called in any thread."""
        self.load()
        for module in self.ahead:
            importlib.import_module(module)

    def build(self, workspace: Workspace, parent: QWidget) -> QWidget:
        """Make the page, in the GUI thread."""
        return self.load()(workspace, parent)  # type: ignore[arg-type]  # every page takes both


_PAGES, _PLOTS = "synthstudio.gui.pages", "synthstudio.gui.widgets.curve_plot"
PAGES = (
    PageEntry("annotate", "Annotate", "mdi6.target", f"{_PAGES}.annotate", "AnnotatePage"),
    PageEntry("generate", "Generate", "mdi6.auto-fix", f"{_PAGES}.generate", "GeneratePage", uses_fovs=False),
    PageEntry("review", "Review", "mdi6.check-decagram-outline", f"{_PAGES}.review", "ReviewPage", uses_fovs=False),
    PageEntry("train", "Train", "mdi6.chart-line", f"{_PAGES}.train", "TrainPage", ahead=(_PLOTS,)),
    PageEntry("quality", "Quality", "mdi6.shield-check-outline", f"{_PAGES}.quality", "QualityPage", uses_fovs=False),
)
