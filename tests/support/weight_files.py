"""Files of weights that say what they hold and hold nothing: sparse, so that gigabytes take no room."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path


def write_hollow_weights(
    path: Path, shapes: Mapping[str, tuple[int, ...]], *, metadata: Mapping[str, str] | None = None
) -> Path:
    """Write a .safetensors file of half-precision zeros with these tensors; return its path."""
    header: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    end = 0
    for name, shape in shapes.items():
        begin, end = end, end + 2 * math.prod(shape)
        header[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        stream.write(len(text).to_bytes(8, "little") + text)
        stream.truncate(8 + len(text) + end)
    return path


def ldm_shapes(
    *, width: int = 768, channels: int = 4, text: str = "transformer.text_model"
) -> dict[str, tuple[int, ...]]:
    """A few tensors of a single file of Stable Diffusion, by which it is recognised."""
    return {
        "model.diffusion_model.input_blocks.0.0.weight": (320, channels, 3, 3),
        "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (320, width),
        "first_stage_model.encoder.conv_in.weight": (128, 3, 3, 3),
        f"cond_stage_model.{text}.embeddings.token_embedding.weight": (49408, width),
    }


def compact_upscaler_shapes(*, scale: int = 4, channels: int = 16, n_layers: int = 4) -> dict[str, tuple[int, ...]]:
    """The tensors of the field's compact upscaler."""
    shapes: dict[str, tuple[int, ...]] = {"body.0.weight": (channels, 3, 3, 3), "body.0.bias": (channels,)}
    shapes["body.1.weight"] = (channels,)
    for layer in range(1, n_layers + 1):
        shapes[f"body.{2 * layer}.weight"] = (channels, channels, 3, 3)
        shapes[f"body.{2 * layer}.bias"] = (channels,)
        shapes[f"body.{2 * layer + 1}.weight"] = (channels,)
    last = 2 * n_layers + 2
    return {**shapes, f"body.{last}.weight": (3 * scale**2, channels, 3, 3), f"body.{last}.bias": (3 * scale**2,)}
