"""What accelerate does for a training: precision, several processes, and what these say to one another."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Literal

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import GradientAccumulationPlugin, broadcast, broadcast_object_list
from torch import Tensor, nn
from torch.distributed import DistError

from synthstudio.domain.errors import UserError
from synthstudio.protocol.messages import JobRequest, decode_request, encode

Precision = Literal["fp32", "bf16", "fp16"]
LONGEST_WAIT = timedelta(hours=6)
"""While the main process validates, cuts or waits for a slow disk, the others wait for it."""


def build_accelerator(precision: Precision, device: torch.device) -> Accelerator:
    """Build what takes the steps of a training on a device.

    Raises:
        UserError: The device cannot compute in this precision.
    """
    if precision == "fp16" and device.type == "cpu":
        raise UserError("A processor does not train in fp16.", "Choose bf16 or fp32, or a GPU.")
    mode = "no" if precision == "fp32" else precision
    # accelerate knows one precision per process, whereas a search, or a test, has many trainings in one.
    if AcceleratorState._shared_state and AcceleratorState().mixed_precision != mode:
        AcceleratorState._reset_state()
    return Accelerator(
        mixed_precision=mode,
        cpu=device.type == "cpu",
        device_placement=False,  # the job has put everything where it belongs
        # As a plugin, since a number would give way to the user's own configuration of accelerate.
        gradient_accumulation_plugin=GradientAccumulationPlugin(num_steps=1),
    )


class Team:
    """This process and the others of its training; most often it is alone."""

    def __init__(self, accelerator: Accelerator) -> None:
        self._accelerator = accelerator
        self._is_alone = accelerator.num_processes == 1

    def agree(self, *, goes_on: bool) -> bool:
        """What the main process says; the others ask with any answer of their own."""
        if self._is_alone:
            return goes_on
        said = torch.tensor([int(goes_on)], device=self._accelerator.device)
        return bool(broadcast(said).item())

    def mean(self, value: Tensor) -> float:
        """Mean of a scalar over the processes."""
        if self._is_alone:
            return float(value.item())
        return float(self._accelerator.reduce(value.detach().float(), reduction="mean").item())

    def is_lost(self, error: RuntimeError) -> bool:
        """Whether an error says that another process can no longer be reached."""
        words = str(error)
        return not self._is_alone and (isinstance(error, DistError) or "gloo" in words or "NCCL" in words)

    def keeps_apart(self, objective: nn.Module, *, is_last: bool) -> AbstractContextManager[object]:
        """Within this, gradients are gathered in this process alone, except for the last part of a batch."""
        return nullcontext() if self._is_alone or is_last else self._accelerator.no_sync(objective)


def join(device: str) -> str:
    """Join the processes of this training; return the device that is this one's.

    Raises:
        UserError: The device wanted is not one that the processes can share, or accelerate was told to divide the
            network itself.
    """
    divided = [each for each in ("DEEPSPEED", "FSDP") if _is_set(f"ACCELERATE_USE_{each}")]
    if divided:
        raise UserError(
            f"Networks of this size are not divided over GPUs, as {divided[0]} would.",
            "Start with `accelerate launch --multi_gpu`, which gives each GPU its part of the images.",
        )
    on_cpu = not torch.cuda.is_available() or _is_set("ACCELERATE_USE_CPU")
    if device not in ("auto", "cpu" if on_cpu else "cuda"):
        raise UserError(
            f"Several processes cannot all train on {device}.",
            "Leave the device at auto; `accelerate launch --cpu` keeps to the processors.",
        )
    # Where it is unset, accelerate would count the cores by itself, and warn.
    os.environ.setdefault("OMP_NUM_THREADS", str(torch.get_num_threads()))
    return str(PartialState(cpu=on_cpu, timeout=LONGEST_WAIT).device)


def _is_set(name: str) -> bool:
    return os.environ.get(name, "").lower() in ("1", "true", "yes")


def share_request(request: JobRequest) -> str:
    """As the main process: join the others and tell them what to do; return the device."""
    device = join(request.device)
    broadcast_object_list([encode(request)])
    return device


def receive_request() -> tuple[JobRequest, str]:
    """As one of the others: join them, wait for what is to be done; return it and the device."""
    device = join("auto")
    told: list[bytes] = [b""]
    broadcast_object_list(told)
    return decode_request(told[0]), device
