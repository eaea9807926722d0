"""Remembers how each field was looked at: which part, how near, how turned."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from synthstudio.domain.records import FieldOfView
from synthstudio.gui.canvas.marked_view import MarkedView
from synthstudio.gui.canvas.pyramid import ImagePyramid
from synthstudio.gui.canvas.view_state import ViewState, fit_scale
from synthstudio.gui.pages.annotate.editor import Editor
from synthstudio.gui.workspace import Workspace

SAME_SCALE = 0.01
"""Share by which the scale of a fitted image may differ."""


class ViewMemory(QObject):
    """Keeps the states of the view in the workspace, where other pages find them.

    Args:
        page: What the view does while it is not seen is not the user's.
    """

    def __init__(self, workspace: Workspace, view: MarkedView, editor: Editor, page: QWidget) -> None:
        super().__init__(page)
        self._workspace, self._view, self._editor, self._page = workspace, view, editor, page
        view.view_changed.connect(self._on_view_changed)

    def restore(self, fov: FieldOfView, pyramid: ImagePyramid) -> None:
        """Look at an FOV, which is shown now, as it was looked at last."""
        state = self._workspace.view_states.get(fov.id)
        if state is not None:
            self._view.set_view_state(state)
            if state.turns and self._is_fitted(pyramid, state):
                self._view.fit()

    @Slot(object)
    def _on_view_changed(self, state: ViewState) -> None:
        fov, pyramid = self._editor.fov, self._view.pyramid
        if fov is None or pyramid is None or not self._page.isVisible():
            return
        if self._is_fitted(pyramid, state) and not state.turns:
            self._workspace.view_states.pop(fov.id, None)  # fitted stays fitted, whatever size the view gets
        else:
            self._workspace.view_states[fov.id] = state

    def _is_fitted(self, pyramid: ImagePyramid, state: ViewState) -> bool:
        size = self._view.size()
        fitted = fit_scale(pyramid.width, pyramid.height, width=size.width(), height=size.height(), turns=state.turns)
        return abs(state.scale / fitted - 1) < SAME_SCALE
