"""The Review workspace."""

from synthstudio.gui.pages.review.page import ReviewPage

__all__ = ["ReviewPage"]
