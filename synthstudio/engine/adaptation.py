"""Batch normalisation brought to another kind of images than those of the training (AdaBN, Li et al. 2016).

Li, Wang, Shi, Liu, Hou: Revisiting Batch Normalization for Practical Domain Adaptation, arXiv:1603.04779. Weights stay;
only the running mean and variance of each normalisation are measured anew, on images whose labels are not looked at.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from synthstudio.domain.progress import Tick, no_tick
from synthstudio.engine.data.batches import Normalization

IMAGES_AT_ONCE = 64


def has_statistics(network: nn.Module) -> bool:
    """Whether a network has batch normalisations with running statistics."""
    return bool(_norms(network))


@torch.no_grad()
def adapt_statistics(
    network: nn.Module,
    pixels: NDArray[np.uint8],
    normalization: Normalization,
    device: torch.device,
    tick: Tick = no_tick,
) -> None:
    """Measure the running statistics of all batch normalisations anew; the network is in eval mode afterwards.

    Args:
        network: Changed in place.
        pixels: `(N, S, S, 3)` uint8, in any order; at least two images.
        normalization: That of the training.
        device: Of the network.
        tick: Called once per batch.
    """
    network.eval()
    norms = _norms(network)
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # torch's word for the plain mean over all batches
        norm.train()
    # Batches of one kind each, as FOVs come, would weigh a last small one like the others: so all are alike.
    parts = np.array_split(np.random.default_rng(0).permutation(len(pixels)), max(1, len(pixels) // IMAGES_AT_ONCE))
    for done, part in enumerate(parts):
        tick(done, len(parts))
        network(normalization.apply(torch.from_numpy(np.array(pixels[np.sort(part)])), device))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.eval()


def _norms(network: nn.Module) -> list[_BatchNorm]:
    return [each for each in network.modules() if isinstance(each, _BatchNorm) and each.track_running_stats]
