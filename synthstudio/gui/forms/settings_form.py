"""A form over a settings model: nothing about a setting is written here, all of it comes from the model."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError
from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QApplication, QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.domain.errors import UserError
from synthstudio.gui.forms.controls import Choice, build_control
from synthstudio.gui.forms.rows import SettingRow
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.section import Section
from synthstudio.settings.complaints import complaint
from synthstudio.settings.schema import SettingSpec, SettingValue, setting_specs

Model = TypeVar("Model", bound=BaseModel)
Path = tuple[str, ...]

HELP_LINES = 4


@dataclass(frozen=True, slots=True)
class _Unfilled:
    """What a part of the form that was never seen will hold."""

    paths: frozenset[Path]
    build: Callable[[], None]


class _FormSignals(QWidget):
    """Signals cannot be declared in a generic class."""

    settings_changed = Signal(object)
    validity_changed = Signal(bool)


class SettingsForm(_FormSignals, Generic[Model]):
    """Edits one settings model.

    `settings_changed` carries the model after each change that leaves a valid one.

    Args:
        model_class: What is edited.
        initial: What is shown first and counts as the defaults; those of the model otherwise.
        choices: For texts and lists whose allowed words the caller knows: name of the setting -> words.
        only: Names of the settings shown; all where empty.
        hidden: Names of settings that are not shown; they keep their values.
        is_plain: Rows alone: no scrolling and no line of help.
        decorate: Called with each row once it is built, for what the caller wants to add to it.
    """

    def __init__(
        self,
        model_class: type[Model],
        initial: Model | None = None,
        *,
        choices: Mapping[str, Sequence[Choice]] | None = None,
        only: Collection[str] = (),
        hidden: Collection[str] = (),
        is_plain: bool = False,
        decorate: Callable[[SettingRow], None] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._decorate = decorate
        self._model_class = model_class
        self._base = initial if initial is not None else model_class()
        self._is_loading = False
        self._is_valid = True
        self._choices = dict(choices or {})
        specs = [
            spec for spec in setting_specs(model_class) if (not only or spec.name in only) and spec.name not in hidden
        ]
        self._values = {spec.path: _plain(_value_at(self._base.model_dump(mode="json"), spec.path)) for spec in specs}
        self._defaults = dict(self._values)
        self._rows: dict[Path, SettingRow] = {}
        self._unfilled: dict[QWidget, _Unfilled] = {}
        self.sections: dict[Path, Section] = {}
        self._group_errors: dict[Path, QLabel] = {}
        self.help = QLabel(self)
        self._build(specs, is_plain=is_plain)
        application = QApplication.instance()
        if isinstance(application, QApplication):
            # One ear for all rows: a filter on every part of every row is asked about each of their events.
            application.focusChanged.connect(self._on_focus_changed)
        self.set_settings(self._base)

    def _build(self, specs: Sequence[SettingSpec], *, is_plain: bool) -> None:
        """Build from the outside in: a widget that changes its parent is styled anew with all that it holds."""
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(GRID_PX)
        if is_plain:
            content = QWidget(self)
            outer.addWidget(content)
            self.help.hide()
        else:
            scroll = QScrollArea(self)
            scroll.setWidgetResizable(True)
            scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            content = QWidget(scroll.viewport())
            outer.addWidget(scroll, 1)
            self._build_help(outer)
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0 if is_plain else 2 * GRID_PX, 0)
        layout.setSpacing(0)
        self._build_groups(specs, content, layout)
        layout.addStretch(1)
        if not is_plain:
            scroll.setWidget(content)

    def _build_groups(self, specs: Sequence[SettingSpec], content: QWidget, layout: QVBoxLayout) -> None:
        groups: dict[Path, list[SettingSpec]] = {}
        for spec in specs:
            groups.setdefault(spec.path[:-1], []).append(spec)
        for number, (group, members) in enumerate(groups.items()):
            section = Section(members[0].group, parent=content) if group else None
            body = section.body if section is not None else QWidget(content)
            layout.addWidget(section if section is not None else body)
            build = partial(self._build_group, group, members, body)
            if section is not None:
                self.sections[group] = section
                self._fill_later(section, members, build)
                section.set_folded(number > 2)
            else:
                self._fill_later(body, members, build)
        QTimer.singleShot(0, self, self._fill_ahead)

    def _fill_later(self, part: QWidget, specs: Sequence[SettingSpec], build: Callable[[], None]) -> None:
        """Fill a part when it is first seen: a row takes a millisecond, and most are never looked at."""
        self._unfilled[part] = _Unfilled(frozenset(spec.path for spec in specs), build)
        if isinstance(part, Section):
            part.folded_changed.connect(
                lambda is_folded: self._fill(part) if not is_folded and self.isVisible() else None
            )

    def _fill(self, part: QWidget) -> None:
        waiting = self._unfilled.pop(part, None)
        if waiting is not None:
            waiting.build()

    def _next_open(self) -> QWidget | None:
        return next((part for part in self._unfilled if not isinstance(part, Section) or not part.is_folded), None)

    @Slot()
    def _fill_ahead(self) -> None:
        """Fill what will be seen first, one part at a turn: a form that is built ahead stalls nothing."""
        part = self._next_open()
        if part is not None:
            self._fill(part)
            QTimer.singleShot(0, self, self._fill_ahead)

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        while (part := self._next_open()) is not None:
            self._fill(part)

    def _build_help(self, layout: QVBoxLayout) -> None:
        line = QFrame(self)
        line.setFrameShape(QFrame.Shape.HLine)
        self.help.setProperty("muted", True)
        self.help.setProperty("small", True)
        self.help.setWordWrap(True)
        self.help.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.help.setFixedHeight(self.help.fontMetrics().lineSpacing() * HELP_LINES)
        self.help.setText("Point at a setting to read what it does.")
        layout.addWidget(line)
        layout.addWidget(self.help)

    def _build_group(self, group: Path, specs: Sequence[SettingSpec], body: QWidget) -> None:
        layout = QVBoxLayout(body)
        layout.setContentsMargins(0, 0, 0, 2 * GRID_PX)
        layout.setSpacing(0)
        error = QLabel(body)
        error.setProperty("danger", True)
        error.setProperty("small", True)
        error.setWordWrap(True)
        error.hide()
        self._group_errors[group] = error
        layout.addWidget(error)
        self._build_rows([spec for spec in specs if spec.tier == "basic"], body, layout)
        advanced = [spec for spec in specs if spec.tier == "advanced"]
        if advanced:
            section = Section(f"Advanced ({len(advanced)})", parent=body)
            layout.addWidget(section)
            section.show()
            inner = QVBoxLayout(section.body)
            inner.setContentsMargins(0, 0, 0, 0)
            inner.setSpacing(0)
            section.set_folded(True)
            self._fill_later(section, advanced, partial(self._build_rows, advanced, section.body, inner))

    def _build_rows(self, specs: Sequence[SettingSpec], body: QWidget, layout: QVBoxLayout) -> None:
        for spec in specs:
            build = partial(build_control, spec, self._choices.get(spec.name))
            row = SettingRow(spec, build, body, default=self._defaults[spec.path])
            row.control.show_value(self._values[spec.path])
            row.value_changed.connect(self._on_row_value_changed)
            row.help_requested.connect(self._on_row_help_requested)
            self._rows[spec.path] = row
            if self._decorate is not None:
                self._decorate(row)
            layout.addWidget(row)
            row.setVisible(self._has_offer(spec))  # the layout itself would show it one frame later

    def row(self, path: Path) -> SettingRow:
        """The row of a setting; it is built where its section has never been unfolded. KeyError for a strange one."""
        while path not in self._rows:
            part = next((each for each, waiting in self._unfilled.items() if path in waiting.paths), None)
            if part is None:
                raise KeyError(path)
            self._fill(part)
        return self._rows[path]

    @property
    def rows(self) -> Mapping[Path, SettingRow]:
        """All rows, built."""
        return {path: self.row(path) for path in self._values}

    def control_value(self, name: str) -> SettingValue:
        """What the control of a setting shows at present."""
        return self._shown(tuple(name.split(".")))

    def _shown(self, path: Path) -> SettingValue:
        return self._rows[path].control.value() if path in self._rows else self._values[path]

    def show_value(self, name: str, value: SettingValue) -> None:
        """Set one control, as the user would."""
        self.row(tuple(name.split("."))).control.show_value(value)

    def set_settings(self, settings: Model) -> None:
        """Show these settings; tells of it once."""
        self._base = settings
        values = settings.model_dump(mode="json")
        self._is_loading = True
        for path in self._values:
            self._values[path] = _plain(_value_at(values, path))
            if path in self._rows:
                self._rows[path].control.show_value(self._values[path])
        self._is_loading = False
        self._on_row_value_changed()

    def settings(self) -> Model:
        """Return what the form says.

        Raises:
            UserError: Something in it is not allowed; the form shows it at its place.
        """
        found = self._validate()
        if isinstance(found, ValidationError):
            first = found.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise UserError(f"{place}: {complaint(first)}.".lstrip(": "), "Mend the setting that is marked in red.")
        problems = [row.control.problem() for row in self._rows.values() if row.control.problem()]
        if problems:
            raise UserError(problems[0], "Mend the setting that is marked in red.")
        return found

    def find_settings(self) -> Model | None:
        """What the form says, or None while something in it is not allowed."""
        found = self._validate()
        has_problem = any(row.control.problem() for row in self._rows.values())
        return None if isinstance(found, ValidationError) or has_problem else found

    def set_choices(self, name: str, choices: Sequence[Choice]) -> None:
        """Offer other words for a setting that was built with choices."""
        path = tuple(name.split("."))
        self._choices[name] = choices
        if path not in self._rows:
            return
        control = self._rows[path].control
        self._rows[path].setVisible(self._has_offer(self._rows[path].spec))
        offer: Callable[[Sequence[Choice]], None] | None = getattr(control, "set_choices", None)
        if offer is not None:
            offer(choices)

    def _has_offer(self, spec: SettingSpec) -> bool:
        """Whether there is anything to choose: of tones for example, which most projects know nothing of."""
        return spec.kind != "list" or bool(self._choices.get(spec.name, (None,)))

    def show_part(self, place: Path, *, is_shown: bool) -> None:
        """Show the groups at and below a place, the first of them unfolded, or hide them; their values stay."""
        for group, section in self.sections.items():
            if group[: len(place)] == place and section.isHidden() is is_shown:
                section.setVisible(is_shown)
                section.set_folded(not is_shown or group != place)

    def _validate(self) -> Model | ValidationError:
        values = self._base.model_dump(mode="json")
        for path in self._values:
            _put(values, path, self._shown(path))
        try:
            return self._model_class.model_validate(values)
        except ValidationError as error:
            return error

    @Slot()
    def _on_row_value_changed(self) -> None:
        if self._is_loading:
            return
        found = self._validate()
        errors = _errors_by_place(found) if isinstance(found, ValidationError) else {}
        for place in errors:
            self._reveal(place)
        for path, row in self._rows.items():
            row.show_error(errors.pop(path, "") or row.control.problem())
        for group, label in self._group_errors.items():
            label.setText(errors.get(group, ""))
            label.setVisible(group in errors)
        is_valid = self.find_settings() is not None
        if is_valid != self._is_valid:
            self._is_valid = is_valid
            self.validity_changed.emit(is_valid)
        if is_valid:
            self.settings_changed.emit(found)

    def _reveal(self, place: Path) -> None:
        """Unfold what holds a setting or a group that is wrong: an error out of sight cannot be mended."""
        if place in self._values:
            self.row(place)
        for group, section in self.sections.items():
            if place[: len(group)] == group:
                self._fill(section)
                section.set_folded(False)
        widget = self._rows[place].parentWidget() if place in self._rows else None
        while widget is not None and widget is not self:
            if isinstance(widget, Section):
                widget.set_folded(False)
            widget = widget.parentWidget()

    @Slot(QWidget, QWidget)
    def _on_focus_changed(self, _former: QWidget | None, now: QWidget | None) -> None:
        while now is not None and not isinstance(now, SettingRow):
            now = now.parentWidget()
        if now is not None and self._rows.get(now.spec.path) is now:
            self._on_row_help_requested(now)

    @Slot(object)
    def _on_row_help_requested(self, row: SettingRow) -> None:
        self.help.setText(f"<b>{row.spec.title}.</b> {row.help}")
        self.help.setToolTip(row.help)


def _errors_by_place(error: ValidationError) -> dict[Path, str]:
    found: dict[Path, str] = {}
    for each in error.errors():
        place = tuple(str(part) for part in each["loc"] if isinstance(part, str))
        message = complaint(each)
        found.setdefault(place, message[:1].upper() + message[1:] + ".")
    return found


def _value_at(values: Mapping[str, object], path: Path) -> object:
    inner = values[path[0]]
    return _value_at(inner, path[1:]) if len(path) > 1 and isinstance(inner, Mapping) else inner


def _put(values: dict[str, object], path: Path, value: SettingValue) -> None:
    inner = values
    for part in path[:-1]:
        step = inner[part]
        if not isinstance(step, dict):
            raise TypeError(f"{path} leads through {part}, which is no group of settings")
        inner = step
    inner[path[-1]] = value


def _plain(value: object) -> SettingValue:
    if isinstance(value, list | tuple):
        return tuple(each if isinstance(each, str | int | float) else str(each) for each in value)
    return value if isinstance(value, bool | int | float | str) else None
