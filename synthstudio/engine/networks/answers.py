"""From logits to answers between 0 and 1, from one half on a yes."""

from __future__ import annotations

import torch
from torch import Tensor

from synthstudio.settings.train_classifier import Task


def probabilities(logits: Tensor, task: Task) -> Tensor:
    """Answer per class, in 0-1.

    Args:
        logits: `(N, C)`; at least two classes where an image has one label.
        task: "multi-label": each class on its own. "single-label": each class against the strongest of the others,
            p_c / (p_c + max p_k) of their softmax p. With two classes that is the softmax itself; with more, one half
            is still where the class becomes the answer, so that thresholds, figures and pictures keep their meaning.

    Returns:
        `(N, C)`.
    """
    if task == "multi-label":
        return torch.sigmoid(logits)
    best = logits.topk(2, dim=1).values  # (N, 2)
    strongest_other = torch.where(logits >= best[:, :1], best[:, 1:], best[:, :1])
    return torch.sigmoid(logits - strongest_other)
