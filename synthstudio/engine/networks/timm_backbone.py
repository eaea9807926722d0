"""Any convolutional backbone of timm (Wightman 2019) by its name, with class maps.

Features are taken from the stage whose cells have the wanted size; what comes behind it is not built. Where the cells
lie on the image, and whether there is a distance beyond which nothing touches them, differs from backbone to backbone
and is measured.
"""

from __future__ import annotations

import difflib

import timm
import torch
from timm.models import FeatureInfo
from torch import Tensor, nn
from typing_extensions import override

from synthstudio.domain.errors import UserError
from synthstudio.engine.networks.backbone_cam import BackboneCam, centered_cam
from synthstudio.engine.networks.centered import measure_geometry
from synthstudio.settings.train_classifier import TIMM_PREFIX

TRIED_CELLS = (6, 9)
N_NEAR = 5
_REFUSALS = (AssertionError, RuntimeError, ValueError, TypeError, IndexError, KeyError, AttributeError)
"""What timm raises where a network cannot be taken apart, or takes images of one size only."""


class TimmStage(nn.Module):
    """One stage of a backbone, and all before it."""

    def __init__(self, name: str, stage: int) -> None:
        super().__init__()
        # Never `pretrained`: that would fetch a file from the network.
        self.stages: nn.Module = timm.create_model(name, pretrained=False, features_only=True, out_indices=(stage,))
        self._cut()

    def _cut(self) -> None:
        """Drop what timm leaves behind the stage in families that keep their layers in `blocks`."""
        blocks = getattr(self.stages, "blocks", None)
        last = _feature_info(self.stages).module_name()[-1].partition(".")
        if isinstance(blocks, nn.Sequential) and last[0] == "blocks" and last[2].isdigit():
            del blocks[int(last[2]) + 1 :]

    @override
    def forward(self, images: Tensor) -> Tensor:
        features: list[Tensor] = self.stages(images)
        return features[0]


def build_timm(name: str, n_classes: int, *, stride: int, pool: nn.Module, window_px: int) -> BackboneCam:
    """Build a network on the backbone `name`; `window_px` is the side of the training images.

    Raises:
        UserError: timm has no such backbone, or it has no stage with cells of `stride` px.
    """
    if not timm.is_model(name):
        near = difflib.get_close_matches(name, timm.list_models(), n=N_NEAR, cutoff=0.5)
        raise UserError(
            f"timm {timm.__version__} has no backbone {name!r}.",
            f"Near to it are {', '.join(TIMM_PREFIX + each for each in near)}." if near else "Look at timm's list.",
        )
    try:
        backbone, n_channels = _build_stage(name, stride)
    except _REFUSALS as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise UserError(
            f"The backbone {name} gives no class maps for images of any size ({reason}).",
            "Choose a convolutional one, for example timm:resnet50; a vision transformer is there as vit-b16.",
        ) from error
    geometry = measure_geometry(backbone, stride=stride)
    names = {_plain(own): own for own in _own_names(backbone)}
    return centered_cam(
        backbone,
        geometry,
        n_channels=n_channels,
        n_classes=n_classes,
        pool=pool,
        window_px=window_px,
        own_name=lambda given: names.get(_plain(given), given),
    )


def _build_stage(name: str, stride: int) -> tuple[TimmStage, int]:
    """The stage with cells of `stride` px and its number of channels, tried on two sizes."""
    with torch.device("meta"):  # only to be asked: no memory, no random numbers
        info = _feature_info(timm.create_model(name, pretrained=False, features_only=True))
    reductions = [int(each) for each in info.reduction()]
    if stride not in reductions:
        known = ", ".join(str(each) for each in sorted(set(reductions)))
        raise UserError(
            f"The backbone {name} has no stage with cells of {stride} px.", f"It has cells of {known} px: choose those."
        )
    # The last stage with such cells has seen most; some backbones have several.
    stage = len(reductions) - 1 - reductions[::-1].index(stride)
    backbone = TimmStage(name, stage)
    n_channels = int(info.channels()[stage])
    was_training = backbone.training
    with torch.no_grad():
        for cells in TRIED_CELLS:
            found = backbone.eval()(torch.zeros((1, 3, cells * stride, cells * stride)))
            if found.shape != (1, n_channels, cells, cells):
                raise ValueError(f"its features have the shape {tuple(found.shape)}")
    return backbone.train(was_training), n_channels


def _feature_info(network: nn.Module) -> FeatureInfo:
    info = network.feature_info
    if not isinstance(info, FeatureInfo):
        raise TypeError("it does not tell its stages")
    return info


def _own_names(backbone: nn.Module) -> list[str]:
    return [f"features.backbone.{name}" for name in backbone.state_dict()]


def _plain(name: str) -> str:
    """A name as both timm's whole networks and their stages alone have it: these join the parts by underscores."""
    return name.removeprefix("features.backbone.stages.").replace(".", "_")
