"""Labels for crops as wholes, by keyboard: which classes are there? The comparison model learns from them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import ClassId, FovId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import CropLabel, CropSquare, ObjectClass
from synthstudio.gui import errors
from synthstudio.gui.canvas.crop_view import CropView
from synthstudio.gui.canvas.pyramid import ImagePyramid
from synthstudio.gui.main_window.crop_size_row import CropSizeRow
from synthstudio.gui.main_window.crop_walk import CropWalk, read_walk
from synthstudio.gui.theme import scaled_px
from synthstudio.gui.undoing import CommittedCommand
from synthstudio.gui.widgets.class_chips import color_icon
from synthstudio.gui.workspace import Workspace

KEYS_TEXT = (
    "Number keys: what is there · Enter or Space: next · Backspace: back · Delete: forget the label ·"
    " U: next without a label · Ctrl+Z: undo · Esc: close"
)


class CropLabelsDialog(QDialog):
    """Shows crop after crop; every answer is committed at once and can be undone."""

    def __init__(self, workspace: Workspace, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Label crops")
        self._workspace, self._window = workspace, parent
        self.walk: CropWalk | None = None
        self._shown_fov: FovId | None = None
        self._asked = 0
        self.view = CropView()
        self.where, self.state = QLabel(), QLabel()
        self.state.setProperty("muted", True)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(scaled_px(6))
        self.bar.setAccessibleName("Labelled crops")
        self.counts = QLabel()
        self.size_row = CropSizeRow()
        self.size_row.chosen.connect(self._on_size_chosen)
        self.size_row.left.connect(self.setFocus)
        self.buttons: dict[ClassId, QPushButton] = {}
        self._button_row = QHBoxLayout()
        self._button_row.setSpacing(8)
        self._lay_out()
        for keys, do in self._shortcuts().items():
            QShortcut(QKeySequence(keys), self).activated.connect(do)
        self.resize(parent.size())
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFocus()  # else the first button would take the space bar
        self._read()

    def _shortcuts(self) -> dict[str, Callable[[], object]]:
        stack = self._workspace.undo_stack
        return {"Ctrl+Z": stack.undo, "Ctrl+Shift+Z": stack.redo, "Ctrl+Y": stack.redo}

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(16)
        top.addWidget(self.where)
        top.addWidget(self.state)
        top.addStretch()
        top.addWidget(self.counts)
        hint = QLabel(KEYS_TEXT)
        hint.setProperty("muted", True)
        hint.setWordWrap(True)
        close = QPushButton("Close")
        close.setAutoDefault(False)
        close.clicked.connect(self.reject)
        foot = QHBoxLayout()
        foot.addWidget(hint, 1)
        foot.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(self.bar)
        layout.addWidget(self.size_row)
        layout.addWidget(self.view, 1)
        layout.addLayout(self._button_row)
        layout.addLayout(foot)

    # Reading

    def _read(self, *, side_px: int | None = None, scale: float | None = None) -> None:
        project, order = self._workspace.require_project(), self._workspace.fov_order
        current = self._workspace.current_fov_id
        self.walk = None  # no key labels a crop of the former size meanwhile
        self._asked += 1
        asked = self._asked

        def read(_: Tick) -> CropWalk:
            return read_walk(project, order, side_px=side_px, scale=scale)

        def show(walk: CropWalk) -> None:
            if asked != self._asked:  # another size was chosen meanwhile
                return
            self.walk = walk
            self.size_row.show_cut(walk.cut, others=walk.n_other)
            if not walk.go_to_unlabelled(fov_id=current):
                self.state.setText("All crops are labelled.")
            self._make_buttons()
            self._show_place()

        self._workspace.background.run(read, done=show, failed=self._on_failed, owner=self, priority=1)

    @Slot(int, float)
    def _on_size_chosen(self, side_px: int, scale: float) -> None:
        self._read(side_px=side_px, scale=scale or None)

    def _on_failed(self, error: Exception) -> None:
        self.view.set_placeholder(str(error))
        if not isinstance(error, UserError):
            errors.report(error, parent=self._window)

    def _make_buttons(self) -> None:
        if self.walk is None or self.buttons:
            return
        for each in self.walk.classes:
            button = QPushButton(_button_text(each))
            button.setIcon(color_icon(each.color))
            button.setCheckable(True)
            button.setAutoDefault(False)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(lambda _checked=False, class_id=each.id: self.toggle(class_id))
            self.buttons[each.id] = button
            self._button_row.addWidget(button)
        self._button_row.addStretch()

    # Where one is

    def _show_place(self) -> None:
        walk = self.walk
        if walk is None:
            return
        place = walk.place
        self.where.setText(f"{place.fov.name}: crop {place.number} of {place.n_in_fov}")
        if place.fov.id == self._shown_fov:
            self.view.set_square(place.square)
        else:
            self.view.set_image(None)
            self._shown_fov = None
            self._workspace.set_current_fov(place.fov.id)  # so that the neighbours are decoded ahead
            self._workspace.load_fov_image(
                place.fov.id,
                lambda pyramid: self._on_decoded(place.fov.id, pyramid),
                self,
                failed=self._on_failed,
            )
        self._show_label()

    def _on_decoded(self, fov_id: FovId, pyramid: ImagePyramid) -> None:
        if self.walk is None or self.walk.place.fov.id != fov_id:
            return
        self._shown_fov = fov_id
        self.view.set_image(pyramid)
        self.view.set_um_per_px(self.walk.place.fov.um_per_px)
        self.view.set_square(self.walk.place.square)

    def _show_label(self) -> None:
        walk = self.walk
        if walk is None:
            return
        label = walk.label
        self._show_buttons()
        n, n_all = walk.n_labelled, len(walk.places)
        self.bar.setRange(0, n_all)
        self.bar.setValue(n)
        self.counts.setText(f"{n:,} of {n_all:,} labelled")
        if label is None:
            self.state.setText("not labelled yet")
        else:
            by = f" by {label.author}" if label.author else ""
            self.state.setText(f"labelled{by}" if label.present else f"labelled{by}: none of the classes")

    @property
    def _is_seen(self) -> bool:
        """Whether the crop is on the screen: none is judged unseen, be its image missing or still being read."""
        return self.walk is not None and self.walk.place.fov.id == self._shown_fov

    # Answering

    def toggle(self, class_id: ClassId) -> None:
        """Say that a class is there, or that it is not."""
        if self.walk is not None and self._is_seen:
            label = self.walk.label
            self._give((label.present if label else frozenset()) ^ {class_id})

    def go_on(self) -> None:
        """Go to the next crop; one without an answer has none of the classes."""
        walk = self.walk
        if walk is None or (self._is_seen and walk.label is None and not self._give(frozenset())):
            return
        if walk.step(1):
            self._show_place()
        else:
            self.state.setText("This was the last crop.")

    def go_back(self) -> None:
        """Go to the former crop."""
        if self.walk is not None and self.walk.step(-1):
            self._show_place()

    def go_to_unlabelled(self) -> None:
        """Go to the next crop without a label."""
        if self.walk is None:
            return
        if self.walk.go_to_unlabelled():
            self._show_place()
        else:
            self.state.setText("All crops are labelled.")

    def forget(self) -> None:
        """Take the label of this crop away."""
        if self.walk is not None and self.walk.label is not None:
            self._commit(None, "forget crop label")

    def _give(self, present: frozenset[ClassId]) -> bool:
        """Label the present crop; tells whether it was stored."""
        walk = self.walk
        if walk is None:
            return False
        asked = frozenset(each.id for each in walk.classes)
        place, author = walk.place, self._workspace.preferences.author_name
        return self._commit(CropLabel(place.fov.id, place.square, asked, present, author), "label crop")

    def _commit(self, after: CropLabel | None, text: str) -> bool:
        walk = self.walk
        if walk is None:
            return False
        place, before = walk.place, walk.label
        try:
            _store(self._workspace, place.fov.id, place.square, after)
        except UserError as error:
            self.state.setText(str(error))
            self._show_buttons()
            return False
        self._workspace.undo_stack.push(
            _CropCommand(text, self._workspace, self._window, crop=(place.fov.id, place.square), change=(before, after))
        )
        self.show_changed(place.fov.id, place.square, after)
        return True

    def _show_buttons(self) -> None:
        label = self.walk.label if self.walk else None
        for class_id, button in self.buttons.items():
            is_on = label is not None and class_id in label.present
            button.setChecked(is_on)
            if button.property("primary") != is_on:  # what is there must be seen at a glance
                button.setProperty("primary", is_on)
                button.style().unpolish(button)
                button.style().polish(button)

    def show_changed(self, fov_id: FovId, square: CropSquare, label: CropLabel | None) -> None:
        """Show a label that was given, changed or taken away, and go to its crop."""
        walk = self.walk
        if walk is None:
            return
        walk.set_label(fov_id, square, label)
        former = walk.position
        walk.go_to(fov_id, square)
        if walk.position != former:
            self._show_place()
        else:
            self._show_label()

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves: dict[int, Callable[[], None]] = {
            Qt.Key.Key_Return: self.go_on,
            Qt.Key.Key_Enter: self.go_on,
            Qt.Key.Key_Space: self.go_on,
            Qt.Key.Key_Backspace: self.go_back,
            Qt.Key.Key_Delete: self.forget,
            Qt.Key.Key_U: self.go_to_unlabelled,
        }
        known = {each.key: each.id for each in self.walk.classes if each.key} if self.walk else {}
        if event.key() in moves:
            moves[event.key()]()
        elif event.text() in known:
            self.toggle(known[event.text()])
        else:
            super().keyPressEvent(event)


class _CropCommand(CommittedCommand):
    """A label that has been committed."""

    def __init__(
        self,
        text: str,
        workspace: Workspace,
        window: QWidget,
        *,
        crop: tuple[FovId, CropSquare],
        change: tuple[CropLabel | None, CropLabel | None],
    ) -> None:
        super().__init__(text, failed=partial(errors.report, parent=window))
        self._workspace, self._crop, self._window = workspace, crop, window
        self._before, self._after = change

    @override
    def write(self, *, is_undo: bool) -> None:
        label = self._before if is_undo else self._after
        _store(self._workspace, *self._crop, label)
        # The dialog in which it was given may be closed, and another one open.
        dialog = self._window.findChild(CropLabelsDialog)
        if dialog is not None:
            dialog.show_changed(*self._crop, label)


def _store(workspace: Workspace, fov_id: FovId, square: CropSquare, label: CropLabel | None) -> None:
    project = workspace.require_writable_project()
    told = project.crop_labels.put(label) if label is not None else project.crop_labels.remove(fov_id, square)
    workspace.announce(told)


def _button_text(each: ObjectClass) -> str:
    name = each.name.replace("&", "&&")
    return f"{each.key}  {name}" if each.key else name
