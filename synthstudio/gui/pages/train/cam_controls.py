"""What the CAM tab is told beside its views: class, method, look, what stands beside, wrong answers, files."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QScrollArea,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from synthstudio.domain.records import ObjectClass
from synthstudio.gui.pages.train.cam_render import METHOD_NAMES, CamLook
from synthstudio.gui.pages.train.run_facts import TrainingFacts
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.class_chips import color_icon
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.widgets.wheel_guard import guard_wheel
from synthstudio.settings.explain import CamMethod

NOTHING, ANNOTATIONS, THIS_RUN = "", "annotations", "this"
PERCENT = 100
ATTENTION_NETWORKS = ("vit-b16",)
METHOD_TIPS: dict[CamMethod, str] = {
    "cam": "The network's own class maps.",
    "grad-cam": "Features of the last layer, weighed by the gradient of the answer; behind a plain head nearly CAM.",
    "grad-cam++": "As Grad-CAM; several objects of a class share the evidence more evenly.",
    "layer-cam": "Each place has its own gradient: with LSE or maximum pooling only the hottest places remain.",
    "attention": "The evidence, followed back through the attention of all blocks.",
}


class CamControls(QWidget):
    """A column of controls; what they cannot do themselves they ask for."""

    changed = Signal()
    beside_changed = Signal()
    """Another method, or something else beside: other maps are to be shown."""
    wrong_requested = Signal(int)
    """Step forwards (1) or backwards (-1) through the wrong answers."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scroller = QScrollArea(self)
        self.content = QWidget(self.scroller)
        self.classes = ElidedCombo(self.content, least_letters=0)
        self.method = ElidedCombo(self.content, least_letters=0)
        self.opacity = _percent_slider("Opacity", 60)
        self.threshold = _percent_slider("Threshold", 10)
        self.threshold.setToolTip("What lies below this share of the scale stays clear; contours and boxes follow it.")
        self.peaks = _check("Predicted centres", self.content, is_on=True)
        self.contours = _check("Contour lines", self.content)
        self.boxes = _check("Boxes from the map", self.content)
        self.marks = _check("Annotations", self.content, is_on=True)
        self.only = _check("Of this class only", self.content, is_on=True)
        self.peaks.setToolTip("Peaks of the map above the threshold that was chosen on validation, as crosses.")
        self.contours.setToolTip("Lines where the map crosses the threshold.")
        self.boxes.setToolTip("The whole extent of what lies together above the threshold, dashed.")
        self.beside = ElidedCombo(self.content, least_letters=0)
        self.beside.setToolTip("A second view of the same field; both move together.")
        self.beside_method = ElidedCombo(self.content, least_letters=0)
        self.opacity_value, self.threshold_value = QLabel("60 %"), QLabel("10 %")
        self.previous_wrong = QPushButton("‹", self.content)
        self.next_wrong = QPushButton("Next wrong answer", self.content)
        self.wrong_words = _note("", self.content)
        self.export = QPushButton("Export…", self.content)
        self.export_menu = QMenu(self.export)
        self._prepare()
        self._lay_out()
        self._connect()

    def _prepare(self) -> None:
        names = {self.classes: "Class", self.method: "Method", self.beside: "Beside", self.beside_method: "Its method"}
        for combo, name in names.items():
            combo.setAccessibleName(name)
            guard_wheel(combo)
        for combo in (self.method, self.beside_method):
            _fill_methods(combo, "")
        self.export.setMenu(self.export_menu)
        self.previous_wrong.setAccessibleName("Previous wrong answer")
        self.previous_wrong.setFixedWidth(self.previous_wrong.sizeHint().height())
        self.set_wrong_enabled(enabled=False)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setVerticalSpacing(2 * GRID_PX)
        form.addRow("Class", self.classes)
        form.addRow("Method", self.method)
        form.addRow("Opacity", _beside(self.opacity, self.opacity_value))
        form.addRow("Threshold", _beside(self.threshold, self.threshold_value))
        for box in (self.peaks, self.contours, self.boxes, self.marks, self.only):
            form.addRow(box)
        form.addRow("Beside", self.beside)
        form.addRow("Its method", self.beside_method)
        self._form = form
        wrong = QHBoxLayout()
        wrong.setSpacing(GRID_PX)
        wrong.addWidget(self.previous_wrong)
        wrong.addWidget(self.next_wrong, 1)
        column = QVBoxLayout(self.content)
        column.setContentsMargins(3 * GRID_PX, 3 * GRID_PX, 3 * GRID_PX, 3 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        column.addLayout(form)
        column.addLayout(wrong)
        column.addWidget(self.wrong_words)
        column.addWidget(self.export)
        column.addWidget(
            _note(
                "Colours have one fixed scale per class, run and method: a field without evidence stays clear, and two"
                " fields can be compared.",
                self.content,
            )
        )
        column.addStretch(1)
        self.scroller.setWidgetResizable(True)
        self.scroller.setFrameShape(QScrollArea.Shape.NoFrame)
        self.scroller.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroller.setWidget(self.content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.scroller)
        self._form.setRowVisible(self.beside_method, False)

    def _connect(self) -> None:
        self.classes.currentIndexChanged.connect(self.changed)
        for slider in (self.opacity, self.threshold):
            slider.valueChanged.connect(self._on_slider_value_changed)
        for box in (self.peaks, self.contours, self.boxes, self.marks, self.only):
            box.toggled.connect(self.changed)
        for combo in (self.method, self.beside, self.beside_method):
            combo.currentIndexChanged.connect(self._on_shown_changed)
        self.previous_wrong.clicked.connect(lambda: self.wrong_requested.emit(-1))
        self.next_wrong.clicked.connect(lambda: self.wrong_requested.emit(1))

    def look(self) -> CamLook:
        """What the controls say."""
        return CamLook(
            class_name=self.classes.currentText(),
            opacity=self.opacity.value() / PERCENT,
            threshold=self.threshold.value() / PERCENT,
            has_peaks=self.peaks.isChecked(),
            has_contours=self.contours.isChecked(),
            has_boxes=self.boxes.isChecked(),
        )

    @property
    def chosen_method(self) -> CamMethod:
        """Of the main view."""
        return _method_of(self.method)

    @property
    def chosen_beside_method(self) -> CamMethod:
        """Of the view beside."""
        return _method_of(self.beside_method)

    def set_classes(self, classes: Sequence[ObjectClass]) -> None:
        """Offer these; the chosen one stays chosen."""
        kept = self.classes.currentText()
        self.classes.blockSignals(True)
        self.classes.clear()
        for item in classes:
            self.classes.addItem(color_icon(item.color), item.name)
        self.classes.setCurrentIndex(max(0, self.classes.findText(kept)))
        self.classes.blockSignals(False)
        self.changed.emit()

    def set_runs(self, chosen: TrainingFacts | None, others: Sequence[TrainingFacts]) -> None:
        """Offer the methods that suit the chosen run, and what may stand beside it."""
        _fill_methods(self.method, chosen.network if chosen is not None else "")
        kept = self.beside.currentData()
        self.beside.blockSignals(True)
        self.beside.clear()
        self.beside.addItem("Nothing", NOTHING)
        self.beside.addItem("Image and annotations", ANNOTATIONS)
        if chosen is not None:
            self.beside.addItem("This run", THIS_RUN)
        for each in others:
            self.beside.addItem(each.name, each.run.id)
            self.beside.setItemData(self.beside.count() - 1, each.run.id, Qt.ItemDataRole.ToolTipRole)
        self.beside.setCurrentIndex(max(0, self.beside.findData(kept)))
        self.beside.blockSignals(False)
        networks = {each.run.id: each.network for each in others}
        own = chosen.network if chosen is not None else ""
        _fill_methods(self.beside_method, networks.get(self.beside.currentData(), own))
        self._show_rows()

    def set_wrong_enabled(self, *, enabled: bool) -> None:
        """Whether there are stored answers to step through."""
        tip = "Crops where the run was wrong about this class, the most wrong first."
        for button in (self.previous_wrong, self.next_wrong):
            button.setEnabled(enabled)
            button.setToolTip(tip if enabled else "Evaluate the run first: its answers are stored then.")

    def _show_rows(self) -> None:
        has_map_beside = self.beside.currentData() not in (NOTHING, ANNOTATIONS, None)
        self._form.setRowVisible(self.beside_method, has_map_beside)

    @Slot()
    def _on_shown_changed(self) -> None:
        self._show_rows()
        self.beside_changed.emit()

    @Slot()
    def _on_slider_value_changed(self) -> None:
        self.opacity_value.setText(f"{self.opacity.value()} %")
        self.threshold_value.setText(f"{self.threshold.value()} %")
        self.changed.emit()


def _method_of(combo: QComboBox) -> CamMethod:
    return next((each for each in METHOD_NAMES if each == combo.currentData()), "cam")


def _fill_methods(combo: QComboBox, network: str) -> None:
    """Offer the methods that suit a network; the chosen one stays chosen where it does."""
    kept = combo.currentData()
    combo.blockSignals(True)
    combo.clear()
    for method, name in METHOD_NAMES.items():
        if method != "attention" or network in ATTENTION_NETWORKS:
            combo.addItem(name, method)
            combo.setItemData(combo.count() - 1, METHOD_TIPS[method], Qt.ItemDataRole.ToolTipRole)
    combo.setCurrentIndex(max(0, combo.findData(kept)))
    combo.blockSignals(False)


def _check(text: str, parent: QWidget, *, is_on: bool = False) -> QCheckBox:
    box = QCheckBox(text, parent)
    box.setChecked(is_on)
    return box


def _note(text: str, parent: QWidget) -> QLabel:
    note = QLabel(text, parent)
    note.setWordWrap(True)
    note.setProperty("muted", True)
    note.setProperty("small", True)
    return note


def _beside(slider: QSlider, value: QLabel) -> QHBoxLayout:
    """A slider with its number, in the room that the longest number needs: nothing moves while it is dragged."""
    value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    value.setMinimumWidth(value.fontMetrics().horizontalAdvance("100 %") + GRID_PX)
    row = QHBoxLayout()
    row.setSpacing(2 * GRID_PX)
    row.addWidget(slider, 1)
    row.addWidget(value)
    return row


def _percent_slider(name: str, value: int) -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(0, PERCENT)
    slider.setValue(value)
    slider.setAccessibleName(name)
    guard_wheel(slider)
    return slider
