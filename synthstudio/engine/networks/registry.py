"""All networks by name."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from synthstudio.domain.errors import UserError
from synthstudio.engine.networks.base import AveragePool, ClassMapNetwork, LsePool, MaxPool
from synthstudio.engine.networks.small_cam import SmallCam
from synthstudio.engine.networks.vgg16_branches import Vgg16Branches

SMALL_OBJECT_PX = 16.0
"""An object smaller than two cells of 8 px gets cells of 4 px.

On BCCD, whose platelets are 21 px at the working scale, cells of 4 px were no better over two seeds (macro F1 .858 and
centre F1 of platelets .75, against .865 and .76 with 8 px) and took 1.5 times as long.
"""

STRIDES = (4, 8, 16)
NETWORKS: dict[str, Callable[[int, int, nn.Module], ClassMapNetwork]] = {
    "small-cam": lambda n_classes, stride, pool: SmallCam(n_classes, stride=stride, pool=pool),
    "vgg16-branches": lambda n_classes, stride, pool: Vgg16Branches(n_classes, stride=stride, pool=pool),
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
    name: str, n_classes: int, *, stride: int = 8, pooling: str = "lse", sharpness: float = 5.0, seed: int = 0
) -> ClassMapNetwork:
    """Build a network with random weights that depend on the seed alone.

    Raises:
        UserError: The name, the pooling or the stride is unknown.
    """
    if name not in NETWORKS:
        raise UserError(f"There is no network {name!r}.", f"Known: {', '.join(NETWORKS)}.")
    if stride not in STRIDES:
        raise UserError(f"A class map with cells of {stride} px is not offered.", f"Known: {STRIDES}.")
    with torch.random.fork_rng():
        torch.manual_seed(seed)  # inside fork_rng: the global generator is as before afterwards
        return NETWORKS[name](n_classes, stride, build_pool(pooling, sharpness=sharpness))


def choose_stride(wanted: str, *, smallest_px: float) -> int:
    """Turn "auto" or a number into a stride for objects of which the smallest has this size at the working scale."""
    if wanted == "auto":
        return 4 if smallest_px < SMALL_OBJECT_PX else 8
    return int(wanted)


def load_backbone(network: ClassMapNetwork, tensors: dict[str, torch.Tensor], *, source: str) -> int:
    """Put pretrained backbone weights (torchvision's names) into a network; return how many tensors fitted.

    Raises:
        UserError: None of them fits.
    """
    own = network.state_dict()
    fitting = {
        name: tensor
        for name, tensor in tensors.items()
        if name.startswith("features.") and name in own and own[name].shape == tensor.shape
    }
    if not any(name.endswith("weight") for name in fitting):
        raise UserError(
            f"The weights in {source} do not fit this network.", "Use torchvision's VGG16 (with batch norm) weights."
        )
    network.load_state_dict({**own, **fitting})
    return len(fitting)
