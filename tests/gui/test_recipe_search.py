"""The recipe search in the Train workspace: started from its form, read from its table, used in other forms."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from synthstudio.core.training.recipe_ranking import RecipeScores, RecipeTable, Trial, rank_recipes
from synthstudio.core.training.recipe_tables import write_tables
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import RunStatus, changes
from synthstudio.gui.forms.lines import LinesControl
from synthstudio.gui.pages.generate import GeneratePage
from synthstudio.gui.pages.train import TrainPage
from synthstudio.gui.workspace import Workspace
from synthstudio.protocol.messages import MetricLogged, StageChanged
from synthstudio.protocol.results import SearchRecipesResult
from synthstudio.settings.search_recipes import SearchRecipesSettings
from tests.support.engine_project import build_engine_project
from tests.support.scripted_engine import scripted_engine
from tests.support.windows import make_project, open_window

WAIT_MS = 20_000
RUN = RunId("20260101-000000-search-recipes-0001")
SETTINGS = SearchRecipesSettings(
    grid=("composition.canvas=matched,black", "composition.blend=paste,feather"), rounds=1, seed=4
)


def make_table(n_recipes: int = 4) -> RecipeTable:
    """The later in the grid, the better, but the first two are tied."""
    leads = (0.60, 0.70, 0.80, 0.801)
    trials = [
        Trial(
            choices=choices,
            steps=40,
            seed=seed,
            scores=RecipeScores(macro_f1=lead + seed * 0.01 * (number % 2), pointing=lead, center_f1=None),
            seconds=2.5,
        )
        for number, (choices, lead) in enumerate(zip(SETTINGS.recipes()[:n_recipes], leads, strict=False))
        for seed in range(2)
    ]
    return RecipeTable(
        varied=("composition.canvas", "composition.blend"),
        recipes=rank_recipes(trials, n_seeds=2),
        n_trials=2 * n_recipes,
        n_planned=8,
        n_images=7,
        n_samples=5,
        scale=0.5,
        notes=("Mind the notes.",),
    )


def store_search(
    workspace: Workspace,
    *,
    status: RunStatus = RunStatus.FINISHED,
    run_id: RunId = RUN,
    n_recipes: int = 4,
) -> None:
    project = workspace.require_project()
    project.runs.add(run_id, kind="search-recipes", title="", settings_json=SETTINGS.model_dump_json())
    folder = project.run_folder(run_id)
    (folder / "trials").mkdir(parents=True)
    table = make_table(n_recipes)
    write_tables(folder, table)
    if status is RunStatus.RUNNING:
        project.runs.set_running(run_id)
    elif status is RunStatus.FINISHED:
        summary = SearchRecipesResult(table=table, seconds=20.0).model_dump_json()
        project.runs.set_ended(run_id, status, summary_json=summary)
    else:
        (folder / "trials" / "one.json").write_text("{}")
        project.runs.set_ended(run_id, status, message="The engine was killed.", hint="Resume it.")
    workspace.announce(changes("runs"))


@pytest.fixture
def workspace(qtbot: QtBot, tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(engine_command=scripted_engine("patient"), preferences_file=tmp_path / "preferences.toml")
    project = build_engine_project(tmp_path, n_train=2, n_val=1, n_test=1)
    folder = project.folder
    project.close()
    made.open_project(folder)
    yield made
    made.shut_down()


@pytest.fixture
def page(qtbot: QtBot, workspace: Workspace) -> TrainPage:
    made = TrainPage(workspace)
    qtbot.addWidget(made)
    made.resize(1100, 700)
    made.show()
    made.tabs.setCurrentWidget(made.search)
    return made


def wait_for_rows(qtbot: QtBot, page: TrainPage, count: int) -> None:
    qtbot.waitUntil(lambda: page.search.panel.table.rowCount() == count, timeout=WAIT_MS)


def choose_row(qtbot: QtBot, page: TrainPage, row: int) -> None:
    table = page.search.panel.table
    place = table.visualRect(table.model().index(row, 0)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place))


def test_that_a_search_is_started_from_its_form_and_gives_the_room_to_its_table(
    qtbot: QtBot, page: TrainPage, workspace: Workspace
) -> None:
    panel = page.search.panel
    qtbot.waitUntil(lambda: not panel.empty.button.isHidden(), timeout=WAIT_MS)
    assert panel.stack.currentWidget() is panel.empty
    assert page.side.isHidden()
    qtbot.mouseClick(panel.empty.button, Qt.MouseButton.LeftButton)
    assert page.side.isVisible()
    side = page.search.form
    side.form.show_value("grid", SETTINGS.grid)
    side.form.show_value("seeds", 3)
    assert "4 with 60 steps, 2 with 120 steps, 2 with 240 steps; 3 trainings" in side.effort.text()
    qtbot.mouseClick(side.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.chosen is not None, timeout=WAIT_MS)
    (run,) = workspace.require_project().runs.list(kind="search-recipes")
    stored = SearchRecipesSettings.model_validate_json(run.settings_json)
    assert (stored.grid, stored.seeds) == (SETTINGS.grid, 3)
    assert page.side.isHidden()
    assert panel.stack.currentWidget() is panel.content


def test_that_a_grid_that_cannot_be_tried_is_told_at_its_place_and_not_started(qtbot: QtBot, page: TrainPage) -> None:
    page.search.open_form()
    side = page.search.form
    side.form.show_value("grid", ("composition.canva=black",))
    row = side.form.rows["grid",]
    assert "did you mean composition.canvas?" in row.error.text()
    assert not side.start.isEnabled()
    side.form.show_value("grid", ("composition.canvas=black",))
    assert row.error.isHidden()
    assert side.start.isEnabled()


def test_that_settings_to_vary_are_offered_with_their_values(qtbot: QtBot, page: TrainPage) -> None:
    page.search.open_form()
    control = page.search.form.form.row(("grid",)).control
    assert isinstance(control, LinesControl)
    offer = next(each for each in control.menu.actions() if each.text() == "Composition: Patch shape")
    offer.trigger()
    assert control.value() == (*SearchRecipesSettings().grid, "composition.mask=square, rounded, ellipse")
    assert page.search.form.form.find_settings() is not None


def test_that_the_ranking_tells_ties_and_undefined_figures(qtbot: QtBot, page: TrainPage, workspace: Workspace) -> None:
    store_search(workspace)
    wait_for_rows(qtbot, page, 4)
    head, first, second, third, _ = page.search.panel.table.texts()
    assert head[0] == "Recipe"
    assert first[0] == "1. black, feather"
    assert first[3] == ""
    assert second[0] == "2. black, paste"
    assert second[3].startswith("≈ ")
    assert not third[3].startswith("≈")
    assert first[6] == "n/a"
    assert "7 validation images of 5 samples" in page.search.panel.state.text()
    assert page.search.panel.notes.text() == "Mind the notes."


def test_that_a_recipe_goes_into_the_form_of_the_training(qtbot: QtBot, page: TrainPage, workspace: Workspace) -> None:
    store_search(workspace)
    wait_for_rows(qtbot, page, 4)
    choose_row(qtbot, page, 2)
    qtbot.mouseClick(page.search.panel.train, Qt.MouseButton.LeftButton)
    settings = page.form.settings()
    assert (settings.composition.canvas, settings.composition.blend) == ("matched", "feather")
    assert settings.optimization.steps == 700
    assert page.tabs.currentWidget() is page.curves
    assert page.side.currentWidget() is page.form_side


def test_that_a_running_search_shows_what_it_has_so_far(qtbot: QtBot, page: TrainPage, workspace: Workspace) -> None:
    store_search(workspace, status=RunStatus.RUNNING, n_recipes=2)
    wait_for_rows(qtbot, page, 2)
    assert "4 of 8 trainings" in page.search.panel.state.text()
    stage = StageChanged(text="Round 1 of 1, recipe 3 of 4: canvas black, blend paste")
    workspace.gpu_worker.event_received.emit(RUN, stage)
    assert page.search.panel.state.text() == stage.text
    write_tables(workspace.require_project().run_folder(RUN), make_table(3))
    workspace.gpu_worker.event_received.emit(RUN, MetricLogged(name="score", step=6, value=0.8))
    wait_for_rows(qtbot, page, 3)


def test_that_a_killed_search_is_resumed(qtbot: QtBot, page: TrainPage, workspace: Workspace) -> None:
    store_search(workspace, status=RunStatus.FAILED, n_recipes=2)
    wait_for_rows(qtbot, page, 2)
    panel = page.search.panel
    assert panel.resume.isVisible()
    assert "The engine was killed." in panel.trouble.text()
    qtbot.mouseClick(panel.resume, Qt.MouseButton.LeftButton)
    runs = workspace.require_project().runs
    qtbot.waitUntil(lambda: runs.get(RUN).status is RunStatus.RUNNING, timeout=WAIT_MS)
    assert [each.id for each in runs.list()] == [RUN]
    qtbot.waitUntil(panel.resume.isHidden, timeout=WAIT_MS)


def test_that_a_newer_search_is_shown_when_it_begins_and_the_chosen_one_stays_otherwise(
    qtbot: QtBot, page: TrainPage, workspace: Workspace
) -> None:
    store_search(workspace)
    wait_for_rows(qtbot, page, 4)
    later = RunId("20260101-000009-search-recipes-0002")
    store_search(workspace, status=RunStatus.RUNNING, run_id=later, n_recipes=1)
    wait_for_rows(qtbot, page, 1)
    page.search.panel.choice.setCurrentIndex(1)
    wait_for_rows(qtbot, page, 4)
    with qtbot.waitSignal(page.search.panel.selection_changed, timeout=WAIT_MS):
        workspace.announce(changes("runs"))
    assert page.search.panel.chosen is not None
    assert page.search.panel.chosen.run.id == RUN


def test_that_the_best_recipe_is_used_in_generate_by_the_palettes_action(qtbot: QtBot, tmp_path: Path) -> None:
    with open_window(qtbot, tmp_path / "private", make_project(tmp_path / "study")) as window:
        window.show_page(3)
        train = window.page(3)
        assert isinstance(train, TrainPage)
        store_search(window.workspace)
        window.registry.action("train.search").trigger()
        assert train.tabs.currentWidget() is train.search
        wait_for_rows(qtbot, train, 4)
        window.registry.refresh()
        window.registry.action("train.recipe_to_generate").trigger()
        generate = window.page(1)
        assert isinstance(generate, GeneratePage)
        assert window.place == 1
        settings = generate.compositing.form.settings()
        assert (settings.composition.canvas, settings.composition.blend) == ("black", "feather")
        assert (settings.composition.canvas_px, settings.patches.scale) == (128, 0.5)
        assert settings.seed == 0  # the form's own
        assert window.workspace.offered_recipe is None
        qtbot.waitUntil(lambda: generate.compositing.loader.bank is not None, timeout=WAIT_MS)
