"""What the user can do, declared once as data; menus, buttons, shortcuts and the command palette are built from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QIcon, QKeySequence
from PySide6.QtWidgets import QToolButton, QWidget


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One thing that the user can do.

    Attributes:
        id: `area.verb`, for example "annotate.undo"; unique in the window.
        text: In the imperative, as it stands in menus; "…" at its end where a dialog follows.
        callback: Called without arguments; for a checkable action the new state is read from `checked_when`.
        shortcut: One key sequence or several alternatives, in Qt's portable text; empty for none.
        icon: qtawesome name such as "mdi6.undo".
        menu: Title of the menu that it stands in; empty keeps it out of the menus.
        enabled_when: Whether it can be done now.
        checked_when: Makes the action checkable: whether it is on now.
        tip: One sentence for the tooltip, where the text does not say it all.
        focus: Widget that must have the focus for the shortcut, where its keys mean other things elsewhere.
        area: Part of the page that it belongs to, where other parts, shown in its place, use the same keys.
    """

    id: str
    text: str
    callback: Callable[[], None]
    shortcut: str | tuple[str, ...] = ""
    icon: str = ""
    menu: str = ""
    enabled_when: Callable[[], bool] = _always
    checked_when: Callable[[], bool] | None = None
    tip: str = ""
    focus: QWidget | None = None
    area: QWidget | None = None

    @property
    def shortcuts(self) -> tuple[str, ...]:
        """All key sequences, the one to show first."""
        keys = (self.shortcut,) if isinstance(self.shortcut, str) else self.shortcut
        return tuple(key for key in keys if key)

    @property
    def plain_text(self) -> str:
        """The text without mnemonics and dots."""
        return self.text.replace("&", "").rstrip("….")


class ActionRegistry(QObject):
    """The actions of one window.

    A page's actions are attached to the page, so that their shortcuts rest while it is hidden.

    Args:
        icon_of: Makes an icon from its name, in the colours of the theme in force.
    """

    def __init__(self, icon_of: Callable[[str], QIcon], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._icon_of = icon_of
        self._specs: dict[str, ActionSpec] = {}
        self._actions: dict[str, QAction] = {}
        self._owners: dict[str, QWidget] = {}
        self._chosen: dict[str, tuple[str, ...]] = {}
        self._n_gathering = 0
        self._is_outdated = False

    def add(self, specs: Iterable[ActionSpec], *, owner: QWidget) -> list[QAction]:
        """Build the actions of a window or page. Raises ValueError where an id is taken."""
        return [self._add_one(spec, owner) for spec in specs]

    def _add_one(self, spec: ActionSpec, owner: QWidget) -> QAction:
        if spec.id in self._specs:
            raise ValueError(f"There are two actions {spec.id}.")
        action = QAction(spec.text, owner)
        action.setObjectName(spec.id)
        in_focus = Qt.ShortcutContext.WidgetWithChildrenShortcut
        action.setShortcutContext(in_focus if spec.focus else Qt.ShortcutContext.WindowShortcut)
        action.setCheckable(spec.checked_when is not None)
        action.triggered.connect(lambda: self._run(spec))
        (spec.focus or spec.area or owner).addAction(action)
        self._specs[spec.id], self._actions[spec.id], self._owners[spec.id] = spec, action, owner
        self._show_keys(spec.id)
        self._refresh_one(spec)
        if spec.icon:
            action.setIcon(self._icon_of(spec.icon))
        return action

    def _show_keys(self, action_id: str) -> None:
        spec, action = self.spec(action_id), self._actions[action_id]
        action.setShortcuts([QKeySequence(key) for key in spec.shortcuts])
        action.setToolTip(_tool_tip(spec))

    def set_chosen_keys(self, chosen: Mapping[str, tuple[str, ...]]) -> None:
        """Give actions the keys that the user has chosen; all others get those that they came with.

        An id that no action has (yet) is kept for when a page brings it.
        """
        former, self._chosen = self._chosen, dict(chosen)
        for action_id in former.keys() | self._chosen.keys():
            if action_id in self._specs and former.get(action_id) != self._chosen.get(action_id):
                self._show_keys(action_id)

    def declared_keys(self, action_id: str) -> tuple[str, ...]:
        """The keys that an action came with."""
        return self._specs[action_id].shortcuts

    def in_conflict(self, action_id: str, key: str) -> list[ActionSpec]:
        """The other actions that answer to a key where this one does: in the window, or on the same page."""
        wanted = QKeySequence(key)
        own = self._area(action_id)
        return [
            spec
            for spec in self.specs()
            if spec.id != action_id
            and any(QKeySequence(each) == wanted for each in spec.shortcuts)
            and (
                own is self._area(spec.id)
                or own.isAncestorOf(self._area(spec.id))
                or self._area(spec.id).isAncestorOf(own)
            )
        ]

    def _run(self, spec: ActionSpec) -> None:
        with self.gathering():
            if spec.enabled_when():
                spec.callback()
            self.refresh()

    def refresh(self) -> None:
        """Ask every action anew whether it is enabled and on; called after anything that may matter to it."""
        self._is_outdated = self._n_gathering > 0
        if self._is_outdated:
            return
        for spec in self._specs.values():
            self._refresh_one(spec)

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Within this, all refreshes are one, at its end: hundreds of actions are asked, a millisecond and more."""
        self._n_gathering += 1
        try:
            yield
        finally:
            self._n_gathering -= 1
            if self._is_outdated:
                self.refresh()

    def _refresh_one(self, spec: ActionSpec) -> None:
        action = self._actions[spec.id]
        action.setEnabled(spec.enabled_when())
        if spec.checked_when is not None:
            action.setChecked(spec.checked_when())

    def recolor(self) -> None:
        """Draw all icons anew after the theme has changed."""
        for spec in self._specs.values():
            if spec.icon:
                self._actions[spec.id].setIcon(self._icon_of(spec.icon))

    def action(self, action_id: str) -> QAction:
        """Return the action with this id; KeyError where there is none."""
        return self._actions[action_id]

    def specs(self) -> Sequence[ActionSpec]:
        """All actions, with the keys that they have now, in the order in which they were added."""
        return tuple(self.spec(action_id) for action_id in self._specs)

    def spec(self, action_id: str) -> ActionSpec:
        """An action with the keys that it has now; KeyError where there is none."""
        spec = self._specs[action_id]
        chosen = self._chosen.get(action_id)
        return spec if chosen is None else dataclasses.replace(spec, shortcut=chosen)

    def is_reachable(self, action_id: str) -> bool:
        """Whether the action belongs to what is shown at present."""
        return self._area(action_id).isVisible()

    def _area(self, action_id: str) -> QWidget:
        return self._specs[action_id].area or self._owners[action_id]

    def owner(self, action_id: str) -> QWidget:
        """The window or page that an action belongs to."""
        return self._owners[action_id]

    def button(self, action_id: str, *, shows_text: bool = False) -> QToolButton:
        """Return a tool button for an action."""
        button = QToolButton()
        button.setDefaultAction(self.action(action_id))
        style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon if shows_text else Qt.ToolButtonStyle.ToolButtonIconOnly
        button.setToolButtonStyle(style)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setAccessibleName(self._specs[action_id].plain_text)
        return button


def shown_key(key: str) -> str:
    """A key sequence as this system writes it."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


def trigger_action(action_id: str, widget: QWidget) -> None:
    """Use an action of the window that a widget is in: a page knows no other page, nor the window."""
    action = widget.window().findChild(QAction, action_id)
    if action is not None:
        action.trigger()


def _tool_tip(spec: ActionSpec) -> str:
    keys = " / ".join(shown_key(key) for key in spec.shortcuts)
    text = f"{spec.plain_text} ({keys})" if keys else spec.plain_text
    return f"{text}\n{spec.tip}" if spec.tip else text


def matching(specs: Iterable[ActionSpec], query: str) -> list[ActionSpec]:
    """Return the actions whose text or menu has every word of the query, those of a menu and those that
    begin with it first."""
    words = query.casefold().split()
    found: list[tuple[tuple[bool, bool, bool, int], ActionSpec]] = []
    for position, spec in enumerate(specs):
        text = spec.plain_text.casefold()
        if all(word in f"{spec.menu.casefold()} {text}" for word in words):
            starts = text.startswith(query.casefold().strip())
            first_word = any(part.startswith(words[0]) for part in text.split()) if words else True
            found.append(((not spec.menu, not starts, not first_word, position), spec))
    return [spec for _, spec in sorted(found, key=lambda each: each[0])]
