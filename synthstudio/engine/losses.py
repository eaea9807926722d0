"""What the training of a classifier minimises."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from numpy.typing import NDArray
from torch import Tensor

from synthstudio.core.training.class_weights import even_probabilities, positive_weights
from synthstudio.core.training.single_label import label_weights
from synthstudio.engine.data.batches import Normalization
from synthstudio.engine.networks.base import ClassMapNetwork
from synthstudio.settings.train_classifier import LossSettings

Loss = Callable[[Tensor, Tensor], Tensor]
"""Maps images and labels, as batches give them, to a scalar."""


def class_weights(settings: LossSettings, shares: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Weights `(C,)` of the images that show a class, from the shares of them; None where all count the same."""
    if settings.balance != "weights":
        return None
    return positive_weights(shares) if settings.task == "multi-label" else label_weights(shares)


def even_answers(settings: LossSettings, shares: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Answers `(C,)` from which on a class is rather there than not; None where the balance leaves no such number."""
    if settings.balance == "sampling":
        return None
    weights = class_weights(settings, shares)
    if weights is None:
        return np.full(len(shares), 0.5)
    return even_probabilities(weights) if settings.task == "multi-label" else None


def build_loss(
    settings: LossSettings,
    network: ClassMapNetwork,
    normalization: Normalization,
    device: torch.device,
    *,
    shares: NDArray[np.float64],
) -> Loss:
    """Build the loss of a training, whose images show the classes in these shares, `(C,)`."""
    weights = class_weights(settings, shares)
    build = presence_loss if settings.task == "multi-label" else label_loss
    return build(network, normalization, device, weights=weights)


def presence_loss(
    network: ClassMapNetwork,
    normalization: Normalization,
    device: torch.device,
    *,
    weights: NDArray[np.float64] | None = None,
) -> Loss:
    """Cross entropy of each class's answer on its own: an image may hold several classes, or none.

    Args:
        network: What answers.
        normalization: Of its input.
        device: Where it is.
        weights: How much an image with a class counts against one without it, `(C,)`.
    """
    positive = None if weights is None else torch.tensor(weights, dtype=torch.float32, device=device)

    def loss(images: Tensor, labels: Tensor) -> Tensor:
        logits, _ = network(normalization.apply(images, device))
        return F.binary_cross_entropy_with_logits(logits, labels.to(device), pos_weight=positive)

    return loss


def label_loss(
    network: ClassMapNetwork,
    normalization: Normalization,
    device: torch.device,
    *,
    weights: NDArray[np.float64] | None = None,
) -> Loss:
    """Cross entropy of the softmax over the images that show exactly one class; the arguments of `presence_loss`."""
    by_class = None if weights is None else torch.tensor(weights, dtype=torch.float32, device=device)

    def loss(images: Tensor, labels: Tensor) -> Tensor:
        # The others go through the network, too: batches of one size keep the normalisations steady.
        logits, _ = network(normalization.apply(images, device))
        labels = labels.to(device)
        usable = labels.sum(dim=1) == 1
        if not bool(usable.any()):
            nothing: Tensor = logits.sum() * 0.0
            return nothing
        found: Tensor = F.cross_entropy(logits[usable], labels[usable].argmax(dim=1), weight=by_class)
        return found

    return loss
