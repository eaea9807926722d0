"""Which network of torchvision or timm the tensors of a file belong to, by their names and shapes."""

from __future__ import annotations

import math

from synthstudio.core.models.tensor_files import TensorFile

PUBLISHED_CLASSES = 1008
"""Outputs of the Inception network of published FIDs (Heusel et al. 2017), a port of TensorFlow's graph of 2015."""

_RESNETS = {
    (2, 2, 2, 2, False): "resnet18",
    (3, 4, 6, 3, False): "resnet34",
    (3, 4, 6, 3, True): "resnet50",
    (3, 4, 23, 3, True): "resnet101",
    (3, 8, 36, 3, True): "resnet152",
}
_DENSENETS = {16: "densenet121", 32: "densenet169", 48: "densenet201", 36: "densenet161"}
_VGGS = {8: "vgg11", 10: "vgg13", 13: "vgg16", 16: "vgg19"}
_VIT_SIZES = {192: "tiny", 384: "small", 768: "base", 1024: "large", 1280: "huge"}
_CONVNEXTS = {
    (96, 3): "convnext_nano",
    (96, 9): "convnext_tiny",
    (96, 27): "convnext_small",
    (128, 27): "convnext_base",
}


def name_network(file: TensorFile) -> str:
    """Name the network; "a network for images" where it is none of the known ones; empty where it is none at all."""
    if file.has("Mixed_7c.branch_pool.conv.weight"):
        return "inception_v3"
    if file.has("backbone.body.layer1.0.conv1.weight") and file.has("head.classification_head.cls_logits.weight"):
        return "fcos_resnet50"
    for name in (_resnet, _densenet, _vgg, _vit, _convnext, _mobile):
        if found := name(file):
            return found
    first = [shape for shape in file.shapes.values() if len(shape) == 4 and shape[1] == 3]
    heads = [shape for shape in file.shapes.values() if len(shape) == 2]
    return "a network for images" if first and heads and len(file.shapes) >= 10 else ""


def is_published_inception(file: TensorFile) -> bool:
    """Whether FIDs with these weights are comparable with published ones."""
    return file.shape("fc.weight")[:1] == (PUBLISHED_CLASSES,)


def _resnet(file: TensorFile) -> str:
    if not file.has("layer1.0.conv1.weight"):
        return ""
    blocks = [_count(file, f"layer{stage}.{{}}.conv1.weight") for stage in (1, 2, 3, 4)]
    is_deep = file.has("layer1.0.conv3.weight")
    name = _RESNETS.get((blocks[0], blocks[1], blocks[2], blocks[3], is_deep), "resnet")
    is_wide = is_deep and file.shape("layer1.0.conv2.weight")[:1] == (128,)
    return f"wide_{name}_2" if is_wide else name


def _densenet(file: TensorFile) -> str:
    if not file.has("features.denseblock1.denselayer1.norm1.weight"):
        return ""
    n_last = _count(file, "features.denseblock4.denselayer{}.norm1.weight", first=1)
    n_third = _count(file, "features.denseblock3.denselayer{}.norm1.weight", first=1)
    return "densenet161" if n_third == 36 else _DENSENETS.get(n_last, "densenet")


def _vgg(file: TensorFile) -> str:
    if file.shape("features.0.weight")[1:] != (3, 3, 3):
        return ""
    convolutions = [name for name, shape in file.shapes.items() if name.startswith("features.") and len(shape) == 4]
    is_normed = any(name.startswith("features.") and name.endswith("running_mean") for name in file.shapes)
    return _VGGS.get(len(convolutions), "vgg") + ("_bn" if is_normed else "")


def _vit(file: TensorFile) -> str:
    if file.has("encoder.layers.encoder_layer_0.ln_1.weight"):
        width, _, patch = (*file.shape("conv_proj.weight"), 0, 0, 0)[:3]
        letter = {768: "b", 1024: "l", 1280: "h"}.get(width, "")
        return f"vit_{letter}_{file.shape('conv_proj.weight')[-1]}" if letter and patch else "vit"
    if not file.has("blocks.0.attn.qkv.weight"):
        return ""
    patches = file.shape("patch_embed.proj.weight")
    places = file.shape("pos_embed")
    if len(patches) != 4 or len(places) != 3:
        return "vit"
    size = _VIT_SIZES.get(patches[0], f"{patches[0]}")
    side = math.isqrt(places[1]) * patches[-1]  # with or without the class token: the root is rounded down
    return f"vit_{size}_patch{patches[-1]}_{side}"


def _convnext(file: TensorFile) -> str:
    if file.has("stages.0.blocks.0.conv_dw.weight"):
        width = file.shape("stages.0.blocks.0.conv_dw.weight")[0]
        return _CONVNEXTS.get((width, _count(file, "stages.2.blocks.{}.conv_dw.weight")), "convnext")
    if len(file.shape("features.0.0.weight")) == 4 and file.shape("features.0.0.weight")[-1] == 4:
        width = file.shape("features.0.0.weight")[0]
        return _CONVNEXTS.get((width, _count(file, "features.5.{}.block.0.weight")), "convnext")
    return ""


def _mobile(file: TensorFile) -> str:
    if file.has("blocks.0.0.conv_dw.weight"):
        return "efficientnet" if file.shape("conv_stem.weight")[:1] != (16,) else "mobilenetv3"
    match file.shape("features.0.0.weight"):
        case (16, 3, 3, 3):
            return "mobilenet_v3_large" if file.has("features.16.0.weight") else "mobilenet_v3_small"
        case (width, 3, 3, 3) if file.has("features.1.0.block.0.0.weight"):
            return (
                "efficientnet_b0"
                if width == 32 and file.shape("features.8.0.weight")[:1] == (1280,)
                else ("efficientnet")
            )
    return ""


def _count(file: TensorFile, pattern: str, *, first: int = 0) -> int:
    """How many tensors with numbers in a row, from `first` on, are there."""
    number = first
    while file.has(pattern.format(number)):
        number += 1
    return number - first
