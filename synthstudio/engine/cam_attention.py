"""Where a network with attention looks: its evidence, followed back through the attention of all blocks.

After Chefer et al. 2021: in each block the attention is weighed by its gradient, what is positive is averaged over the
heads, and the blocks are chained. There the answer comes from one class token. Here it comes from class maps of the
patches, so each patch's evidence is spread over the places that it attended to; the evidence as a whole stays the same,
and so does its scale.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from synthstudio.domain.errors import UserError
from synthstudio.engine.cam_seeds import relative_gradient


@runtime_checkable
class AttentionNetwork(Protocol):
    """A network that can show its attention."""

    pool: nn.Module

    def maps_with_attention(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Class maps `(N, C, h, w)`, and `(N, heads, T, T)` of each block: the last h * w of T tokens are patches."""
        ...


def require_attention(network: nn.Module) -> AttentionNetwork:
    """The network, if it has attention. Raises UserError otherwise."""
    if not isinstance(network, AttentionNetwork):
        raise UserError(
            'The method "attention" is for networks with attention, such as vit-b16; this run\'s has none.',
            "Choose another method.",
        )
    return network


def attention_maps(network: AttentionNetwork, images: Tensor) -> Tensor:
    """Maps `(N, C, h, w)` of images `(N, 3, H, W)`; never negative, 0 without evidence."""
    with torch.enable_grad():
        maps, attention = network.maps_with_attention(images)
        answers = network.pool(maps).sum(dim=0)  # (C,)
        # An answer is an average over the patches: times their number, each patch's own share is of the order of 1.
        wanted = [answer * (maps.shape[2] * maps.shape[3]) for answer in answers]
    n, n_classes, height, width = maps.shape
    found = torch.empty_like(maps, requires_grad=False)
    for class_index in range(n_classes):
        gradients = torch.autograd.grad(wanted[class_index], attention, retain_graph=True)
        chained = _chain(attention, gradients)[:, -height * width :, -height * width :]
        for number in range(n):
            whole = maps[number, class_index : class_index + 1].detach()
            share, _ = relative_gradient(whole, network.pool, window=max(height, width))
            evidence = (share * whole).clamp(min=0.0).flatten()
            found[number, class_index] = (evidence @ chained[number]).reshape(height, width)
    return found


@torch.no_grad()
def _chain(attention: list[Tensor], gradients: tuple[Tensor, ...]) -> Tensor:
    """From which token `(N, T, T)` each token's content comes; rows sum to 1."""
    identity = torch.eye(attention[0].shape[-1], device=attention[0].device)
    chained = identity.expand(len(attention[0]), -1, -1)
    for weights, gradient in zip(attention, gradients, strict=True):
        chained = chained + (weights * gradient).clamp(min=0.0).mean(dim=1) @ chained
    return chained / chained.sum(dim=-1, keepdim=True)
