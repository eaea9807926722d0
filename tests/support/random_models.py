"""Classifiers and detectors with random weights, for tests that compare two ways to ask the same network."""

from __future__ import annotations

import torch

from synthstudio.core.training.detector_card import DetectorCard, DetectorClass
from synthstudio.core.training.model_card import ModelCard, ModelClass
from synthstudio.engine.detection import TrainedDetector, build_detector
from synthstudio.engine.inference import TrainedClassifier
from synthstudio.engine.networks.registry import build_network
from synthstudio.settings.train_detector import DetectorName


def classifier_of(name: str, *, pooling: str = "lse", stride: int = 8) -> TrainedClassifier:
    """A classifier of this network, with three classes."""
    network = build_network(name, 3, stride=stride, pooling=pooling, seed=4).eval()
    if name == "vit-b16":  # one of its twelve layers: they are all alike, and the file would have 343 MB
        del network.get_submodule("features.encoder.layers")[1:]  # type: ignore[attr-defined]
    _randomise_norms(network)
    card = ModelCard.model_validate(
        {
            "network": name,
            "pooling": pooling,
            "sharpness": 5.0,
            "stride": network.stride,
            "classes": [ModelClass(name=each, size_px=20.0) for each in ("a", "b", "ä")],
            "scale": 0.5,
            "side": 64,
            "min_visible": 0.5,
            "mean": (190.0, 170.0, 180.0),
            "std": (31.0, 31.0, 31.0),
            "source": "synthetic",
            "seed": 0,
            "step": 1,
            "validation_fov_ids": (),
            "versions": {},
            "threads": 1,
        }
    )
    return TrainedClassifier(network, card, torch.device("cpu"))


def detector_of(name: DetectorName) -> TrainedDetector:
    """A detector of this network, with three classes."""
    card = DetectorCard(
        network=name,
        anchors=((20.0, 20.0), (40.0, 30.0)) if "yolo" in name else (),
        overlap=0.45,
        classes=tuple(DetectorClass(name=each, size_px=30.0) for each in ("a", "b", "ä")),
        scale=0.5,
        side=96,
        mean=(190.0, 170.0, 180.0),
        std=(31.0, 31.0, 31.0),
        source="synthetic",
        seed=0,
        step=1,
        validation_fov_ids=(),
        train_fov_ids=(),
        versions={},
        threads=1,
    )
    network = build_detector(card, seed=3).eval()
    _randomise_norms(network)
    return TrainedDetector(network, card, torch.device("cpu"))


def _randomise_norms(network: torch.nn.Module) -> None:
    """Random statistics, as a training would leave them: those of a new network would hide a forgotten one."""
    torch.manual_seed(1)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.2, 0.2)
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
