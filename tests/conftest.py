"""For all tests: properties are judged by their truth, not by the speed of the machine that checks them."""

import gc
import itertools
import os
import socket
import sys

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


OWN_MACHINE = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "::", "", socket.gethostname()}
"""Where processes of one training find each other."""
_strangers: list[str] = []


def _refuse_strangers(event: str, arguments: tuple[object, ...]) -> None:
    """Let no test speak to another machine; those of whole commands watch over their processes themselves."""
    address = arguments[1] if event == "socket.connect" else arguments[0] if event == "socket.getaddrinfo" else None
    host = address[0] if isinstance(address, tuple) else address if event == "socket.getaddrinfo" else None
    if isinstance(host, str) and host not in OWN_MACHINE:
        _strangers.append(host)
        raise PermissionError(f"A test would speak to {host}.")


sys.addaudithook(_refuse_strangers)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Tell who was spoken to, also where the refusal was swallowed; collect what the test has left."""
    strangers = _strangers.copy()
    _strangers.clear()
    assert strangers == []
    gc.collect(2 if next(_numbers) % TESTS_A_FULL_COLLECTION == 0 else 1)
