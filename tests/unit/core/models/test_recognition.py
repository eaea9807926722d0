"""What a folder or a file with weights is, is told from its contents; what cannot be used is refused in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synthstudio.core.models.recognition import recognise_model
from synthstudio.core.models.tensor_files import read_tensor_file
from synthstudio.domain.errors import UserError
from synthstudio.domain.models import ModelKind
from tests.support.weight_files import compact_upscaler_shapes, ldm_shapes, write_hollow_weights

V15, V21 = 768, 1024


def _diffusers(folder: Path, *, pipeline: str = "StableDiffusionPipeline", channels: int = 4, width: int = V15) -> Path:
    """A folder as diffusers writes it, with hollow weights."""
    for part, name in (
        ("unet", "diffusion_pytorch_model"),
        ("vae", "diffusion_pytorch_model"),
        ("text_encoder", "model"),
    ):
        write_hollow_weights(folder / part / f"{name}.safetensors", {"layer.weight": (1000, 1000)})
    configs: dict[str, dict[str, object]] = {
        "model_index.json": {"_class_name": pipeline},
        "unet/config.json": {"in_channels": channels, "cross_attention_dim": width, "sample_size": 64},
        "vae/config.json": {"block_out_channels": [128, 256, 512, 512]},
        "text_encoder/config.json": {},
        "scheduler/scheduler_config.json": {"prediction_type": "v_prediction"} if width == V21 else {},
        "tokenizer/vocab.json": {},
    }
    for name, content in configs.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    (folder / "tokenizer" / "merges.txt").write_text("#version: 0.2\n")
    return folder


@pytest.mark.parametrize(
    ("width", "name", "predicts"),
    [(V15, "Stable Diffusion 1.x", "epsilon"), (V21, "Stable Diffusion 2.x", "v_prediction")],
)
def test_that_a_diffusers_folder_is_told_by_the_denoiser(tmp_path: Path, width: int, name: str, predicts: str) -> None:
    found = recognise_model(_diffusers(tmp_path / "sd", width=width))
    assert (found.what.kind, found.what.architecture) == (ModelKind.STABLE_DIFFUSION, name)
    assert dict(found.what.facts) == {
        "Images": "512 px",
        "Predicts": predicts,
        "Weights": "1.0 million in the denoiser",
    }


def test_that_an_upscaler_is_told_by_its_channels(tmp_path: Path) -> None:
    found = recognise_model(_diffusers(tmp_path / "up", pipeline="StableDiffusionUpscalePipeline", channels=7))
    assert found.what.kind is ModelKind.DIFFUSION_UPSCALER


def test_that_only_files_that_are_used_belong_to_a_folder(tmp_path: Path) -> None:
    folder = _diffusers(tmp_path / "sd")
    unet = folder / "unet"
    write_hollow_weights(unet / "diffusion_pytorch_model.fp16.safetensors", {"layer.weight": (10, 10)})
    write_hollow_weights(unet / "diffusion_pytorch_model.non_ema.safetensors", {"layer.weight": (10, 10)})
    (unet / "diffusion_pytorch_model.bin").write_bytes(b"PK\x03\x04")
    (folder / "v1-5-pruned.ckpt").write_bytes(b"PK\x03\x04")
    (folder / "LICENSE").write_text("CreativeML Open RAIL-M\nA licence.")
    found = recognise_model(folder)
    names = {path.relative_to(folder).as_posix() for path in found.files}
    assert names == {
        "LICENSE",
        "model_index.json",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
        "vae/config.json",
        "vae/diffusion_pytorch_model.safetensors",
        "text_encoder/config.json",
        "text_encoder/model.safetensors",
        "tokenizer/vocab.json",
        "tokenizer/merges.txt",
        "scheduler/scheduler_config.json",
    }
    assert found.licence.startswith("CreativeML Open RAIL-M")


def test_that_the_licence_is_named_by_a_readme_where_there_is_no_text(tmp_path: Path) -> None:
    folder = _diffusers(tmp_path / "sd")
    (folder / "README.md").write_text("---\nlicense: creativeml-openrail-m\ntags:\n- x\n---\n# Model\n")
    assert recognise_model(folder).licence == "creativeml-openrail-m"


@pytest.mark.parametrize(
    ("pipeline", "channels", "reason"),
    [
        ("StableDiffusionXLPipeline", 4, "Stable Diffusion XL"),
        ("StableDiffusion3Pipeline", 4, "Stable Diffusion 3"),
        ("FluxPipeline", 4, "FluxPipeline, which is not used"),
        ("StableDiffusionInpaintPipeline", 9, "inpainting model"),
    ],
)
def test_that_other_diffusion_models_are_refused_with_their_name(
    tmp_path: Path, pipeline: str, channels: int, reason: str
) -> None:
    with pytest.raises(UserError, match=reason) as caught:
        recognise_model(_diffusers(tmp_path / "other", pipeline=pipeline, channels=channels))
    assert caught.value.hint


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ("vae", "no folder vae"),
        ("unet/config.json", r"config\.json is missing"),
        ("unet/diffusion_pytorch_model.safetensors", "no weights"),
        ("tokenizer/merges.txt", "no tokenizer"),
    ],
)
def test_that_a_folder_that_lacks_a_part_is_refused(tmp_path: Path, missing: str, reason: str) -> None:
    folder = _diffusers(tmp_path / "sd")
    if missing == "vae":
        (folder / missing).rename(tmp_path / "elsewhere")
    else:
        (folder / missing).unlink()
    with pytest.raises(UserError, match=reason):
        recognise_model(folder)


def test_that_a_folder_with_pickles_alone_is_refused(tmp_path: Path) -> None:
    folder = _diffusers(tmp_path / "sd")
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(UserError, match="pickle"):
        recognise_model(folder)


@pytest.mark.parametrize(
    ("shapes", "metadata", "name", "predicts"),
    [
        (ldm_shapes(), {}, "Stable Diffusion 1.x", "epsilon"),
        (ldm_shapes(width=V21, text="model.transformer"), {}, "Stable Diffusion 2.x", "v_prediction"),
        (
            ldm_shapes(width=V21, text="model.transformer"),
            {"modelspec.prediction_type": "epsilon"},
            "Stable Diffusion 2.x",
            "epsilon",
        ),
    ],
)
def test_that_a_single_file_is_told_by_its_tensors(
    tmp_path: Path, shapes: dict[str, tuple[int, ...]], metadata: dict[str, str], name: str, predicts: str
) -> None:
    found = recognise_model(write_hollow_weights(tmp_path / "sd.safetensors", shapes, metadata=metadata))
    assert found.what.kind is ModelKind.STABLE_DIFFUSION
    assert found.what.architecture == f"{name}, one file"
    assert dict(found.what.facts)["Predicts"] == predicts


def test_that_the_yaml_beside_a_single_file_says_what_it_predicts(tmp_path: Path) -> None:
    file = write_hollow_weights(tmp_path / "v2.safetensors", ldm_shapes(width=V21, text="model.transformer"))
    yaml = file.with_suffix(".yaml")
    yaml.write_text("model:\n  params:\n    linear_start: 0.00085\n")
    found = recognise_model(file)
    assert dict(found.what.facts)["Predicts"] == "epsilon"
    assert found.files == (file, yaml)
    yaml.write_text('model:\n  params:\n    parameterization: "v"\n')
    assert dict(recognise_model(file).what.facts)["Predicts"] == "v_prediction"


@pytest.mark.parametrize(
    ("shapes", "reason"),
    [
        ({**ldm_shapes(), "conditioner.embedders.0.weight": (4, 4)}, "Stable Diffusion XL"),
        (ldm_shapes(channels=9), "inpainting"),
        (ldm_shapes(channels=7), "as a diffusers folder"),
        (ldm_shapes(width=512), "width 512"),
        ({name: each for name, each in ldm_shapes().items() if "first" not in name}, "without its VAE"),
        ({"unet.down.0.lora_A.weight": (4, 320)}, "is a LoRA"),
        ({"down_blocks.0.resnets.0.conv1.weight": (320, 320, 3, 3)}, "one part of a diffusers model"),
        ({"a": (3, 3)}, "no model that is used here"),
    ],
)
def test_that_other_single_files_are_refused(tmp_path: Path, shapes: dict[str, tuple[int, ...]], reason: str) -> None:
    with pytest.raises(UserError) as caught:
        recognise_model(write_hollow_weights(tmp_path / "other.safetensors", shapes))
    assert reason in str(caught.value)


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("prefix", ["", "params_ema."])
def test_that_a_compact_upscaler_is_told_with_its_scale(tmp_path: Path, scale: int, prefix: str) -> None:
    shapes = {f"{prefix}{name}": each for name, each in compact_upscaler_shapes(scale=scale).items()}
    found = recognise_model(write_hollow_weights(tmp_path / "up.safetensors", shapes))
    assert found.what.kind is ModelKind.COMPACT_UPSCALER
    assert dict(found.what.facts)["Scale"] == f"{scale} x"
    assert dict(found.what.facts)["Size"] == "6 convolutions of 16 channels"


def test_that_a_folder_with_one_file_stands_for_the_file_and_keeps_the_licence(tmp_path: Path) -> None:
    file = write_hollow_weights(tmp_path / "small" / "model.safetensors", compact_upscaler_shapes())
    (file.parent / "LICENSE.txt").write_text("BSD 3-Clause")
    found = recognise_model(file.parent)
    assert (found.path, found.licence) == (file, "BSD 3-Clause")


@pytest.mark.parametrize("name", ["weights.bin", "sd.ckpt", "net.pth", "net.pt", "disguised.safetensors"])
def test_that_pickles_are_refused_with_the_way_to_convert_them(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04 and so on, at some length")
    with pytest.raises(UserError, match="is a pickle") as caught:
        recognise_model(tmp_path / name)
    assert "save_file" in caught.value.hint


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"short",
        b"\xff" * 64,
        (2).to_bytes(8, "little") + b"[]",
        (40).to_bytes(8, "little") + b'{"a": {"dtype": "F32", "shape": "many"}}',
        (3).to_bytes(8, "little") + b"{x}",
    ],
)
def test_that_damaged_files_are_refused(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "x.safetensors"
    file.write_bytes(data)
    with pytest.raises(UserError, match="is damaged"):
        read_tensor_file(file)


def test_that_a_file_that_was_not_copied_to_its_end_is_refused(tmp_path: Path) -> None:
    file = write_hollow_weights(tmp_path / "cut.safetensors", compact_upscaler_shapes())
    with file.open("rb+") as stream:
        stream.truncate(file.stat().st_size - 100)
    with pytest.raises(UserError, match="cut short: 100 bytes"):
        recognise_model(file)


def test_that_nothing_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is nothing at"):
        recognise_model(tmp_path / "none")
    with pytest.raises(UserError, match="holds no model"):
        recognise_model(tmp_path)


def test_that_a_text_encoder_of_another_model_is_refused_when_it_is_brought_in(tmp_path: Path) -> None:
    folder = _diffusers(tmp_path / "sd", width=768)
    (folder / "text_encoder" / "config.json").write_text(json.dumps({"hidden_size": 1024}))
    with pytest.raises(UserError, match="writes texts of width 1024, but its denoiser reads width 768"):
        recognise_model(folder)
