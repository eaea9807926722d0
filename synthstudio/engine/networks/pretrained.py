"""Weights that somebody else has trained, from a local safetensors file into the backbone of a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name

from synthstudio.domain.errors import UserError
from synthstudio.engine.networks.base import ClassMapNetwork

PLACES = ".pos_embedding"
"""End of the name of position embeddings, one for each place of a grid."""

NO_WEIGHTS = (".num_batches_tracked", ".n_passes", ".chance")
"""Ends of names of what belongs to a training, not to what has been learned."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How pretrained weights fitted.

    Attributes:
        n_taken: Tensors that are now in the network.
        n_left: Tensors of the file that it has no place for: mostly a head for other classes.
    """

    n_taken: int
    n_left: int


def load_backbone(network: ClassMapNetwork, tensors: Mapping[str, torch.Tensor], *, source: str) -> Fit:
    """Put pretrained weights (named as torchvision or timm names them) into a network's backbone, all or nothing.

    Raises:
        UserError: The file lacks a tensor of the backbone, or one has another shape: a backbone that is half random
            would train as if it were pretrained, only worse.
    """
    own = network.state_dict()
    given = {network.own_name(name): tensor for name, tensor in tensors.items()}
    backbone = [name for name in own if name.startswith("features.")]
    needed = [name for name in backbone if not name.endswith(NO_WEIGHTS)]
    taken = {name: _fitted(name, given[name], own[name]) for name in backbone if name in given}
    wrong = [name for name in needed if name not in taken or taken[name].shape != own[name].shape]
    if wrong:
        found = "is missing" if wrong[0] not in taken else f"has the shape {tuple(taken[wrong[0]].shape)}"
        raise UserError(
            f"The weights in {source} do not fit this network: {len(needed) - len(wrong)} of {len(needed)} tensors of"
            f" its backbone fit; {wrong[0].removeprefix('features.')} {found}.",
            "Choose a safetensors file of this very network, as torchvision names it; files of timm fit timm:NAME.",
        )
    network.load_state_dict({**own, **taken})
    return Fit(len(taken), len(tensors) - len(taken))


def _fitted(name: str, tensor: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
    """Bring position embeddings `(1, 1 + n, K)` of a network for images of another size to its grid."""
    if not name.endswith(PLACES) or tensor.ndim != own.ndim or tensor.shape[2] != own.shape[2]:
        return tensor
    sides = [round((each.shape[1] - 1) ** 0.5) for each in (tensor, own)]
    if sides[0] == sides[1] or sides[0] ** 2 + 1 != tensor.shape[1]:
        return tensor
    places = tensor[:, 1:].float().transpose(1, 2).reshape(1, -1, sides[0], sides[0])
    moved = F.interpolate(places, size=(sides[1], sides[1]), mode="bicubic", align_corners=False)
    return torch.cat([tensor[:, :1].float(), moved.flatten(2).transpose(1, 2)], dim=1)
