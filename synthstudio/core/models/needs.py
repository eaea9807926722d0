"""Which features want a model that was trained elsewhere, and what to do where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synthstudio.domain.models import LocalModel, ModelKind


@dataclass(frozen=True, slots=True)
class Need:
    """A feature and the models that it can work with.

    Attributes:
        feature: In words.
        kinds: Any one of these will do.
        example: What to look for.
        without: What can be done all the same.
    """

    feature: str
    kinds: tuple[ModelKind, ...]
    example: str
    without: str


NEEDS = (
    Need(
        "fine-tuning on guide images, images from prompts",
        (ModelKind.STABLE_DIFFUSION,),
        "Stable Diffusion 1.5 as a diffusers folder (with model_index.json) or as one .safetensors file",
        "train a diffusion model of patches from scratch",
    ),
    Need(
        "four times larger images by diffusion",
        (ModelKind.DIFFUSION_UPSCALER,),
        "stable-diffusion-x4-upscaler as a diffusers folder",
        "train the compact network on your own guide images",
    ),
    Need(
        "larger images at once, without a training",
        (ModelKind.COMPACT_UPSCALER,),
        "a compact network of 3x3 convolutions (SRVGGNetCompact) as a .safetensors file",
        "train the compact network on your own guide images",
    ),
    Need(
        "pretrained classifiers and detectors",
        (ModelKind.BACKBONE,),
        "ImageNet weights of vgg16, mobilenet_v3_large, vit_b_16 or a timm network as a .safetensors file",
        "all networks can be trained from random numbers",
    ),
    Need(
        "FID that is comparable with published ones",
        (ModelKind.FEATURES,),
        "the Inception network of published FIDs (1008 classes) as a .safetensors file",
        "the built-in descriptor gives figures to compare within a project",
    ),
)


def models_for(need: Need, models: Sequence[LocalModel]) -> tuple[LocalModel, ...]:
    """Those models that a feature can work with."""
    return tuple(each for each in models if each.kind in need.kinds)
