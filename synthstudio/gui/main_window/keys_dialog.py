"""The cheat sheet: every action with its keys, which the user may change."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, Slot
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from synthstudio.domain.errors import UserError
from synthstudio.gui import errors
from synthstudio.gui.actions import ActionRegistry, ActionSpec, shown_key
from synthstudio.gui.preferences import Preferences
from synthstudio.gui.workspace import Workspace

ACTION, KEYS = range(2)
ActionIdRole = Qt.ItemDataRole.UserRole
TAKEN_BY_THE_WINDOW = {
    "Esc": "ends what is being drawn and closes dialogs",
    "Tab": "goes from control to control",
    "Return": "presses the button that has the focus",
    "Enter": "presses the button that has the focus",
    "Space": "pans the image while it is held",
    "Alt+M": "opens the menu",
}
"""Keys that are no action's: they mean something to Qt or the viewer."""


class KeysDialog(QDialog):
    """Shows the keys by menu; for the chosen action another key can be set, all at once or none."""

    def __init__(self, registry: ActionRegistry, workspace: Workspace, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Keys")
        self._registry, self._workspace = registry, workspace
        self._item_of: dict[str, QTreeWidgetItem] = {}
        self._groups: list[tuple[QTreeWidgetItem, list[QTreeWidgetItem]]] = []
        self.find_field = QLineEdit()
        self.find_field.setPlaceholderText("Find an action or a key")
        self.find_field.setAccessibleName("Find an action or a key")
        self.find_field.setClearButtonEnabled(True)
        self.find_field.textChanged.connect(self._show_found)
        self.tree = self._make_tree()
        self.chosen_name = QLabel()
        self.chosen_name.setProperty("heading", True)
        self.edit = QKeySequenceEdit()
        self.edit.setMaximumSequenceLength(1)
        self.edit.setClearButtonEnabled(True)
        self.edit.setAccessibleName("New key")
        self.edit.keySequenceChanged.connect(self._show_state)
        self.edit.installEventFilter(self)
        self.set_button = QPushButton("Set")
        self.set_button.setProperty("primary", True)
        self.set_button.setToolTip("Make this the key of the action, in place of those that it has")
        self.set_button.clicked.connect(self.set_key)
        self.none_button = QPushButton("No key")
        self.none_button.clicked.connect(self.take_key_away)
        self.reset_button = QPushButton("Reset")
        self.reset_button.clicked.connect(self.reset_key)
        self.reset_all_button = QPushButton("Reset all")
        self.reset_all_button.clicked.connect(self.reset_all)
        self.remark = QLabel()
        self.remark.setWordWrap(True)
        self.remark.setProperty("muted", True)
        self._lay_out()
        self._fill()
        self._show_chosen()
        self.tree.setFocus()

    def _make_tree(self) -> QTreeWidget:
        tree = QTreeWidget()
        tree.setAccessibleName("Actions and their keys")
        tree.setColumnCount(2)
        tree.setHeaderLabels(["Action", "Keys"])
        tree.setRootIsDecorated(False)
        tree.setItemsExpandable(False)
        tree.setIndentation(12)
        tree.setUniformRowHeights(True)
        tree.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        tree.header().setSectionResizeMode(ACTION, QHeaderView.ResizeMode.Stretch)
        tree.header().setSectionResizeMode(KEYS, QHeaderView.ResizeMode.ResizeToContents)
        tree.currentItemChanged.connect(self._show_chosen)
        tree.itemActivated.connect(lambda _item, _column: self.edit.setFocus())
        return tree

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        label = QLabel("New key")
        label.setBuddy(self.edit)
        for widget in (label, self.edit, self.set_button, self.none_button, self.reset_button):
            row.addWidget(widget, 1 if widget is self.edit else 0)
        close = QPushButton("Close")
        close.clicked.connect(self.reject)
        foot = QHBoxLayout()
        foot.addWidget(self.reset_all_button)
        foot.addStretch()
        foot.addWidget(close)
        for button in (self.set_button, self.none_button, self.reset_button, self.reset_all_button, close):
            button.setAutoDefault(False)  # else Return in the field of the new key would press it
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        layout.addWidget(self.find_field)
        layout.addWidget(self.tree, 1)
        layout.addWidget(self.chosen_name)
        layout.addLayout(row)
        layout.addWidget(self.remark)
        layout.addLayout(foot)
        self.resize(680, 680)

    # Content

    def _fill(self) -> None:
        by_menu: dict[str, list[ActionSpec]] = {}
        for spec in self._registry.specs():
            by_menu.setdefault(spec.menu or "More", []).append(spec)
        for title, specs in by_menu.items():
            group = QTreeWidgetItem(self.tree, [title])
            group.setFlags(Qt.ItemFlag.ItemIsEnabled)
            font = group.font(ACTION)
            font.setBold(True)
            group.setFont(ACTION, font)
            items = [QTreeWidgetItem(group, [spec.plain_text]) for spec in specs]
            for spec, item in zip(specs, items, strict=True):
                item.setData(ACTION, ActionIdRole, spec.id)
                self._item_of[spec.id] = item
            self._groups.append((group, items))
        self.tree.expandAll()
        self._show_keys()
        first = next(iter(self._item_of.values()), None)
        if first is not None:
            self.tree.setCurrentItem(first)

    def _show_keys(self) -> None:
        for action_id, item in self._item_of.items():
            spec = self._registry.spec(action_id)
            item.setText(KEYS, "  or  ".join(shown_key(key) for key in spec.shortcuts))
            font = item.font(KEYS)
            font.setBold(spec.shortcuts != self._registry.declared_keys(action_id))
            item.setFont(KEYS, font)
            item.setToolTip(KEYS, "Changed by you" if font.bold() else "")

    @Slot()
    def _show_found(self) -> None:
        words = self.find_field.text().casefold().split()
        for group, items in self._groups:
            for item in items:
                text = f"{item.text(ACTION)} {item.text(KEYS)} {group.text(ACTION)}".casefold()
                item.setHidden(not all(word in text for word in words))
            group.setHidden(all(item.isHidden() for item in items))

    # The chosen action

    @property
    def chosen(self) -> ActionSpec | None:
        """The action whose keys are to be changed."""
        item = self.tree.currentItem()
        action_id = item.data(ACTION, ActionIdRole) if item is not None else None
        return self._registry.spec(action_id) if action_id else None

    def choose(self, action_id: str) -> None:
        """Choose an action."""
        self.tree.setCurrentItem(self._item_of[action_id])

    @property
    def _new_key(self) -> str:
        return self.edit.keySequence().toString(QKeySequence.SequenceFormat.PortableText)

    @Slot()
    def _show_chosen(self) -> None:
        spec = self.chosen
        self.chosen_name.setText(spec.plain_text if spec else "Choose an action")
        self.edit.clear()
        self._show_state()

    @Slot()
    def _show_state(self) -> None:
        """Say what the new key means, and offer what can be done."""
        spec, key = self.chosen, self._new_key
        self.edit.setEnabled(spec is not None)
        self.none_button.setEnabled(spec is not None and bool(spec.shortcuts))
        is_changed = spec is not None and spec.shortcuts != self._registry.declared_keys(spec.id)
        self.reset_button.setEnabled(is_changed)
        self.reset_all_button.setEnabled(bool(self._workspace.preferences.shortcuts))
        self.set_button.setText("Set")
        self.set_button.setEnabled(bool(key) and spec is not None and key not in TAKEN_BY_THE_WINDOW)
        self.remark.setText("Press the key, or keys together, that shall do it.")
        if spec is None or not key:
            return
        others = self._registry.in_conflict(spec.id, key)
        if key in TAKEN_BY_THE_WINDOW:
            self.remark.setText(f"{shown_key(key)} cannot be chosen: it {TAKEN_BY_THE_WINDOW[key]}.")
        elif others:
            names = ", ".join(f"“{other.plain_text}”" for other in others)
            self.remark.setText(f"{shown_key(key)} is the key of {names}, which would lose it.")
            self.set_button.setText("Take it")
        else:
            self.remark.setText(f"{shown_key(key)} is free.")

    def set_key(self) -> None:
        """Give the chosen action the new key, and take it from those that have it."""
        spec, key = self.chosen, self._new_key
        if spec is None or not self.set_button.isEnabled():
            return
        changed = self._workspace.preferences
        for other in self._registry.in_conflict(spec.id, key):
            kept = tuple(each for each in other.shortcuts if QKeySequence(each) != QKeySequence(key))
            changed = self._with_keys(changed, other.id, kept)
        self._adopt(self._with_keys(changed, spec.id, (key,)))

    def take_key_away(self) -> None:
        """Leave the chosen action without a key; the palette and the menus still have it."""
        spec = self.chosen
        if spec is not None:
            self._adopt(self._with_keys(self._workspace.preferences, spec.id, ()))

    def reset_key(self) -> None:
        """Give the chosen action the keys that it came with, and take them from those that have them now."""
        spec = self.chosen
        if spec is None:
            return
        changed = self._workspace.preferences.with_shortcuts(spec.id, None)
        for key in self._registry.declared_keys(spec.id):
            for other in self._registry.in_conflict(spec.id, key):
                kept = tuple(each for each in other.shortcuts if QKeySequence(each) != QKeySequence(key))
                changed = self._with_keys(changed, other.id, kept)
        self._adopt(changed)

    def reset_all(self) -> None:
        """Give all actions the keys that they came with."""
        changed = self._workspace.preferences
        for action_id, _ in changed.shortcuts:
            changed = changed.with_shortcuts(action_id, None)
        self._adopt(changed)

    def _with_keys(self, preferences: Preferences, action_id: str, keys: tuple[str, ...]) -> Preferences:
        """The preferences with these keys for an action; only what differs from the default is kept."""
        is_default = keys == self._registry.declared_keys(action_id)
        return preferences.with_shortcuts(action_id, None if is_default else keys)

    def _adopt(self, preferences: Preferences) -> None:
        try:
            self._workspace.set_preferences(preferences)  # the window hands the keys to the registry
        except UserError as error:
            errors.report(error, parent=self.parentWidget())
        self._show_keys()
        self._show_chosen()

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Tab leaves the field of the new key, which would else take it for one."""
        if event.type() is QEvent.Type.KeyPress and watched is self.edit:
            leave: dict[int, Callable[[], bool]] = {
                Qt.Key.Key_Tab: self.focusNextChild,
                Qt.Key.Key_Backtab: self.focusPreviousChild,
            }
            go = leave.get(event.key())  # type: ignore[attr-defined]  # a key event
            if go is not None:
                go()
                return True
        return super().eventFilter(watched, event)
