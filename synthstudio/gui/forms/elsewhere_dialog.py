"""How the settings of a form are carried out outside the window: in a terminal, on GPUs, on machines, under Slurm."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from synthstudio.client.elsewhere import Elsewhere, Place
from synthstudio.core.imaging import write_bytes_atomically
from synthstudio.domain.errors import UserError
from synthstudio.domain.os_errors import translate_os_error
from synthstudio.gui import errors
from synthstudio.gui.widgets.dialog_layout import MARGIN_PX, SPACING_PX, add_row, hint_label, wish_size
from synthstudio.gui.widgets.inset import inset_number
from synthstudio.gui.widgets.saving import save_bytes
from synthstudio.settings.base import JobSettings
from synthstudio.settings.compose import ComposeSettings
from synthstudio.settings.generate import GenerateSettings
from synthstudio.settings.recipe import recipe_text
from synthstudio.settings.references import set_written

PLACE_WORDS = {
    Place.TERMINAL: "In a terminal",
    Place.GPUS: "On several GPUs of one machine",
    Place.MACHINES: "On several machines",
    Place.SLURM: "Under Slurm",
    Place.PARTS: "In parts, on several machines",
}
HINTS = {
    Place.TERMINAL: "Close the project here first, or the command finds it in use.",
    Place.GPUS: "The batch must be a multiple of the number of GPUs. Close the project here first.",
    Place.MACHINES: "All machines see the project's folder by the same path; MACHINE0 is the name of the first one."
    " Type each command on its machine; the first one writes. Close the project here first.",
    Place.SLURM: "All machines see the project's folder by the same path. Adapt time and processors to your cluster.",
    Place.PARTS: "Copy writes the recipe. Then close the project here, and copy its folder to the machines. The joined"
    " set has the bytes of one that was made at once.",
}


class ElsewhereDialog(QDialog):
    """The command for the settings as they are; copying it writes their recipe.

    Args:
        settings: Of the job.
        project: Folder of the project.
    """

    def __init__(self, settings: JobSettings, project: Path, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Run elsewhere")
        self._settings, self._project = settings, project
        self.recipe = QLineEdit(str(project / "recipes" / f"{settings.kind}.toml"))
        self.place = QComboBox()
        self.gpus, self.machines = QSpinBox(), QSpinBox()
        for box, least in ((self.gpus, 1), (self.machines, 2)):
            box.setRange(least, 64)
            box.setValue(2)
            inset_number(box)
        for place in self._wish().places():
            self.place.addItem(PLACE_WORDS[place], place)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)  # as it is typed
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setAccessibleName("Command")
        self.hint = hint_label("")
        self.copy, self.save = QPushButton("Copy"), QPushButton("Save as script…")
        self._lay_out(parent.window())
        for signal in (self.place.currentIndexChanged, self.gpus.valueChanged, self.machines.valueChanged):
            signal.connect(self._show)
        self.recipe.textChanged.connect(self._show)
        self.copy.clicked.connect(self.copy_command)
        self.save.clicked.connect(self.save_script)
        self._show()

    def _lay_out(self, window: QWidget) -> None:
        form = QFormLayout()
        add_row(form, "Recipe file", self.recipe)
        add_row(form, "Run it", self.place)
        self._counts = QWidget()
        row = QHBoxLayout(self._counts)
        row.setContentsMargins(0, 0, 0, 0)
        self.machines.setSuffix(" machines")
        for box in (self.machines, self.gpus):
            row.addWidget(box)
        row.addStretch(1)
        form.addRow("", self._counts)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        buttons.addButton(self.copy, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(self.save, QDialogButtonBox.ButtonRole.ActionRole)
        self.copy.setProperty("primary", True)
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        column.setSpacing(SPACING_PX)
        column.addLayout(form)
        column.addWidget(self.text, 1)
        column.addWidget(self.hint)
        column.addWidget(buttons)
        wish_size(self, width=820, height=480, window=window)

    def _wish(self) -> Elsewhere:
        settings, images = self._settings, range(0)
        if isinstance(settings, ComposeSettings | GenerateSettings):
            images = range(settings.first_index, settings.first_index + settings.count)
        return Elsewhere(
            settings.kind,
            self._project,
            Path(self.recipe.text()),
            gpus=self.gpus.value(),
            machines=self.machines.value(),
            images=images,
            set_name=set_written(settings),
        )

    @property
    def chosen(self) -> Place:
        """Where it is to run."""
        return Place(self.place.currentData())

    @Slot()
    def _show(self) -> None:
        place = self.chosen
        self._counts.setVisible(place is not Place.TERMINAL)
        are_many = place in (Place.MACHINES, Place.SLURM, Place.PARTS)
        self.machines.setVisible(are_many)
        self.gpus.setVisible(place is not Place.PARTS)
        self.gpus.setSuffix(" GPUs each" if are_many else " GPUs")
        self.text.setPlainText(self._wish().text(place))
        self.hint.setText(HINTS[place])
        is_named = bool(self.recipe.text().strip())
        self.copy.setEnabled(is_named)
        self.save.setEnabled(is_named)

    def write_recipe(self) -> bool:
        """Write the settings where the command reads them; says why where that cannot be."""
        path = Path(self.recipe.text())
        try:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                told = translate_os_error(error, path.parent)
                raise UserError(f"The folder cannot be made: {told.message}", "Choose another place.") from error
            write_bytes_atomically(path, recipe_text(self._settings).encode())
        except UserError as error:
            errors.report(error, parent=self.parentWidget())
            return False
        return True

    @Slot()
    def copy_command(self) -> None:
        """Write the recipe, and put the command on the clipboard."""
        if self.write_recipe():
            QGuiApplication.clipboard().setText(self.text.toPlainText())

    @Slot()
    def save_script(self) -> None:
        """Write the recipe, and ask where the command goes as a script."""
        if self.write_recipe():
            name = f"{self._settings.kind}.{'sbatch' if self.chosen is Place.SLURM else 'sh'}"
            save_bytes(self, name, "Scripts (*.sh *.sbatch)", lambda: self.text.toPlainText().encode())
