"""ViT-B/16 (Dosovitskiy et al. 2021; methods.md C) with class maps.

The published network answers from its class token. Here each patch token gives one value per class, as a 1x1
convolution without bias does, so that there are maps to point with; the class token takes part in the attention, as it
has been pretrained to. Position embeddings are interpolated to the size of the image. Where cells smaller than 16 px
are wanted, the patches overlap: the same weights, more tokens.
"""

from __future__ import annotations

import re
from typing import cast

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor, nn
from torchvision.models import vit_b_16
from typing_extensions import override

from synthstudio.engine.networks.backbone_cam import BackboneCam
from synthstudio.engine.networks.base import round_up

PATCH_PX = 16
N_CHANNELS = 768
PUBLISHED_SIDE_PX = 224


class VitFeatures(nn.Module):
    """Patch tokens of ViT-B/16 as features; its layers have torchvision's names.

    Args:
        stride: Px from patch to patch.
        attention_dropout: Share of the attention that is dropped while it is trained.
    """

    def __init__(self, *, stride: int, attention_dropout: float) -> None:
        super().__init__()
        published = vit_b_16(weights=None, image_size=PUBLISHED_SIDE_PX, attention_dropout=attention_dropout)
        self.conv_proj: nn.Conv2d = published.conv_proj
        self.conv_proj.stride = (stride, stride)
        self.conv_proj.padding = ((PATCH_PX - stride) // 2,) * 2  # keeps each patch centred on its cell
        self.class_token: nn.Parameter = published.class_token
        self.encoder: nn.Module = published.encoder
        self._has_dropout = attention_dropout > 0
        self.register_buffer("chance", torch.randint(2**31, ()))
        self.register_buffer("n_passes", torch.zeros((), dtype=torch.long))

    @override
    def forward(self, images: Tensor) -> Tensor:
        """Features `(N, 768, h, w)` of images `(N, 3, H, W)`."""
        return self._run(images, None)

    def with_attention(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Features, and the attention `(N, heads, T, T)` of each layer; token 0 is the class token."""
        attentions: list[Tensor] = []
        return self._run(images, attentions), attentions

    def _run(self, images: Tensor, attentions: list[Tensor] | None) -> Tensor:
        if not (self.training and self._has_dropout):
            return self._pass(images, attentions)
        # What is dropped follows from the state alone, so that a resumed training drops what it would have dropped.
        chance, passes = cast(Tensor, self.chance), cast(Tensor, self.n_passes)
        with torch.random.fork_rng([images.device] if images.is_cuda else []):
            torch.manual_seed(int(chance + passes))
            features = self._pass(images, attentions)
        passes += 1
        return features

    def _pass(self, images: Tensor, attentions: list[Tensor] | None) -> Tensor:
        patches: Tensor = self.conv_proj(images)  # (N, 768, h, w)
        tokens = (patches + self._places(patches)).flatten(2).transpose(1, 2)  # (N, h * w, 768)
        embedding = cast(Tensor, self.encoder.get_parameter("pos_embedding"))
        first = (self.class_token + embedding[:, :1]).expand(tokens.shape[0], -1, -1)
        tokens = self.encoder.get_submodule("dropout")(torch.cat([first, tokens], dim=1))  # (N, T, 768)
        for layer in self.encoder.get_submodule("layers").children():
            tokens = _run_layer(layer, tokens, attentions)
        answers: Tensor = self.encoder.get_submodule("ln")(tokens)
        return answers[:, 1:].transpose(1, 2).reshape(patches.shape)

    def _places(self, patches: Tensor) -> Tensor:
        """Position embeddings `(1, 768, h, w)` for a grid of patches."""
        embedding = self.encoder.get_parameter("pos_embedding")[:, 1:]  # (1, 14 * 14, 768)
        side = PUBLISHED_SIDE_PX // PATCH_PX
        places = embedding.transpose(1, 2).reshape(1, -1, side, side)
        # Of the published size it changes nothing; a branch here would be frozen in an exported file.
        return F.interpolate(places, size=patches.shape[2:], mode="bicubic", align_corners=False)


def _run_layer(layer: nn.Module, tokens: Tensor, attentions: list[Tensor] | None) -> Tensor:
    """One layer of the encoder: tokens `(N, T, 768)` to tokens; its attention is added to `attentions`."""
    module = cast(nn.MultiheadAttention, layer.get_submodule("self_attention"))
    normed = layer.get_submodule("ln_1")(tokens)
    # Not through the module itself, whose faster path in eval mode cannot be exported and gives no gradients.
    weights = F.linear(normed, module.in_proj_weight, module.in_proj_bias)  # (N, T, 3 * 768)
    n, count, _ = weights.shape
    parts = weights.reshape(n, count, 3, module.num_heads, -1).permute(2, 0, 3, 1, 4)
    query, key, value = parts.unbind(0)  # (N, heads, T, d)
    dropout = module.dropout if layer.training else 0.0
    if attentions is None:
        mixed = F.scaled_dot_product_attention(query, key, value, dropout_p=dropout)
    else:
        attention = torch.softmax(query @ key.transpose(2, 3) / query.shape[3] ** 0.5, dim=3)  # (N, heads, T, T)
        attentions.append(attention)
        mixed = F.dropout(attention, dropout, training=layer.training) @ value
    attended: Tensor = module.out_proj(mixed.transpose(1, 2).reshape(n, count, -1))
    tokens = tokens + layer.get_submodule("dropout")(attended)
    moved: Tensor = layer.get_submodule("mlp")(layer.get_submodule("ln_2")(tokens))
    return tokens + moved


class VitCam(BackboneCam):
    """ViT-B/16 with class maps."""

    def __init__(
        self, n_classes: int, *, stride: int, pool: nn.Module, window_px: int, attention_dropout: float
    ) -> None:
        super().__init__(
            VitFeatures(stride=stride, attention_dropout=attention_dropout),
            n_channels=N_CHANNELS,
            n_classes=n_classes,
            stride=stride,
            pool=pool,
            own_name=own_name,
        )
        self.alignment = PATCH_PX
        self.window_px = round_up(window_px, self.alignment)

    def maps_with_attention(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Class maps `(N, C, h, w)`, and of each layer the attention `(N, heads, T, T)` that they were made with.

        Token 0 is the class token, the others are the cells of the map, row by row; `pool` makes logits of the maps.
        All is attached to the graph.
        """
        features, attentions = cast(VitFeatures, self.features).with_attention(images)
        return self.head(features), attentions


_LAYER = re.compile(r"^blocks\.(\d+)\.")
_NAMES_OF_TIMM = {
    "cls_token": "class_token",
    "pos_embed": "encoder.pos_embedding",
    "norm.weight": "encoder.ln.weight",
    "norm.bias": "encoder.ln.bias",
}
_PARTS_OF_TIMM = {
    "patch_embed.proj.": "conv_proj.",
    "norm1.": "ln_1.",
    "norm2.": "ln_2.",
    "attn.qkv.": "self_attention.in_proj_",
    "attn.proj.": "self_attention.out_proj.",
    "mlp.fc1.": "mlp.0.",
    "mlp.fc2.": "mlp.3.",
}


def own_name(name: str) -> str:
    """Map the name of a tensor, as torchvision or timm gives it, to that of this network."""
    name = _NAMES_OF_TIMM.get(name, _LAYER.sub(r"encoder.layers.encoder_layer_\1.", name))
    for theirs, ours in _PARTS_OF_TIMM.items():
        name = name.replace(theirs, ours)
    return f"features.{name}"
