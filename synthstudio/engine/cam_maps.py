"""Maps of a trained classifier by any method, for images of any size, and the scale that they are shown on."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor

from synthstudio.core.explanation.maps import Cam, cam_range, mass_range
from synthstudio.core.imaging import ImageArray
from synthstudio.core.training.model_card import ModelClass
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import FieldOfView
from synthstudio.engine.calibration import tune_maps
from synthstudio.engine.cam_attention import attention_maps, require_attention
from synthstudio.engine.cam_methods import GradientMethod, layer_name
from synthstudio.engine.cam_tiles import TiledGradients
from synthstudio.engine.data.fields import MarkedReader
from synthstudio.engine.inference import TrainedClassifier, find_classes, predict_cams
from synthstudio.engine.networks.answers import probabilities
from synthstudio.engine.networks.tiling import pad_to_alignment
from synthstudio.engine.networks.windows import windowed_grid
from synthstudio.project import Project
from synthstudio.settings.explain import CamMethod

SMALLEST_SPREAD = 0.02
"""Of parameters that have no spread yet."""
SCALE_PIXELS = 4_000_000
"""So many px of validation images, at the working scale, decide the scale of a method; one image at least."""


@dataclass(frozen=True, slots=True)
class MapMaker:
    """One method with its layer on one classifier. Raises UserError where the two do not go together."""

    classifier: TrainedClassifier
    method: CamMethod
    layer: str = ""

    def __post_init__(self) -> None:
        if self.method == "attention":
            require_attention(self.classifier.network)
        elif self.method != "cam":
            layer_name(self.classifier.network, self.layer)

    def make(self, image: ImageArray, tick: Tick = no_tick) -> tuple[Cam, int]:
        """Compute the maps of a whole image.

        Args:
            image: `(H, W, 3)` uint8 at the working scale, of any size.
            tick: Called now and then.

        Returns:
            Maps `(C, h, w)` float32, and the px of the working scale per cell.
        """
        classifier, network = self.classifier, self.classifier.network
        if self.method == "cam":
            return predict_cams(classifier, image, tick), network.stride
        tensor = classifier.normalization.apply(torch.from_numpy(np.ascontiguousarray(image))[None], classifier.device)
        if self.method == "attention" or not network.is_local:
            padded = pad_to_alignment(tensor, network.alignment)[0]
            found = windowed_grid(network, padded, tick=tick, answer=self._window_maps)
            height, width = (-(-length // network.stride) for length in image.shape[:2])
            return np.asarray(found[:, :height, :width].numpy(), np.float32), network.stride
        tiled = TiledGradients(
            network,
            tensor[0],
            method=self.method,
            layer=self.layer,
            window_px=classifier.card.side,
            task=classifier.card.task,
            tick=tick,
        )
        found = tiled.run()
        return np.asarray(found.numpy(), np.float32), tiled.stride

    def _window_maps(self, windows: Tensor) -> Tensor:
        """Maps `(N, C, h, w)` on the network's grid, of windows `(N, 3, S, S)` that are each explained alone."""
        with torch.inference_mode(mode=False), torch.no_grad():
            images = windows.clone()  # a tensor of inference mode knows no gradients
            if self.method == "attention":
                return attention_maps(require_attention(self.classifier.network), images)
            assert self.method != "cam"  # its maps are the network's own
            return torch.stack([self._one_window(image, self.method) for image in images])

    def _one_window(self, image: Tensor, method: GradientMethod) -> Tensor:
        side = max(image.shape[1:])
        found = TiledGradients(
            self.classifier.network, image, method=method, layer=self.layer, window_px=side, tile_px=side
        ).run()
        if method == "layer-cam":  # as with tiles, a window counts by the probability that the class is on it
            logits, _ = self.classifier.network(image[None])
            found *= probabilities(logits, self.classifier.card.task)[0].cpu()[:, None, None]
        size = [length // self.classifier.network.stride for length in image.shape[1:]]
        return F.interpolate(found[None], size=size, mode="bilinear", align_corners=False)[0]


def with_random_weights(classifier: TrainedClassifier, *, seed: int) -> TrainedClassifier:
    """The same classifier, its weights drawn anew from the seed: it has learned nothing."""
    network = copy.deepcopy(classifier.network)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        for module in network.modules():
            reset = getattr(module, "reset_parameters", None)
            if callable(reset):
                reset()
                continue
            for each in module.parameters(recurse=False):  # tokens, embeddings and the like know no way of their own
                each.normal_(0.0, max(float(each.std()) if each.numel() > 1 else 0.0, SMALLEST_SPREAD))
    return dataclasses.replace(classifier, network=network)


def scaled_classes(
    maker: MapMaker, project: Project, spare: Sequence[FieldOfView], tick: Tick = no_tick
) -> tuple[ModelClass, ...]:
    """The classes with threshold and fixed scale of a method's maps.

    Those of the network's own maps are in its card. For any other method they are found on validation images, always
    the same ones, so that all maps of a run and method can be compared.

    Args:
        maker: The method.
        project: Holds the validation images.
        spare: What serves instead where none of them is left.
        tick: Called once per image.
    """
    card = maker.classifier.card
    if maker.method == "cam":
        return card.classes
    reader = MarkedReader(
        project,
        find_classes(project, card.class_names),
        sizes_px=[each.size_px for each in card.classes],
        scale=card.working_scale,
        side=card.side,
    )
    wanted = set(card.validation_fov_ids)
    validation = [fov for fov in project.fovs.list() if fov.id in wanted and Path(fov.path).exists()]
    fovs = list(_first_pixels(validation or spare, maker))
    _, stride = maker.make(np.full((card.side, card.side, 3), 128, np.uint8))
    on_grid = dataclasses.replace(maker.classifier, card=card.model_copy(update={"stride": stride}))
    return tune_maps(
        on_grid,
        reader,
        fovs,
        tick,
        maps_of=lambda _, image: maker.make(image)[0],
        # With a pooling near the maximum a few cells get nearly all of the gradient, and LayerCAM shows just these.
        scale_of=mass_range if maker.method == "layer-cam" else partial(cam_range, least=0.0),
    )


def _first_pixels(fovs: Sequence[FieldOfView], maker: MapMaker) -> Iterator[FieldOfView]:
    """As many of the FOVs as decide the scale."""
    n_pixels = 0.0
    for fov in fovs:
        if n_pixels >= SCALE_PIXELS:
            return
        n_pixels += fov.width * fov.height * maker.classifier.card.working_scale.of(fov) ** 2
        yield fov
