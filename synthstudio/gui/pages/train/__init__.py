"""The Train workspace."""

from synthstudio.gui.pages.train.page import TrainPage

__all__ = ["TrainPage"]
