"""Grad-CAM, Grad-CAM++ and LayerCAM: features of a layer, weighed by the gradient of the answer.

Selvaraju et al. 2017, Chattopadhyay et al. 2018, Jiang et al. 2021. Two things differ from the papers on purpose. The
maps keep their sign: negative is evidence against a class, as in the network's own maps. And the gradients here are
multiplied by the number of cells, so that a map does not fade as the image grows; with average pooling and a 1x1 head
Grad-CAM is then the class map itself.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn

from synthstudio.domain.errors import UserError
from synthstudio.engine.networks.base import ClassMapNetwork

GradientMethod = Literal["grad-cam", "grad-cam++", "layer-cam"]
SMALLEST_DENOMINATOR = 1e-6


class LayerTap:
    """What a layer put out in the last forward pass. The graph is cut there: gradients end in `features`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._features: Tensor | None = None

    @property
    def features(self) -> Tensor:
        """Features `(N, K, h, w)`. Raises UserError where the layer gives none."""
        if self._features is None:
            raise UserError(f'The layer "{self._name}" takes no part in the answer.', "Choose another layer.")
        return self._features

    def cut(self, _layer: nn.Module, _inputs: tuple[object, ...], output: object) -> Tensor:
        """Forward hook: keep the output, and let the network go on with a copy of it."""
        if not isinstance(output, Tensor) or output.ndim != 4:
            raise UserError(
                f'The layer "{self._name}" does not put out features on a grid.',
                "Choose a convolution or what follows it.",
            )
        self._features = output.detach().requires_grad_(torch.is_grad_enabled())
        return self._features.clone()  # the next layer may work in place


@contextmanager
def tapped(network: nn.Module, name: str) -> Iterator[LayerTap]:
    """Watch a layer; meanwhile no weight asks for a gradient, so that only what follows the layer is remembered."""
    tap = LayerTap(name)
    wanted = [each for each in network.parameters() if each.requires_grad]
    for each in wanted:
        each.requires_grad_(False)
    handle = find_layer(network, name).register_forward_hook(tap.cut)
    try:
        yield tap
    finally:
        handle.remove()
        for each in wanted:
            each.requires_grad_(True)


def find_layer(network: nn.Module, name: str) -> nn.Module:
    """A layer by its name in the network. Raises UserError where there is none, with names that are near."""
    layers: dict[str, nn.Module] = dict(network.named_modules())
    if not name or name not in layers:
        near = difflib.get_close_matches(name, [each for each in layers if each], n=6, cutoff=0.3)
        hint = f"Near: {', '.join(near)}." if near else "Leave the layer empty for the last one."
        raise UserError(f'The network has no layer "{name}".', hint)
    return layers[name]


def gradients(grids: list[Tensor], seeds: list[Tensor], features: Tensor, *, class_index: int) -> Tensor:
    """Gradient of one class's answer with respect to the features `(1, K, h, w)`.

    Args:
        grids: What the network pools, each `(1, C, h, w)`, with a graph from the features on.
        seeds: Gradient of the answers with respect to each of them, `(C, h, w)`.
        features: Where the graph begins.
        class_index: The class.

    Returns:
        `(K, h, w)`.
    """
    reached = [(grid, seed) for grid, seed in zip(grids, seeds, strict=True) if grid.requires_grad]
    if not reached:
        raise UserError("The chosen layer does not lead to the answer.", "Choose another layer.")
    with torch.enable_grad():
        answers = [grid[0, class_index] for grid, _ in reached]
    (found,) = torch.autograd.grad(answers, features, [seed[class_index] for _, seed in reached], retain_graph=True)
    return found[0]


def weight_terms(method: GradientMethod, found: Tensor, mean_features: Tensor) -> Tensor:
    """What is averaged over all cells to give the weights of a layer's channels.

    Args:
        method: "grad-cam" or "grad-cam++".
        found: Gradients `(K, h, w)`, times the number of cells.
        mean_features: Average of each channel over the image `(K,)`; only Grad-CAM++ needs them.

    Returns:
        `(K, h, w)`.
    """
    if method == "grad-cam":
        return found
    # alpha = g^2 / (2 g^2 + g^3 * sum A), and g is the true gradient times n: so sum A * g becomes mean A * found.
    denominator = 2.0 + mean_features[:, None, None] * found
    safe = torch.where(denominator.abs() < SMALLEST_DENOMINATOR, SMALLEST_DENOMINATOR, denominator)
    return found.clamp(min=0.0) / safe


def layer_cam(found: Tensor, features: Tensor) -> Tensor:
    """LayerCAM `(h, w)` from gradients and features `(K, h, w)`: each place has its own weights."""
    return (found.clamp(min=0.0) * features).sum(dim=0)


def layer_name(network: ClassMapNetwork, wanted: str) -> str:
    """The wanted layer, or the last one of features where none is named. Raises UserError for an unknown one."""
    name = wanted or network.feature_layer
    find_layer(network, name)
    return name
