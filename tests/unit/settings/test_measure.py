import pytest

from synthstudio.domain.errors import UserError
from synthstudio.settings.measure import MeasureSettings
from synthstudio.settings.recipe import recipe_from_toml


def test_that_a_set_and_a_gan_are_not_measured_at_once() -> None:
    with pytest.raises(UserError) as caught:
        recipe_from_toml({"kind": "measure", "set_name": "made", "run": "r"}, origin="mine.toml")
    assert caught.value.message == "mine.toml: name a set or a run to measure, not both."


def test_that_nothing_named_means_the_newest_gan() -> None:
    settings = MeasureSettings()
    assert (settings.set_name, settings.run) == ("", "")
