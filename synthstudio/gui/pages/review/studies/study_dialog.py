"""A new reading study: what is asked, of which images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QDialog, QFormLayout, QLineEdit, QSpinBox, QWidget

from synthstudio.core.review.study_design import MAX_IMAGES, PRESETS, AnswerForm, StudyDesign, StudyKind
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Split
from synthstudio.gui.widgets.dialog_layout import add_row, fill_dialog
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.project import Project

WIDTH_PX = 560
PRESET_WORDS = {
    "turing-published": "Turing test: pick on pages (Ghorbani et al. 2019)",
    "turing-one-at-a-time": "Turing test: one at a time, with a confidence",
    "relevance-published": "Relevance: which images show the condition? (Ghorbani et al. 2019)",
}


@dataclass(frozen=True, slots=True)
class StudyWish:
    """What is to be built."""

    name: str
    design: StudyDesign
    set_name: str
    split: Split


class StudyDialog(QDialog):
    """Asks; what does not fit together is said at once.

    Args:
        project: Its sets are offered.
        build: Called with what is wished, once it can be carried out; what it raises as UserError is shown here.
    """

    def __init__(self, project: Project, build: Callable[[StudyWish], None], parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("New reading study")
        self._build = build
        taken = {each.name for each in project.studies.list()}
        self.name = QLineEdit(next(name for n in range(1, len(taken) + 2) if (name := f"study-{n}") not in taken))
        self.preset = ElidedCombo()
        for key in PRESETS:
            self.preset.addItem(PRESET_WORDS.get(key, key), key)
        self.sets = ElidedCombo()
        for item in reversed(project.sets.list()):
            self.sets.addItem(f"{item.name} ({item.n_images:,} images)", item.name)
        self.split = ElidedCombo()
        for split in (Split.TEST, Split.VAL, Split.TRAIN):
            self.split.addItem(split.value, split.value)
        self.split.setToolTip("Real images that the generator has learned from would be too easy to tell: take test")
        self.numbers: Mapping[str, QSpinBox] = {
            "n_real": _number(1, MAX_IMAGES, " images"),
            "n_synthetic": _number(1, MAX_IMAGES, " images"),
            "page_size": _number(1, 100, " images"),
            "n_questions": _number(0, 200, " pages"),
            "n_others": _number(0, 100, " images"),
            "repeat_percent": _number(10, 100, " %"),
            "side_px": _number(32, 2048, " px"),
        }
        self.problem = WrappedLabel("danger")
        self.form = QFormLayout()
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._lay_out()
        self.preset.currentIndexChanged.connect(self._on_preset_changed)
        for spin in self.numbers.values():
            spin.valueChanged.connect(self._check)
        self._on_preset_changed()

    def _lay_out(self) -> None:
        add_row(self.form, "Name", self.name)
        add_row(self.form, "Design", self.preset)
        add_row(self.form, "Synthetic images from", self.sets)
        add_row(self.form, "Real images from split", self.split)
        words = {
            "n_real": "Real",
            "n_synthetic": "Synthetic",
            "page_size": "On a page",
            "n_questions": "Pages with a question",
            "n_others": "Without the condition",
            "repeat_percent": "Come twice, unannounced",
            "side_px": "Side of the images, at most",
        }
        for key, spin in self.numbers.items():
            add_row(self.form, words[key], spin)
        note = WrappedLabel("muted")
        note.setText("All images get the same size and compression, random names and an order of their own per reader.")
        fill_dialog(self, self.form, note, self.problem, save=self.build, width=WIDTH_PX)

    @property
    def design(self) -> StudyDesign:
        """What the fields say."""
        value = {key: spin.value() for key, spin in self.numbers.items()}
        return replace(
            PRESETS[self.preset.currentData()],
            n_real=value["n_real"],
            n_synthetic=value["n_synthetic"],
            page_size=value["page_size"],
            n_questions=value["n_questions"],
            n_others=value["n_others"],
            repeat_share=value["repeat_percent"] / 100,
            side_px=value["side_px"],
        )

    @Slot()
    def _on_preset_changed(self) -> None:
        design = PRESETS[self.preset.currentData()]
        is_turing = design.kind is StudyKind.TURING
        for key, spin in self.numbers.items():
            spin.blockSignals(True)
            spin.setValue(round(100 * design.repeat_share) if key == "repeat_percent" else int(getattr(design, key)))
            spin.blockSignals(False)
        unused = {
            "page_size": not is_turing or design.form is AnswerForm.ONE,
            "n_questions": is_turing,
            "n_others": is_turing,
        }
        for key, is_unused in unused.items():
            self.form.setRowVisible(self.numbers[key], not is_unused)
        suffix = " images" if is_turing else " images on each page"
        for key in ("n_real", "n_synthetic", "n_others"):
            self.numbers[key].setSuffix(suffix)
        self._check()

    @Slot()
    def _check(self) -> None:
        try:
            self.design.check()
        except UserError as error:
            self._show_problem(error)
        else:
            self.problem.hide()

    def _show_problem(self, error: UserError) -> None:
        self.problem.setText(f"{error.message} {error.hint}")
        self.problem.show()

    @Slot()
    def build(self) -> None:
        """Begin to build, and close."""
        try:
            design = self.design
            design.check()
            self._build(
                StudyWish(self.name.text().strip(), design, self.sets.currentData(), Split(self.split.currentData()))
            )
        except UserError as error:
            self._show_problem(error)
        else:
            self.accept()


def _number(least: int, most: int, suffix: str) -> QSpinBox:
    spin = QSpinBox()
    spin.setRange(least, most)
    spin.setSuffix(suffix)
    return spin
