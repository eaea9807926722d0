"""The semantic-map GAN in the Generate workspace."""

from synthstudio.gui.pages.generate.gan.view import GanView

__all__ = ["GanView"]
