"""Results of jobs as a terminal shows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthstudio.cli.results import print_result
from synthstudio.protocol.results import DetectedFov, DetectResult, ExportOnnxResult


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
