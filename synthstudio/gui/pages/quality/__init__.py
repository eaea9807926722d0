"""The Quality workspace."""

from synthstudio.gui.pages.quality.page import QualityPage

__all__ = ["QualityPage"]
