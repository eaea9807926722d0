"""Where the demo project lies, and its making on first use."""

from __future__ import annotations

from pathlib import Path

import platformdirs


def demo_folder() -> Path:
    """Folder of this user's demo project."""
    return platformdirs.user_data_path("synthstudio", appauthor=False) / "demo"
