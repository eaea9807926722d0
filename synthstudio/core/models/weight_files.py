"""Which files of a part of a diffusers folder hold its weights."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from synthstudio.core.models.tensor_files import PICKLES, SUFFIX
from synthstudio.domain.errors import UserError

STEMS = {"unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model", "text_encoder": "model"}
"""Parts of a Stable Diffusion that are networks, and how their files of weights begin."""
HALF = "fp16"


@dataclass(frozen=True, slots=True)
class WeightFiles:
    """The weights of one network: one file, or several with an index.

    Attributes:
        variant: Middle part of the names, "fp16", where only half precision is there; else None.
        files: .safetensors files and their index, absolute.
    """

    variant: str | None
    files: tuple[Path, ...]

    @property
    def tensors(self) -> tuple[Path, ...]:
        """The .safetensors files alone."""
        return tuple(each for each in self.files if each.suffix == SUFFIX)


def find_weight_files(folder: Path, stem: str) -> WeightFiles:
    """Choose the files with weights in a folder: full precision before half; others, as "non_ema", are left alone.

    Raises:
        UserError: There are none, or only pickles.
    """
    names = sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []
    for variant in (None, HALF):
        middle = f"{stem}.{variant}" if variant else stem
        # Parts of several are called "model-00001-of-00002.safetensors" or "model.fp16-00001-of-00002.safetensors".
        pattern = re.compile(rf"{re.escape(middle)}(-\d+-of-\d+)?\.safetensors")
        chosen = [name for name in names if pattern.fullmatch(name)]
        if chosen:
            index = f"{stem}.safetensors.index.{variant}.json" if variant else f"{stem}.safetensors.index.json"
            chosen += [index] if index in names else []
            return WeightFiles(variant, tuple(folder / name for name in chosen))
    if any(name.lower().endswith(PICKLES) for name in names):
        raise UserError(
            f"The weights in {folder} are a pickle, which can run any code when it is read.",
            "Convert it on a machine you trust: load it there with diffusers or transformers, then"
            " save_pretrained(..., safe_serialization=True).",
        )
    raise UserError(f"There are no weights in {folder}.", "Copy the .safetensors file of this part there.")
