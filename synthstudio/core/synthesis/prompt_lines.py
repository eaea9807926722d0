"""Requests by prompts as lines of a manifest hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast, get_args

from synthstudio.domain.ids import FovId
from synthstudio.domain.prompts import PromptPlace, PromptRequest, SchedulerName
from synthstudio.domain.records import Box


def prompt_to_line(request: PromptRequest) -> dict[str, object]:
    """What a line says about a request; the FOV that it starts from is named as every source is."""
    line: dict[str, object] = {
        "prompt": request.prompt,
        "negative": request.negative,
        "settings": {
            "side": request.side,
            "steps": request.steps,
            "guidance": request.guidance,
            "scheduler": request.scheduler,
        },
    }
    place = request.place
    if place is not None:
        line["source_fovs"] = [place.fov_id]
        line["place"] = {
            "fov": place.fov_id,
            "window": _corners(place.window),
            "box": _corners(place.box) if place.box is not None else None,
            "strength": place.strength,
        }
    return line


def prompt_from_line(entry: Mapping[str, object]) -> PromptRequest:
    """Read a request. Raises ValueError, TypeError or KeyError where there is none."""
    settings, place = _object(entry["settings"]), entry.get("place")
    scheduler = str(settings["scheduler"])
    if scheduler not in get_args(SchedulerName):
        raise ValueError(f"the scheduler {scheduler} is not known")
    return PromptRequest(
        prompt=str(entry["prompt"]),
        side=int(str(settings["side"])),
        negative=str(entry["negative"]),
        steps=int(str(settings["steps"])),
        guidance=float(str(settings["guidance"])),
        scheduler=cast("SchedulerName", scheduler),
        place=_place(_object(place)) if place is not None else None,
    )


def _place(found: Mapping[str, object]) -> PromptPlace:
    box = found["box"]
    return PromptPlace(
        fov_id=FovId(int(str(found["fov"]))),
        window=_box(found["window"]),
        box=_box(box) if box is not None else None,
        strength=float(str(found["strength"])),
    )


def _object(found: object) -> Mapping[str, object]:
    if not isinstance(found, dict):
        raise TypeError("not an object")
    return found


def _corners(box: Box) -> list[float]:
    return [box.x0, box.y0, box.x1, box.y1]


def _box(found: object) -> Box:
    if not isinstance(found, Sequence):
        raise TypeError("not a box")
    x0, y0, x1, y1 = (float(each) for each in found)
    return Box(x0, y0, x1, y1)
