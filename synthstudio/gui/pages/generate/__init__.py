"""The Generate workspace."""

from synthstudio.gui.pages.generate.page import GeneratePage

__all__ = ["GeneratePage"]
