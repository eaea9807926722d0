"""Is this data set sound? What was looked for, what was found, pictures of it, and the way to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QImage, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from synthstudio.client.reporting.quality import build_quality_report
from synthstudio.core.export.report.document import Document
from synthstudio.core.review.findings import CHECKS, Finding
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Changes
from synthstudio.gui import errors
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.canvas.crop_tiles import TileLook, draw_crop_tiles
from synthstudio.gui.pages.quality.chart_picks import ChartPick
from synthstudio.gui.pages.quality.check_facts import (
    ALL,
    CHECK_COLUMNS,
    FINDING_COLUMNS,
    Checked,
    FoundPictures,
    QualityFacts,
    check_rows,
    find_pictures,
    finding_row,
    findings_of,
    ids_of,
    read_quality,
    sound_words,
    words_of,
)
from synthstudio.gui.pages.quality.check_side import CheckSide
from synthstudio.gui.pages.quality.check_specs import check_specs
from synthstudio.gui.pages.quality.finding_bar import FindingBar
from synthstudio.gui.reading_panel import UNREADABLE, ReadingPanel
from synthstudio.gui.report_writing import ask_where_to
from synthstudio.gui.theme import GRID_PX, current_theme, scaled_px
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.widgets.job_state import JobStateLabel
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.widgets.sortable_table import SortableTable
from synthstudio.gui.widgets.tile_grid import TileGrid
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project

CHECKS_PX, TILE_PX, GALLERY_PX = 310, 210, 240
CHECKS_SHARE = 0.35
"""Of the width of both tables, that the names of the checks take at most: the findings need more."""
EMPTY = (
    "Nothing has been checked yet.",
    "“Check” looks for files that are gone or damaged, impossible and repeated marks, pictures that are there twice,"
    " leaks between splits, objects that look like another class, and synthetic images made from test images.",
)


class ChecksPanel(ReadingPanel[None, QualityFacts]):
    """Checks at the left, findings of the chosen one, pictures of the chosen finding below; the form at the right.

    Signals:
        picked: A `ChartPick` of all that a check has found, for the gallery.
    """

    picked = Signal(object)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent, follows=("runs", "sets"), follows_jobs=True)
        self._facts = QualityFacts()
        self._pictures = FoundPictures()
        self._is_split_by_hand = False
        self.state = JobStateLabel(self)
        self.runs = ElidedCombo(self)
        self.runs.setAccessibleName("Which check")
        self.report_button = QPushButton("Report…", self)
        self.words = WrappedLabel("muted", self)
        self.checks = SortableTable("Checks", self)
        self.findings = SortableTable("Findings", self)
        for table in (self.checks, self.findings):
            table.setSelectionMode(SortableTable.SelectionMode.SingleSelection)
        self.left_out = WrappedLabel("muted", self)
        self.bar = FindingBar(workspace, self)
        self.grid = TileGrid(self)
        self.grid.setAccessibleName("Images of the finding")
        self.grid.set_tile_px(scaled_px(TILE_PX))
        self.empty = NextStep()
        self.stack = QStackedWidget(self)
        self.side = CheckSide(self)
        self._lay_out()
        self._connect()
        self._adopt(None)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(2 * GRID_PX)
        label = QLabel("Check", self)
        label.setBuddy(self.runs)
        for widget in (label, self.runs):
            head.addWidget(widget)
        head.addStretch(1)
        head.addWidget(self.report_button)
        self.tables = tables = QSplitter(Qt.Orientation.Horizontal, self)
        tables.addWidget(self.checks)
        tables.addWidget(self.findings)
        tables.setSizes([scaled_px(CHECKS_PX), scaled_px(2 * CHECKS_PX)])
        tables.setStretchFactor(1, 1)
        lower = QWidget(self)
        below = QVBoxLayout(lower)
        below.setContentsMargins(0, 2 * GRID_PX, 0, 0)
        below.setSpacing(2 * GRID_PX)
        below.addWidget(self.left_out)
        below.addWidget(self.bar)
        below.addWidget(self.grid, 1)
        halves = QSplitter(Qt.Orientation.Vertical, self)
        halves.addWidget(tables)
        halves.addWidget(lower)
        halves.setChildrenCollapsible(False)
        halves.setSizes([scaled_px(GALLERY_PX), scaled_px(GALLERY_PX)])
        content = QWidget(self)
        column = QVBoxLayout(content)
        column.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, 2 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        column.addLayout(head)
        column.addWidget(self.words)
        column.addWidget(halves, 1)
        self.stack.addWidget(self.empty)
        self.stack.addWidget(content)
        self.state.setContentsMargins(2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 0)
        left = QVBoxLayout()
        left.setSpacing(GRID_PX)
        left.addWidget(self.state)
        left.addWidget(self.stack, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(left, 1)
        layout.addWidget(self.side)

    def _connect(self) -> None:
        self.side.start_requested.connect(self.start)
        self.side.validity_changed.connect(self.actions_outdated)
        self.runs.currentIndexChanged.connect(self._show_run)
        self.tables.splitterMoved.connect(self._on_tables_splitter_moved)
        self.checks.selection_changed.connect(self._show_findings)
        self.findings.selection_changed.connect(self._show_finding)
        self.report_button.clicked.connect(self.write_report)
        self.bar.show_requested.connect(self.open_selected)
        self.bar.gallery_requested.connect(self.pick)
        self.bar.relabelled.connect(self._on_bar_relabelled)
        self.bar.changed.connect(self.actions_outdated)
        self.grid.tiles_requested.connect(self._on_grid_tiles_requested)
        self.grid.activated.connect(self.bar.open_picture)
        self.grid.selection_changed.connect(self.actions_outdated)

    # What was checked

    @override
    def _wish(self) -> None:
        """All of them."""

    @override
    def _find(self, project: Project, wish: None, tick: Tick) -> QualityFacts:
        return read_quality(project)

    @override
    def _adopt(self, facts: QualityFacts | None) -> None:
        former = [each.run.id for each in self._facts.checks]
        self._facts = facts = facts or QualityFacts()
        self.state.show_state(facts.state)
        if not self.has_failed:  # or the set that was chosen would no longer be
            self.side.offer(facts.sets, can_start=self._workspace.is_writable)
        ids = [each.run.id for each in facts.checks]
        chosen = self.runs.currentData()
        self.runs.blockSignals(True)
        self.runs.clear()
        for each in facts.checks:
            self.runs.addItem(each.line, each.run.id)
        is_new = bool(ids) and ids[0] not in former
        self.runs.setCurrentIndex(0 if is_new else max(0, self.runs.findData(chosen)) if ids else -1)
        self.runs.blockSignals(False)
        self.empty.show_step(*(UNREADABLE if self.has_failed else EMPTY))
        self.stack.setCurrentIndex(1 if ids else 0)
        self._show_run()

    @property
    def chosen(self) -> Checked | None:
        """The check whose findings are shown."""
        run_id = self.runs.currentData()
        return next((each for each in self._facts.checks if each.run.id == run_id), None)

    @Slot()
    def _show_run(self) -> None:
        checked = self.chosen
        self.report_button.setEnabled(checked is not None)
        self.words.setText(sound_words(checked.result) if checked is not None else "")
        self.checks.set_table(CHECK_COLUMNS, check_rows(checked.result) if checked is not None else ())
        if checked is not None and not self.checks.selected:
            self.checks.select([ALL], current=ALL)
        self._share_room()
        self._show_findings()

    def _share_room(self) -> None:
        """Make the list of checks as wide as their names, until a hand has made it something else."""
        wanted = min(self.checks.content_px, round(CHECKS_SHARE * self.tables.width()))
        if wanted > 0 and not self._is_split_by_hand:
            self.tables.setSizes([wanted, self.tables.width() - self.tables.handleWidth() - wanted])

    @Slot()
    def _on_tables_splitter_moved(self) -> None:
        self._is_split_by_hand = True

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_room()

    @Slot()
    def _show_findings(self) -> None:
        checked, check = self.chosen, (self.checks.selected or [ALL])[0]
        found = findings_of(checked.result, check) if checked is not None else []
        self.findings.set_table(FINDING_COLUMNS, [finding_row(place, each) for place, each in found])
        left_out = words_of(checked.result, check, len(found)) if checked is not None else ""
        self.left_out.setText(left_out)
        self.left_out.setVisible(bool(left_out))
        if found and not self.findings.selected:
            first = self.findings.keys[0]
            self.findings.select([first], current=first)
        self._show_finding()

    @property
    def finding(self) -> Finding | None:
        """The finding that is looked at."""
        checked, selected = self.chosen, self.findings.selected
        return checked.result.findings[int(selected[0])] if checked is not None and selected else None

    @Slot()
    def _show_finding(self) -> None:
        finding, project = self.finding, self._workspace.project
        self.bar.show_finding(finding, n_alike=len(self._alike().ids) if finding is not None else 0)
        self._show_pictures(FoundPictures())
        if finding is None or project is None:
            return

        def find(_tick: Tick) -> FoundPictures:
            return find_pictures(project, finding)

        def done(found: FoundPictures) -> None:
            if self.finding is finding:
                self._show_pictures(found)

        self._workspace.background.run(find, done=done, failed=partial(errors.report, parent=self), owner=self)

    def _show_pictures(self, pictures: FoundPictures) -> None:
        self._pictures = pictures
        self.grid.forget_tiles()
        self.grid.set_placeholder("" if self.finding is None else "This finding is about no single image.")
        self.grid.set_keys(range(len(pictures.items)))
        if pictures.items:
            self.grid.select_key(0)
        self.bar.show_pictures(pictures)

    @Slot(int, object)
    def _on_grid_tiles_requested(self, generation: int, keys: tuple[int, ...]) -> None:
        pictures = self._pictures
        items = {key: pictures.items[key] for key in keys if key < len(pictures.items)}
        look = TileLook(self.grid.picture_px, self.grid.devicePixelRatioF(), current_theme())

        def draw(tick: Tick) -> tuple[dict[int, QImage], dict[int, str]]:
            return draw_crop_tiles(items, pictures.fovs or {}, look, tick), {
                key: each.tip for key, each in items.items()
            }

        self._workspace.background.run(
            draw, done=lambda made: self.grid.put_tiles(generation, *made), owner=self, reads_images=True
        )

    # Mending

    @Slot()
    def open_selected(self) -> None:
        """Go to the selected image, or to the set that the finding is about."""
        finding = self.finding
        if finding is not None and not self._pictures.items and finding.set_name:
            self.bar.review(finding.set_name)
        elif self._pictures.items:
            self.bar.open_picture(self.grid.selected[0] if self.grid.selected else 0)

    def _alike(self) -> ChartPick:
        """All that the check of the chosen finding has found, as far as the result tells it."""
        checked, finding = self.chosen, self.finding
        assert checked is not None, "nothing is chosen"
        assert finding is not None, "nothing is chosen"
        view, ids = ids_of(checked.result, finding.check)
        return ChartPick("checks", view, ids, checked.result.set, CHECKS[finding.check].title)

    @Slot()
    def pick(self) -> None:
        """Show all that the check has found in the gallery."""
        if self.finding is not None:
            self.picked.emit(self._alike())

    @Slot()
    def _on_bar_relabelled(self) -> None:
        """Go on with the next finding, as a hand that works down a list does."""
        keys, selected = self.findings.keys, self.findings.selected
        place = keys.index(selected[0]) + 1 if selected else 0
        if place < len(keys):
            self.findings.select([keys[place]], current=keys[place])
            self._show_finding()

    # Checking

    @Slot()
    def start(self) -> None:
        """Queue a check with the settings of the form; its progress is in the job bar."""
        settings = self.side.find_settings()
        if settings is None:
            return
        try:
            self._workspace.submit(settings, title=f"Check of {settings.set_name or 'the project'}")
        except UserError as error:
            errors.report(error, parent=self)

    @Slot()
    def write_report(self) -> None:
        """Ask where to, and write the report of the chosen check."""
        checked = self.chosen
        if checked is not None:
            project = self._workspace.require_project()

            def build(tick: Tick) -> Document:
                return build_quality_report(project, checked.run.id, tick=tick)

            ask_where_to(self._workspace, build, name=f"{project.name}-quality", parent=self)

    @Slot(object)
    @override
    def _on_workspace_records_changed(self, changed: Changes) -> None:
        super()._on_workspace_records_changed(changed)
        if not {"annotations", "classes"}.isdisjoint(changed.kinds):
            self.bar.reread()

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word, not QWidget's list of QActions
        """What can be done here."""
        return check_specs(self, self)
