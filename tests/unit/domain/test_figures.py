"""Figures and intervals in words."""

from synthstudio.domain.figures import change_interval_text, change_text, figure_text, interval_text


def test_that_a_figure_is_written_with_its_interval_where_it_has_one() -> None:
    assert figure_text(0.8691, (0.841, 0.9)) == "0.869 (0.84–0.90)"
    assert figure_text(0.8691) == "0.869"
    assert figure_text(0.8691, digits=2) == "0.87"
    assert figure_text(15.0, (10.6, 18.6), digits=1) == "15.0 (10.6–18.6)"
    assert figure_text(None, (0.1, 0.2)) == "n/a"
    assert interval_text(None) == ""


def test_that_ends_of_differences_keep_their_signs_apart() -> None:
    assert change_text(-0.021, (-0.038, 0.004)) == "-0.021 (-0.038 to +0.004)"
    assert change_text(0.5, None) == "+0.500"
    assert change_text(None) == "n/a"
    assert change_interval_text(None) == ""
