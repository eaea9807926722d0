"""Reading studies in the window: built, answered blind, closed and judged."""

from synthstudio.gui.pages.review.studies.studies_panel import StudiesPanel

__all__ = ["StudiesPanel"]
