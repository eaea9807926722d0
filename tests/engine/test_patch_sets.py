"""Sets of a diffusion model that was trained from scratch: asked by maps as a GAN is, traced, proved, composited."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from synthstudio.client.kept_images import KeptImage, keep_images, remove_kept_images
from synthstudio.client.recording import Recorder
from synthstudio.client.remaking import REMADE, open_remaker
from synthstudio.core.synthesis.manifest import HEADER_NAME, MANIFEST_NAME
from synthstudio.core.synthesis.verification import verify_set
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.maps import MapRegion, MapRequest
from synthstudio.domain.records import Box, Generator, Split
from synthstudio.engine.features import open_features
from synthstudio.engine.jobs import compose
from synthstudio.engine.measuring import gather_material
from synthstudio.project import Project
from synthstudio.project.set_images import list_set_sources
from synthstudio.protocol.messages import JobFinished
from synthstudio.settings.compose import ComposeSettings
from synthstudio.settings.generate import GenerateSettings, PromptSettings
from synthstudio.settings.measure import MeasureSettings
from tests.support.engine_project import RecordingContext, build_engine_project
from tests.support.trained_gans import add_trained_gan, write_generated
from tests.support.trained_patches import add_trained_patches

SETTINGS = GenerateSettings(generator="diffusion", set_name="made", count=4, seed=3)
REQUEST = MapRequest(32, 0, (MapRegion("disc", Box(6, 6, 26, 26)),))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    project = build_engine_project(folder, n_train=4, n_val=1, n_test=1)
    add_trained_patches(project)
    project.close()
    return folder / "project"


@pytest.fixture
def project(study: Path, tmp_path: Path) -> Iterator[Project]:
    shutil.copytree(study, tmp_path / "project")
    opened = Project.open(tmp_path / "project")
    yield opened
    opened.close()


def run_of(project: Project) -> RunId:
    return next(run.id for run in project.runs.list(kind="train-patch-diffusion"))


def lines_of(project: Project, name: str) -> list[dict[str, object]]:
    text = (project.set_folder(name) / MANIFEST_NAME).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_that_a_set_is_made_by_maps_and_proved_by_making_it_again(project: Project) -> None:
    result = write_generated(project, SETTINGS)
    recorded = project.sets.get("made")
    assert (recorded.generator, recorded.n_images, result.origin) == (Generator.DIFFUSION, 4, run_of(project))
    assert sum(result.n_by_class.values()) == 4
    line = lines_of(project, "made")[0]
    assert (line["generator"], line["run"]) == ("diffusion", run_of(project))
    header = json.loads((project.set_folder("made") / HEADER_NAME).read_text())
    assert header["generators"][run_of(project)]["asked_by"] == "maps"
    train = {fov.id for fov in project.fovs.list(split=Split.TRAIN)}
    assert list_set_sources(project, "made")[1] == train
    with open_remaker(project, recorded) as (maker, words):
        assert words == REMADE
        assert verify_set(project.set_folder("made"), maker, manifest_sha256=recorded.manifest_sha256) == []


def test_that_its_patches_are_composited_and_named_as_sources(project: Project) -> None:
    write_generated(project, SETTINGS)
    wanted = ComposeSettings.model_validate(
        {
            "set_name": "composed",
            "count": 6,
            "patches": {"generated_sets": ["made"]},
            "composition": {"canvas_px": 96},
        }
    )
    context = RecordingContext(project, "compose")
    result = compose.run(wanted, context)
    with Recorder(project, project.runs.get(RunId(context.run_id))) as recorder:
        recorder.finish(JobFinished(result=result))
    lines = lines_of(project, "composed")
    assert any(line.get("source_sets") == ["made"] for line in lines)
    generated = [item for line in lines for item in line["objects"] if item.get("set") == "made"]
    assert generated
    learned = {fov.id for fov in project.fovs.list(split=Split.TRAIN)}
    assert learned <= frozenset().union(*list_set_sources(project, "composed").values())
    sample = project.fovs.list(split=Split.TRAIN)[0].sample_id
    project.samples.set_split([sample], Split.TEST)
    with pytest.raises(UserError, match="has learned from 1 images of the test split"):
        compose.run(wanted.model_copy(update={"set_name": "other"}), RecordingContext(project, "compose"))


def test_that_model_and_set_are_measured_against_crops_as_it_learned_from(project: Project) -> None:
    write_generated(project, SETTINGS.model_copy(update={"count": 12}))
    context = RecordingContext(project, "measure")
    for wanted in ({"set_name": "made"}, {"run": str(run_of(project))}):
        settings = MeasureSettings.model_validate({**wanted, "split": "val", "n_images": 12, "draws": 2})
        material = gather_material(settings, context, open_features("", "cpu"))
        assert len(material.synthetic)
        assert {each.window.side for each in material.real.images}
        assert {each.fov_id for each in material.learned.images} <= {
            fov.id for fov in project.fovs.list(split=Split.TRAIN)
        }


def test_that_single_images_are_kept_and_those_of_a_gan_go_elsewhere(project: Project) -> None:
    image = np.zeros((32, 32, 3), np.uint8)
    keep_images(project, "kept", [KeptImage(image, REQUEST, run_of(project), seed=1)])
    assert project.sets.get("kept").generator is Generator.DIFFUSION
    assert lines_of(project, "kept")[0]["generator"] == "diffusion"
    gan = add_trained_gan(project)
    with pytest.raises(UserError, match="by a GAN and by a diffusion model"):
        keep_images(project, "kept", [KeptImage(np.zeros((64, 64, 3), np.uint8), REQUEST, gan, seed=1)])
    remove_kept_images(project, "kept", 1)
    assert project.sets.find("kept") is None


def test_that_prompts_are_refused_by_a_model_that_reads_none(project: Project) -> None:
    settings = SETTINGS.model_copy(update={"run": str(run_of(project)), "prompts": PromptSettings(prompts=("a disc",))})
    with pytest.raises(UserError, match="reads no prompts"):
        write_generated(project, settings)
