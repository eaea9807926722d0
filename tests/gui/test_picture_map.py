"""The map of the pictures in the real window: picked by a lasso, and searched for what is like one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.client.recording import Recorder
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import RunStatus
from synthstudio.engine.jobs import embed
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.quality import QualityPage
from synthstudio.gui.pages.quality.map_facts import group_points
from synthstudio.gui.pages.quality.map_panel import MapPanel
from synthstudio.project import Project
from synthstudio.protocol.messages import JobFinished
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from synthstudio.settings.embed import EmbedSettings
from tests.support.engine_project import RecordingContext, build_engine_project
from tests.support.sets import add_set
from tests.support.windows import TIMEOUT_MS, annotate_page, open_window

ANNOTATE, REVIEW, QUALITY = 0, 2, 4
N_FOVS, N_MADE = 6, 3
ENGINE_MS = 4 * TIMEOUT_MS
"""An engine is started, and imports scikit-learn."""


def make_map(project: Project) -> None:
    """Run the job in this process and record its result, as the host does."""
    context = RecordingContext(project, "embed")
    result = embed.run(EmbedSettings(layout="pca"), context)
    with Recorder(project, project.runs.get(RunId(context.run_id))) as recorder:
        recorder.finish(JobFinished(result=result))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    project = build_engine_project(folder, n_train=4, n_val=1, n_test=1)
    add_set(project, ComposeSettings(set_name="made", count=N_MADE, composition=CompositionSettings(canvas_px=96)))
    make_map(project)
    project.close()
    return folder


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    return shutil.copytree(built, tmp_path / "copy") / "project"


@pytest.fixture
def window(qtbot: QtBot, folder: Path, tmp_path: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path / "private", folder) as opened:
        yield opened


@pytest.fixture
def page(window: MainWindow) -> QualityPage:
    window.show_page(QUALITY)
    page = window.page(QUALITY)
    assert isinstance(page, QualityPage)
    page.show_map()
    return page


@pytest.fixture
def panel(qtbot: QtBot, page: QualityPage) -> MapPanel:
    qtbot.waitUntil(lambda: page.map.shown is not None, timeout=TIMEOUT_MS)
    return page.map


def show_objects(qtbot: QtBot, panel: MapPanel) -> None:
    QTest.mouseClick(panel.view.button("objects"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.shown is not None and panel.shown.pictures[0].mark is not None, timeout=TIMEOUT_MS)


def at(panel: MapPanel, row: int) -> QPoint:
    x, y = panel.map.view.places[row]
    return QPoint(round(x), round(y))


def drag_round(panel: MapPanel, corners: list[tuple[float, float]]) -> None:
    """Draw a lasso with the mouse."""
    points = [QPoint(round(x), round(y)) for x, y in corners]
    QTest.mousePress(panel.map, Qt.MouseButton.LeftButton, pos=points[0])
    for point in points[1:]:
        QTest.mouseMove(panel.map, point)
    QTest.mouseRelease(panel.map, Qt.MouseButton.LeftButton, pos=points[-1])


def test_that_images_of_the_project_and_its_sets_lie_on_the_map_in_the_colours_of_their_groups(
    panel: MapPanel,
) -> None:
    shown = panel.shown
    assert shown is not None
    assert len(shown.pictures) == N_FOVS + N_MADE
    by_source = group_points(shown, "source")
    assert (by_source.names, np.bincount(by_source.group_of).tolist()) == (("project", "set made"), [N_FOVS, N_MADE])
    by_split = group_points(shown, "split")
    assert (by_split.names, np.bincount(by_split.group_of).tolist()) == (
        ("train", "val", "test", "set made"),
        [4, 1, 1, N_MADE],
    )
    panel.board.grouping.setCurrentIndex(panel.board.grouping.findData("source"))
    assert (
        f"project</span> ({N_FOVS})" in panel.board.legend.text() or f"project ({N_FOVS})" in panel.board.legend.text()
    )
    assert b"set made" in panel.map.to_csv()
    assert panel.map.to_svg().startswith(b"<?xml")


def _widest_gap(values: NDArray[np.float64]) -> float:
    """Middle of the widest gap in the middle third: a line there, on whole pixels, parts what it is to part."""
    ordered = np.sort(values)
    third = len(ordered) // 3
    gaps = np.diff(ordered)[third:-third]
    place = third + int(np.argmax(gaps))
    assert gaps.max() > 2
    return float(ordered[place : place + 2].mean())


def test_that_a_lasso_picks_what_it_encloses_and_shows_it_in_the_gallery(
    qtbot: QtBot, page: QualityPage, panel: MapPanel
) -> None:
    show_objects(qtbot, panel)
    shown = panel.shown
    assert shown is not None
    places = panel.map.view.places
    left, right = places[:, 0].min(), _widest_gap(places[:, 0])
    top, bottom = places[:, 1].min() - 5, places[:, 1].max() + 5
    drag_round(panel, [(left - 5, top), (right, top), (right, bottom), (left - 5, bottom)])
    inside = np.flatnonzero(places[:, 0] < right)
    assert panel.map.selected.tolist() == inside.tolist()
    assert len(panel.results.tiles) == len(inside)
    assert f"{len(inside)} picked: " in panel.results.heading.text()
    qtbot.waitUntil(lambda: bool(panel.results.grid.loaded), timeout=TIMEOUT_MS)
    QTest.mouseClick(panel.results.gallery, Qt.MouseButton.LeftButton)
    assert page.tabs.currentWidget() is page.gallery
    names = [each.picture.set_name for each in panel.results.tiles]
    n_wanted = max(names.count(""), names.count("made"))
    qtbot.waitUntil(lambda: len(page.gallery.grid.keys) == n_wanted, timeout=TIMEOUT_MS)


def test_that_keys_go_from_point_to_point_add_all_and_let_go(qtbot: QtBot, panel: MapPanel) -> None:
    panel.map.setFocus()
    QTest.keyClick(panel.map, Qt.Key.Key_Right)
    first = panel.map.selected.tolist()
    assert len(first) == 1
    QTest.keyClick(panel.map, Qt.Key.Key_Right)
    second = panel.map.selected.tolist()
    if second != first:  # unless it was the rightmost one
        assert panel.map.view.places[second[0], 0] > panel.map.view.places[first[0], 0]
    QTest.keyClick(panel.map, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(panel.map.selected) == N_FOVS + N_MADE
    QTest.keyClick(panel.map, Qt.Key.Key_Escape)
    assert not len(panel.map.selected)
    assert not panel.results.tiles
    before = panel.map.view.places[0].copy()
    QTest.keyClick(panel.map, Qt.Key.Key_Plus)
    assert not np.array_equal(panel.map.view.places[0], before)
    QTest.keyClick(panel.map, Qt.Key.Key_Home)
    assert panel.map.view.places[0] == pytest.approx(before)


def test_that_what_is_like_a_picked_object_is_shown_nearest_first(qtbot: QtBot, panel: MapPanel) -> None:
    show_objects(qtbot, panel)
    shown = panel.shown
    assert shown is not None
    QTest.mouseClick(panel.map, Qt.MouseButton.LeftButton, pos=at(panel, 0))
    picked = panel.results.chosen
    assert picked is not None
    QTest.keyClick(panel.map, Qt.Key.Key_S)
    qtbot.waitUntil(lambda: panel.results.heading.text().startswith("Most like"), timeout=TIMEOUT_MS)
    query, *found = panel.results.tiles
    assert (query.picture, query.is_query) == (picked, True)
    distances = [float(each.caption.split()[0]) for each in found]
    assert distances == sorted(distances)
    assert picked not in [each.picture for each in found]
    assert len(panel.map.selected) == len(found) + 1  # and itself
    assert panel.board.caption(picked) in found[0].caption  # a disc is most like a disc


def test_that_a_file_from_outside_that_is_dropped_finds_its_own_copy(
    qtbot: QtBot, window: MainWindow, panel: MapPanel, tmp_path: Path
) -> None:
    fov = window.workspace.require_project().fovs.list()[2]
    copy = tmp_path / "elsewhere.png"
    copy.write_bytes(Path(fov.path).read_bytes())
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(copy))])
    event = QDropEvent(
        QPointF(20, 20),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    panel.dropEvent(event)
    qtbot.waitUntil(lambda: "elsewhere.png" in panel.results.heading.text(), timeout=TIMEOUT_MS)
    nearest = panel.results.tiles[1]
    assert (nearest.picture.fov.id, nearest.caption.split()[0]) == (fov.id, "0.00")
    assert not panel.results.open.isEnabled()  # the file itself is selected, and belongs to nothing
    assert all(each.fov.id > 0 for each in panel.results.found)


def test_that_a_file_that_is_no_image_is_refused_in_words(
    qtbot: QtBot, panel: MapPanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Exception] = []
    monkeypatch.setattr("synthstudio.gui.errors.report", lambda error, **_: told.append(error))
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    panel.find_file(broken)
    qtbot.waitUntil(lambda: bool(told), timeout=TIMEOUT_MS)
    assert "broken.png" in str(told[0])


def test_that_a_double_click_shows_an_image_where_it_is_annotated_and_that_of_a_set_where_it_is_judged(
    qtbot: QtBot, window: MainWindow, panel: MapPanel
) -> None:
    shown = panel.shown
    assert shown is not None
    panel.results.open_picture(shown.pictures[-1])
    assert window.page(REVIEW).isVisible()
    window.show_page(QUALITY)
    own = next(row for row, each in enumerate(shown.pictures) if not each.set_name)
    panel.map.activated.emit(own)
    assert window.page(ANNOTATE).isVisible()
    assert window.workspace.current_fov_id == shown.pictures[own].fov.id


def test_that_new_marks_are_told_to_be_missing_and_an_update_is_queued(
    qtbot: QtBot, window: MainWindow, panel: MapPanel
) -> None:
    show_objects(qtbot, panel)
    project = window.workspace.require_project()
    mark = project.annotations.list(project.fovs.list()[0].id)[0]
    window.workspace.announce(project.annotations.update([mark.moved(4, 3)]))
    qtbot.waitUntil(lambda: "1 objects of the project are not on the map" in panel.state.text(), timeout=TIMEOUT_MS)
    n_runs = len(project.runs.list(kind="embed"))
    QTest.mouseClick(panel.settings_button, Qt.MouseButton.LeftButton)
    assert panel.side.isVisible()
    QTest.mouseClick(panel.update_button, Qt.MouseButton.LeftButton)
    runs = project.runs.list(kind="embed")
    assert len(runs) == n_runs + 1
    window.workspace.gpu_worker.cancel(runs[-1].id)
    ended = (RunStatus.CANCELLED, RunStatus.FINISHED)
    qtbot.waitUntil(lambda: project.runs.get(runs[-1].id).status in ended, timeout=TIMEOUT_MS)


def test_that_without_a_map_the_next_step_is_told(qtbot: QtBot, tmp_path: Path) -> None:
    project = build_engine_project(tmp_path, n_train=1, n_val=1, n_test=1)
    project.close()
    with open_window(qtbot, tmp_path / "private", project.folder) as opened:
        opened.show_page(QUALITY)
        page = opened.page(QUALITY)
        assert isinstance(page, QualityPage)
        page.show_map()
        assert page.map.empty.isVisible()
        assert page.map.empty.button.text() == "Make the map"
        assert not page.map.update_button.isVisible()


def test_that_the_selected_tile_of_the_gallery_is_searched_for(
    qtbot: QtBot, page: QualityPage, panel: MapPanel
) -> None:
    page.show_gallery()
    page.gallery.choose_view("objects")
    qtbot.waitUntil(lambda: len(page.gallery.grid.keys) > N_FOVS, timeout=TIMEOUT_MS)
    page.gallery.grid.select_key(page.gallery.grid.keys[3])
    mark_id = int(page.gallery.selected_rows.ids[0])
    QTest.keyClick(page.gallery.grid, Qt.Key.Key_S)
    assert page.tabs.currentWidget() is panel
    qtbot.waitUntil(lambda: panel.results.heading.text().startswith("Most like"), timeout=TIMEOUT_MS)
    query = panel.results.tiles[0].picture
    assert query.mark is not None
    assert query.mark.id == mark_id


def test_that_an_object_or_a_field_of_annotate_is_searched_for(qtbot: QtBot, window: MainWindow) -> None:
    window.show_page(ANNOTATE)
    view = annotate_page(window).view
    qtbot.waitUntil(lambda: annotate_page(window).shown_fov is not None, timeout=TIMEOUT_MS)
    fov = annotate_page(window).shown_fov
    assert fov is not None
    mark = window.workspace.require_project().annotations.list(fov.id)[0]
    view.set_selection([mark.id])
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    page = window.page(QUALITY)
    assert isinstance(page, QualityPage)
    qtbot.waitUntil(lambda: page.map.results.heading.text().startswith("Most like"), timeout=TIMEOUT_MS)
    assert page.map.isVisible()
    query = page.map.results.tiles[0].picture
    assert query.mark is not None
    assert query.mark.id == mark.id
    window.workspace.ask_for_similar(fov.id, None)
    qtbot.waitUntil(lambda: page.map.results.heading.text().startswith(f"Most like {fov.name}"), timeout=TIMEOUT_MS)


def test_that_without_a_map_a_search_makes_one_and_is_answered_then(qtbot: QtBot, tmp_path: Path) -> None:
    project = build_engine_project(tmp_path, n_train=2, n_val=1, n_test=1)
    project.close()
    with open_window(qtbot, tmp_path / "private", project.folder) as opened:
        opened.show_page(QUALITY)
        page = opened.page(QUALITY)
        assert isinstance(page, QualityPage)
        fov = opened.workspace.require_project().fovs.list()[1]
        opened.workspace.ask_for_similar(fov.id, None)
        qtbot.waitUntil(lambda: page.map.results.heading.text().startswith(f"Most like {fov.name}"), timeout=ENGINE_MS)
        assert page.map.shown is not None
        assert len(page.map.results.tiles) == 4
