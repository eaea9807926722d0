"""Images with one label: which count, and what is said about the others."""

import numpy as np
import pytest

from synthstudio.core.training.single_label import (
    choose_validation,
    label_weights,
    left_out_warning,
    show_one_class,
)
from synthstudio.domain.errors import UserError

PRESENCE = np.array([[1, 0, 0], [0, 0, 0], [1, 1, 0], [0, 0, 1]], bool)


def test_that_an_image_with_no_class_or_several_has_no_label() -> None:
    assert show_one_class(PRESENCE).tolist() == [True, False, False, True]
    assert choose_validation(PRESENCE).tolist() == [0, 3]
    with pytest.raises(UserError, match="None of the 2 validation images"):
        choose_validation(PRESENCE[1:3])
    with pytest.raises(UserError, match="two classes"):
        choose_validation(PRESENCE[:, :1])


def test_that_images_that_are_left_out_are_counted() -> None:
    assert left_out_warning(PRESENCE[[0, 3]]) == ""
    assert left_out_warning(PRESENCE).startswith("2 of the first 4 training images")
    assert "one object" not in left_out_warning(PRESENCE)
    assert "one object" in left_out_warning(PRESENCE[1:])
    with pytest.raises(UserError, match="None of the first 2 training images"):
        left_out_warning(PRESENCE[1:3])


def test_that_weights_let_all_labels_count_the_same() -> None:
    shares = np.array([0.5, 0.25, 0.25])
    assert label_weights(shares) * shares == pytest.approx([1 / 3] * 3)
    assert label_weights(np.array([1.0, 0.0])) == pytest.approx([0.5, 1.0])
    assert label_weights(np.array([0.999, 0.001]))[1] == 10.0
