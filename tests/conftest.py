"""For all tests: properties are judged by their truth, not by the speed of the machine that checks them."""

import gc
import itertools
import os

# Before anything imports a library that would ask a model hub, as in the engine.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

import pytest
from hypothesis import settings

settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

# As in the application (`synthstudio.gui.garbage`): a collection in a thread of background work would destroy widgets
# there. Here the collector's place is between two tests.
gc.disable()
TESTS_A_FULL_COLLECTION = 50
_numbers = itertools.count(1)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Collect what the test has left, after its fixtures."""
    gc.collect(2 if next(_numbers) % TESTS_A_FULL_COLLECTION == 0 else 1)
