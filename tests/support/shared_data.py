"""Real images that lie beside the project, never in it: tests that use them skip, loudly, where they are absent."""

import os
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("SYNTHSTUDIO_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))


def shared_data(name: str) -> Path:
    """Return the folder of a real data set, for example "bccd"; skip the calling test where it is absent."""
    folder = ROOT / name
    if not folder.is_dir():
        pytest.skip(f"REAL DATA ABSENT: {folder} does not exist, this test proved nothing")
    return folder
