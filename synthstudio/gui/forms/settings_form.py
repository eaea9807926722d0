"""A form over a settings model: nothing about a setting is written here, all of it comes from the model."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from synthstudio.domain.errors import UserError
from synthstudio.gui.forms.controls import Choice, build_control
from synthstudio.gui.forms.rows import SettingRow, help_text
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.section import Section
from synthstudio.settings.schema import SettingSpec, SettingValue, setting_specs

Model = TypeVar("Model", bound=BaseModel)
Path = tuple[str, ...]

HELP_LINES = 4


class _FormSignals(QWidget):
    """Signals cannot be declared in a generic class."""

    settings_changed = Signal(object)
    validity_changed = Signal(bool)


class SettingsForm(_FormSignals, Generic[Model]):
    """Edits one settings model.

    `settings_changed` carries the model after each change that leaves a valid one.

    Args:
        model_class: What is edited.
        initial: What is shown first; the defaults otherwise.
        choices: For texts and lists whose allowed words the caller knows: name of the setting -> words.
        only: Names of the settings shown; all where empty.
        hidden: Names of settings that are not shown; they keep their values.
        is_plain: Rows alone: no scrolling and no line of help.
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
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._model_class = model_class
        self._base = initial if initial is not None else model_class()
        self._is_loading = False
        self._is_valid = True
        known = choices or {}
        self.rows: dict[Path, SettingRow] = {
            spec.path: SettingRow(spec, build_control(spec, known.get(spec.name)))
            for spec in setting_specs(model_class)
            if (not only or spec.name in only) and spec.name not in hidden
        }
        self.sections: dict[Path, Section] = {}
        self._group_errors: dict[Path, QLabel] = {}
        self.help = QLabel(self)
        self._build(is_plain=is_plain)
        for row in self.rows.values():
            row.value_changed.connect(self._on_row_value_changed)
            row.help_requested.connect(self._on_row_help_requested)
        self.set_settings(self._base)

    def _build(self, *, is_plain: bool) -> None:
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0 if is_plain else 2 * GRID_PX, 0)
        layout.setSpacing(0)
        groups: dict[Path, list[SettingRow]] = {}
        for path, row in self.rows.items():
            groups.setdefault(path[:-1], []).append(row)
        for number, (group, rows) in enumerate(groups.items()):
            body = self._build_group(group, rows)
            if group:
                section = Section(rows[0].spec.group, body)
                section.set_folded(number > 2)
                self.sections[group] = section
                layout.addWidget(section)
            else:
                layout.addWidget(body)
        layout.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(GRID_PX)
        if is_plain:
            outer.addWidget(content)
            self.help.hide()
            return
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(content)
        outer.addWidget(scroll, 1)
        self._build_help(outer)

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

    def _build_group(self, group: Path, rows: Sequence[SettingRow]) -> QWidget:
        body = QWidget()
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
        for row in rows:
            if row.spec.tier == "basic":
                layout.addWidget(row)
        advanced = [row for row in rows if row.spec.tier == "advanced"]
        if advanced:
            layout.addWidget(_advanced_section(advanced))
        return body

    def control_value(self, name: str) -> SettingValue:
        """What the control of a setting shows at present."""
        return self.rows[tuple(name.split("."))].control.value()

    def show_value(self, name: str, value: SettingValue) -> None:
        """Set one control, as the user would."""
        self.rows[tuple(name.split("."))].control.show_value(value)

    def set_settings(self, settings: Model) -> None:
        """Show these settings; tells of it once."""
        self._base = settings
        values = settings.model_dump(mode="json")
        self._is_loading = True
        for path, row in self.rows.items():
            row.control.show_value(_plain(_value_at(values, path)))
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
            raise UserError(f"{place}: {first['msg']}.".lstrip(": "), "Mend the setting that is marked in red.")
        problems = [row.control.problem() for row in self.rows.values() if row.control.problem()]
        if problems:
            raise UserError(problems[0], "Mend the setting that is marked in red.")
        return found

    def find_settings(self) -> Model | None:
        """What the form says, or None while something in it is not allowed."""
        found = self._validate()
        has_problem = any(row.control.problem() for row in self.rows.values())
        return None if isinstance(found, ValidationError) or has_problem else found

    def set_choices(self, name: str, choices: Sequence[Choice]) -> None:
        """Offer other words for a setting that was built with choices."""
        control = self.rows[tuple(name.split("."))].control
        offer: Callable[[Sequence[Choice]], None] | None = getattr(control, "set_choices", None)
        if offer is not None:
            offer(choices)

    def _validate(self) -> Model | ValidationError:
        values = self._base.model_dump(mode="json")
        for path, row in self.rows.items():
            _put(values, path, row.control.value())
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
        for path, row in self.rows.items():
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

    @Slot(object)
    def _on_row_help_requested(self, spec: SettingSpec) -> None:
        self.help.setText(f"<b>{spec.title}.</b> {help_text(spec)}")
        self.help.setToolTip(help_text(spec))


def _advanced_section(rows: Sequence[SettingRow]) -> Section:
    body = QWidget()
    layout = QVBoxLayout(body)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    for row in rows:
        layout.addWidget(row)
    section = Section(f"Advanced ({len(rows)})", body)
    section.set_folded(True)
    return section


def _errors_by_place(error: ValidationError) -> dict[Path, str]:
    found: dict[Path, str] = {}
    for each in error.errors():
        place = tuple(str(part) for part in each["loc"] if isinstance(part, str))
        message = each["msg"].removeprefix("Value error, ")
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
