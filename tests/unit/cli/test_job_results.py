"""Results of jobs as a terminal shows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthstudio.cli.results import print_result
from synthstudio.protocol.results import (
    DetectedFov,
    DetectResult,
    ExportOnnxResult,
    MeasuredFigure,
    MeasuredGroup,
    MeasureResult,
    TrainDiffusionResult,
)


def test_that_detections_are_counted_by_image_and_class(capsys: pytest.CaptureFixture[str]) -> None:
    fovs = (
        DetectedFov(fov=1, name="a.png", file="detect/1.json", counts={"RBC": 12, "WBC": 1}),
        DetectedFov(fov=2, name="b.png", file="detect/2.json", counts={"RBC": 30, "WBC": 0}),
    )
    print_result(DetectResult(run="r", fovs=fovs, seconds=1.0), Path("/runs/x"))
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["a.png", "12", "1"] in lines
    assert ["all", "42", "1"] in lines
    assert any("/runs/x" in line for line in lines)


def test_that_a_fine_tuning_tells_its_checkpoints_and_samples(capsys: pytest.CaptureFixture[str]) -> None:
    result = TrainDiffusionResult(
        run="r",
        status="finished",
        seconds=61.4,
        best={"step": 500.0, "loss/fixed": 0.125},
        warnings=("There are 3 guide images only.",),
        step=1000,
        method="lora",
        model="sd15",
        guides="lesions",
        n_guides=3,
        n_prior=200,
        checkpoints=(500, 1000),
        sample="samples/001000.png",
    )
    print_result(result, Path("/runs/x"))
    text = " ".join(capsys.readouterr().out.split())
    assert "finished after 61 s on 3 images of the guide set lesions and 200 prior images" in text
    assert "lora of sd15; checkpoints: 500, 1000" in text
    assert "loss/fixed 0.125" in text
    assert "note: There are 3 guide images only." in text
    assert "/runs/x/samples/001000.png" in text


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ({"map_difference": 2e-6}, "2e-06 of the range of its maps"),
        ({"box_difference_px": 3e-5}, "3e-05 px in its boxes"),
    ],
)
def test_that_an_export_says_how_near_it_comes(
    capsys: pytest.CaptureFixture[str], figures: dict[str, float], words: str
) -> None:
    result = ExportOnnxResult(
        run="r",
        path="/x/model.onnx",
        card="/x/model.json",
        n_bytes=2_500_000,
        difference=1e-6,
        provider="CPUExecutionProvider",
        seconds=1.0,
        **figures,
    )
    print_result(result, Path("/runs/x"))
    assert words in " ".join(capsys.readouterr().out.split())


def _figure(mean: float) -> MeasuredFigure:
    return MeasuredFigure(mean=mean, ci95=(mean - 1, mean + 1), floor=0.5, floor_ci95=(0.25, 0.75))


def test_that_a_measurement_stands_beside_its_floor(capsys: pytest.CaptureFixture[str]) -> None:
    figures = {name: _figure(8.0) for name in ("fid", "kid", "precision", "recall", "density", "coverage")}
    result = MeasureResult(
        target="set",
        name="made",
        split="test",
        features="built-in descriptor 1",
        draws=50,
        n_duplicates=(0, 0),
        overall=MeasuredGroup(name="all", n_real=90, n_synthetic=80, n=40, figures=figures),
        by_condition=(
            MeasuredGroup(name="plaque", n_real=40, n_synthetic=40, n=20, figures=figures),
            MeasuredGroup(name="scar", n_real=3, n_synthetic=4, n=0),
        ),
        n_too_near=2,
        nearest="nearest.json",
        notes=("mind the size",),
        seconds=1.0,
    )
    print_result(result, Path("/runs/x"))
    text = " ".join(capsys.readouterr().out.split())
    assert "Fréchet distance (FID) 8.000 7.000 to 9.000 0.500 0.250 to 0.750" in text
    assert "plaque 8.000" in text
    assert "too few images for figures of their own: scar" in text
    assert "too near to a training image: 2 of 80, see /runs/x" in text
    assert "note: mind the size" in text
