"""Train, validation and test by sample: what each has, and moving samples between them."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from synthstudio.core.training.balance import (
    SampleContent,
    SplitContent,
    sample_contents,
    split_contents,
    split_warnings,
)
from synthstudio.core.training.dividing import divide_samples
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import SampleId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import ObjectClass, Role, Sample, Split
from synthstudio.gui.field_edits import change_samples
from synthstudio.gui.main_window.split_columns import SplitColumns
from synthstudio.gui.widgets.dialog_layout import wish_size
from synthstudio.gui.widgets.inset import inset_number
from synthstudio.gui.workspace import Workspace
from synthstudio.project.sampling import SampleAssignment

SPLITS: tuple[Split | None, ...] = (*Split, None)
KEYS = {Split.TRAIN: "Ctrl+1", Split.VAL: "Ctrl+2", Split.TEST: "Ctrl+3", None: "Ctrl+0"}
Content = tuple[list[Sample], dict[SampleId, SampleContent], list[ObjectClass]]


def split_text(split: Split | None) -> str:
    """What a split is called."""
    return split.value if split else "no split"


class SplitsDialog(QDialog):
    """A draft of the division with its balance; Apply commits it in one transaction, which can be undone."""

    def __init__(self, workspace: Workspace, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Train, validation and test")
        self._workspace, self._window = workspace, parent
        self._samples: dict[SampleId, Sample] = {}
        self._contents: dict[SampleId, SampleContent] = {}
        self._classes: list[ObjectClass] = []
        self.division: dict[SampleId, Split | None] = {}
        self.balance = QTableWidget(len(SPLITS), 0)
        self.balance.setAccessibleName("Content of each split")
        self.balance.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.balance.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        self.balance.setTabKeyNavigation(False)
        self.balance.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.warning = QLabel()
        self.warning.setWordWrap(True)
        self.warning.setProperty("danger", True)
        self.columns = SplitColumns([(split, split_text(split)) for split in SPLITS])
        self.columns.moved.connect(self._on_moved)
        self.val, self.test = _share(0.15), _share(0.2)
        self.seed = QSpinBox()
        inset_number(self.seed)
        self.seed.setRange(0, 999_999)
        self.seed.setToolTip("Another seed gives another division; the same seed always the same")
        self.only_free = QCheckBox("Only samples in no split")
        self.divide_button = QPushButton("Divide")
        self.divide_button.clicked.connect(self.divide)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Apply | QDialogButtonBox.StandardButton.Cancel)
        self.apply_button = self.buttons.button(QDialogButtonBox.StandardButton.Apply)
        self.apply_button.setProperty("primary", True)
        self.apply_button.setEnabled(False)
        self.apply_button.clicked.connect(self.apply)
        self.buttons.rejected.connect(self.reject)
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setProperty("danger", True)
        self.problem.hide()
        self._lay_out()
        for split, key in KEYS.items():
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.activated.connect(lambda split=split: self.move_selected(split))
        self._read()

    def _lay_out(self) -> None:
        dividing = QHBoxLayout()
        dividing.setSpacing(8)
        for text, widget in (("Share of val", self.val), ("of test", self.test), ("Seed", self.seed)):
            label = QLabel(text)
            label.setBuddy(widget)
            widget.setAccessibleName(text)
            dividing.addWidget(label)
            dividing.addWidget(widget)
        dividing.addWidget(self.only_free)
        dividing.addStretch()
        dividing.addWidget(self.divide_button)
        hint = QLabel(
            "Drag samples from list to list, or select them and press "
            + ", ".join(f"{key} for {split_text(split)}" for split, key in KEYS.items())
            + ". All fields of a sample stay together, so that no patient is on both sides."
        )
        hint.setProperty("muted", True)
        hint.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        layout.addWidget(self.balance)
        layout.addWidget(self.warning)
        layout.addLayout(dividing)
        layout.addWidget(self.columns, 1)
        layout.addWidget(hint)
        layout.addWidget(self.problem)
        layout.addWidget(self.buttons)
        wish_size(self, width=820, height=640, window=self._window)

    # Content

    def _read(self) -> None:
        project = self._workspace.require_project()

        def read(_: Tick) -> Content:
            contents = sample_contents(project.fovs.list(), project.annotations.counts())
            return project.samples.list(), contents, project.classes.list()

        self._workspace.background.run(read, done=self._show, owner=self, priority=1)

    def _show(self, content: Content) -> None:
        samples, self._contents, classes = content
        self._samples = {sample.id: sample for sample in samples}
        self._classes = [each for each in classes if each.role is Role.OBJECT]
        self.division = {sample.id: sample.split for sample in samples}
        self._show_division()

    def _show_division(self) -> None:
        texts = {
            sample_id: f"{sample.name}  ({self._contents.get(sample_id, SampleContent()).n_fovs:,})"
            for sample_id, sample in self._samples.items()
        }
        self.columns.set_division(self.division, texts)
        self._show_balance()

    def _show_balance(self) -> None:
        parts = split_contents(self._contents, self.division)
        self._fill_balance(parts)
        warnings = split_warnings(parts, self._classes)
        self.warning.setText("\n".join(warnings))
        self.warning.setVisible(bool(warnings))
        self.apply_button.setEnabled(self._workspace.is_writable and bool(self._changed()))

    def _fill_balance(self, parts: Mapping[Split | None, SplitContent]) -> None:
        headers = ["Samples", "Fields", *(each.name for each in self._classes)]
        self.balance.setColumnCount(len(headers))
        self.balance.setHorizontalHeaderLabels(headers)
        self.balance.setVerticalHeaderLabels([split_text(split) for split in SPLITS])
        totals = [
            sum(_numbers(part, self._classes)[column] for part in parts.values()) for column in range(len(headers))
        ]
        for row, split in enumerate(SPLITS):
            for column, number in enumerate(_numbers(parts[split], self._classes)):
                share = f"  {number / totals[column]:.0%}" if totals[column] else ""
                item = QTableWidgetItem(f"{number:,}{share}")
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.balance.setItem(row, column, item)
        header = self.balance.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.balance.resizeRowsToContents()
        rows_px = sum(self.balance.rowHeight(row) for row in range(len(SPLITS)))
        self.balance.setFixedHeight(rows_px + header.sizeHint().height() + 4)

    # Moving

    @Slot(object, object)
    def _on_moved(self, sample_ids: tuple[SampleId, ...], split: Split | None) -> None:
        self.division |= dict.fromkeys(sample_ids, split)
        self._show_balance()

    def move_selected(self, split: Split | None) -> None:
        """Put the selected samples into a split."""
        self.columns.move_selected(split)

    def divide(self) -> None:
        """Draw the division by shares and seed."""
        chosen = [each for each, split in self.division.items() if split is None or not self.only_free.isChecked()]
        sizes = {each: (self._samples[each].name, self._contents[each].n_fovs) for each in chosen}
        try:
            self.division |= divide_samples(sizes, val=self.val.value(), test=self.test.value(), seed=self.seed.value())
        except UserError as error:
            self._show_problem(str(error))
            return
        self._show_problem("")
        self._show_division()

    def _changed(self) -> dict[str, Split | None]:
        """What the draft would change: splits by the names of the samples."""
        return {
            sample.name: self.division[sample.id]
            for sample in self._samples.values()
            if sample.split is not self.division[sample.id]
        }

    def _show_problem(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.setVisible(bool(text))

    def apply(self) -> None:
        """Commit the draft and close; where that is impossible, say why and stay."""
        try:
            change_samples(
                self._workspace, SampleAssignment({}, self._changed()), "division of samples", window=self._window
            )
        except UserError as error:
            self._show_problem(str(error))
            return
        self.accept()


def _numbers(part: SplitContent, classes: list[ObjectClass]) -> list[int]:
    return [part.n_samples, part.n_fovs, *(part.n_objects.get(each.id, 0) for each in classes)]


def _share(value: float) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    inset_number(box)
    box.setRange(0.0, 0.9)
    box.setSingleStep(0.05)
    box.setValue(value)
    box.setToolTip("Share of the fields, 0 to 0.9; whole samples are drawn until it is reached")
    return box
