"""Exported generators: the same images without torch; nothing is written where they differ."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from synthstudio.core.training.gan_card import GanCard
from synthstudio.domain.errors import UserError
from synthstudio.engine import gan_onnx, gan_session
from synthstudio.engine.gan_onnx import build_generator_onnx, export_generator, fold_generator
from synthstudio.engine.gan_session import CPU, GeneratorSession
from synthstudio.engine.networks.gan import ResizeConv, UNetGenerator, build_generator
from synthstudio.engine.onnx_files import CARD_KEY
from synthstudio.settings.train_gan import GanNetworkSettings, RegionCropSettings

SIDE = 64


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def trained(*, noise: int = 0, upsampling: str = "resize") -> tuple[UNetGenerator, GanCard]:
    """A generator whose norms are as a training would leave them, and its card."""
    settings = GanNetworkSettings.model_validate({"base_channels": 8, "noise": noise, "upsampling": upsampling})
    generator = build_generator(settings, side=SIDE, seed=3)
    torch.manual_seed(1)
    for name, each in generator.named_parameters():
        if each.ndim == 1:
            torch.nn.init.normal_(each, mean=1.0 if name.endswith("weight") else 0.0, std=0.2)
    card = GanCard(
        class_names=("näevus", "wart"),
        tone_levels=("I", "II"),
        has_unknown_tone=False,
        side=SIDE,
        network=settings,
        crops=RegionCropSettings(),
        seed=3,
        step=1,
        train_fov_ids=(),
        validation_fov_ids=(),
        versions={},
        threads=1,
    )
    return generator, card


def random_maps(n: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (n, 3, SIDE, SIDE)).astype(np.float32)


@pytest.mark.parametrize("upsampling", ["resize", "transposed"])
@pytest.mark.parametrize("noise", [0, 5])
def test_that_the_file_makes_the_images_of_the_trained_generator(tmp_path: Path, noise: int, upsampling: str) -> None:
    generator, card = trained(noise=noise, upsampling=upsampling)
    path = tmp_path / "generator.onnx"
    assert export_generator(generator, card, path) < 1e-5
    assert [each.name for each in tmp_path.iterdir()] == ["generator.onnx"]
    session = GeneratorSession(path, threads=1)
    assert (session.side, session.noise, session.provider) == (SIDE, noise, CPU)
    maps = random_maps(2)
    numbers = np.random.default_rng(1).standard_normal((2, noise)).astype(np.float32) if noise else None
    with torch.inference_mode():
        expected = generator(torch.from_numpy(maps), torch.from_numpy(numbers) if numbers is not None else None)
    assert np.abs(session.run(maps, numbers) - expected.numpy()).max() < 1e-5
    images = session.make(maps, numbers)
    assert images.shape == (2, SIDE, SIDE, 3)
    assert images.dtype == np.uint8
    shown = (expected.numpy().transpose(0, 2, 3, 1) + 1) * 127.5
    assert np.abs(images - shown).max() < 0.51
    alone = session.make(maps[1:], numbers[1:] if numbers is not None else None)[0]
    assert np.abs(alone.astype(int) - images[1]).max() <= 1


def test_that_resizes_are_folded_in_the_file_and_stay_in_the_generator(tmp_path: Path) -> None:
    generator, card = trained()
    model = onnx.load_from_string(build_generator_onnx(generator, card, scratch=tmp_path / "scratch"))
    operations = [node.op_type for node in model.graph.node]
    assert operations.count("ConvTranspose") == 1
    assert operations.count("Conv") == 6 + 5 * 7
    assert "Resize" not in operations
    assert sum(isinstance(each, ResizeConv) for each in generator.modules()) == 6
    assert not any(isinstance(each, ResizeConv) for each in fold_generator(generator).modules())
    kept = {each.key: each.value for each in model.metadata_props}
    assert json.loads(kept[CARD_KEY])["class_names"] == ["näevus", "wart"]
    assert not list(tmp_path.iterdir())


def test_that_a_generator_that_comes_out_differently_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator, card = trained()
    other, _ = trained()
    torch.nn.init.normal_(other.up[-1].conv.weight)  # type: ignore[union-attr,arg-type]
    monkeypatch.setattr(gan_onnx, "fold_generator", lambda _: fold_generator(other))
    with pytest.raises(UserError, match="nothing was written"):
        export_generator(generator, card, tmp_path / "generator.onnx")
    assert not list(tmp_path.iterdir())


def test_that_weights_that_are_no_numbers_are_not_written(tmp_path: Path) -> None:
    generator, card = trained()
    torch.nn.init.constant_(generator.up[-1].conv.bias, float("nan"))  # type: ignore[union-attr,arg-type]
    with pytest.raises(UserError, match="nothing was written"):
        export_generator(generator, card, tmp_path / "generator.onnx")
    assert not list(tmp_path.iterdir())


def test_that_wrong_maps_and_noise_are_refused(tmp_path: Path) -> None:
    generator, card = trained(noise=5)
    session = GeneratorSession(build_generator_onnx(generator, card, scratch=tmp_path / "scratch"))
    with pytest.raises(ValueError, match="5 numbers"):
        session.run(random_maps(1))
    with pytest.raises(ValueError, match="5 numbers"):
        session.run(random_maps(1), np.zeros((1, 4), np.float32))
    with pytest.raises(ValueError, match="3 x 64 x 64"):
        session.run(random_maps(1)[:, :, :32], np.zeros((1, 5), np.float32))


@pytest.mark.parametrize("content", [b"", b"no graph", None])
def test_that_a_damaged_or_missing_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "generator.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"generator\.onnx"):
        GeneratorSession(path)


def test_that_another_network_is_no_generator(tmp_path: Path) -> None:
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Relu", ["x"], ["y"])],
        "other",
        [value("x", onnx.TensorProto.FLOAT, [1, 3])],
        [value("y", onnx.TensorProto.FLOAT, [1, 3])],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path / "other.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(UserError, match="no exported generator"):
        GeneratorSession(path)


class CpuSession:
    """An onnxruntime session that was asked for a GPU and fell back to the processor, as it does without a word."""

    def __init__(self, *_: object, **__: object) -> None:
        self.sessions = 1

    def get_providers(self) -> list[str]:
        return [CPU]


def test_that_a_gpu_that_cannot_be_used_is_an_error_only_where_it_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    generator, card = trained()
    data = build_generator_onnx(generator, card, scratch=tmp_path / "scratch")
    monkeypatch.setattr(gan_session, "has_gpu", lambda: False)
    assert GeneratorSession(data, device="auto").provider == CPU
    monkeypatch.setattr(gan_session, "has_gpu", lambda: True)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CPU])
    with pytest.raises(UserError, match="cuda:1"):
        GeneratorSession(data, device="cuda:1")
    assert GeneratorSession(data, device="auto").provider == CPU
    assert "cannot use the GPU" in caplog.text


def test_that_what_really_computes_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [gan_session.CUDA, CPU])
    monkeypatch.setattr(onnxruntime, "InferenceSession", CpuSession)
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: None, raising=False)
    with pytest.raises(UserError, match="cannot use the device cuda"):
        GeneratorSession(b"", device="cuda")


def test_that_a_session_starts_without_torch() -> None:
    code = "import sys, synthstudio.engine.gan_session; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
