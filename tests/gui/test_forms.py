"""Forms over real settings models, with real widgets."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from synthstudio.domain.errors import UserError
from synthstudio.gui import errors
from synthstudio.gui.forms import PresetBar, SettingsForm, list_presets
from synthstudio.gui.forms.controls import SuggestionControl
from synthstudio.gui.forms.numbers import NumberControl
from synthstudio.gui.pages.train.round_side import RoundSide
from synthstudio.gui.widgets import saving
from synthstudio.gui.widgets.section import Section
from synthstudio.settings.base import JobSettings
from synthstudio.settings.compose import ComposeSettings
from synthstudio.settings.generate import GenerateSettings
from synthstudio.settings.recipe import read_recipe
from synthstudio.settings.registry import SETTINGS_BY_RECIPE_KIND
from synthstudio.settings.resources import resource_path
from synthstudio.settings.schema import setting_specs
from synthstudio.settings.train_classifier import NETWORK_NAMES, TrainClassifierSettings
from synthstudio.settings.train_diffusion import TrainDiffusionSettings


@pytest.fixture
def form(qtbot: QtBot) -> SettingsForm[ComposeSettings]:
    made = SettingsForm(ComposeSettings, choices={"composition.classes": [("RBC", "RBC"), ("WBC", "WBC")]})
    qtbot.addWidget(made)
    return made


@pytest.mark.parametrize("model", SETTINGS_BY_RECIPE_KIND.values(), ids=list(SETTINGS_BY_RECIPE_KIND))
def test_that_every_settings_model_yields_a_form_that_gives_back_its_defaults(
    qtbot: QtBot, model: type[JobSettings]
) -> None:
    form = SettingsForm(model)
    qtbot.addWidget(form)
    assert form.settings() == model()
    assert set(form.rows) == {spec.path for spec in setting_specs(model)}
    assert not [row.spec.name for row in form.rows.values() if row.is_changed()]


def test_that_every_recipe_goes_through_its_form_unchanged(qtbot: QtBot) -> None:
    for kind, model in SETTINGS_BY_RECIPE_KIND.items():
        for preset in list_presets(kind):
            form = SettingsForm(model)
            qtbot.addWidget(form)
            form.set_settings(preset.settings)
            assert form.settings() == preset.settings, preset.title


def test_that_a_change_is_told_once_with_the_new_settings(qtbot: QtBot, form: SettingsForm[ComposeSettings]) -> None:
    told: list[ComposeSettings] = []
    form.settings_changed.connect(told.append)
    form.show_value("composition.n_objects_max", 33)
    assert [each.composition.n_objects_max for each in told] == [33]


def test_that_a_changed_value_is_marked_and_its_reset_brings_the_default_back(
    form: SettingsForm[ComposeSettings],
) -> None:
    row = form.rows["composition", "feather"]
    form.show_value("composition.feather", 0.4)
    assert row.is_changed()
    assert not row.reset.isHidden()
    row.reset.click()
    assert form.settings() == ComposeSettings()
    assert row.reset.isHidden()


def test_that_an_impossible_combination_is_said_at_its_group_and_gives_no_settings(
    form: SettingsForm[ComposeSettings],
) -> None:
    form.show_value("composition.n_objects_min", 30)
    assert form.find_settings() is None
    with pytest.raises(UserError):
        form.settings()
    shown = form._group_errors["composition",]
    assert "30" in shown.text()
    assert not shown.isHidden()
    form.show_value("composition.n_objects_max", 40)
    assert shown.isHidden()
    assert form.settings().composition.n_objects_min == 30


def test_that_an_impossible_value_is_said_at_its_row(form: SettingsForm[ComposeSettings]) -> None:
    form.show_value("set_name", "not a/name")
    row = form.rows["set_name",]
    assert not row.error.isHidden()
    assert row.control.property("invalid")
    form.show_value("set_name", "a-name")
    assert row.error.isHidden()


def test_that_all_classes_ticked_means_all_there_will_ever_be(form: SettingsForm[ComposeSettings]) -> None:
    assert form.settings().composition.classes == ()
    form.show_value("composition.classes", ("WBC",))
    assert form.settings().composition.classes == ("WBC",)
    form.set_choices("composition.classes", [(name, name) for name in ("RBC", "WBC", "Platelets")])
    assert form.settings().composition.classes == ("WBC",)


def test_that_the_slider_and_the_box_of_a_number_agree(form: SettingsForm[ComposeSettings]) -> None:
    control = form.rows["composition", "max_overlap"].control
    assert isinstance(control, NumberControl)
    assert control.slider is not None
    control.slider.setValue(500)
    assert form.settings().composition.max_overlap == pytest.approx(0.5)
    form.show_value("composition.max_overlap", 0.9)
    assert control.slider.value() == 900


def test_that_units_stand_in_the_box_and_ranges_in_the_help(form: SettingsForm[ComposeSettings]) -> None:
    row = form.rows["composition", "canvas_px"]
    assert isinstance(row.control, NumberControl)
    assert row.control.box.text() == "384 px"
    assert "Range 32 to 8192 px" in row.label.toolTip()


def test_that_the_wheel_scrolls_the_form_instead_of_changing_a_setting(form: SettingsForm[ComposeSettings]) -> None:
    form.show()
    control = form.rows["composition", "canvas_px"].control
    assert isinstance(control, NumberControl)
    control.box.clearFocus()
    turn = QWheelEvent(
        QPointF(5, 5),
        QPointF(5, 5),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(control.box, turn)
    assert form.settings() == ComposeSettings()


def test_that_advanced_settings_are_behind_a_disclosure(form: SettingsForm[ComposeSettings]) -> None:
    form.resize(340, 900)
    form.show()
    assert form.rows["composition", "n_objects_max"].isVisible()
    assert not form.rows["composition", "tries"].isVisible()


def test_that_presets_come_from_the_recipes_and_the_one_in_force_is_shown(qtbot: QtBot) -> None:
    presets = list_presets("compose")
    assert len(presets) == len(list(Path(resource_path("recipes")).glob("compose*.toml")))
    bar = PresetBar(presets, ComposeSettings(), find_settings=ComposeSettings)
    qtbot.addWidget(bar)
    paper = next(each for each in presets if "classification" in each.title)
    bar.show_match(paper.settings)
    assert bar.combo.currentText() == paper.title
    assert isinstance(paper.settings, ComposeSettings)
    bar.show_match(paper.settings.model_copy(update={"count": 3}))
    assert bar.combo.currentText() == "Own settings"


def test_that_a_recipe_is_saved_and_opened_again_with_every_setting(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = ComposeSettings.model_validate({"seed": 7, "count": 12, "composition": {"clustering": 0.4, "tries": 3}})
    bar = PresetBar(list_presets("compose"), ComposeSettings(), find_settings=lambda: mine)
    qtbot.addWidget(bar)
    path = tmp_path / "mine é.toml"
    monkeypatch.setattr(saving, "choose_file", lambda _parent, _name, _filters, chosen: chosen(path))
    bar.save_action.trigger()
    assert read_recipe(path) == mine
    with qtbot.waitSignal(bar.recipe_opened) as opened:
        bar.open_recipe(path)
    assert opened.args == [mine]


@pytest.mark.parametrize("text", ["seed = ", 'kind = "train-classifier"', 'kind = "compose"\ncuont = 3'])
def test_that_a_recipe_that_does_not_fit_is_refused_in_words(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    told: list[BaseException] = []
    monkeypatch.setattr(errors, "report", lambda error, parent: told.append(error))
    bar = PresetBar(list_presets("compose"), ComposeSettings(), find_settings=lambda: None)
    qtbot.addWidget(bar)
    path = tmp_path / "other.toml"
    path.write_text(text)
    with qtbot.assertNotEmitted(bar.recipe_opened):
        bar.open_recipe(path)
    bar.save_action.trigger()  # the form is not valid
    assert [type(each) for each in told] == [UserError, UserError]


def test_that_rows_out_of_sight_are_built_when_their_section_is_unfolded(qtbot: QtBot) -> None:
    form = SettingsForm(ComposeSettings)
    qtbot.addWidget(form)
    changed = ComposeSettings.model_validate({"composition": {"tries": 7}})
    form.set_settings(changed)
    form.show()
    assert ("composition", "canvas_px") in form._rows
    assert ("composition", "tries") not in form._rows
    assert form.settings() == changed
    advanced = next(each for each, waiting in form._unfilled.items() if ("composition", "tries") in waiting.paths)
    assert isinstance(advanced, Section)
    advanced.set_folded(False)
    assert form._rows["composition", "tries"].control.value() == 7


def test_that_an_error_in_a_folded_section_unfolds_it(qtbot: QtBot) -> None:
    form = SettingsForm(ComposeSettings)
    qtbot.addWidget(form)
    form.sections["composition",].set_folded(True)
    form.show_value("composition.n_objects_min", 30)
    assert not form.sections["composition",].is_folded


def test_that_a_network_is_chosen_from_the_list_or_written_by_its_name(qtbot: QtBot) -> None:
    form = SettingsForm(TrainClassifierSettings)
    qtbot.addWidget(form)
    form.show()
    row = form.rows["network", "name"]
    assert isinstance(row.control, SuggestionControl)
    combo = row.control.combo
    assert [combo.itemText(index) for index in range(4)] == list(NETWORK_NAMES)
    combo.setCurrentIndex(3)
    assert form.settings().network.name == "vit-b16"
    line = combo.lineEdit()
    assert line is not None
    line.selectAll()
    qtbot.keyClicks(line, "timm:regnety_004")
    assert form.settings().network.name == "timm:regnety_004"
    qtbot.keyClicks(line, "!")
    assert form.find_settings() is None
    assert "timm:regnety_004!" in row.error.text()
    row.reset.click()
    assert form.settings() == TrainClassifierSettings()


def test_that_a_list_with_nothing_to_choose_is_not_shown_until_there_is(form: SettingsForm[ComposeSettings]) -> None:
    form.show()
    row = form.row(("composition", "classes"))
    form.set_choices("composition.classes", ())
    assert row.isHidden()
    form.set_choices("composition.classes", [("RBC", "RBC")])
    assert not row.isHidden()


def test_that_a_nought_that_is_no_quantity_is_written_in_words(qtbot: QtBot) -> None:
    form = SettingsForm(GenerateSettings)
    qtbot.addWidget(form)
    control = form.row(("prompts", "side_px")).control
    assert isinstance(control, NumberControl)
    assert control.box.text() == "as trained"
    control.show_value(512)
    assert control.box.text() == "512 px"


def test_that_rounds_show_how_the_chosen_kind_of_model_is_trained(qtbot: QtBot) -> None:
    side = RoundSide()
    qtbot.addWidget(side)
    side.show()
    classifier, detector = side.form.sections["classifier",], side.form.sections["detector",]
    assert classifier.isHidden()
    assert not detector.isHidden()
    assert not detector.is_folded
    side.form.show_value("task", "classifier")
    assert detector.isHidden()
    assert not classifier.isHidden()
    assert not classifier.is_folded
    assert side.form.sections["classifier", "composition"].is_folded


def test_that_what_a_form_begins_with_is_no_change_and_is_what_a_reset_brings_back(qtbot: QtBot) -> None:
    start = GenerateSettings(generator="diffusion", set_name="prompts")
    form = SettingsForm(GenerateSettings, start, choices={"model": [("one", "one"), ("two", "two")]})
    qtbot.addWidget(form)
    assert not [row.spec.name for row in form.rows.values() if row.is_changed()]
    row = form.row(("set_name",))
    assert "Default: prompts." in row.help
    form.show_value("set_name", "others")
    assert row.is_changed()
    row.reset.click()
    assert form.settings().set_name == "prompts"


def test_that_a_default_that_is_not_offered_is_no_way_back(qtbot: QtBot) -> None:
    form = SettingsForm(TrainDiffusionSettings, choices={"guides": ()})
    qtbot.addWidget(form)
    row = form.row(("guides",))
    form.set_choices("guides", [("arms", "arms"), ("legs", "legs")])
    form.show_value("guides", "legs")
    assert form.settings().guides == "legs"
    assert not row.is_changed()
    form.set_choices("guides", [("", "any"), ("arms", "arms"), ("legs", "legs")])
    form.show_value("guides", "arms")
    assert row.is_changed()
    row.reset.click()
    assert form.settings().guides == ""
