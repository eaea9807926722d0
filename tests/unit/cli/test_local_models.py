"""Local models by commands, and what the doctor says is missing for which feature."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from synthstudio.cli import doctor
from synthstudio.cli.main import main
from synthstudio.project import Project
from tests.support.weight_files import compact_upscaler_shapes, ldm_shapes, write_hollow_weights


@pytest.fixture(autouse=True)
def _own_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthstudio.project.models._memory_path", lambda: tmp_path / "hashes.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = Project.create(tmp_path / "project")
    project.close()
    return project.folder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_hollow_weights(tmp_path / "downloads" / "compact.safetensors", compact_upscaler_shapes())


def command(*arguments: str | Path) -> int:
    return main([str(each) for each in arguments], open_app=lambda _: 1)


def test_that_a_model_comes_in_is_listed_checked_and_removed(
    folder: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("models", "add", folder, file, "--name", "small", "--json") == 0
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert (told["name"], told["kind"], told["in_place"]) == ("small", "compact-upscaler", True)
    assert "no licence was found" in err
    assert command("models", "list", folder, "--json") == 0
    assert [each["sha256"] for each in json.loads(capsys.readouterr().out)["models"]] == [told["sha256"]]
    assert command("models", "list", folder) == 0
    assert "compact upscaler, 4 x" in capsys.readouterr().out
    assert command("models", "check", folder, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "models": {"small": []}}
    file.unlink()
    assert command("models", "check", folder, "small") == 1
    assert "small: compact.safetensors is missing." in capsys.readouterr().out
    assert command("models", "remove", folder, "small") == 0
    assert command("models", "list", folder) == 0
    assert "no models yet" in capsys.readouterr().out


def test_that_a_copy_outlives_the_download(folder: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (file.parent / "LICENSE").write_text("# BSD 3-Clause\nText.")
    assert command("models", "add", folder, file.parent, "--copy") == 0
    out, err = capsys.readouterr()
    assert "model compact: compact upscaler, 4 x" in out
    assert "licence" not in err
    file.unlink()
    assert command("models", "check", folder) == 0
    capsys.readouterr()
    assert command("models", "list", folder) == 0
    assert "BSD 3-Clause  copied" in capsys.readouterr().out


def test_that_a_pickle_is_refused_in_one_sentence(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pickle = tmp_path / "v1-5.ckpt"
    pickle.write_bytes(b"PK\x03\x04")
    assert command("models", "add", folder, pickle) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "is a pickle" in err
    assert "Traceback" not in err


def test_that_an_unknown_model_is_answered_with_those_that_exist(
    folder: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command("models", "add", folder, file, "--name", "small")
    assert command("models", "remove", folder, "smal") == 1
    assert "Models of this project: small." in capsys.readouterr().err


def test_that_the_doctor_says_what_is_missing_for_which_feature(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_check_torch", list)
    command("models", "add", folder, write_hollow_weights(tmp_path / "sd.safetensors", ldm_shapes()))
    capsys.readouterr()
    status = doctor.execute("doctor", argparse.Namespace(project=folder, json=True))
    told = {each["what"]: each for each in json.loads(capsys.readouterr().out)["checks"]}
    assert status in (0, 1)  # the libraries of the window are no matter of this test
    assert told["Stable Diffusion"]["found"] == "sd, for fine-tuning on guide images, images from prompts"
    missing = told["Features for FID"]
    assert missing["ok"] is True
    assert missing["found"].startswith("none")
    assert f"synthstudio models add {folder} PATH" in missing["mend"]
    assert told["diffusers"]["ok"] is True


def test_that_the_line_of_the_doctor_can_be_pasted_where_the_folder_has_a_blank(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_check_torch", list)
    Project.create(tmp_path / "my cells").close()
    doctor.execute("doctor", argparse.Namespace(project=tmp_path / "my cells", json=False))
    assert f"models add '{tmp_path / 'my cells'}' PATH" in capsys.readouterr().out


def test_that_the_doctor_asks_for_a_project_to_see_its_models(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_check_torch", list)
    doctor.execute("doctor", argparse.Namespace(project=None, json=True))
    told = {each["what"]: each["found"] for each in json.loads(capsys.readouterr().out)["checks"]}
    assert "synthstudio doctor PROJECT" in told["local models"]
