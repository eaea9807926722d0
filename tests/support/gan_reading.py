"""Whether a GAN of the simulated skin does as its maps say: condition, tone and place, read by somebody who knows.

The readers are small networks that have seen simulated photographs alone, of patients whom no GAN has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from numpy.typing import NDArray
from torch import Tensor, nn
from typing_extensions import override

from synthstudio.client.demo import add_skin_photos
from synthstudio.core.fields.skin_simulator import N_TONES, SKIN_CONDITIONS, simulate_photo
from synthstudio.core.stats import wilson_interval
from synthstudio.core.synthesis.region_crops import RegionCrop
from synthstudio.core.synthesis.semantic_maps import region_mask
from synthstudio.core.synthesis.streams import open_stream
from synthstudio.domain.maps import MapRegion, MapRequest
from synthstudio.domain.records import Box, Split
from synthstudio.project import Project
from synthstudio.project.region_crops import list_region_crops, read_region_crops
from synthstudio.settings.train_gan import RegionCropSettings, TrainGanSettings

CONDITIONS = tuple(each.name for each in SKIN_CONDITIONS)
READER_SEED = 77_001
"""Of the photographs that readers learn from: another study than any that a GAN learns from."""
MIN_CHANGE = 8.0
"""Grey levels; a smaller change of a pixel is none that anybody sees."""

Images = NDArray[np.uint8]
Draw = Callable[[MapRequest], Images]
"""A request to its (S, S, 3) image."""


@dataclass(frozen=True, slots=True)
class Share:
    """How often something was right, of how many."""

    right: int
    n: int

    @property
    def value(self) -> float:
        return self.right / max(self.n, 1)

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's, 95 %."""
        return wilson_interval(self.right, self.n) or (0.0, 1.0)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.3f} [{low:.3f}, {high:.3f}] of {self.n}"


def count(right: NDArray[np.bool_]) -> Share:
    return Share(int(right.sum()), len(right))


@dataclass(frozen=True, slots=True)
class Answers:
    """What a reader says of images: numbers of conditions and tones from 0, and (N, K, h, w) class maps."""

    conditions: NDArray[np.int64]
    tones: NDArray[np.int64]
    cams: NDArray[np.float32]


class Reader(nn.Module):
    """Reads condition and tone of crops, and shows where it saw the condition."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 16, 32, 48, 64)
        layers: list[nn.Module] = []
        for level, (n_in, n_out) in enumerate(pairwise(widths)):
            stride = 2 if level < 2 else 1
            layers += [nn.Conv2d(n_in, n_out, 3, stride=stride, padding=1), nn.BatchNorm2d(n_out), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.condition = nn.Conv2d(widths[-1], len(CONDITIONS), 1)
        self.tone = nn.Sequential(nn.Linear(6, 48), nn.ReLU(), nn.Linear(48, N_TONES))

    @override
    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 3, S, S) in -1..1 to the logits of conditions, and the class maps."""
        cams = self.condition(self.body(images))
        pooled = (torch.logsumexp(5 * cams, dim=(2, 3)) - np.log(cams.shape[2] * cams.shape[3])) / 5
        return pooled, cams


def skin_colors(images: Tensor) -> Tensor:
    """Medians and upper quartiles of the channels along the border, where the skin is mostly bare: (N, 6)."""
    side = images.shape[-1]
    rim = max(2, side // 10)
    edge = torch.ones(side, side, dtype=torch.bool)
    edge[rim:-rim, rim:-rim] = False
    values = images[:, :, edge]
    return torch.cat([values.quantile(0.5, dim=2), values.quantile(0.75, dim=2)], dim=1)


def build_reader_project(folder: Path, *, n_train: int, n_test: int, size_px: tuple[int, int] = (480, 360)) -> Project:
    """Photographs of every condition on every tone in equal numbers: so many of each pair to learn from and to test."""
    project = Project.create(folder)
    pairs = [(name, tone) for name in CONDITIONS for tone in range(1, N_TONES + 1)]
    photos = (
        (
            simulate_photo(
                seed=READER_SEED,
                sample_index=turn * len(pairs) + number,
                photo_index=0,
                tone=tone,
                condition=name,
                size_px=size_px,
            ),
            Split.TRAIN if turn < n_train else Split.TEST,
        )
        for turn in range(n_train + n_test)
        for number, (name, tone) in enumerate(pairs)
    )
    add_skin_photos(project, photos)
    return project


def cut_crops(project: Project, crops: RegionCropSettings, split: Split) -> list[RegionCrop]:
    """The crops of a split, as a GAN would be trained on."""
    settings = TrainGanSettings(crops=crops, validation_share=0.05)
    return list(read_region_crops(project, list_region_crops(project, settings, split=_SPLITS[split]).crops))


_SPLITS = {Split.TRAIN: "train", Split.VAL: "val", Split.TEST: "test"}


def to_tensor(images: Images | Sequence[Images]) -> Tensor:
    """(N, S, S, 3) uint8 to (N, 3, S, S) in -1..1."""
    return torch.from_numpy(np.ascontiguousarray(np.stack(list(images)).transpose(0, 3, 1, 2))).float() / 127.5 - 1


def truth_of(requests: Sequence[MapRequest]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of the first condition and of the tone of requests, from 0."""
    conditions = [CONDITIONS.index(each.regions[0].class_name) for each in requests]
    return np.array(conditions, np.int64), np.array([each.tone - 1 for each in requests], np.int64)


def train_reader(crops: Sequence[RegionCrop], *, steps: int, seed: int = 0, batch_size: int = 32) -> Reader:
    """Train a reader on real crops."""
    images, (conditions, tones) = to_tensor([each.image for each in crops]), truth_of([each.request for each in crops])
    truth = torch.from_numpy(conditions)
    rng = np.random.default_rng(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        reader = Reader()
    parts = [*reader.body.parameters(), *reader.condition.parameters()]
    optimizer = torch.optim.AdamW(parts, lr=3e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 6e-3, total_steps=steps)
    for _ in range(steps):
        rows = torch.from_numpy(rng.integers(0, len(images), batch_size))
        said, _ = reader(turned(images[rows], rng))
        loss = F.cross_entropy(said, truth[rows], label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    _train_on_skin(reader, skin_colors(images), torch.from_numpy(tones))
    return reader.eval()


def _train_on_skin(reader: Reader, colors: Tensor, tones: Tensor, *, steps: int = 400) -> None:
    """Train the part that reads the tone, on all crops at once: it is tiny."""
    optimizer = torch.optim.AdamW(reader.tone.parameters(), lr=1e-2, weight_decay=1e-3)
    for _ in range(steps):
        loss = F.cross_entropy(reader.tone(colors), tones)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def turned(batch: Tensor, rng: np.random.Generator) -> Tensor:
    """Mirrored and turned: nothing in these crops has an up."""
    if rng.random() < 0.5:
        batch = batch.flip(3)
    return torch.rot90(batch, int(rng.integers(4)), dims=(2, 3))


def read(reader: Reader, images: Images | Sequence[Images]) -> Answers:
    """Let a reader answer."""
    pooled, tones, cams = [], [], []
    with torch.inference_mode():
        for part in to_tensor(images).split(64):
            said, maps = reader(part)
            pooled.append(said)
            tones.append(reader.tone(skin_colors(part)))
            cams.append(maps)
    answers = (torch.cat(pooled).argmax(1), torch.cat(tones).argmax(1), torch.cat(cams))
    return Answers(*(each.numpy() for each in answers))


def draw_requests(side: int, *, n_per_pair: int, seed: int, known: Sequence[str] = CONDITIONS) -> list[MapRequest]:
    """Requests for one region of every condition on every tone, at places and in sizes at random."""
    requests = []
    pairs = [(name, tone) for name in known for tone in range(1, N_TONES + 1)] * n_per_pair
    for number, (name, tone) in enumerate(pairs):
        rng = open_stream(seed, 0, number)
        longer, ratio = side * rng.uniform(0.3, 0.6), float(np.exp(-abs(rng.normal(0, 0.15))))
        width, height = np.round([longer, longer * ratio] if rng.random() < 0.5 else [longer * ratio, longer])
        x, y = rng.uniform(0.06, 0.94, 2) * (side - np.array([width, height]))
        box = Box(float(round(x)), float(round(y)), float(round(x) + width), float(round(y) + height))
        requests.append(MapRequest(side, tone, (MapRegion(name, box),)))
    return requests


@dataclass(frozen=True, slots=True)
class Changes:
    """What a region changes in the image, for several requests.

    Attributes:
        center_in_box: The middle of the change lies in the box.
        peak_in_box: Where most changes, smoothed over an eighth of the side, lies in the box.
        share_in_box: Mean share of the change inside the box.
        area: Mean share of the image inside the box: what both would be by chance.
        followed: When the box was moved to the other side, the place where most changes came to lie in the new box.
        strength: Mean change of a pixel inside the box, in grey levels.
    """

    center_in_box: Share
    peak_in_box: Share
    share_in_box: float
    area: float
    followed: Share
    strength: float


def measure_changes(draw: Draw, requests: Sequence[MapRequest]) -> Changes:
    """Compare the image of each request with that of the same map without its region, and with the region moved."""
    inside, peaks, shares, areas, followed, strengths = [], [], [], [], [], []
    for request in requests:
        empty = draw(replace(request, regions=()))
        mask = region_mask(request)
        change = _change(draw(request), empty)
        inside.append(_is_middle_in(change, mask))
        peaks.append(_is_peak_in(change, mask))
        shares.append(change[mask].sum() / max(change.sum(), 1e-9))
        areas.append(mask.mean())
        strengths.append(change[mask].mean())
        moved = move_region(request)
        followed.append(_is_peak_in(_change(draw(moved), empty), region_mask(moved)))
    return Changes(
        count(np.array(inside)),
        count(np.array(peaks)),
        float(np.mean(shares)),
        float(np.mean(areas)),
        count(np.array(followed)),
        float(np.mean(strengths)),
    )


def move_region(request: MapRequest) -> MapRequest:
    """The same with its region on the other side of the middle."""
    region = request.regions[0]
    side, box = request.side, region.box
    turned = Box(side - box.x1, side - box.y1, side - box.x0, side - box.y0)
    return replace(request, regions=(replace(region, box=turned),))


def _change(one: Images, other: Images) -> NDArray[np.float64]:
    change = np.abs(one.astype(np.float64) - other.astype(np.float64)).mean(axis=2)
    return np.where(change >= MIN_CHANGE, change, 0.0)


def _is_middle_in(change: NDArray[np.float64], mask: NDArray[np.bool_]) -> bool:
    total = change.sum()
    if total <= 0:
        return False
    rows, columns = np.indices(change.shape)
    row, column = (change * rows).sum() / total, (change * columns).sum() / total
    return bool(mask[round(row), round(column)])


def _is_peak_in(change: NDArray[np.float64], mask: NDArray[np.bool_]) -> bool:
    reach = max(3, change.shape[0] // 8)
    smooth = cv2.blur(change, (reach, reach))
    row, column = np.unravel_index(int(smooth.argmax()), smooth.shape)
    return bool(change.any() and mask[row, column])


def points_into_box(answers: Answers, requests: Sequence[MapRequest]) -> Share:
    """How often the reader sees the condition that was asked for most clearly in its box."""
    hits = []
    for number, request in enumerate(requests):
        cam = answers.cams[number, CONDITIONS.index(request.regions[0].class_name)]
        row, column = np.unravel_index(int(cam.argmax()), cam.shape)
        scale = request.side / cam.shape[0]
        hits.append(region_mask(request)[int((row + 0.5) * scale), int((column + 0.5) * scale)])
    return count(np.array(hits))
