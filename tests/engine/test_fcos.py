"""The detector without anchors: boxes, loss, sizes; and windows in which each object is found once."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from synthstudio.core.geometry import box_ious
from synthstudio.core.training.detector_card import DetectorCard, DetectorClass
from synthstudio.domain.errors import UserError
from synthstudio.engine.detection import TrainedDetector, build_detector, detect, load_detector_weights
from synthstudio.engine.networks.box_windows import BORDER_PX, overlapping_windows, whole_in_window
from synthstudio.engine.networks.detector import MAX_CANDIDATES, DetectorNetwork, choose_candidates, decode
from synthstudio.engine.networks.fcos import Fcos
from synthstudio.engine.networks.yolo import Yolo
from synthstudio.settings.train_detector import DetectorName

SIDE = 64
BOXES = [(0, 3.0, 5.0, 15.0, 17.0), (1, 20.0, 21.0, 50.0, 47.0), (1, 44.0, 2.0, 57.0, 13.0)]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def answers_for(network: Fcos, boxes: list[tuple[int, float, float, float, float]], *, side: int) -> Tensor:
    """Raw answers in which the cell nearest to each middle says the box."""
    cells = network.cells(height=side, width=side, device=torch.device("cpu"))
    answers = torch.full((1, len(cells), network.n_classes + 5), -12.0)
    answers[..., network.n_classes + 1 :] = 1.0
    fine = cells[:, 2] == min(network.strides)
    for label, x0, y0, x1, y1 in boxes:
        away = (cells[:, :2] - torch.tensor([(x0 + x1) / 2, (y0 + y1) / 2])).abs().amax(dim=1)
        nearest = int(torch.where(fine, away, torch.inf).argmin())
        x, y, stride = cells[nearest].tolist()
        answers[0, nearest, label] = answers[0, nearest, network.n_classes] = 12.0
        answers[0, nearest, network.n_classes + 1 :] = torch.tensor([x - x0, y - y0, x1 - x, y1 - y]) / stride
    return answers


def test_that_boxes_come_back_from_the_answers_that_say_them() -> None:
    network = Fcos("fcos-small", 2).eval()
    (found,) = decode(network, answers_for(network, BOXES, side=SIDE), overlap=0.45, width=SIDE, height=SIDE)
    assert len(found.scores) == 3
    assert box_ious(found.boxes, np.array([box[1:] for box in BOXES])).max(axis=0).min() > 0.999
    assert sorted(found.labels.tolist()) == [0, 1, 1]


def test_that_wrong_answers_cost_more_than_right_ones() -> None:
    network = Fcos("fcos-small", 2)
    marks = torch.tensor([[*BOXES, (-1.0, 0, 0, 0, 0)]])
    right = network.loss(answers_for(network, BOXES, side=SIDE), marks, height=SIDE, width=SIDE).item()
    for wrong in (BOXES[:2], [*BOXES[:2], (0, *BOXES[2][1:])], [*BOXES[:2], (1, 44.0, 2.0, 61.0, 23.0)]):
        assert network.loss(answers_for(network, wrong, side=SIDE), marks, height=SIDE, width=SIDE).item() > right


def test_that_an_image_without_objects_costs_only_false_confidence() -> None:
    network = Fcos("fcos-small", 2)
    nothing = torch.full((1, 1, 5), -1.0)
    empty = network.loss(answers_for(network, [], side=SIDE), nothing, height=SIDE, width=SIDE)
    full = network.loss(answers_for(network, BOXES, side=SIDE), nothing, height=SIDE, width=SIDE)
    assert empty.item() < 0.01 < full.item()


@pytest.mark.parametrize(("name", "side", "n_cells"), [("fcos-small", 96, 144 + 36), ("fcos-resnet50", 128, 341)])
def test_that_every_network_takes_a_step_at_its_size(name: str, side: int, n_cells: int) -> None:
    network = Fcos(name, 3, seed=1)
    answers = network(torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0)))
    assert answers.shape == (2, n_cells, 8)
    marks = torch.tensor([[[2.0, 10, 10, 40, 50]], [[-1.0, 0, 0, 0, 0]]])
    loss = network.loss(answers, marks, height=side, width=side)
    loss.backward()
    grads = [each.grad for each in network.parameters()]
    assert all(each is not None and torch.isfinite(each).all() for each in grads)
    again = Fcos(name, 3, seed=1)
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), again.parameters(), strict=True))


def test_that_only_the_best_of_too_many_candidates_are_kept() -> None:
    scores = torch.linspace(0.1, 0.9, MAX_CANDIDATES + 50)[:, None]
    boxes, best, labels = choose_candidates(torch.zeros((len(scores), 4)), scores)
    assert len(boxes) == len(best) == len(labels) == MAX_CANDIDATES
    assert best.min() > 0.1


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 900),
    width=st.integers(1, 900),
    seed=st.integers(0, 10_000),
    overlap=st.integers(40, 120),
)
def test_that_every_short_box_is_whole_in_some_window(height: int, width: int, seed: int, overlap: int) -> None:
    windows = overlapping_windows(height, width, side=256, overlap=overlap, alignment=16)
    ((n_columns, n_rows),) = {(each.right - each.left, each.bottom - each.top) for each in windows}
    assert n_columns == width or (n_columns <= 256 and n_columns % 16 == 0)
    assert n_rows == height or (n_rows <= 256 and n_rows % 16 == 0)
    assert all(each.left >= 0 and each.top >= 0 and each.right <= width and each.bottom <= height for each in windows)
    rng = np.random.default_rng(seed)
    start = rng.uniform(0, (width, height), (40, 2))
    end = np.minimum(start + rng.uniform(1, overlap - 2 * BORDER_PX, (40, 2)), (width, height))
    boxes = torch.from_numpy(np.hstack([start, end]))
    seen = torch.zeros(len(boxes), dtype=torch.bool)
    for window in windows:
        inside = (boxes[:, 0] >= window.left) & (boxes[:, 1] >= window.top)
        inside &= (boxes[:, 2] <= window.right) & (boxes[:, 3] <= window.bottom)
        seen |= inside & whole_in_window(boxes, window, height=height, width=width, overlap=overlap)
    assert seen.all()


@pytest.mark.parametrize("prefix", ["fcos.backbone.body.", "fcos.", ""])
def test_that_weights_are_taken_by_torchvisions_names(prefix: str) -> None:
    network = build_detector(card_of("fcos-resnet50", size_px=40.0))
    own = {name: each for name, each in network.state_dict().items() if name.startswith("fcos.backbone.body.layer1.")}
    given = {name.removeprefix(prefix): torch.full_like(each, 3.0) for name, each in own.items()}
    given["fc.weight"] = torch.zeros(1000, 2048)  # a classifier's last layer has no place here
    assert load_detector_weights(network, given, source="x") == len(own)
    after = network.state_dict()
    assert all((after[name] == 3.0).all() for name in own)
    with pytest.raises(UserError, match="do not fit"):
        load_detector_weights(network, {"fc.weight": torch.zeros(1000, 2048)}, source="x")


class BlobFinder(DetectorNetwork):
    """Draws a box round every dark blob of what it is shown, also where it is cut: a perfect network."""

    n_classes, alignment = 1, 8

    def forward(self, images: Tensor) -> Tensor:
        found = []
        for image in images:
            mask = (image[0] < 0).numpy().astype(np.uint8)
            count, _, facts, _ = cv2.connectedComponentsWithStats(mask)
            boxes = [(x, y, x + w, y + h, 0.9) for x, y, w, h, _ in facts[1:count].tolist()]
            found.append(torch.tensor([*boxes, *[(0.0, 0, 0, 0, 0)] * (200 - len(boxes))]))
        return torch.stack(found).float()

    def loss(self, answers: Tensor, marks: Tensor, *, height: int, width: int) -> Tensor:
        return answers.sum()

    def candidates(self, answers: Tensor, *, height: int, width: int) -> tuple[Tensor, Tensor]:
        return answers[..., :4], answers[..., 4:]


def card_of(network: DetectorName, *, size_px: float, anchors: tuple[tuple[float, float], ...] = ()) -> DetectorCard:
    return DetectorCard(
        network=network,
        anchors=anchors,
        overlap=0.45,
        classes=(DetectorClass(name="disc", size_px=size_px),),
        scale=1.0,
        side=96,
        mean=(128.0, 128.0, 128.0),
        std=(64.0, 64.0, 64.0),
        source="synthetic",
        seed=0,
        step=0,
        validation_fov_ids=(),
        train_fov_ids=(),
        versions={},
        threads=1,
    )


def test_that_objects_where_windows_meet_are_found_once_and_whole() -> None:
    image = np.full((1100, 1330, 3), 200, np.uint8)
    true = []
    # A lattice that meets every border and every overlap of the windows somewhere.
    for row in range(15):
        for column in range(18):
            x, y, radius = 40 + 73 * column, 38 + 73 * row, 14 + (row + column) % 12
            cv2.circle(image, (x, y), radius, (40, 40, 40), -1)
            true.append((x - radius, y - radius, x + radius + 1, y + radius + 1))
    ticks: list[tuple[int, int]] = []
    detector = TrainedDetector(BlobFinder(), card_of("fcos-small", size_px=40.0), torch.device("cpu"))
    found = detect(detector, image, tick=lambda done, total: ticks.append((done, total)))
    assert ticks[0][1] == 4
    assert len(found.scores) == len(true)
    assert box_ious(found.boxes, np.array(true, np.float64)).max(axis=0).min() > 0.999


def test_that_an_anchor_network_finds_the_same_in_tiles_as_in_one_pass() -> None:
    card = card_of("small-yolo", size_px=30.0, anchors=((20.0, 20.0), (40.0, 30.0)))
    network = build_detector(card, seed=5).eval()
    assert isinstance(network, Yolo)
    with torch.no_grad():
        network.head.weight.mul_(300.0)  # else a network that has learned nothing believes in nothing
    detector = TrainedDetector(network, card, torch.device("cpu"))
    rng = np.random.default_rng(0)
    image = cv2.resize(rng.integers(0, 256, (26, 110, 3)).astype(np.uint8), (1100, 260))
    in_tiles = detect(detector, image)  # tiles of 1024 px: the second one begins within
    pixels = detector.normalization.apply(torch.from_numpy(image)[None], detector.device)
    with torch.inference_mode():
        padded = torch.nn.functional.pad(pixels, (0, 4, 0, 4), mode="replicate")
        (whole,) = decode(network, network(padded), overlap=0.45, width=1100, height=260)
    assert len(whole.scores) > 20
    assert len(in_tiles.scores) == len(whole.scores)
    assert np.allclose(np.sort(in_tiles.scores), np.sort(whole.scores), atol=1e-4)
    assert box_ious(in_tiles.boxes, whole.boxes).max(axis=1).min() > 0.999
