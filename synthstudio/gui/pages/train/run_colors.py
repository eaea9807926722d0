"""Colours of runs in the window's charts: those that they have in a report."""

from synthstudio.core.export.report.charts import SERIES_COLORS as RUN_COLORS
from synthstudio.core.export.report.charts import series_color as run_color

__all__ = ["RUN_COLORS", "run_color"]
