"""Importing a folder: what will be read is shown, problems line by line, before anything is written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from synthstudio.core.annotations.guessing import guess_format
from synthstudio.core.annotations.mapping import map_classes
from synthstudio.core.annotations.planning import ReadOptions
from synthstudio.core.annotations.readers import READERS
from synthstudio.core.fields.pages import ALL_PAGES, parse_pages
from synthstudio.domain.errors import UserError
from synthstudio.domain.plans import ImportPlan
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Split
from synthstudio.gui import errors
from synthstudio.gui.background import Task
from synthstudio.gui.errors import Notice, Severity
from synthstudio.gui.main_window.class_table import ClassTable
from synthstudio.gui.main_window.import_changes import MergeCommand
from synthstudio.gui.main_window.import_preview import ImportPreview, build_preview, samples_of, summary_of
from synthstudio.gui.main_window.problem_list import ProblemList
from synthstudio.gui.widgets.dialog_layout import add_row
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.imports import Existing, ImportOutcome, apply_import
from synthstudio.project.merging import NOTHING_MERGED

READ_AFTER_MS = 300
"""Typing a pattern re-reads once, after the last key."""
WIDTH_EM, HEIGHT_EM = 42, 42
"""Wished size in heights of a line, so that larger text gets a larger dialog; never higher than the window."""

FORMATS = {
    "imagefolder": "Images only (folders of images)",
    "voc": "Pascal VOC (one XML file per image)",
    "coco": "COCO (JSON files with images and annotations)",
    "yolo": "YOLO (data.yaml, one text file per image)",
    "labelme": "labelme (one JSON file per image)",
    "csv": "Table (CSV: image, class, x, y or a box)",
    "geojson": "QuPath (one GeoJSON file per image)",
    "centers": "Centres (one text file per image: x y class)",
    "captions": "Guide images (image.txt with the caption beside each image)",
}
EXISTING = {
    Existing.MERGE: "get the marks that they lack",
    Existing.NEW: "come a second time",
    Existing.SKIP: "are left out",
}


class ImportDialog(QDialog):
    """Reads the folder in the background whenever an option changes; Import writes the plan that is shown."""

    title = "Import images and annotations"
    verb = bare_verb = "Import"
    of_the_rest = "the rest can be imported"

    def __init__(self, workspace: Workspace, paths: Sequence[Path], parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.title)
        self.setAcceptDrops(True)
        self._main_window = parent  # outlives the dialog
        self.workspace = workspace
        self.plan: ImportPlan | None = None
        self.preview: ImportPreview | None = None
        self._only: frozenset[Path] = frozenset()
        self._guessed_for = ""
        self._is_format_chosen = False
        self._guessing: Task | None = None
        self._reading: Task | None = None
        self._applying: Task | None = None
        self._build_inputs()
        self._build_preview()
        self._lay_out()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(READ_AFTER_MS)
        self._timer.timeout.connect(self.read)
        em = self.fontMetrics().height()
        self.resize(WIDTH_EM * em, min(HEIGHT_EM * em, parent.height()))
        self._offer_guide_set()
        if paths:
            self.set_paths(paths)

    def _offer_guide_set(self) -> None:
        """Begin with captions where the dialog was opened for a guide set."""
        wanted, self.workspace.guides_to_import = self.workspace.guides_to_import, ""
        if wanted:
            self.format.setCurrentIndex(self.format.findData("captions"))
            self._is_format_chosen = True
            self.guides.setText(wanted)

    # Building

    def _build_inputs(self) -> None:
        self.folder = QLineEdit()
        self.folder.setPlaceholderText("Folder of the data set, or one file; drop it here")
        self.folder.setAcceptDrops(False)  # the dialog takes them: the field would show a URL
        self.folder.textChanged.connect(self._on_folder_changed)
        self.browse = QPushButton("Browse…")
        self.browse.clicked.connect(self._on_browse_clicked)
        self.format = QComboBox()
        for name in READERS:
            self.format.addItem(FORMATS.get(name, name), name)
        self.format.currentIndexChanged.connect(self._on_option_changed)
        self.format.activated.connect(self._on_format_activated)
        self.images = QLineEdit()
        self.images.setPlaceholderText("as found in the folder")
        self.images.setToolTip("Folder of the images, where they do not lie in the folder above")
        self.images.textChanged.connect(self._on_option_changed)
        self.naming = QComboBox()
        self.naming.addItem("as usual for the format", "")
        self.naming.addItem("the folder of the image", "folder")
        self.naming.addItem("each image its own sample", "stem")
        self.naming.addItem("a pattern in the path", "pattern")
        self.naming.setToolTip("A sample is a specimen or patient; train, val and test never share one")
        self.naming.currentIndexChanged.connect(self._on_naming_changed)
        self.pattern = QLineEdit(r"^([^_]+)_")
        self.pattern.setToolTip("Regular expression with one group, which is the name of the sample")
        self.pattern.textChanged.connect(self._on_option_changed)
        self.pattern.hide()
        self.split = QComboBox()
        self.split.addItem("as the data set says", "")
        for split in Split:
            self.split.addItem(f"all into {split.value}", split.value)
        self.split.currentIndexChanged.connect(self._on_option_changed)
        self.existing = QComboBox()
        for existing, text in EXISTING.items():
            self.existing.addItem(text, existing.value)
        self.existing.setToolTip("Images are known by their content, whatever they are called")
        self.existing.currentIndexChanged.connect(self._on_mapping_changed)
        self.pages = QLineEdit("all")
        self.pages.setToolTip("Pages of a stack that become fields: all, 3, 1-10, every fourth as 1-40:4, or a list")
        self.pages.setAccessibleName("Pages of a stack")
        self.pages.textChanged.connect(self._on_option_changed)
        self.guides = QLineEdit()
        self.guides.setPlaceholderText("name of the folder")
        self.guides.setToolTip("The images become guide images of this set; it is made where there is none")
        self.labels = QCheckBox("The innermost folder is the class of the image")
        self.labels.toggled.connect(self._on_option_changed)
        self.copy = QCheckBox("Copy the images into the project")
        self.copy.setToolTip("Otherwise the project refers to them where they lie")

    def _build_preview(self) -> None:
        self.summary = QLabel("Choose a folder to see what would be imported.")
        self.summary.setWordWrap(True)
        self.summary.setTextFormat(Qt.TextFormat.PlainText)
        self.samples = QLabel()
        self.samples.setProperty("muted", True)
        self.samples.setWordWrap(True)
        self.samples.setTextFormat(Qt.TextFormat.PlainText)
        self.classes = ClassTable()
        self.classes.mapping_changed.connect(self._on_mapping_changed)
        self.problems = ProblemList()
        self.tabs = QTabWidget()
        self.tabs.addTab(self.classes, "Classes")
        self.tabs.addTab(self.problems, "Problems")
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        policy = self.progress.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # nothing jumps when reading begins
        self.progress.setSizePolicy(policy)
        self.progress.hide()
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.import_button = self.buttons.addButton(self.bare_verb, QDialogButtonBox.ButtonRole.ActionRole)
        self.import_button.setProperty("primary", True)
        self.import_button.setDefault(True)
        self.import_button.setEnabled(False)
        self.import_button.clicked.connect(self.apply)
        self.buttons.rejected.connect(self.reject)

    def _lay_out(self) -> None:
        folder_row, naming_row = QHBoxLayout(), QHBoxLayout()
        folder_row.addWidget(self.folder, 1)
        folder_row.addWidget(self.browse)
        naming_row.addWidget(self.naming, 1)
        naming_row.addWidget(self.pattern, 1)
        self.form = form = QFormLayout()
        form.setSpacing(8)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        add_row(form, "Folder", folder_row)
        add_row(form, "Format", self.format)
        add_row(form, "Images", self.images)
        add_row(form, "Sample", naming_row)
        add_row(form, "Split", self.split)
        add_row(form, "Known images", self.existing)
        add_row(form, "Pages of stacks", self.pages)
        add_row(form, "Guide set", self.guides)
        form.addRow("", self.labels)
        form.addRow("", self.copy)
        self._show_rows_of_format()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        layout.addLayout(form)
        for widget in (self.progress, self.summary, self.samples):
            layout.addWidget(widget)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(self.buttons)

    # Options

    def set_folder(self, folder: Path) -> None:
        """Choose the folder or file; its format is guessed from what lies in it, then it is read."""
        self.folder.setText(str(folder))
        self._guess_format(folder)

    def _guess_format(self, folder: Path) -> None:
        self._stop_guessing()
        self._guessed_for = self.folder.text().strip()

        def guess(_tick: Tick) -> str:
            return guess_format(folder) if folder.exists() else ""

        self._guessing = self.workspace.background.run(
            guess, done=self._on_guessed, failed=self._on_failed, owner=self, priority=1
        )

    def set_paths(self, paths: Sequence[Path]) -> None:
        """Choose what was dropped: a folder or file as ever; of several just these."""
        if len(paths) == 1:
            self.set_folder(paths[0])
            return
        self._stop_guessing()
        self.format.setCurrentIndex(self.format.findData("imagefolder"))
        self.folder.setText(os.path.commonpath([path.parent for path in paths]))
        self._guessed_for = self.folder.text()
        self._only = frozenset(paths)  # last: other text in the line means that all of its folder is meant
        self._on_option_changed()

    @Slot()
    def _on_folder_changed(self) -> None:
        self._only = frozenset()
        self._on_option_changed()

    def _on_guessed(self, name: str) -> None:
        self._guessing = None
        if name:  # otherwise nothing lies there, and the reading says so
            self.format.setCurrentIndex(max(self.format.findData(name), 0))
        self._on_option_changed()

    @Slot()
    def _on_format_activated(self) -> None:
        self._is_format_chosen = True

    def _stop_guessing(self) -> None:
        if self._guessing is not None:
            self._guessing.cancel()
            self._guessing = None

    def _on_browse_clicked(self) -> None:
        start = Path(self.folder.text()) if self.folder.text() else Path.home()
        errors.ask.folder(self, title="Import from", start=start, answered=self.set_folder)

    @Slot()
    def _on_naming_changed(self) -> None:
        self.pattern.setVisible(self.naming.currentData() == "pattern")
        self._on_option_changed()

    @Slot()
    def _on_option_changed(self) -> None:
        self._show_rows_of_format()
        self.import_button.setEnabled(False)
        self._timer.start()

    def _show_rows_of_format(self) -> None:
        is_images_only = self.format.currentData() == "imagefolder"
        self.form.setRowVisible(self.labels, is_images_only)
        self.form.setRowVisible(self.pages, is_images_only)
        self.form.setRowVisible(self.guides, self._has_captions())

    def _has_captions(self) -> bool:
        return bool(self.format.currentData() == "captions")

    def guide_set(self) -> str:
        """The guide set that captioned images go into; empty for other formats."""
        if not self._has_captions():
            return ""
        return self.guides.text().strip() or Path(self.folder.text().strip()).expanduser().absolute().name

    def options(self) -> ReadOptions:
        """The options as the dialog shows them. Raises UserError where the pages are not understood."""
        naming = self.naming.currentData()
        return ReadOptions(
            images=Path(self.images.text().strip()).expanduser() if self.images.text().strip() else None,
            split=Split(self.split.currentData()) if self.split.currentData() else None,
            sample_from=(self.pattern.text() if naming == "pattern" else naming) or None,
            labels_from_folder=self.labels.isChecked() and self.format.currentData() == "imagefolder",
            pages=parse_pages(self.pages.text()) if self.format.currentData() == "imagefolder" else ALL_PAGES,
            only=self._only,
        )

    # Reading

    @Slot()
    def read(self) -> None:
        """Read the data set as the options say, and show what would be imported."""
        self._stop_reading()
        self.plan = self.preview = None
        text = self.folder.text().strip()
        if not text or self._guessing is not None:  # read once the format is known
            return
        if text != self._guessed_for and not self._is_format_chosen:  # typed, not dropped or looked up
            self._guess_format(Path(text).expanduser())
            return
        try:
            root, options = Path(text).expanduser(), self.options()
        except UserError as error:
            self._on_failed(error)
            return
        reader, project = READERS[self.format.currentData()], self._known_project()

        def work(tick: Tick) -> ImportPreview:
            return build_preview(reader(root, options, tick=tick), project)

        self._set_busy("Reading…")
        self._reading = self.workspace.background.run(
            work, done=self._on_read, failed=self._on_failed, owner=self, priority=1
        )
        self._reading.progressed.connect(self._on_progressed)

    def _known_project(self) -> Project | None:
        """What the data set is held against."""
        return self.workspace.project

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _set_busy(self, text: str) -> None:
        self.summary.setText(text)
        self.summary.setProperty("danger", False)
        self.summary.style().polish(self.summary)
        self.progress.setRange(0, 0)
        self.progress.show()
        self.import_button.setEnabled(False)

    @Slot(int, int)
    def _on_progressed(self, done: int, total: int) -> None:
        if self.sender() in (self._reading, self._applying):
            self.progress.setRange(0, total)
            self.progress.setValue(done)

    def _on_read(self, preview: ImportPreview) -> None:
        self._reading = None
        self.progress.hide()
        plan = preview.plan
        self.plan, self.preview = plan, preview
        self.samples.setText(samples_of(plan))
        self.classes.show_classes(plan, preview.counts, preview.known_classes)
        n = len(plan.class_names)
        self.tabs.setTabText(0, f"{n} class{'' if n == 1 else 'es'}" if n else "No classes")
        self._list_problems([str(problem) for problem in (*plan.problems, *preview.twins)])
        self.tabs.setCurrentIndex(1 if plan.problems and not n else 0)
        self.import_button.setEnabled(bool(plan.fovs))
        self.import_button.setText(f"{self.verb} {len(plan.fovs):,} images" if plan.fovs else self.bare_verb)
        self._on_mapping_changed()

    @Slot()
    def _on_mapping_changed(self) -> None:
        if self.preview is not None:
            self.summary.setText(summary_of(self.preview, self.classes.mapping(), self._existing()))

    def _existing(self) -> Existing:
        return Existing(self.existing.currentData())

    def _list_problems(self, problems: list[str]) -> None:
        self.problems.show_problems(problems)
        n = len(problems)
        what = "No problems" if not n else f"{n:,} problem{'s' if n > 1 else ''}; {self.of_the_rest}"
        self.tabs.setTabText(1, what)

    def _on_failed(self, error: Exception) -> None:
        self._guessing = self._reading = self._applying = None
        self.progress.hide()
        self.show_notice(errors.notice_of(error))

    def show_notice(self, notice: Notice) -> None:
        """Show a notice here instead of behind the dialog."""
        self.summary.setText(f"{notice.message} {notice.hint}".strip())
        self.summary.setProperty("danger", notice.severity is Severity.ERROR)
        self.summary.style().polish(self.summary)
        self.samples.clear()
        self.classes.clear_classes()
        self._list_problems([])

    # Writing

    @Slot()
    def apply(self) -> None:
        """Write what is shown; the dialog closes when it is done."""
        if self.plan is None or self._applying is not None:
            return
        plan, copy, guide_set = self.plan, self.copy.isChecked(), self.guide_set()
        mapping, existing = self.classes.mapping(), self._existing()
        try:
            project = self.workspace.require_writable_project()
        except UserError as error:
            self._on_failed(error)
            return

        def work(tick: Tick) -> ImportOutcome:
            mapped = map_classes(plan, mapping)
            return apply_import(project, mapped, copy=copy, existing=existing, guide_set=guide_set, tick=tick)

        self._set_busy("Importing…")
        self._applying = self.workspace.background.run(
            work, done=self._on_applied, failed=self._on_failed, owner=self, title="Importing"
        )
        self._applying.progressed.connect(self._on_progressed)
        self._applying.ended.connect(self._on_applying_ended)

    def _on_applied(self, outcome: ImportOutcome) -> None:
        self._applying = None
        self.workspace.announce(outcome.changes)
        if outcome.merged != NOTHING_MERGED:
            self.workspace.undo_stack.push(MergeCommand(self.workspace, outcome.merged, window=self._main_window))
        text = f"Imported {outcome.n_fovs:,} images with {outcome.n_annotations:,} annotations."
        if outcome.n_merged:
            text += f" {outcome.n_merged:,} images were there already, with {outcome.n_known:,} of the marks."
        if outcome.n_guides:
            text += f" {outcome.n_guides:,} guide images came into their guide set."
        n = len(outcome.problems)
        hint = f"{n:,} problem{'' if n == 1 else 's'}: {outcome.problems[0]}{'' if n == 1 else ' …'}" if n else ""
        severity = Severity.WARNING if n else Severity.INFO
        errors.post(Notice(text, hint, severity), parent=self._main_window)
        self.accept()

    @Slot()
    def _on_applying_ended(self) -> None:
        if self._applying is not None:  # cancelled from the job bar: nothing was recorded
            self._applying = None
            self.progress.hide()
            self.summary.setText("It was cancelled; nothing was added.")
            self.import_button.setEnabled(self.plan is not None)

    @override
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    @override
    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            self.set_paths(paths)

    @override
    def reject(self) -> None:
        self._timer.stop()
        self._stop_guessing()
        self._stop_reading()
        if self._applying is not None:
            self._applying.cancel()
        super().reject()
