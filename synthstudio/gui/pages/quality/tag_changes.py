"""Tags and saved views on the undo stack. What is pushed has been committed before."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.domain.records import Changes
from synthstudio.gui.pages.quality.gallery_picks import GalleryRows
from synthstudio.gui.project_command import ProjectCommand
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.tags import Tagged


def tagged(rows: GalleryRows) -> Tagged:
    """What the tags of some rows are put on."""
    return Tagged("object" if rows.view == "objects" else "image", rows.set_name)


def change_tag(workspace: Workspace, name: str, rows: GalleryRows, *, has: bool, window: QWidget) -> None:
    """Put a tag on rows, or take it off them, as one step that can be undone.

    Raises:
        UserError: The tag is no word, or the project is read-only; nothing has changed then.
    """
    project, name = workspace.require_writable_project(), " ".join(name.split())
    known = project.tags.list(tagged(rows)).get(name, frozenset())
    ids = frozenset(rows.ids.tolist())
    changed = ids - known if has else ids & known
    if changed or not name:
        workspace.announce(_write(project, name, changed, tagged(rows), has=has))
        workspace.undo_stack.push(_TagCommand(workspace, name, changed, tagged(rows), has=has, window=window))


def _write(project: Project, name: str, ids: frozenset[int], where: Tagged, *, has: bool) -> Changes:
    return project.tags.add(name, ids, where) if has else project.tags.remove(name, ids, where)


class _TagCommand(ProjectCommand):
    """A tag that has been put on or taken off."""

    def __init__(
        self, workspace: Workspace, name: str, ids: frozenset[int], where: Tagged, *, has: bool, window: QWidget
    ) -> None:
        super().__init__(workspace, f"{'tag' if has else 'untag'} {len(ids):,} with {name}", window=window)
        self._name, self._ids, self._where, self._has = name, ids, where, has

    @override
    def write_to(self, project: Project, *, is_undo: bool) -> Changes:
        return _write(project, self._name, self._ids, self._where, has=self._has is not is_undo)


def change_view(workspace: Workspace, name: str, view_json: str | None, *, window: QWidget) -> None:
    """Keep a view under a name, or forget the one of the name where it is None, as one step that can be undone.

    Raises:
        UserError: The name is no name, or the project is read-only; nothing has changed then.
    """
    project, name = workspace.require_writable_project(), " ".join(name.split())
    before = project.saved_views.list().get(name)
    workspace.announce(_write_view(project, name, view_json))
    workspace.undo_stack.push(_ViewCommand(workspace, name, before=before, after=view_json, window=window))


def _write_view(project: Project, name: str, view_json: str | None) -> Changes:
    return project.saved_views.remove(name) if view_json is None else project.saved_views.put(name, view_json)


class _ViewCommand(ProjectCommand):
    """A saved view that was kept or forgotten."""

    def __init__(
        self, workspace: Workspace, name: str, *, before: str | None, after: str | None, window: QWidget
    ) -> None:
        super().__init__(workspace, f"{'forget' if after is None else 'save'} the view {name}", window=window)
        self._name, self._before, self._after = name, before, after

    @override
    def write_to(self, project: Project, *, is_undo: bool) -> Changes:
        return _write_view(project, self._name, self._before if is_undo else self._after)
