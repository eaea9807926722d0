"""`synthstudio similar`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from synthstudio.cli import similar
from synthstudio.cli.main import main
from synthstudio.domain.records import FieldOfView
from synthstudio.project.pictures import Picture, list_pictures
from synthstudio.protocol.messages import JobFinished
from synthstudio.protocol.results import EmbedResult
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from tests.support.engine_project import build_engine_project
from tests.support.sets import add_set


@dataclass(frozen=True)
class Study:
    """A closed project.

    Attributes:
        fovs: Its images.
        object: One of its objects.
    """

    folder: Path
    fovs: tuple[FieldOfView, ...]
    object: Picture


@pytest.fixture
def study(tmp_path: Path) -> Study:
    project = build_engine_project(tmp_path, n_train=4, n_val=1, n_test=1)
    try:
        add_set(project, ComposeSettings(set_name="made", count=3, composition=CompositionSettings(canvas_px=96)))
        return Study(project.folder, tuple(project.fovs.list()), list_pictures(project).objects[0])
    finally:
        project.close()


def run(*words: object) -> int:
    return main([str(word) for word in words], open_app=lambda _: 0)


def found(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, object]:
    assert run("similar", *words, "--json") == 0
    told: dict[str, object] = json.loads(capsys.readouterr().out)
    return told


def rows(told: dict[str, object]) -> list[dict[str, object]]:
    listed = told["similar"]
    assert isinstance(listed, list)
    return listed


def test_that_a_file_outside_the_project_finds_its_own_copy_first(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fov = study.fovs[2]
    copy = tmp_path / "elsewhere.png"
    copy.write_bytes(Path(fov.path).read_bytes())
    told = found(capsys, study.folder, copy, "--count", 4)
    assert (told["n_searched"], told["features"]) == (9, "built-in descriptor 1")
    first = rows(told)[0]
    assert (first["name"], first["distance"], first["set"]) == (fov.name, 0.0, "")
    distances = [float(str(row["distance"])) for row in rows(told)]
    assert distances == sorted(distances)
    assert len(distances) == 4


def test_that_a_square_of_an_image_finds_the_object_that_it_shows(
    study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = study.object
    assert picture.window is not None
    assert picture.mark is not None
    square = (picture.window.x, picture.window.y, picture.window.side)
    first = rows(found(capsys, study.folder, picture.fov.name, "--window", *square, "--count", 1))[0]
    assert (first["annotation"], first["window"], first["distance"]) == (picture.mark.id, list(square), 0.0)


def test_that_project_and_sets_are_searched_unless_sets_are_named(
    study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    name = study.fovs[0].name
    told = found(capsys, study.folder, name, "--count", 50, "--set", "made")
    assert ({row["set"] for row in rows(told)}, told["n_searched"]) == ({"made"}, 3)
    assert run("similar", study.folder, name, "--count", 3) == 0
    assert "nearest of 9 by built-in descriptor 1" in capsys.readouterr().out


def test_that_wrong_use_is_told(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    name = study.fovs[0].name
    assert run("similar", study.folder, "nowhere.png") == 2
    assert "no image of this name" in capsys.readouterr().err
    assert run("similar", study.folder, name, "--window", 90, 0, 20) == 2
    assert "not within the image" in capsys.readouterr().err
    assert run("similar", study.folder, name, "--count", 0) == 2
    assert run("similar", study.folder, name, "--set", "none") == 1


def test_that_an_image_is_named_by_its_id_where_several_have_its_name(
    study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    fov = study.fovs[1]
    first = rows(found(capsys, study.folder, f"#{fov.id}", "--count", 1))[0]
    assert (first["name"], first["distance"]) == (fov.name, 0.0)
    assert run("similar", study.folder, "#99") == 1


def test_that_a_query_that_a_network_could_not_describe_is_told(
    study: Study, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    result = EmbedResult(
        features="net",
        features_sha256="0" * 64,
        layout="pca",
        n_images=5,
        n_objects=0,
        n_reused=0,
        n_landmarks=0,
        map_digest="",
        notes=("An image is damaged.",),
        seconds=1.0,
    )
    monkeypatch.setattr(similar, "run_job", lambda *_, **__: JobFinished(result=result))
    assert run("similar", study.folder, study.fovs[0].name, "--features", "net.safetensors") == 1
    told = capsys.readouterr().err
    assert "An image is damaged." in told
    assert f"{study.fovs[0].name} could not be described." in told
