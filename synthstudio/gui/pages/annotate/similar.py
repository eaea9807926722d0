"""From the selected object, or the field, to what is like it on the map of the pictures."""

from __future__ import annotations

from synthstudio.gui.actions import ActionSpec, trigger_action
from synthstudio.gui.canvas.fov_view import FovView
from synthstudio.gui.workspace import Workspace

SIMILAR = "annotate.similar"


def similar_action(workspace: Workspace, view: FovView) -> ActionSpec:
    """Look for what is like the selected annotation; like the field where none is selected."""

    def find() -> None:
        fov_id = workspace.current_fov_id
        if fov_id is not None:
            workspace.ask_for_similar(fov_id, min(view.selection, default=None))
            trigger_action("go.quality", view)

    return ActionSpec(
        SIMILAR,
        "Find what is like the selected object, or the field",
        find,
        "Ctrl+Shift+M",
        "mdi6.image-search-outline",
        "Field",
        lambda: workspace.current_fov_id is not None,
    )
