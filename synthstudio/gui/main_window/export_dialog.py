"""Exporting the annotated fields, or a synthetic set, for other programs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from synthstudio.core.export.datasets import ExportData, ExportResult, require_annotated
from synthstudio.core.export.writers import WRITERS
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import ReviewRule, Split
from synthstudio.gui import errors
from synthstudio.gui.errors import Notice, Severity
from synthstudio.gui.theme import scaled_px
from synthstudio.gui.widgets.dialog_layout import add_row
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.workspace import Workspace
from synthstudio.project.reviewed_sets import list_usable_images
from synthstudio.project.set_images import list_set_masks

FORMATS = {
    "coco": "COCO (one JSON file per split)",
    "yolo": "YOLO (data.yaml, one text file per image)",
    "voc": "Pascal VOC (one XML file per image)",
    "labelme": "labelme (one JSON file per image)",
    "csv": "Table (one CSV file)",
    "geojson": "QuPath (one GeoJSON file per image)",
    "centers": "Centres (one text file per image: x y class)",
    "imagefolder": "Cut-outs in a folder per class",
}
KEEPS = {
    "coco": "Boxes, notes and flags; centres as boxes of their size, with the click beside; the masks of sets.",
    "yolo": "Boxes only: centres become boxes of their size. Splits become folders.",
    "voc": "Boxes; centres as boxes of their size, with the click beside.",
    "labelme": "Boxes, centres, own sizes, notes and flags. Splits become folders.",
    "csv": "Boxes, centres, own sizes, notes and flags.",
    "geojson": "Boxes, centres, own sizes, colours, notes and flags. Splits become folders.",
    "centers": "Centres only: boxes become their middle. Splits become folders.",
    "imagefolder": "A square picture per object, for classifiers; the places are lost.",
}


class ExportDialog(QDialog):
    """Asks for what, format, folder, split and names; writes in the background."""

    def __init__(self, workspace: Workspace, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Export")
        self.workspace = workspace
        self.format = ElidedCombo()
        for name in WRITERS:
            self.format.addItem(FORMATS.get(name, name), name)
        self.keeps = QLabel()
        self.keeps.setProperty("muted", True)
        self.keeps.setWordWrap(True)
        self.format.currentIndexChanged.connect(self._on_format_changed)
        self._on_format_changed()
        project = workspace.require_project()
        self.what = ElidedCombo()
        self.what.addItem("Annotated fields", "")
        for item in project.sets.list():
            self.what.addItem(f"Set {item.name} ({item.n_images:,} images)", item.name)
        self.out = QLineEdit()
        self.browse = QPushButton("Browse…")
        self.browse.clicked.connect(self._on_browse_clicked)
        self.split = ElidedCombo()
        self.split.addItem("all", "")
        for split in Split:
            self.split.addItem(split.value, split.value)
        self.keep_names = QCheckBox("Keep the names of the images, and the notes")
        self.keep_names.setToolTip(
            "They may say who the patient is; without this names are neutral, and notes are left out"
        )
        self.unreviewed = QCheckBox("Also images of the set that nobody has accepted")
        self.unreviewed.setToolTip("Rejected ones are left out all the same; a set that nobody has judged is whole")
        self.problem = QLabel()
        self.problem.setProperty("danger", True)
        self.problem.setWordWrap(True)
        self.problem.hide()
        self.what.setCurrentIndex(max(0, self.what.findData(workspace.set_to_export)))
        workspace.set_to_export = ""
        self._lay_out()
        self.what.currentIndexChanged.connect(self._on_what_changed)
        self._on_what_changed()

    def _lay_out(self) -> None:
        hint = QLabel(
            "A new folder is written. Images lose their metadata (EXIF, comments, paths). Fields that nobody has"
            " annotated are left out: elsewhere they would pass for images without objects."
        )
        hint.setProperty("muted", True)
        hint.setWordWrap(True)
        row = QHBoxLayout()
        row.addWidget(self.out, 1)
        row.addWidget(self.browse)
        self.form = form = QFormLayout()
        form.setSpacing(8)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        add_row(form, "What", self.what)
        add_row(form, "Format", self.format)
        form.addRow("", self.keeps)
        add_row(form, "Folder", row)
        add_row(form, "Split", self.split)
        form.addRow("", self.keep_names)
        form.addRow("", self.unreviewed)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.export_button = buttons.addButton("Export", QDialogButtonBox.ButtonRole.ActionRole)
        self.export_button.setProperty("primary", True)
        self.export_button.clicked.connect(self.export)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addLayout(form)
        for widget in (hint, self.problem, buttons):
            layout.addWidget(widget)
        self.setMinimumWidth(scaled_px(520))

    @Slot()
    def _on_format_changed(self) -> None:
        self.keeps.setText(KEEPS.get(self.format.currentData(), ""))

    @Slot()
    def _on_what_changed(self) -> None:
        """A set has neither splits nor names that tell anything."""
        project, name = self.workspace.require_project(), self.what.currentData()
        for widget in (self.split, self.keep_names):
            self.form.setRowVisible(widget, not name)
        self.form.setRowVisible(self.unreviewed, bool(name))
        self.out.setText(str(project.folder.parent / f"{project.name}-{name or 'export'}"))

    def _on_browse_clicked(self) -> None:
        errors.ask.new_folder(
            self, title="Export to", start=Path(self.out.text()), answered=lambda path: self.out.setText(str(path))
        )

    @Slot()
    def export(self) -> None:
        """Begin to write; the job bar shows it from now on."""
        if not self.out.text().strip():
            self.show_notice(Notice("The export needs a folder.", "Name a new one."))
            return
        workspace, window = self.workspace, self.parentWidget()
        project, writer = workspace.require_project(), WRITERS[self.format.currentData()]
        out = Path(self.out.text().strip()).expanduser()
        split = Split(self.split.currentData()) if self.split.currentData() else None
        keep_names = self.keep_names.isChecked()
        rule: ReviewRule = "not-rejected" if self.unreviewed.isChecked() else "accepted"
        review: list[str] = []
        # Folders by class are the only format with a place for labels of whole images.
        set_name, is_by_class = self.what.currentData(), self.format.currentData() == "imagefolder"
        has_masks = bool(set_name) and self.format.currentData() == "coco"  # the only format with a place for them

        def work(tick: Tick) -> ExportResult:
            if set_name:
                (fovs, annotations), usable = list_usable_images(project, set_name, rule)
                review.append(usable.describe(set_name))
                if not fovs:
                    raise UserError(f"Nothing is exported. {review[0]}", "Accept images of the set in Review.")
            else:
                fovs, annotations = project.fovs.list(split=split), project.annotations.by_fov()
            has_labels = is_by_class and not set_name
            data = ExportData(
                fovs=fovs,
                annotations=annotations,
                classes=project.classes.list(),
                keep_names=keep_names and not set_name,
                labels={fov.id: project.fovs.image_labels(fov.id) for fov in fovs} if has_labels else {},
                masks=list_set_masks(project, set_name) if has_masks else {},
            )
            require_annotated(data)
            return writer(data, out, tick=tick)

        def on_done(result: ExportResult) -> None:
            left_out = [f"{result.n_left_out:,} fields without annotations were left out."] if result.n_left_out else []
            text = f"Exported {result.n_images:,} images with {result.n_annotations:,} annotations to {result.out}."
            words = " ".join([*filter(None, review), *left_out, *result.notes])
            errors.post(Notice(text, words, Severity.INFO), parent=window)

        workspace.background.run(work, done=on_done, owner=workspace, failed=_report_to(window), title="Exporting")
        self.accept()

    def show_notice(self, notice: Notice) -> None:
        """Show a notice here instead of behind the dialog."""
        self.problem.setText(f"{notice.message} {notice.hint}")
        self.problem.show()


def _report_to(window: QWidget | None) -> Callable[[Exception], None]:
    return lambda error: errors.report(error, parent=window)
