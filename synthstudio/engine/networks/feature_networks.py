"""Networks that describe images by the features before their last layer; which one a file holds is told by its tensors.

The Inception network of published FIDs (Heusel et al. 2017) is torchvision's with other poolings: it comes from a port
of TensorFlow's 2015 graph with 1008 classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import timm
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
import torchvision
from torch import Tensor, nn
from torchvision.models import inception
from typing_extensions import override

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5)
PUBLISHED = (128 / 255, 128 / 255, 128 / 255)
"""(value - 128) / 128 in the published graph."""
FID_CLASSES = 1008
TIMM_NAMES: Mapping[str, tuple[str, ...]] = {
    "layer1.0.conv1.weight": ("resnet18", "resnet34", "resnet50", "resnet101", "wide_resnet50_2"),
    "features.denseblock1.denselayer1.norm1.weight": ("densenet121",),
    "stages.0.blocks.0.conv_dw.weight": ("convnext_tiny", "convnext_small", "convnext_base"),
    "blocks.0.0.conv_dw.weight": ("mobilenetv3_large_100", "efficientnet_b0"),
    "blocks.0.attn.qkv.weight": (
        "vit_small_patch16_224",
        "vit_base_patch16_224",
        "vit_small_patch14_dinov2",
        "vit_base_patch14_dinov2",
    ),
}
"""Networks by a tensor that the whole family has: to build one only to compare its names takes a second. ResNets and
DenseNets are named as torchvision names them."""
TORCHVISION_HEADS: Mapping[str, Mapping[str, str]] = {
    "features.0.weight": {"vgg16": "classifier.6", "vgg16_bn": "classifier.6"},
    "features.0.0.weight": {
        "mobilenet_v3_large": "classifier.3",
        "mobilenet_v3_small": "classifier.3",
        "efficientnet_b0": "classifier.1",
        "convnext_tiny": "classifier.2",
    },
    "encoder.layers.encoder_layer_0.ln_1.weight": {"vit_b_16": "heads.head"},
}
"""Likewise, with the last layer of each, which is left out."""
HEADS = ("fc.", "classifier.", "head.", "heads.", "head_dist.", "AuxLogits.")
"""Beginnings of names that a file may have beside those of the network without its last layer."""
Tensors = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class FeatureNetwork:
    """A network in evaluation, without its last layer.

    Attributes:
        network: `(N, 3, side, side)` float32, normalised, to `(N, D)`.
        side: Of its images in px.
        mean: Per channel, of the range 0-1, that is taken off.
        std: Likewise, that is divided by.
        is_published: Figures are comparable with published FIDs.
    """

    name: str
    network: nn.Module
    side: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    is_published: bool = False


def recognise_network(tensors: Tensors) -> FeatureNetwork | None:
    """Build the network whose tensors these are; None where it is none that is known."""
    if "Mixed_7c.branch_pool.conv.weight" in tensors:
        return _build_inception(tensors)
    timm_names = [name for key, names in TIMM_NAMES.items() if key in tensors for name in names]
    for name in timm_names:
        if (found := _try_timm(name, tensors)) is not None:
            return found
    heads = {name: head for key, family in TORCHVISION_HEADS.items() if key in tensors for name, head in family.items()}
    for name, head in heads.items():
        if (found := _try_torchvision(name, head, tensors)) is not None:
            return found
    return None


def known_networks() -> list[str]:
    """Names of all that are recognised."""
    ours = [name for names in TIMM_NAMES.values() for name in names]
    others = [f"torchvision's {name}" for family in TORCHVISION_HEADS.values() for name in family]
    return ["inception_v3", *ours, *others]


def _try_timm(name: str, tensors: Tensors) -> FeatureNetwork | None:
    def build() -> nn.Module:
        # Never `pretrained`: that would fetch a file from the network.
        return timm.create_model(name, pretrained=False, num_classes=0)

    network = _filled(build, tensors)
    if network is None:
        return None
    facts = timm.get_pretrained_cfg(name)
    side = int(facts.input_size[-1]) if facts is not None else 224
    is_halved = facts is not None and tuple(facts.mean) == HALF
    mean, std = (HALF, HALF) if is_halved else (IMAGENET_MEAN, IMAGENET_STD)
    return FeatureNetwork(name, network, side, mean, std)


def _try_torchvision(name: str, head: str, tensors: Tensors) -> FeatureNetwork | None:
    def build() -> nn.Module:
        network: nn.Module = torchvision.models.get_model(name, weights=None)
        parent, _, last = head.rpartition(".")
        setattr(network.get_submodule(parent), last, nn.Identity())
        return network

    network = _filled(build, tensors)
    return None if network is None else FeatureNetwork(name, network, 224, IMAGENET_MEAN, IMAGENET_STD)


def _build_inception(tensors: Tensors) -> FeatureNetwork | None:
    head = tensors.get("fc.weight")
    is_published = head is not None and len(head) == FID_CLASSES
    network = _filled(_PublishedInception if is_published else _PlainInception, tensors)
    if network is None:
        return None
    if is_published:
        return FeatureNetwork("inception_v3 of published FIDs", network, 299, PUBLISHED, PUBLISHED, is_published=True)
    return FeatureNetwork("inception_v3", network, 299, IMAGENET_MEAN, IMAGENET_STD)


def _filled(build: Callable[[], nn.Module], tensors: Tensors) -> nn.Module | None:
    """The network with these tensors; None where one is missing, has another shape, or belongs to a deeper network."""
    with torch.device("meta"):  # only to be asked for its shapes: no memory, no random numbers
        shapes = {name: tensor.shape for name, tensor in build().state_dict().items()}
    needed = [name for name in shapes if not name.endswith("num_batches_tracked")]
    if any(name not in tensors or tensors[name].shape != shapes[name] for name in needed):
        return None
    if any(name not in shapes and not name.startswith(HEADS) for name in tensors):
        return None
    network = build()
    own = network.state_dict()
    network.load_state_dict({name: tensors.get(name, own[name]).to(own[name].dtype) for name in own})
    return network.eval().requires_grad_(False)


class _PlainInception(inception.Inception3):  # type: ignore[misc]  # torchvision has no types
    """torchvision's network up to the features, 2048 numbers."""

    def __init__(self) -> None:
        super().__init__(num_classes=1, aux_logits=False, transform_input=False, init_weights=False)
        self.fc = nn.Identity()
        self.dropout = nn.Identity()

    @override
    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = super().forward(images)
        return features


class _PublishedInception(_PlainInception):
    """The network of published FIDs: averages do not count the padding, and the last block pools by maximum."""

    def __init__(self) -> None:
        super().__init__()
        for name, channels, features in (("5b", 192, 32), ("5c", 256, 64), ("5d", 288, 64)):
            setattr(self, f"Mixed_{name}", _BlockA(channels, pool_features=features))
        for name, width in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
            setattr(self, f"Mixed_{name}", _BlockC(768, channels_7x7=width))
        self.Mixed_7b, self.Mixed_7c = _BlockE(1280), _LastBlock(2048)


def _inner_mean(images: Tensor) -> Tensor:
    return F.avg_pool2d(images, kernel_size=3, stride=1, padding=1, count_include_pad=False)


class _BlockA(inception.InceptionA):  # type: ignore[misc]  # torchvision has no types
    @override
    def _forward(self, x: Tensor) -> list[Tensor]:
        return [
            self.branch1x1(x),
            self.branch5x5_2(self.branch5x5_1(x)),
            self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x))),
            self.branch_pool(_inner_mean(x)),
        ]


class _BlockC(inception.InceptionC):  # type: ignore[misc]  # torchvision has no types
    @override
    def _forward(self, x: Tensor) -> list[Tensor]:
        wide = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        return [
            self.branch1x1(x),
            self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x))),
            self.branch7x7dbl_5(self.branch7x7dbl_4(wide)),
            self.branch_pool(_inner_mean(x)),
        ]


class _BlockE(inception.InceptionE):  # type: ignore[misc]  # torchvision has no types
    @override
    def _forward(self, x: Tensor) -> list[Tensor]:
        small, large = self.branch3x3_1(x), self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        return [
            self.branch1x1(x),
            torch.cat([self.branch3x3_2a(small), self.branch3x3_2b(small)], 1),
            torch.cat([self.branch3x3dbl_3a(large), self.branch3x3dbl_3b(large)], 1),
            self.branch_pool(self._pool(x)),
        ]

    def _pool(self, x: Tensor) -> Tensor:
        return _inner_mean(x)


class _LastBlock(_BlockE):
    @override
    def _pool(self, x: Tensor) -> Tensor:
        return F.max_pool2d(x, kernel_size=3, stride=1, padding=1)
