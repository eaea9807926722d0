"""An exported set is what a detector elsewhere trains on: read by the reader of its format, learnt from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torchvision.datasets import CocoDetection
from torchvision.models.detection import fasterrcnn_mobilenet_v3_large_320_fpn

from synthstudio.core.export.datasets import ExportData
from synthstudio.core.export.writers import WRITERS
from synthstudio.project import Project
from synthstudio.project.set_images import list_set_images
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from tests.support.cell_projects import make_cell_project
from tests.support.sets import add_set

N_STEPS, BATCH = 14, 2


def export_coco(project: Project, out: Path) -> CocoDetection:
    composition = CompositionSettings(canvas_px=128, n_objects_min=2, n_objects_max=5)
    add_set(project, ComposeSettings(set_name="set", count=24, composition=composition))
    fovs, marks = list_set_images(project, "set")
    WRITERS["coco"](ExportData(fovs, marks, project.classes.list()), out)
    (annotations,) = out.rglob("*.json")
    return CocoDetection(str(out / "images"), str(annotations))


def as_target(marks: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    boxes = torch.tensor([mark["bbox"] for mark in marks], dtype=torch.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return {"boxes": boxes, "labels": torch.tensor([mark["category_id"] for mark in marks], dtype=torch.int64)}


def test_that_a_detector_learns_from_an_exported_set(tmp_path: Path) -> None:
    project = make_cell_project(tmp_path / "study")
    try:
        dataset = export_coco(project, tmp_path / "out")
    finally:
        project.close()
    assert len(dataset) == 24
    names = {item["id"]: item["name"] for item in dataset.coco.dataset["categories"]}
    assert {"round", "large"} <= set(names.values())
    torch.manual_seed(0)
    detector = fasterrcnn_mobilenet_v3_large_320_fpn(
        weights=None, weights_backbone=None, num_classes=max(names) + 1, min_size=128, max_size=128
    )
    optimizer = torch.optim.AdamW(detector.parameters(), lr=1e-3)
    losses = []
    for step in range(N_STEPS):
        rows = [dataset[(step * BATCH + number) % len(dataset)] for number in range(BATCH)]
        images = [torch.from_numpy(np.array(image)).permute(2, 0, 1) / 255.0 for image, _ in rows]
        loss = sum(detector(images, [as_target(marks) for _, marks in rows]).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-4:]) < 0.75 * np.mean(losses[:3]), losses
