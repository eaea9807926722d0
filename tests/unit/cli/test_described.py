"""What the describe command prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthstudio.cli.results import print_result
from synthstudio.protocol.results import DescribeResult, FigureSpread


def test_that_figures_of_images_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    result = DescribeResult(
        n_images=12,
        n_reused=4,
        n_unmeasured=1,
        figures={"green_red": FigureSpread(p5=-1.5, median=0.25, p95=3.0)},
        file="image_figures.npz",
        notes=("a.png is not there any more.",),
        seconds=2.0,
    )
    print_result(result, Path())
    first, head, row, note = capsys.readouterr().out.splitlines()
    assert first == "project: 12 images (4 measured before, 1 not to be measured) in 2.0 s"
    assert head.split() == ["of", "the", "images", "5", "%", "median", "95", "%"]
    assert row.split() == ["green", "red", "-1.500", "0.250", "3.000"]
    assert note == "note: a.png is not there any more."
