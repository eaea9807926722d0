"""The Annotate workspace: clicks, boxes and their classes on fields of view."""

from synthstudio.gui.pages.annotate.page import AnnotatePage

__all__ = ["AnnotatePage"]
