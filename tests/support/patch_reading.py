"""Whether objects on generated crops are of the class that was asked for, read by one who has seen real ones alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from numpy.typing import NDArray
from torch import nn

from synthstudio.core.imaging import ImageArray
from synthstudio.domain.maps import MapRequest
from tests.support.gan_reading import Share, count, to_tensor, turned

SIDE = 32
LEAST_SHARE = 0.35
"""Of the crop's side that the longer side of an object takes; smaller ones have too few px to be read."""


@dataclass(frozen=True, slots=True)
class Objects:
    """Objects cut out by their boxes.

    Attributes:
        images: `(N, SIDE, SIDE, 3)` uint8.
        classes: Number of the class of each, `(N,)` int64.
    """

    images: NDArray[np.uint8]
    classes: NDArray[np.int64]


def cut_objects(crops: Iterable[tuple[ImageArray, MapRequest]], class_names: Sequence[str]) -> Objects:
    """Cut out all objects that are large enough."""
    images, classes = [], []
    for image, request in crops:
        for region in request.regions:
            box = region.box
            if max(box.width, box.height) < LEAST_SHARE * request.side:
                continue
            x0, y0, x1, y1 = (round(each) for each in (box.x0, box.y0, box.x1, box.y1))
            pixels = np.ascontiguousarray(image[max(0, y0) : max(y0 + 2, y1), max(0, x0) : max(x0 + 2, x1)])
            images.append(cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR))
            classes.append(class_names.index(region.class_name))
    return Objects(np.asarray(np.stack(images), np.uint8), np.array(classes, np.int64))


def train_object_reader(objects: Objects, *, n_classes: int, steps: int, seed: int = 0) -> nn.Module:
    """Train a small network on real objects, each class as often as the others."""
    images, truth = to_tensor(objects.images), torch.from_numpy(objects.classes)
    by_class = [np.flatnonzero(objects.classes == number) for number in range(n_classes)]
    rng = np.random.default_rng(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        reader = nn.Sequential(
            *(nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.ReLU()),
            *(nn.Conv2d(16, 32, 3, 2, 1), nn.BatchNorm2d(32), nn.ReLU()),
            *(nn.Conv2d(32, 64, 3, 1, 1), nn.BatchNorm2d(64), nn.ReLU()),
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, n_classes)),
        )
    optimizer = torch.optim.AdamW(reader.parameters(), lr=3e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 6e-3, total_steps=steps)
    for _ in range(steps):
        rows = torch.tensor([rng.choice(by_class[number % n_classes]) for number in range(30)])
        loss = F.cross_entropy(reader(turned(images[rows], rng)), truth[rows], label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return reader.eval()


@dataclass(frozen=True, slots=True)
class ObjectReading:
    """How often the reader named the right class: of all, and of each class."""

    overall: Share
    by_class: dict[str, Share]


def read_objects(reader: nn.Module, objects: Objects, class_names: Sequence[str]) -> ObjectReading:
    """Let the reader name objects whose class is known."""
    with torch.inference_mode():
        said = torch.cat([reader(part) for part in to_tensor(objects.images).split(64)]).argmax(1).numpy()
    right = said == objects.classes
    by_class = {name: count(right[objects.classes == number]) for number, name in enumerate(class_names)}
    return ObjectReading(count(right), by_class)
