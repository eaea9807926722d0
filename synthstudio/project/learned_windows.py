"""The real squares that stand behind generated images: what their generator has learned from."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pydantic import ValidationError

from synthstudio.core.synthesis.guide_crops import guide_window
from synthstudio.core.synthesis.origins import MapOrigin, PromptOrigin, read_origin
from synthstudio.core.synthesis.set_header import SetHeader
from synthstudio.core.training.diffusion_card import read_diffusion_card
from synthstudio.domain.errors import NotFound, UserError
from synthstudio.domain.ids import FovId, RunId
from synthstudio.domain.records import CropSquare, FieldOfView
from synthstudio.project.guide_material import list_guide_crops
from synthstudio.project.project import Project
from synthstudio.project.region_crops import CropSplit, RegionCropPlans, list_region_crops
from synthstudio.settings.train_gan import TrainGanSettings
from synthstudio.settings.train_patch_diffusion import TrainPatchDiffusionSettings

REGION_SETTINGS: dict[str, type[TrainGanSettings] | type[TrainPatchDiffusionSettings]] = {
    "train-gan": TrainGanSettings,
    "train-patch-diffusion": TrainPatchDiffusionSettings,
}


@dataclass(frozen=True, slots=True)
class RealWindow:
    """A square of an FOV, in full-resolution px."""

    fov: FieldOfView
    window: CropSquare


def plan_region_windows(project: Project, run_id: str, *, split: CropSplit) -> RegionCropPlans | None:
    """Plan the crops that a generator asked by maps learns from on a split; None where its settings are not known.

    Raises:
        UserError: There is nothing to learn from on the split.
    """
    try:
        run = project.runs.get(RunId(run_id))
        settings = REGION_SETTINGS[run.kind].model_validate(json.loads(run.settings_json))
    except (NotFound, KeyError, ValidationError, ValueError):
        return None
    return list_region_crops(project, settings, split=split)


def list_learned_windows(project: Project, header: SetHeader) -> list[RealWindow]:
    """List the squares that the generators behind a set learned from, as far as they are still in the project.

    Crops are planned anew: where annotations have changed since, so have they. Of a training that has gone, the middles
    of its images are listed.

    Raises:
        UserError: The header of the set is damaged.
    """
    fovs = {fov.id: fov for fov in project.fovs.list()}
    found: list[RealWindow] = []
    for key, entry in header.generators.items():
        try:
            origin = read_origin(key, entry)
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"The header of the set is damaged: {error}.", "Write the set again.") from error
        known = {FovId(each) for each in origin.source_fovs} & fovs.keys()
        windows = _guide_windows(project, origin) if isinstance(origin, PromptOrigin) else _crops(project, origin, fovs)
        windows = [each for each in windows if each.fov.id in known]
        found += windows or [RealWindow(fovs[each], guide_window(fovs[each], None)) for each in sorted(known)]
    return found


def _guide_windows(project: Project, origin: PromptOrigin) -> list[RealWindow]:
    try:
        guide_set = project.guides.get(read_diffusion_card(project.run_folder(RunId(origin.run))).guide_set)
    except UserError:
        return []
    crops = list_guide_crops(project, guide_set)
    return [RealWindow(each.fov, guide_window(each.fov, each.guide.box)) for each in crops]


def _crops(project: Project, origin: MapOrigin, fovs: dict[FovId, FieldOfView]) -> list[RealWindow]:
    try:
        plans = plan_region_windows(project, origin.run, split="train")
    except UserError:
        return []  # nothing of what it learned from has a region any more
    crops = plans.crops if plans is not None else ()
    return [RealWindow(fovs[each.fov_id], each.window) for each in crops if each.fov_id in fovs]
