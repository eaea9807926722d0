"""The frame of the application: rail, top bar, field list, job bar, dialogs."""

from synthstudio.gui.main_window.window import MainWindow

__all__ = ["MainWindow"]
