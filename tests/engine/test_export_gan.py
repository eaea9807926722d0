"""A GAN as an ONNX file of its own: with all that another program needs to ask it for an image."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from synthstudio.core.synthesis.semantic_maps import MapCoding, to_input
from synthstudio.domain.errors import UserError
from synthstudio.domain.maps import MapRegion, MapRequest
from synthstudio.domain.records import Box
from synthstudio.engine.gan_session import GeneratorSession
from synthstudio.engine.jobs import export_onnx
from synthstudio.project import Project
from synthstudio.settings.export_onnx import ExportOnnxSettings
from tests.support.engine_project import RecordingContext, build_engine_project
from tests.support.trained_gans import add_trained_gan


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = build_engine_project(tmp_path)
    add_trained_gan(made, noise=3)
    return made


def test_that_a_gan_is_exported_with_the_key_to_its_maps(project: Project, tmp_path: Path) -> None:
    out = tmp_path / "gan.onnx"
    result = export_onnx.run(ExportOnnxSettings(out=str(out)), RecordingContext(project, "export-onnx"))
    assert result.difference <= 1e-4
    assert (result.map_difference, result.box_difference_px) == (None, None)
    described = json.loads(Path(result.card).read_text(encoding="utf-8"))["interface"]

    request = MapRequest(64, 0, (MapRegion("square", Box(10, 20, 30, 40)),))
    drawn = np.zeros((64, 64, 3), np.uint8)
    drawn[..., 0] = described["red"]["unknown"]
    drawn[20:40, 10:30, 1:] = described["green_and_blue"]["square"]
    assert np.array_equal(drawn, MapCoding(("disc", "square"), 0, has_unknown=True).draw(request))

    session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
    noise = np.zeros((1, 3), np.float32)
    (made,) = session.run(None, {"maps": drawn.transpose(2, 0, 1)[None] / np.float32(127.5) - 1, "noise": noise})
    assert np.allclose(made, GeneratorSession(out).run(to_input(drawn)[None], noise), atol=1e-5)
    assert set(described["inputs"]) == {each.name for each in session.get_inputs()}


def test_that_a_file_that_makes_other_images_is_not_kept(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_onnx, "compare_with_torch", lambda *_: 0.5)
    out = tmp_path / "gan.onnx"
    with pytest.raises(UserError, match="nothing was written"):
        export_onnx.run(ExportOnnxSettings(out=str(out)), RecordingContext(project, "export-onnx"))
    assert not out.exists()
