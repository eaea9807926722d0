"""What can be done with the look of the viewer and with its measuring tools, as data."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.pages.annotate.looking import Looking, Switch

VIEW = "View"
_SWITCHES: tuple[tuple[Switch, str, str, str, str], ...] = (
    ("dims_others", "Dim other classes", "Alt+H", "mdi6.circle-opacity", "The current class stands out"),
    ("shows_one", "Show only the current class", "Shift+H", "mdi6.eye-settings-outline", "It follows the class keys"),
    ("crosshair", "Crosshair through the pointer", "X", "mdi6.plus", ""),
    ("loupe", "Loupe beside the pointer", "Z", "mdi6.magnify-expand", "Its power is set under Display"),
    ("grid", "Grid for reading", "G", "mdi6.grid", "The size of its tiles is set under Display"),
)


def looking_actions(looking: Looking, has_fov: Callable[[], bool]) -> list[ActionSpec]:
    """Switches of the look, and the way from tile to tile."""
    switches = [
        ActionSpec(
            f"annotate.{switch}",
            text,
            partial(looking.toggle, switch),
            key,
            icon,
            VIEW,
            has_fov,
            checked_when=lambda switch=switch: bool(getattr(looking.look, switch)),  # type: ignore[misc]
            tip=tip,
        )
        for switch, text, key, icon, tip in _SWITCHES
    ]
    return [
        *switches,
        ActionSpec(
            "annotate.next_tile",
            "Next unread tile",
            looking.show_next_tile,
            "E",
            "mdi6.page-next-outline",
            VIEW,
            has_fov,
            tip="Marks the present tile as read",
        ),
        ActionSpec("annotate.clear_tiles", "Mark all tiles unread", looking.clear_tiles, "", "", VIEW, has_fov),
    ]
