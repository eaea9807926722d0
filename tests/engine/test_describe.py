"""The describe job: each image is measured once, and its figures are found by what its file holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from synthstudio.core.imaging import read_image, write_png
from synthstudio.core.review.image_figures import FIGURE_NAMES
from synthstudio.domain.errors import NotFound, UserError
from synthstudio.engine.jobs import describe, quality
from synthstudio.project import Project
from synthstudio.project.image_figures import newest_figures
from synthstudio.project.set_images import list_set_images
from synthstudio.protocol.results import DescribeResult
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from synthstudio.settings.describe import DescribeSettings
from synthstudio.settings.quality import QualitySettings
from tests.support.engine_project import RecordingContext, build_engine_project
from tests.support.sets import add_set

N_MADE = 3


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = build_engine_project(tmp_path, n_train=3, n_val=1, n_test=1)
    yield project
    project.close()


def _describe(project: Project, set_name: str = "") -> DescribeResult:
    context = RecordingContext(project, "describe")
    result = describe.run(DescribeSettings(set_name=set_name), context)
    context.finish()
    return result


def test_that_figures_are_those_of_the_pixels(project: Project) -> None:
    result = _describe(project)
    fovs = project.fovs.list()
    assert (result.n_images, result.n_reused, result.n_unmeasured) == (len(fovs), 0, 0)
    found = newest_figures(project).find([fov.content_key for fov in fovs])
    for fov, row in zip(fovs, found, strict=True):
        grey = cv2.cvtColor(read_image(Path(fov.path)), cv2.COLOR_RGB2GRAY)
        figures = dict(zip(FIGURE_NAMES, row.tolist(), strict=True))
        assert figures["brightness"] == pytest.approx(float(grey.mean()))
        assert figures["contrast"] == pytest.approx(float(grey.std()))
        assert figures["bright_share"] == pytest.approx(float((grey >= 252).mean()))
    spread = result.figures["brightness"]
    assert spread.median == pytest.approx(float(np.median(found[:, 0])))
    assert spread.p5 <= spread.median <= spread.p95


def test_that_only_what_changed_is_measured_again(project: Project) -> None:
    _describe(project)
    path = Path(project.fovs.list()[0].path)
    write_png(path, np.full_like(read_image(path), 250))
    again = _describe(project)
    assert (again.n_reused, again.n_unmeasured) == (again.n_images - 1, 1)
    assert path.name in again.notes[0]


def test_that_a_set_is_measured_beside_the_project_and_checks_share_the_figures(project: Project) -> None:
    quality.run(QualitySettings(), context := RecordingContext(project, "quality"))
    context.finish()
    assert _describe(project).n_reused == len(project.fovs.list())
    add_set(project, ComposeSettings(set_name="made", count=N_MADE, composition=CompositionSettings(canvas_px=96)))
    assert (_describe(project, "made").n_images, _describe(project, "made").n_reused) == (N_MADE, N_MADE)
    images = [*project.fovs.list(), *list_set_images(project, "made")[0]]
    assert np.isfinite(newest_figures(project).find([each.content_key for each in images])).all()


def test_that_unknown_contents_and_damaged_files_have_no_figures(project: Project) -> None:
    assert np.isnan(newest_figures(project).find(["no such content"])).all()
    result = _describe(project)
    (file,) = project.folder.glob(f"runs/*/{result.file}")
    file.write_bytes(b"damaged")
    assert len(newest_figures(project)) == 0


def test_that_nothing_to_measure_is_said(tmp_path: Path) -> None:
    empty = Project.create(tmp_path / "empty")
    context = RecordingContext(empty, "describe")
    with pytest.raises(UserError, match="no images"):
        describe.run(DescribeSettings(), context)
    with pytest.raises(NotFound):
        describe.run(DescribeSettings(set_name="none"), context)
    empty.close()
