"""Giving fields their pixel size."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QFormLayout,
    QWidget,
)

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId
from synthstudio.gui import errors
from synthstudio.gui.field_edits import change_fields
from synthstudio.gui.widgets.dialog_layout import add_row, fill_dialog, hint_label
from synthstudio.gui.widgets.inset import inset_number
from synthstudio.gui.workspace import Workspace


class CalibrationDialog(QDialog):
    """Sets µm per px of the selected FOVs, of one sample, or of all.

    Args:
        drawn_px: Length in px of a line that was drawn over a scale bar: then its length in µm is asked for.
    """

    def __init__(
        self, workspace: Workspace, selected: tuple[FovId, ...], parent: QWidget, *, drawn_px: float | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Calibrate")
        self._workspace, self._selected, self._window = workspace, selected, parent
        project = workspace.require_project()
        first = project.fovs.get(selected[0]) if selected else None
        self.scale = QDoubleSpinBox()
        inset_number(self.scale)
        self.scale.setRange(0.0, 1000.0)
        self.scale.setDecimals(6 if drawn_px else 4)
        self.scale.setSingleStep(0.01)
        self.scale.setSuffix(" µm/px")
        self.scale.setSpecialValueText("not calibrated")
        self.scale.setValue((first.um_per_px or 0.0) if first else 0.0)
        self.scope = QComboBox()
        if first is not None:
            n = len(selected)
            self.scope.addItem(f"{first.name}" if n == 1 else f"the {n:,} selected fields", "selected")
            self.scope.addItem(f"all fields of the sample {first.sample_name}", "sample")
        self.scope.addItem("all fields of the project", "all")
        hint = hint_label(
            "Divide the camera's pixel size by the total magnification, or measure a stage micrometer:"
            " its length in µm divided by its length in px."
        )
        form = QFormLayout()
        form.setSpacing(8)
        if drawn_px:
            add_row(form, f"{drawn_px:.1f} px are", self._ask_for_length(drawn_px))
        add_row(form, "Pixel size", self.scale)
        add_row(form, "Of", self.scope)
        fill_dialog(self, form, hint, save=self.save, width=400)

    def _ask_for_length(self, drawn_px: float) -> QDoubleSpinBox:
        """The number beside the line that was drawn; the pixel size follows it."""
        length = QDoubleSpinBox()
        inset_number(length)
        length.setRange(0.0, 1000.0 * drawn_px)
        length.setDecimals(3)
        length.setSuffix(" µm")
        length.setAccessibleName("Length of the drawn line")
        length.setValue(self.scale.value() * drawn_px)
        length.valueChanged.connect(lambda length_um: self.scale.setValue(length_um / drawn_px))
        length.selectAll()
        self.length = length
        return length

    def _chosen(self) -> list[FovId]:
        fovs = self._workspace.require_project().fovs.list()
        match self.scope.currentData():
            case "selected":
                return list(self._selected)
            case "sample":
                sample_id = next(fov.sample_id for fov in fovs if fov.id == self._selected[0])
                return [fov.id for fov in fovs if fov.sample_id == sample_id]
            case _:
                return [fov.id for fov in fovs]

    def save(self) -> None:
        """Store the pixel size and close; an error is reported in the window."""
        try:
            chosen, um_per_px = self._chosen(), self.scale.value() or None
            change_fields(
                self._workspace,
                chosen,
                lambda project: project.fovs.set_calibration(chosen, um_per_px),
                "calibration",
                window=self._window,
            )
        except UserError as error:
            errors.report(error, parent=self)
            return
        self.accept()
