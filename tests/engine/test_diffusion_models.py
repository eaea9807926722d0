"""Reading a local Stable Diffusion: the parts fit, and what does not is refused in one sentence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from synthstudio.domain.errors import UserError
from synthstudio.engine.diffusion_models import Components, load_components, load_tokenizer
from synthstudio.engine.diffusion_passes import decode_latents, latent_moments, predict, text_states, token_ids
from tests.support.tiny_diffusion import TEXT_WIDTH, write_tiny_diffusion, write_tiny_upscaler

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that no test changes."""
    return write_tiny_diffusion(tmp_path_factory.mktemp("models") / "tiny")


def _load(folder: Path) -> Components:
    return load_components(folder, device=CPU)


@torch.no_grad()
def test_that_texts_images_and_latents_pass_through_the_parts(tiny: Path) -> None:
    model = _load(tiny)
    assert (model.prediction, model.shrink, model.side) == ("epsilon", 8, 64)
    assert model.latent_scale == pytest.approx(0.18215)
    ids = token_ids(model.tokenizer, ["a photo of a red cell", ""])
    assert ids.shape == (2, 77)
    states = text_states(model.text_encoder, ids)
    assert states.shape == (2, 77, TEXT_WIDTH)
    mean, std = latent_moments(model.vae, torch.zeros(2, 3, 64, 64))
    assert mean.shape == std.shape == (2, 4, 8, 8)
    answer = predict(model.unet, mean, torch.tensor([5, 7]), states)
    assert answer.shape == mean.shape
    assert decode_latents(model.vae, mean, latent_scale=model.latent_scale).shape == (2, 3, 64, 64)
    assert not any(weight.requires_grad for weight in model.unet.parameters())


@torch.no_grad()
def test_that_an_upscaler_comes_with_the_schedule_of_its_low_resolution_noise(tmp_path: Path) -> None:
    model = _load(write_tiny_upscaler(tmp_path / "upscaler"))
    assert model.prediction == "v_prediction"
    assert model.shrink == 4
    assert model.low_res_scheduler is not None
    states = text_states(model.text_encoder, token_ids(model.tokenizer, [""]))
    noisy = torch.zeros(1, 7, 32, 32)
    assert predict(model.unet, noisy, torch.tensor(3), states, noise_level=torch.tensor([20])).shape == (1, 4, 32, 32)


def test_that_a_checkpoint_stands_in_for_the_denoiser_alone(tiny: Path, tmp_path: Path) -> None:
    other = write_tiny_diffusion(tmp_path / "other", seed=1)
    shutil.rmtree(other / "text_encoder")
    base, mixed = _load(tiny), load_components(tiny, device=CPU, checkpoint=other)
    same = [torch.equal(a, b) for a, b in zip(base.unet.parameters(), mixed.unet.parameters(), strict=True)]
    assert not all(same)
    pairs = zip(base.text_encoder.parameters(), mixed.text_encoder.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_that_a_text_encoder_of_another_model_is_refused(tmp_path: Path) -> None:
    folder = write_tiny_diffusion(tmp_path / "mixed", text_width=2 * TEXT_WIDTH)
    with pytest.raises(UserError, match=r"text encoder .* does not match the denoiser: it gives 64 .* takes 32"):
        _load(folder)


def test_that_weights_that_exist_only_as_a_pickle_are_refused(tiny: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny, tmp_path / "pickled"))
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(UserError, match="pickle") as caught:
        _load(folder)
    assert "safe_serialization" in caught.value.hint


def test_that_a_model_that_lies_there_in_half_precision_only_is_read(tiny: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny, tmp_path / "half"))
    for name in ("unet/diffusion_pytorch_model", "vae/diffusion_pytorch_model", "text_encoder/model"):
        (folder / f"{name}.safetensors").rename(folder / f"{name}.fp16.safetensors")
    assert _load(folder).side == 64


@pytest.mark.parametrize("damage", ["cut", "text", "missing tensor", "other shape"])
def test_that_damaged_weights_are_refused_and_never_filled_by_chance(tiny: Path, tmp_path: Path, damage: str) -> None:
    from safetensors.torch import load_file, save_file

    folder = Path(shutil.copytree(tiny, tmp_path / "damaged"))
    weights = folder / "text_encoder" / "model.safetensors"
    tensors = load_file(weights)
    name = next(each for each in tensors if "k_proj.weight" in each)
    match damage:
        case "cut":
            weights.write_bytes(weights.read_bytes()[:-1000])
        case "text":
            weights.write_bytes(b"this is no file of weights")
        case "missing tensor":
            del tensors[name]
            save_file(tensors, weights, {"format": "pt"})
        case _:
            tensors[name] = tensors[name][:5].clone()
            save_file(tensors, weights, {"format": "pt"})
    with pytest.raises(UserError, match=r"text_encoder (are damaged|do not fit)"):
        _load(folder)


def test_that_missing_parts_are_named(tiny: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny, tmp_path / "parts"))
    (folder / "vae" / "config.json").unlink()
    with pytest.raises(UserError, match=r"config\.json is missing"):
        _load(folder)
    (folder / "tokenizer" / "merges.txt").unlink()
    with pytest.raises(UserError, match="no tokenizer"):
        _load(folder)
    with pytest.raises(UserError, match="no model"):
        _load(tmp_path / "nowhere")


def test_that_a_network_of_another_class_is_refused(tiny: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny, tmp_path / "foreign"))
    path = folder / "unet" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "_class_name": "FluxTransformer2DModel"}))
    with pytest.raises(UserError, match="FluxTransformer2DModel"):
        _load(folder)


def test_that_the_tokenizer_of_an_older_program_is_read(tiny: Path) -> None:
    tokenizer = load_tokenizer(tiny / "tokenizer")
    assert tokenizer.tokenize("A  photo of cell") == ["a</w>", "photo</w>", "of</w>", "cell</w>"]
