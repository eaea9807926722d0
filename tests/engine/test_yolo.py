"""The detector's network: boxes, loss, anchors, tiles; and that every published size builds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from synthstudio.core.geometry import box_ious
from synthstudio.core.training.anchors import find_anchors, shape_ious
from synthstudio.engine.data.detection_batches import mirror_boxes, turn_boxes
from synthstudio.engine.networks.detector import decode
from synthstudio.engine.networks.tiling import tiled_grid
from synthstudio.engine.networks.yolo import MAX_GROWTH, Yolo, yolo_loss

ANCHORS = np.array([[12.0, 12.0], [30.0, 24.0]])


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def answers_for(network: Yolo, boxes: list[tuple[int, float, float, float, float]], *, side: int) -> torch.Tensor:
    """Raw answers that say exactly these boxes, by the nearest anchor."""
    n_cells = side // network.stride
    answers = torch.full((1, len(ANCHORS), 5 + network.n_classes, n_cells, n_cells), -12.0)
    answers[:, :, 2:4] = 0.0
    for label, x0, y0, x1, y1 in boxes:
        size = np.array([[x1 - x0, y1 - y0]])
        anchor = int(shape_ious(size, ANCHORS).argmax())
        x, y = (x0 + x1) / 2 / network.stride, (y0 + y1) / 2 / network.stride
        row, column = int(y), int(x)
        here = answers[0, anchor, :, row, column]
        here[0], here[1] = torch.logit(torch.tensor(x - column)), torch.logit(torch.tensor(y - row))
        here[2:4] = torch.from_numpy(np.log(size[0] / ANCHORS[anchor])).float()
        here[4] = 12.0
        here[5 + label] = 12.0
    return answers


BOXES = [(0, 3.0, 5.0, 15.0, 17.0), (1, 20.0, 21.0, 50.0, 47.0), (1, 44.0, 2.0, 57.0, 13.0)]


def test_that_boxes_come_back_from_the_answers_that_say_them() -> None:
    network = Yolo("small-yolo", 2, ANCHORS).eval()
    (found,) = decode(network, answers_for(network, BOXES, side=64), overlap=0.45, width=64, height=64)
    assert len(found.scores) == 3
    ious = box_ious(found.boxes, np.array([box[1:] for box in BOXES]))
    assert ious.max(axis=0).min() > 0.999
    assert sorted(found.labels.tolist()) == [0, 1, 1]
    assert found.scores.min() > 0.99


def test_that_right_answers_cost_next_to_nothing_and_wrong_ones_more() -> None:
    network = Yolo("small-yolo", 2, ANCHORS)
    marks = torch.tensor([[*BOXES, (-1.0, 0, 0, 0, 0)]])
    right = answers_for(network, BOXES, side=64)
    cost = yolo_loss(network, right, marks).item()
    assert cost < 0.01
    for wrong in (
        answers_for(network, BOXES[:2], side=64),
        answers_for(network, [*BOXES[:2], (0, *BOXES[2][1:])], side=64),
        answers_for(network, [*BOXES, (0, 4.0, 40.0, 16.0, 52.0)], side=64),
        answers_for(network, [*BOXES[:2], (1, 44.0, 2.0, 61.0, 19.0)], side=64),
    ):
        assert yolo_loss(network, wrong, marks).item() > cost + 0.02


def test_that_an_image_without_objects_costs_only_false_confidence() -> None:
    network = Yolo("small-yolo", 2, ANCHORS)
    nothing = torch.full((1, 1, 5), -1.0)
    assert yolo_loss(network, answers_for(network, [], side=64), nothing).item() < 0.01
    assert yolo_loss(network, answers_for(network, BOXES, side=64), nothing).item() > 2.5


def test_that_doublets_are_suppressed_and_boxes_end_with_the_image() -> None:
    network = Yolo("small-yolo", 2, ANCHORS).eval()
    near = [BOXES[0], (0, 11.0, 5.0, 23.0, 17.0), (1, 46.0, 46.0, 76.0, 70.0)]
    answers = answers_for(network, near, side=64)
    (strict,) = decode(network, answers, overlap=0.15, width=60, height=62)
    (loose,) = decode(network, answers, overlap=0.8, width=60, height=62)
    assert (len(strict.scores), len(loose.scores)) == (2, 3)
    assert loose.boxes[:, 2].max() <= 60
    assert loose.boxes[:, 3].max() <= 62


def test_that_wild_sizes_stay_finite() -> None:
    network = Yolo("small-yolo", 2, ANCHORS)
    answers = torch.full((1, 2, 7, 4, 4), 500.0, requires_grad=True)
    assert torch.isfinite(network.boxes(answers)).all()
    assert network.boxes(answers)[..., 2].max().item() <= 32 + 30 * np.exp(MAX_GROWTH) / 2
    loss = yolo_loss(network, answers, torch.tensor([[[0.0, 2, 2, 20, 20]]]))
    loss.backward()
    assert torch.isfinite(loss)


@pytest.mark.parametrize(("name", "side"), [("small-yolo", 192), ("yolo-v2", 416)])
def test_that_every_network_takes_a_step_at_its_size(name: str, side: int) -> None:
    torch.manual_seed(0)
    network = Yolo(name, 3, ANCHORS, seed=1)
    images = torch.randn(1, 3, side, side)
    answers = network(images)
    assert answers.shape == (1, 2, 8, side // network.stride, side // network.stride)
    loss = yolo_loss(network, answers, torch.tensor([[[2.0, 10, 10, 40, 50]]]))
    loss.backward()
    grads = [each.grad for each in network.parameters()]
    assert all(each is not None and torch.isfinite(each).all() for each in grads)
    again = Yolo(name, 3, ANCHORS, seed=1)
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), again.parameters(), strict=True))


def test_that_the_papers_network_is_darknet_19_with_a_passthrough() -> None:
    network = Yolo("yolo-v2", 20, np.ones((5, 2)))
    convolutions = [each for each in network.modules() if isinstance(each, torch.nn.Conv2d)]
    # 18 of Darknet-19 without its classifier, three deeper ones, the passthrough, and the head.
    assert len(convolutions) == 18 + 3 + 1 + 1
    assert network.stride == 32
    assert network.head.out_channels == 5 * 25
    assert network.body.join[0].in_channels == 1024 + 256


@pytest.mark.parametrize(("name", "tile"), [("small-yolo", 96), ("yolo-v2", 352)])
def test_that_tiles_equal_one_pass_over_the_whole_image(name: str, tile: int) -> None:
    network = Yolo(name, 2, ANCHORS, seed=3).eval()
    size = (3, 250, 333) if name == "small-yolo" else (3, 384, 800)
    image = torch.randn(size, generator=torch.Generator().manual_seed(0))
    whole = tiled_grid(network, image, tile_px=4096)
    parts = tiled_grid(network, image, tile_px=tile)
    assert torch.allclose(whole, parts, atol=1e-4)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), count=st.integers(1, 8))
def test_that_anchors_fit_the_boxes_better_than_their_mean(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = np.vstack([rng.normal(mean, 2, (20, 2)).clip(3) for mean in (10, 30, 80)])
    anchors = find_anchors(sizes, count)
    assert np.array_equal(anchors, find_anchors(sizes, count))
    assert 1 <= len(anchors) <= count
    assert np.all(np.diff(anchors.prod(axis=1)) >= 0)
    mean_fit = shape_ious(sizes, sizes.mean(axis=0, keepdims=True)).max(axis=1).mean()
    assert shape_ious(sizes, anchors).max(axis=1).mean() >= mean_fit - 1e-9
    if count >= 3:
        assert shape_ious(sizes, anchors).max(axis=1).mean() > 0.7


@given(quarters=st.integers(0, 3), seed=st.integers(0, 1000))
def test_that_boxes_turn_and_mirror_with_the_image(quarters: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x0, y0 = rng.integers(0, 30, 2)
    box = np.array([[x0, y0, x0 + rng.integers(1, 18), y0 + rng.integers(1, 18)]], np.float64)
    image = np.zeros((48, 48), np.uint8)
    image[y0 : int(box[0, 3]), x0 : int(box[0, 2])] = 1
    for turned, moved in (
        (np.rot90(image, quarters), turn_boxes(box, quarters, side=48)),
        (image[:, ::-1], mirror_boxes(box, side=48)),
    ):
        rows, columns = np.nonzero(turned)
        seen = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert moved[0].tolist() == [float(value) for value in seen]
