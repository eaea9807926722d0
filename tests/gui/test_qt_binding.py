"""The Qt binding itself: PySide6 6.12.0 dropped a reference to None in every call that returns nothing."""

import sys

from PySide6.QtCore import QObject


def test_that_calls_that_return_nothing_leave_the_reference_count_of_none_alone() -> None:
    probe = QObject()
    probe.setObjectName("warm")
    before = sys.getrefcount(None)
    for _ in range(500):
        probe.setObjectName("again")
    assert abs(sys.getrefcount(None) - before) < 100
