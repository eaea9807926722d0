"""A field stays as it was looked at, on every page: the part of it that a view shows is the workspace's."""

from __future__ import annotations

import math

from PySide6.QtCore import QObject, Slot

from synthstudio.gui.canvas.pyramid import ImagePyramid
from synthstudio.gui.canvas.view_state import ViewState, fit_scale
from synthstudio.gui.canvas.zoom_view import ZoomView
from synthstudio.gui.workspace import Workspace


class KeptView(QObject):
    """Tells the workspace how the current field is looked at in a view, and shows it so again."""

    def __init__(self, workspace: Workspace, view: ZoomView) -> None:
        super().__init__(view)
        self._workspace, self._view = workspace, view
        view.view_changed.connect(self._on_view_changed)

    def restore(self) -> None:
        """Show the current field as it was looked at last, or whole."""
        kept = self._workspace.view_state
        if kept is not None:
            self._view.set_view_state(kept)
        else:
            self._view.fit()

    @Slot(object)
    def _on_view_changed(self, state: ViewState) -> None:
        view, fov_id = self._view, self._workspace.current_fov_id
        pyramid: ImagePyramid | None = view.pyramid
        if not view.isVisible() or pyramid is None or fov_id is None:
            return
        fitted = fit_scale(pyramid.width, pyramid.height, width=view.width(), height=view.height())
        if math.isclose(state.scale, fitted, rel_tol=1e-6):
            self._workspace.view_states.pop(fov_id, None)  # fitted stays fitted, whatever size the view gets
        else:
            self._workspace.view_state = state
