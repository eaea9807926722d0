"""The form of a set of images from prompts, and the buttons that try one and write all."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from synthstudio.gui.forms import SettingsForm
from synthstudio.gui.forms.lines import LinesControl
from synthstudio.gui.forms.rows import SettingRow
from synthstudio.gui.pages.generate.diffusion.prompt_facts import PromptOffer, caption_choices
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.icons import themed_icon
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.settings.generate import MAP_SETTINGS, GenerateSettings, PromptSettings

HIDDEN = frozenset({"run", "generator", "first_index", *MAP_SETTINGS})
START = GenerateSettings(generator="diffusion", set_name="prompts", prompts=PromptSettings())
"""What the form begins with."""
PLACEHOLDERS = {
    "prompts.prompts": "One a line; left empty, the captions of the guide images",
    "prompts.places": "A real picture a line, or a box of one",
}
PLACE_MARK = " @ "
"""Between the name of a field and a box in it."""


class PromptsSide(QFrame):
    """What the images are told, the picture on which they are to be made, and what is done with it.

    Signals:
        settings_changed: (`GenerateSettings`)
        try_requested, write_requested, place_requested: A button was pressed.
        possibilities_changed: Other things may be possible now.

    Attributes:
        run_name: What the chosen training is called; empty where there is none.
    """

    settings_changed = Signal(object)
    try_requested = Signal()
    write_requested = Signal()
    place_requested = Signal()
    possibilities_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_writable = False
        self.run_name = ""
        self._offer = PromptOffer()
        self.place = QToolButton(self)
        self.form = SettingsForm(
            GenerateSettings,
            START,
            choices={"model": (), "checkpoint": (), "prompts.prompts": (), "prompts.class_name": ()},
            hidden=HIDDEN,
            decorate=self._decorate,
            parent=self,
        )
        self.trouble = WrappedLabel("danger", self)
        self.try_one = QPushButton("Try one", self)
        self.try_one.setToolTip("Make one more image of the chosen prompt at once; it is not kept")
        self.write = QPushButton("Write set", self)
        self.write.setProperty("primary", True)
        row = QHBoxLayout()
        row.setSpacing(2 * GRID_PX)
        row.addWidget(self.try_one)
        row.addWidget(self.write, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 3 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        column.addWidget(self.form, 1)
        column.addWidget(self.trouble)
        column.addLayout(row)
        self.trouble.hide()
        self.form.settings_changed.connect(self._on_form_settings_changed)
        self.form.validity_changed.connect(self._refresh)
        self.try_one.clicked.connect(self.try_requested)
        self.write.clicked.connect(self.write_requested)
        self.place.clicked.connect(self.place_requested)
        self._refresh()

    def _decorate(self, row: SettingRow) -> None:
        if isinstance(row.control, LinesControl):
            row.control.text.setPlaceholderText(PLACEHOLDERS[row.spec.name])
        if row.spec.name == "prompts.places":
            self.place.setIcon(themed_icon("mdi6.selection-drag"))
            self.place.setToolTip("Choose a real picture, or draw a box in one")
            self.place.setAccessibleName("Choose a place")
            row.add_button(self.place)

    def fit(self, offer: PromptOffer, *, run_name: str, is_writable: bool) -> None:
        """Offer what there is; `run_name` is what the chosen training is called, empty where there is none."""
        self._offer, self.run_name, self._is_writable = offer, run_name, is_writable
        tuned = [("", run_name or "none yet")]
        self.form.set_choices("model", [*tuned, *((name, f"{name}, untrained") for name in offer.models)])
        steps = [(str(step), f"{step:,} steps") for step in offer.checkpoints]
        self.form.set_choices("checkpoint", [("0", "The newest"), *steps])
        self.form.set_choices("prompts.prompts", caption_choices(offer.captions))
        trained = ("", "As trained" if run_name else "Choose one")
        self.form.set_choices("prompts.class_name", [trained, *((name, name) for name in offer.class_names)])
        self.place.setEnabled(offer.has_places)
        self._refresh()

    def show_trouble(self, text: str) -> None:
        """Say what is wrong with what was asked for; nothing where all is well."""
        self.trouble.setText(text)
        self.trouble.setVisible(bool(text))

    @property
    def prompts(self) -> tuple[str, ...]:
        """What the form asks for; the captions that the training knows where nothing is written."""
        settings = self.form.find_settings()
        written = settings.prompts.prompts if settings is not None else ()
        is_tuned = settings is not None and not settings.model
        return written or (self._offer.known if is_tuned else ())

    def add_place(self, place: str) -> None:
        """Add a line to the places; a form that starts from words alone begins to start from pictures."""
        there = self.form.control_value("prompts.places")
        known = tuple(str(each) for each in there) if isinstance(there, tuple) else ()
        if self.form.control_value("prompts.mode") == "text":
            self.form.show_value("prompts.mode", "inpaint" if PLACE_MARK in place else "image")
        if place not in known:
            self.form.show_value("prompts.places", (*known, place))

    @Slot(object)
    def _on_form_settings_changed(self, settings: GenerateSettings) -> None:
        self.show_trouble("")
        self._refresh()
        self.settings_changed.emit(settings)

    @Slot()
    def _refresh(self) -> None:
        settings = self.form.find_settings()
        has_model = settings is not None and (bool(settings.model or self.run_name))
        has_class = settings is not None and (bool(settings.prompts.class_name) or not settings.model)
        is_ready = has_model and has_class and bool(self.prompts)
        self.try_one.setEnabled(is_ready)
        self.write.setEnabled(is_ready and self._is_writable)
        self.write.setToolTip("" if is_ready else "Choose a model, a class and at least one prompt")
        self.possibilities_changed.emit()
