"""Batch normalisation over the whole batch where several processes each see a part of it."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from typing_extensions import override


def share_statistics(network: nn.Module) -> None:
    """Let the batch normalisations of a network see the images of all processes; names and weights stay.

    Only plain `BatchNorm2d` layers are changed: a library's own, which do more, go on with their part of the batch.
    """
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.BatchNorm2d:
                setattr(parent, name, _shared(child))


def _shared(norm: nn.BatchNorm2d) -> nn.Module:
    # torch's own is faster, but knows GPUs only.
    kind = nn.SyncBatchNorm if norm.running_mean is not None and norm.running_mean.is_cuda else SharedBatchNorm
    made = kind(
        norm.num_features,
        eps=norm.eps,
        momentum=norm.momentum,
        affine=norm.affine,
        track_running_stats=norm.track_running_stats,
    )
    made.weight, made.bias = norm.weight, norm.bias
    made.running_mean, made.running_var = norm.running_mean, norm.running_var
    made.num_batches_tracked = norm.num_batches_tracked
    made.training = norm.training
    return made


class SharedBatchNorm(nn.BatchNorm2d):
    """`BatchNorm2d` whose mean and variance are those of all processes' images; each has as many of them."""

    @override
    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        values = input.float()  # (N, C, H, W)
        n_values = values.numel() // values.shape[1] * dist.get_world_size()
        mean = _summed(values.sum((0, 2, 3))) / n_values  # (C,)
        centered = values - mean[:, None, None]
        variance = _summed(centered.square().sum((0, 2, 3))) / n_values
        self._remember(mean.detach(), variance.detach() * (n_values / max(1, n_values - 1)))
        scale = torch.rsqrt(variance + self.eps)
        if self.affine:
            scaled: Tensor = centered * (scale * self.weight)[:, None, None] + self.bias[:, None, None]
        else:
            scaled = centered * scale[:, None, None]
        return scaled.to(input.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked += 1
        share = self.momentum if self.momentum is not None else 1.0 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance, share)


def _summed(values: Tensor) -> Tensor:
    total: Tensor = _Sum.apply(values)
    return total


class _Sum(torch.autograd.Function):
    """Sum over the processes, with its gradient."""

    @staticmethod
    def forward(ctx: FunctionCtx, values: Tensor) -> Tensor:
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> Tensor:
        total = gradient.contiguous().clone()
        dist.all_reduce(total)
        return total
