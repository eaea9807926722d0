"""What a folder or a file with weights is, from its contents; what it is not used for is refused with the reason."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from synthstudio.core.imaging import translate_os_error
from synthstudio.core.models.diffusers_folders import recognise_folder
from synthstudio.core.models.image_networks import is_published_inception, name_network
from synthstudio.core.models.ldm_files import is_ldm_file, recognise_ldm_file
from synthstudio.core.models.licences import find_licence
from synthstudio.core.models.tensor_files import PICKLES, SUFFIX, TensorFile, read_tensor_file
from synthstudio.core.models.what import Recognised, weights_in_words
from synthstudio.domain.errors import UserError
from synthstudio.domain.models import ModelKind

_BODY = re.compile(r"body\.(\d+)\.(weight|bias)")


@dataclass(frozen=True, slots=True)
class Found:
    """A recognised model with what belongs to it.

    Attributes:
        path: Its folder, or its one file; absolute.
        what: What it is.
        files: Absolute paths of all that belongs to it.
        licence: Text, or name, of its licence; empty where none was found.
    """

    path: Path
    what: Recognised
    files: tuple[Path, ...]
    licence: str


def recognise_model(path: Path) -> Found:
    """Tell what is at a path.

    Raises:
        UserError: Nothing, a pickle, something damaged, or nothing that is used here.
    """
    path = path.expanduser().resolve()
    if not path.exists():
        raise UserError(f"There is nothing at {path}.", "Name a diffusers folder or a .safetensors file.")
    try:
        if path.is_dir():
            return _found_in_folder(path)
        what, metadata = _recognise_file(path)
        # What stands beside a single file belongs to it only where it carries its name.
        return Found(path, what, (path, *_beside(path)), find_licence((path,), metadata))
    except OSError as error:
        raise translate_os_error(error, path) from error


def _found_in_folder(folder: Path) -> Found:
    if (folder / "model_index.json").is_file() or (folder / "unet").is_dir():
        what, files = recognise_folder(folder)
        return Found(folder, what, files, find_licence(files, {}))
    alone = sorted(each for each in folder.iterdir() if each.suffix == SUFFIX)
    if len(alone) == 1:
        what, metadata = _recognise_file(alone[0])
        texts = sorted(each for each in folder.iterdir() if each.is_file())
        return Found(alone[0], what, (alone[0], *_beside(alone[0])), find_licence(texts, metadata))
    if alone:
        raise UserError(
            f"{folder} holds {len(alone)} .safetensors files and no model_index.json.",
            f"Name the file itself: {', '.join(each.name for each in alone[:4])}.",
        )
    if any(each.suffix.lower() in PICKLES for each in folder.iterdir()):
        raise UserError(
            f"{folder} holds weights only as pickles, which are never opened here.",
            "Ask for .safetensors files, or convert them on a machine you trust.",
        )
    raise UserError(
        f"{folder} holds no model.",
        "A diffusers folder has a model_index.json and folders such as unet; or name a .safetensors file.",
    )


def _beside(file: Path) -> tuple[Path, ...]:
    """The .yaml that comes with single files of Stable Diffusion 2 and says what they predict."""
    yaml = file.with_suffix(".yaml")
    return (yaml,) if yaml.is_file() else ()


def _recognise_file(path: Path) -> tuple[Recognised, dict[str, str]]:
    file = read_tensor_file(path)
    return recognise_tensors(file, path), dict(file.metadata)


def recognise_tensors(file: TensorFile, path: Path) -> Recognised:
    """Tell what a single file is.

    Raises:
        UserError: It is nothing that is used here.
    """
    if is_ldm_file(file):
        return recognise_ldm_file(file, path)
    if upscaler := _compact_upscaler(file):
        return upscaler
    _refuse_what_is_known(file, path)
    name = name_network(file)
    if not name:
        raise UserError(
            f"The tensors in {path.name} are those of no model that is used here.",
            "Known are Stable Diffusion 1.x and 2.x, its x4 upscaler, compact upscalers, and networks of torchvision"
            " and timm.",
        )
    facts = (("Weights", weights_in_words(file.n_weights())),)
    if name != "inception_v3":
        return Recognised(ModelKind.BACKBONE, name, facts)
    published = "as of published FIDs" if is_published_inception(file) else "torchvision's: FIDs are not comparable"
    return Recognised(ModelKind.FEATURES, name, (*facts, ("Figures", published)))


def _refuse_what_is_known(file: TensorFile, path: Path) -> None:
    """Say what a file is that looks as if it should do."""
    if any("lora_" in name or ".lora" in name for name in file.shapes):
        raise UserError(
            f"{path.name} is a LoRA, a change of another model, and no model by itself.",
            "Bring in the model that it belongs to, and train a LoRA of your own on your guide images.",
        )
    if file.has("down_blocks.0.resnets.0.conv1.weight") or file.has("text_model.embeddings.token_embedding.weight"):
        raise UserError(
            f"{path.name} is one part of a diffusers model.", "Name the folder that holds its model_index.json."
        )


def _compact_upscaler(file: TensorFile) -> Recognised | None:
    """The field's compact network: 3x3 convolutions and PReLUs in one row, then a shuffle of px (SRVGGNetCompact)."""
    shapes = {name.removeprefix("params_ema.").removeprefix("params."): each for name, each in file.shapes.items()}
    rows = [found for name in shapes if (found := _BODY.fullmatch(name))]
    if not rows or len(rows) != len(shapes):
        return None
    first = shapes.get("body.0.weight", ())
    last = shapes.get(f"body.{max(int(found[1]) for found in rows)}.weight", ())
    if len(first) != 4 or len(last) != 4 or first[1] != 3 or last[0] % 3:
        return None
    scale = math.isqrt(last[0] // 3)
    if 3 * scale * scale != last[0]:
        return None
    n_convolutions = sum(len(each) == 4 for each in shapes.values())
    facts = (
        ("Scale", f"{scale} x"),
        ("Size", f"{n_convolutions} convolutions of {first[0]} channels"),
        ("Weights", weights_in_words(file.n_weights())),
    )
    return Recognised(ModelKind.COMPACT_UPSCALER, f"compact upscaler, {scale} x", facts)
