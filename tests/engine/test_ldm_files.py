"""Stable Diffusion as one file: the same weights as in the folder that it was made from, and nothing left to chance."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Literal

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel

from synthstudio.core.models.what import TEXT_WIDTHS
from synthstudio.domain.errors import UserError
from synthstudio.engine import diffusion_models
from synthstudio.engine.diffusion_models import load_components, load_tokenizer
from synthstudio.engine.ldm_files import config_folder, load_shipped_tokenizer
from tests.support.tiny_diffusion import TEXT_WIDTH, write_tiny_diffusion
from tests.support.tiny_ldm import write_tiny_ldm

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny model, whose configurations stand in for those that come with the program."""
    made = write_tiny_diffusion(tmp_path / "tiny")
    monkeypatch.setitem(TEXT_WIDTHS, TEXT_WIDTH, "Tiny Diffusion")
    monkeypatch.setattr(diffusion_models, "config_folder", lambda width: made)
    monkeypatch.setattr(diffusion_models, "load_shipped_tokenizer", lambda width: load_tokenizer(made / "tokenizer"))
    return made


def _same(first: nn.Module, second: nn.Module) -> bool:
    ours, theirs = first.state_dict(), second.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every attempt to open a socket is refused."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was asked for")

    monkeypatch.setattr(socket, "socket", refuse)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("text", ["clip", "open_clip"])
def test_that_a_single_file_gives_the_same_networks_as_the_folder(
    folder: Path, tmp_path: Path, text: Literal["clip", "open_clip"]
) -> None:
    file = write_tiny_ldm(folder, tmp_path / "tiny.safetensors", text=text)
    from_file, from_folder = load_components(file, device=CPU, sha256="abc"), load_components(folder, device=CPU)
    assert _same(from_file.unet, from_folder.unet)
    assert _same(from_file.vae, from_folder.vae)
    assert _same(from_file.text_encoder, from_folder.text_encoder)
    assert (from_file.shrink, from_file.latent_scale) == (from_folder.shrink, from_folder.latent_scale)
    assert (from_file.source, from_file.sha256) == (file, "abc")
    assert not from_file.unet.training


def test_that_the_shorter_names_of_newer_programs_are_read(folder: Path, tmp_path: Path) -> None:
    file = write_tiny_ldm(folder, tmp_path / "tiny.safetensors")
    save_file({name.replace(".text_model.", "."): each for name, each in load_file(file).items()}, file)
    found = load_components(file, device=CPU)
    assert _same(found.text_encoder, load_components(folder, device=CPU).text_encoder)


def test_that_a_yaml_beside_the_file_decides_what_it_predicts(folder: Path, tmp_path: Path) -> None:
    file = write_tiny_ldm(folder, tmp_path / "tiny.safetensors")
    file.with_suffix(".yaml").write_text('model:\n  params:\n    parameterization: "v"\n')
    found = load_components(file, device=CPU)
    assert found.prediction == found.scheduler["prediction_type"] == "v_prediction"
    assert found.side == 768


def test_that_a_checkpoint_stands_in_for_the_networks_of_a_file(folder: Path, tmp_path: Path) -> None:
    file = write_tiny_ldm(folder, tmp_path / "tiny.safetensors")
    other = write_tiny_diffusion(tmp_path / "other", seed=1)
    mixed = load_components(file, device=CPU, checkpoint=other)
    assert _same(mixed.unet, load_components(other, device=CPU).unet)
    assert _same(mixed.vae, load_components(folder, device=CPU).vae)


@pytest.mark.parametrize(
    ("lost", "below"),
    [
        ("model.diffusion_model.out.2.bias", "model.diffusion_model"),
        ("first_stage_model.decoder.norm_out.weight", "first_stage_model"),
        ("cond_stage_model.transformer.text_model.final_layer_norm.bias", "cond_stage_model"),
    ],
)
def test_that_a_file_that_lacks_a_tensor_is_refused(folder: Path, tmp_path: Path, lost: str, below: str) -> None:
    file = write_tiny_ldm(folder, tmp_path / "tiny.safetensors")
    tensors = load_file(file)
    del tensors[lost]
    save_file(tensors, file)
    with pytest.raises(UserError, match=f"below {below} do not fit"):
        load_components(file, device=CPU)


def test_that_any_other_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(2)}, file)
    with pytest.raises(UserError, match="holds no Stable Diffusion"):
        load_components(file, device=CPU)


@pytest.mark.parametrize(
    ("width", "n_text", "n_unet"), [(768, 123_060_480, 859_520_964), (1024, 340_387_840, 865_910_724)]
)
def test_that_the_configurations_that_come_along_are_of_the_published_sizes(
    width: int, n_text: int, n_unet: int
) -> None:
    folder = config_folder(width)
    with torch.device("meta"):
        text = CLIPTextModel(CLIPTextConfig.from_pretrained(str(folder / "text_encoder")))
        unet = UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(str(folder / "unet")))
        vae = AutoencoderKL.from_config(AutoencoderKL.load_config(str(folder / "vae")))
    counts = [sum(each.numel() for each in network.parameters()) for network in (text, unet, vae)]
    assert counts == [n_text, n_unet, 83_653_863]


def test_that_the_tokenizer_that_comes_along_is_that_of_clip() -> None:
    first, second = load_shipped_tokenizer(768), load_shipped_tokenizer(1024)
    begin, end = 49406, 49407
    options = {"padding": "max_length", "max_length": 9, "truncation": True, "return_tensors": "pt"}
    ids = [320, 1125, 539, 320, 2368]  # published for this very sentence
    for tokenizer, pad in ((first, end), (second, 0)):
        found = tokenizer(["a Photo  of a cat"], **options)["input_ids"]
        assert found.tolist() == [[begin, *ids, end, pad, pad]]
    assert first.tokenize("zxq mpox") == second.tokenize("zxq mpox")
