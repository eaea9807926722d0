"""All networks by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from synthstudio.domain.errors import UserError
from synthstudio.engine.networks.base import AveragePool, ClassMapNetwork, LsePool, MaxPool
from synthstudio.engine.networks.mobilenet_v3 import build_mobilenet_v3
from synthstudio.engine.networks.small_cam import SmallCam
from synthstudio.engine.networks.vgg16_branches import Vgg16Branches
from synthstudio.engine.networks.vit import PATCH_PX, VitCam
from synthstudio.settings.train_classifier import TIMM_PREFIX

SMALL_OBJECT_PX = 16.0
"""An object smaller than two cells of 8 px gets cells of 4 px.

On BCCD, whose platelets are 21 px at the working scale, cells of 4 px were no better over two seeds (macro F1 .858 and
centre F1 of platelets .75, against .865 and .76 with 8 px) and took 1.5 times as long.
"""

STRIDES = (4, 8, 16)


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """What a network is built from.

    Attributes:
        n_classes: Of the answer.
        stride: Px per cell.
        pool: From maps to logits.
        side: Of the training images in px: networks whose cells see everything read whole images in windows of it.
        attention_dropout: Share of the attention that is dropped in a training, where there is attention.
    """

    n_classes: int
    stride: int
    pool: nn.Module
    side: int
    attention_dropout: float


NETWORKS: dict[str, Callable[[NetworkPlan], ClassMapNetwork]] = {
    "small-cam": lambda plan: SmallCam(plan.n_classes, stride=plan.stride, pool=plan.pool),
    "vgg16-branches": lambda plan: Vgg16Branches(plan.n_classes, stride=plan.stride, pool=plan.pool),
    "mobilenet-v3": lambda plan: build_mobilenet_v3(
        plan.n_classes, stride=plan.stride, pool=plan.pool, window_px=plan.side
    ),
    "vit-b16": lambda plan: VitCam(
        plan.n_classes,
        stride=plan.stride,
        pool=plan.pool,
        window_px=plan.side,
        attention_dropout=plan.attention_dropout,
    ),
}


def build_pool(name: str, *, sharpness: float) -> nn.Module:
    """Build a pooling from class maps to logits. Raises UserError for an unknown name."""
    pools: dict[str, Callable[[], nn.Module]] = {
        "lse": lambda: LsePool(sharpness),
        "gap": AveragePool,
        "max": MaxPool,
    }
    if name not in pools:
        raise UserError(f"There is no pooling {name!r}.", f"Known: {', '.join(pools)}.")
    return pools[name]()


def build_network(
    name: str,
    n_classes: int,
    *,
    stride: int = 8,
    pooling: str = "lse",
    sharpness: float = 5.0,
    side: int = 128,
    attention_dropout: float = 0.0,
    seed: int = 0,
) -> ClassMapNetwork:
    """Build a network with random weights that depend on the seed alone.

    Raises:
        UserError: The name, the pooling or the stride is unknown.
    """
    if name not in NETWORKS and not name.startswith(TIMM_PREFIX):
        raise UserError(f"There is no network {name!r}.", f"Known: {', '.join(NETWORKS)}, {TIMM_PREFIX}NAME.")
    if stride not in STRIDES:
        raise UserError(f"A class map with cells of {stride} px is not offered.", f"Known: {STRIDES}.")
    pool = build_pool(pooling, sharpness=sharpness)
    with torch.random.fork_rng():
        torch.manual_seed(seed)  # inside fork_rng: the global generator is as before afterwards
        if name in NETWORKS:
            return NETWORKS[name](NetworkPlan(n_classes, stride, pool, side, attention_dropout))
        return _build_timm(name.removeprefix(TIMM_PREFIX), n_classes, stride=stride, pool=pool, side=side)


def _build_timm(name: str, n_classes: int, *, stride: int, pool: nn.Module, side: int) -> ClassMapNetwork:
    # Here, not above: it takes a second to load, and no other network needs it.
    from synthstudio.engine.networks.timm_backbone import build_timm  # noqa: PLC0415

    return build_timm(name, n_classes, stride=stride, pool=pool, window_px=side)


def choose_stride(wanted: str, *, smallest_px: float, network: str = "small-cam") -> int:
    """Turn "auto" or a number into a stride.

    Args:
        wanted: "auto" or px.
        smallest_px: Size of the smallest class at the working scale.
        network: Name of the network; a vision transformer has cells of its own.
    """
    if wanted != "auto":
        return int(wanted)
    if network == "vit-b16":
        return PATCH_PX
    return 4 if smallest_px < SMALL_OBJECT_PX else 8
