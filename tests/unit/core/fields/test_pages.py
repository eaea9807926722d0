"""Which pages of a stack a user asks for."""

import pytest

from synthstudio.core.fields.pages import page_name, parse_pages
from synthstudio.domain.errors import UserError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all", [0, 1, 2, 3, 4, 5]),
        (" ", [0, 1, 2, 3, 4, 5]),
        ("3", [2]),
        ("2-4", [1, 2, 3]),
        ("1-6:2", [0, 2, 4]),
        ("5, 1, 4-5", [0, 3, 4]),
        ("4-99", [3, 4, 5]),
        ("7", []),
        ("9-12", []),
    ],
)
def test_that_pages_are_counted_from_one_and_come_in_order_once(text: str, expected: list[int]) -> None:
    assert parse_pages(text).pick(6) == expected


@pytest.mark.parametrize("text", ["0", "2-1", "one", "1-3:0", "1,,2", "-3", "1-2000000", "9999999999", "1;2"])
def test_that_what_is_no_list_of_pages_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="pages"):
        parse_pages(text)


def test_that_the_name_of_a_page_counts_from_one() -> None:
    assert page_name("stack.tif", 2) == "stack.tif [page 3]"
    assert page_name("stack.tif", None) == "stack.tif"
