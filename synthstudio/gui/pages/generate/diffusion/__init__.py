"""Diffusion models in the Generate workspace."""

from synthstudio.gui.pages.generate.diffusion.view import DiffusionView

__all__ = ["DiffusionView"]
