"""Where the files that come with the program, and its demo project, lie."""

from pathlib import Path
from typing import Literal

import platformdirs

Journey = Literal["clicks", "gan"]
"""What a demo project is for: clicks on microscope fields, or boxes on photographs of skin for the GAN."""

_PACKAGED = Path(__file__).parents[1] / "resources"
_IN_CHECKOUT = Path(__file__).parents[2] / "resources"


def resource_path(name: str) -> Path:
    """Return the path of a file or folder of resources/, from an installed wheel as well as from a checkout."""
    return (_PACKAGED if _PACKAGED.is_dir() else _IN_CHECKOUT) / name


def demo_folder(journey: Journey = "clicks") -> Path:
    """Return the folder of this user's demo project of a journey, which the window and the command share."""
    name = "demo" if journey == "clicks" else "demo-skin"
    return platformdirs.user_data_path("synthstudio", appauthor=False) / name
