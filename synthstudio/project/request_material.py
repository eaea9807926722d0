"""What the training images of a project show, as far as requests to a generator depend on it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from synthstudio.core.synthesis.requests import Cell, RequestMaterial, Shape
from synthstudio.core.training.map_card import MapCard, coding_of
from synthstudio.domain.maps import UNKNOWN_TONE
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.project.patches import list_train_fovs
from synthstudio.project.project import Project
from synthstudio.project.region_crops import list_region_crops
from synthstudio.settings.region_crops import WindowSettings


@dataclass(frozen=True, slots=True)
class _Learned:
    """What the crops of a trained generator followed from."""

    classes: tuple[str, ...]
    crops: WindowSettings
    seed: int
    validation_share: float = 0.2


def read_request_material(project: Project, card: MapCard, *, tick: Tick = no_tick) -> RequestMaterial:
    """Count what training images show, and take the shapes of regions from crops cut as the generator's own were.

    Raises:
        UserError: The project has no training image with a region of these conditions, or another tone scale.
    """
    learned = _Learned(card.class_names, card.crops, card.seed)
    plans = list_region_crops(project, learned, split="train", coding=coding_of(card), tick=tick)
    shapes: dict[str, list[Shape]] = {name: [] for name in card.class_names}
    for crop in plans.crops:
        for region in crop.request.regions:
            side = crop.request.side
            shapes[region.class_name].append((region.box.width / side, region.box.height / side))
    return RequestMaterial(
        class_names=card.class_names,
        tone_levels=card.tone_levels,
        has_unknown=card.has_unknown_tone,
        counts=count_shown(project, card.class_names),
        shapes={name: tuple(each) for name, each in shapes.items()},
        region_counts=tuple(len(crop.request.regions) for crop in plans.crops),
    )


def count_shown(project: Project, class_names: tuple[str, ...]) -> dict[Cell, int]:
    """How many training images show each condition in each tone; pairs that none shows are left out."""
    names = {each.id: each.name for each in project.classes.list() if each.name in class_names}
    by_fov = project.annotations.by_fov()
    counts: Counter[Cell] = Counter()
    for fov in list_train_fovs(project):
        shown = {names[mark.class_id] for mark in by_fov.get(fov.id, []) if mark.class_id in names}
        counts.update((name, fov.tone or UNKNOWN_TONE) for name in shown)
    return dict(counts)
