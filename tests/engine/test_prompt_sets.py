"""The generate job with prompts: a set from a fine-tuned or a local Stable Diffusion, gone on with, and traced."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from synthstudio.client.recording import Recorder
from synthstudio.client.remaking import REMADE, open_remaker
from synthstudio.core.imaging import read_image
from synthstudio.core.synthesis import sets
from synthstudio.core.synthesis.manifest import HEADER_NAME, MANIFEST_NAME
from synthstudio.core.synthesis.sets import unfinished_folder
from synthstudio.core.synthesis.verification import verify_set
from synthstudio.core.training.diffusion_card import DENOISER_FOLDER, checkpoint_folder
from synthstudio.domain.errors import Cancelled, NotFound, UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.maps import MapRequest
from synthstudio.domain.prompts import PromptRequest
from synthstudio.domain.records import Box, FieldOfView, Generator, Split
from synthstudio.engine import diffusion_sampling, prompt_sets
from synthstudio.engine.beside_real import gather_beside_real
from synthstudio.engine.copies import find_copies
from synthstudio.engine.data.material import choose_material
from synthstudio.engine.data.stored_sets import choose_stored_images
from synthstudio.engine.features import open_features
from synthstudio.engine.jobs import generate
from synthstudio.engine.measuring import gather_material
from synthstudio.project import Project
from synthstudio.project.joined_sets import join_set
from synthstudio.project.set_images import list_set_images, list_set_sources
from synthstudio.protocol.messages import PreviewReady
from synthstudio.protocol.results import GenerateResult
from synthstudio.settings.generate import GenerateSettings, PromptSettings
from synthstudio.settings.measure import MeasureSettings
from synthstudio.settings.quality import QualitySettings
from synthstudio.settings.train_classifier import TrainClassifierSettings
from synthstudio.settings.train_diffusion import LoraSettings
from tests.support.engine_project import RecordingContext
from tests.support.skin_study import build_skin_study
from tests.support.trained_gans import write_generated
from tests.support.tuned_models import CAPTIONS, MODEL, add_local_model, add_tuned_model

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

PROMPTS = ("photo of red lesion", "blue cell on skin")
QUICK = PromptSettings(prompts=PROMPTS, variants=2, steps=2)
SETTINGS = GenerateSettings(generator="diffusion", set_name="made", prompts=QUICK, seed=5)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("study")
    project = build_skin_study(root / "project", n_train=6, n_val=2, n_test=2, size_px=(120, 96))
    add_local_model(project, root / "tiny")
    add_tuned_model(project, root / "tuned", class_name=project.classes.list()[0].name)
    project.close()
    return root


@pytest.fixture
def project(study: Path, tmp_path: Path) -> Iterator[Project]:
    shutil.copytree(study, tmp_path / "study")  # with the model, whose path from the project is known
    opened = Project.open(tmp_path / "study/project")
    yield opened
    opened.close()


def asked(settings: GenerateSettings = SETTINGS, **prompts: object) -> GenerateSettings:
    changed = settings.prompts.model_dump() | prompts
    return settings.model_copy(update={"prompts": PromptSettings.model_validate(changed)})


def lines_of(project: Project, name: str = "made") -> list[dict[str, object]]:
    text = (project.set_folder(name) / MANIFEST_NAME).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def n_unfinished(project: Project) -> int:
    return (unfinished_folder(project.set_folder("made")) / MANIFEST_NAME).read_bytes().count(b"\n")


def image_of(project: Project, index: int, name: str = "made") -> np.ndarray:
    return read_image(project.set_folder(name) / f"images/{index:06d}.png")


def run_of(project: Project) -> RunId:
    return next(run.id for run in project.runs.list(kind="train-diffusion"))


def train_fov(project: Project) -> FieldOfView:
    return project.fovs.list(split=Split.TRAIN)[3]


def test_that_a_set_tells_prompt_seed_model_and_settings_of_each_image(project: Project) -> None:
    context = RecordingContext(project, "generate")
    result = generate.run(SETTINGS, context)
    with Recorder(project, project.runs.get(RunId(context.run_id))) as recorder:
        recorder.finish(_finished(result))
    recorded, condition = project.sets.get("made"), project.classes.list()[0].name
    assert (recorded.generator, recorded.n_images) == (Generator.DIFFUSION, 4)
    assert result.n_by_prompt == dict.fromkeys(PROMPTS, 2)
    assert (result.origin, result.n_by_class) == (run_of(project), {condition: 4})
    lines = lines_of(project)
    assert [line["prompt"] for line in lines] == [*PROMPTS, *PROMPTS]
    assert [line["noise"] for line in lines] == [{"seed": 5, "index": index} for index in range(4)]
    assert lines[0]["settings"] == {"side": 64, "steps": 2, "guidance": 7.5, "scheduler": "dpm-solver++"}
    header = json.loads((project.set_folder("made") / HEADER_NAME).read_text())
    entry = header["generators"][run_of(project)]
    assert (entry["step"], entry["model"], entry["classes"]) == (20, MODEL, [condition])
    assert {line["weights_sha256"] for line in lines} == {entry["weights_sha256"]}
    assert entry["model_sha256"] == project.models.get(MODEL).sha256
    previews = [event for event in context.events if isinstance(event, PreviewReady)]
    assert previews[0].caption == f"Image 0: {PROMPTS[0]}"


def _finished(result: GenerateResult):
    from synthstudio.protocol.messages import JobFinished

    return JobFinished(result=result)


def test_that_an_image_depends_on_its_number_alone(project: Project) -> None:
    write_generated(project, SETTINGS)
    more = asked(variants=3).model_copy(update={"set_name": "more"})
    write_generated(project, more)
    rest = asked(variants=1).model_copy(update={"set_name": "rest", "first_index": 2})
    write_generated(project, rest)
    assert [line["sha256"] for line in lines_of(project, "more")[:4]] == [line["sha256"] for line in lines_of(project)]
    assert [line["sha256"] for line in lines_of(project, "rest")] == [line["sha256"] for line in lines_of(project)[2:]]
    assert len({line["sha256"] for line in lines_of(project, "more")}) == 6
    header = (project.set_folder("more") / HEADER_NAME).read_bytes()
    shutil.rmtree(project.set_folder("more"))
    project.sets.remove("more")
    write_generated(project, asked(variants=1).model_copy(update={"set_name": "end", "first_index": 4}))
    join_set(project, "more", [project.set_folder("made"), project.set_folder("end")])
    assert (project.set_folder("more") / HEADER_NAME).read_bytes() == header


def test_that_each_checkpoint_and_the_local_model_make_images_of_their_own(project: Project) -> None:
    one = asked(prompts=PROMPTS[:1], variants=1)
    condition = project.classes.list()[0].name
    write_generated(project, one)
    write_generated(project, one.model_copy(update={"set_name": "early", "checkpoint": 10}))
    as_it_is = asked(one, class_name=condition).model_copy(update={"set_name": "base", "model": MODEL})
    write_generated(project, as_it_is)
    assert len({lines_of(project, name)[0]["sha256"] for name in ("made", "early", "base")}) == 3
    line = lines_of(project, "base")[0]
    assert (line["model"], line["labels"]) == (MODEL, [condition])
    assert "run" not in line
    assert list_set_sources(project, "base")[1] == frozenset()


def test_that_additions_of_lora_make_images_of_their_own_in_any_precision(project: Project, tmp_path: Path) -> None:
    condition = project.classes.list()[0].name
    run = add_tuned_model(project, tmp_path, class_name=condition, steps=(10,), lora=LoraSettings(rank=2, alpha=2.0))
    one = asked(prompts=PROMPTS[:1], variants=1).model_copy(update={"run": str(run)})
    write_generated(project, one)
    write_generated(project, one.model_copy(update={"set_name": "half", "precision": "bf16"}))
    as_it_is = asked(one, class_name=condition).model_copy(update={"set_name": "base", "model": MODEL, "run": ""})
    write_generated(project, as_it_is)
    made, half, base = (image_of(project, 0, name).astype(float) for name in ("made", "half", "base"))
    assert np.abs(made - base).mean() > 3 * np.abs(made - half).mean()


def test_that_the_captions_of_the_guide_images_serve_where_there_is_no_prompt(project: Project) -> None:
    result = write_generated(project, asked(prompts=(), variants=1).model_copy(update={"run": run_of(project)}))
    assert tuple(result.n_by_prompt) == CAPTIONS


def test_that_a_picture_is_changed_and_a_box_is_painted_with_the_box_as_label(project: Project) -> None:
    fov = train_fov(project)
    condition = project.classes.list()[0]
    box = Box(40.0, 30.0, 60.0, 46.0)
    place = f"{fov.name} @ 40, 30, 60, 46"
    write_generated(project, asked(mode="inpaint", places=(place,), variants=1, strength=1.0))
    line = lines_of(project)[0]
    assert line["place"] == {"fov": fov.id, "window": [30, 18, 70, 58], "box": [40, 30, 60, 46], "strength": 1.0}
    fovs, marks = list_set_images(project, "made")
    assert marks[fovs[0].id][0].box == Box(16.0, 19.0, 48.0, 45.0)
    assert marks[fovs[0].id][0].class_id == condition.id
    first, second = image_of(project, 0), image_of(project, 1)
    assert np.array_equal(first[:19], second[:19])
    assert not np.array_equal(first[19:45, 16:48], second[19:45, 16:48])
    assert box.width == 20
    write_generated(
        project,
        asked(mode="image", places=(fov.name,), variants=1, strength=0.5).model_copy(update={"set_name": "changed"}),
    )
    assert lines_of(project, "changed")[0]["objects"][0]["box"] == [0, 0, 64, 64]
    guides = frozenset(project.fovs.list(split=Split.TRAIN)[number].id for number in (0, 1))
    assert list_set_sources(project, "changed")[1] == guides | {fov.id}


def test_that_a_killed_or_cancelled_set_is_gone_on_with(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    places = tuple(fov.name for fov in project.fovs.list(split=Split.TRAIN)[2:4])
    wanted = asked(mode="image", places=places)
    write_generated(project, wanted.model_copy(update={"set_name": "whole"}))
    context = RecordingContext(project, "generate")
    context.stop_at = (2, 4)
    with pytest.raises(Cancelled):
        generate.run(wanted, context)
    n_made = n_unfinished(project)
    assert 0 < n_made < 4
    assert any("go on" in text for text in context.warnings)
    drawn = []
    draw = diffusion_sampling.PromptArtist.draw_batch

    def counted(*arguments: object, **named: object) -> object:
        drawn.append(named["indices"])
        return draw(*arguments, **named)

    monkeypatch.setattr(diffusion_sampling.PromptArtist, "draw_batch", counted)
    write_generated(project, wanted)
    assert len(drawn) == 4 - n_made
    assert [line["sha256"] for line in lines_of(project)] == [line["sha256"] for line in lines_of(project, "whole")]
    assert not (project.set_folder("made").parent / ".made.partial").exists()


def test_that_a_full_disk_is_told_and_nothing_that_was_made_is_lost(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage
    with monkeypatch.context() as patched:
        patched.setattr(sets.shutil, "disk_usage", lambda path: usage(path)._replace(free=sets.SPARE_BYTES + 5000))
        with pytest.raises(UserError, match=r"room for about \d of the 3 images .* 1 images are kept"):
            generate.run(SETTINGS, RecordingContext(project, "generate"))
    assert n_unfinished(project) == 1
    assert write_generated(project, SETTINGS).n_images == 4


def test_that_too_little_memory_makes_smaller_batches(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    draw = diffusion_sampling.PromptArtist.draw_batch

    def cramped(artist: object, requests: list[object], **named: object) -> object:
        sizes.append(len(requests))
        if len(requests) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return draw(artist, requests, **named)

    write_generated(project, SETTINGS.model_copy(update={"set_name": "whole"}))
    monkeypatch.setattr(prompt_sets, "batch_size", lambda *_, **__: 4)
    monkeypatch.setattr(diffusion_sampling.PromptArtist, "draw_batch", cramped)
    write_generated(project, SETTINGS)
    assert sizes == [4, 2, 1, 1, 2, 1, 1]
    assert [line["sha256"] for line in lines_of(project)] == [line["sha256"] for line in lines_of(project, "whole")]

    def starved(*_: object, **__: object) -> object:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(diffusion_sampling.PromptArtist, "draw_batch", starved)
    with pytest.raises(UserError, match="too small for one image of 64 px"):
        generate.run(SETTINGS.model_copy(update={"set_name": "none"}), RecordingContext(project, "generate"))


def test_that_a_damaged_checkpoint_is_named_and_an_earlier_one_makes_the_images(project: Project) -> None:
    newest = checkpoint_folder(project.run_folder(run_of(project)), 20)
    weights = next((newest / DENOISER_FOLDER).glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(UserError, match=rf"{re.escape(str(newest))}.* damaged"):
        generate.run(SETTINGS, RecordingContext(project, "generate"))
    assert write_generated(project, SETTINGS.model_copy(update={"checkpoint": 10})).n_images == 4


def test_that_a_set_is_proved_by_making_its_images_again(project: Project) -> None:
    place = f"{train_fov(project).name} @ 40, 30, 60, 46"
    write_generated(project, asked(mode="inpaint", places=(place,), variants=1))
    recorded, folder = project.sets.get("made"), project.set_folder("made")
    with open_remaker(project, recorded) as (maker, words):
        assert words == REMADE
        assert verify_set(folder, maker, manifest_sha256=recorded.manifest_sha256) == []
        session = next(iter(maker._sessions.values()))  # the engine that stands by draws whatever is asked for
        tried = session.draw(PromptRequest(PROMPTS[0], 64, steps=2), seed=5, index=0)
        assert tried.image.shape == (64, 64, 3)
        with pytest.raises(UserError, match="reads prompts, not maps"):
            session.draw(MapRequest(64, 0), seed=1)
        line = (folder / MANIFEST_NAME).read_text()
        (folder / MANIFEST_NAME).write_text(line.replace(PROMPTS[1], "another prompt"))
        assert any("comes out different" in each.message for each in verify_set(folder, maker))
    weights = next(project.run_folder(run_of(project)).glob("checkpoints/step-000020/unet/*.safetensors"))
    weights.write_bytes(weights.read_bytes() + b" ")
    with open_remaker(project, recorded) as (maker, words):
        assert maker is None
        assert "not the one that made its images" in words


def test_that_a_set_is_measured_against_images_of_its_class_and_searched_for_copies(project: Project) -> None:
    condition = project.classes.list()[0].name
    write_generated(project, asked(prompts=PROMPTS[:1], variants=12, steps=1))
    wanted = MeasureSettings(set_name="made", split=Split.TRAIN, n_images=12, draws=2)
    context = RecordingContext(project, "measure")
    material = gather_material(wanted, context, open_features("", "cpu"))
    assert len(material.synthetic) == 12
    assert {each.classes for each in material.real.images} == {frozenset({condition})}
    guides = {fov.id for fov in project.fovs.list(split=Split.TRAIN)[:2]}
    assert {each.fov_id for each in material.learned.images} == guides
    context = RecordingContext(project, "quality")
    findings, notes = find_copies(gather_beside_real(QualitySettings(set_name="made"), context), context)
    assert not findings
    assert notes == ("12 images of the set were searched for copies.",)
    with pytest.raises(UserError, match="reads prompts, not maps"):
        gather_material(MeasureSettings(run=str(run_of(project))), context, open_features("", "cpu"))


def test_that_what_has_learned_from_test_images_trains_nothing(project: Project) -> None:
    write_generated(project, SETTINGS)
    training = TrainClassifierSettings.model_validate({"source": "stored-set", "set_name": "made"})
    material = choose_material(project, training)
    chosen = choose_stored_images(project, "made", material, min_visible=0.5, side=64)
    assert len(chosen.fovs) == 4
    learned = min(next(iter(list_set_sources(project, "made").values())))
    sample = next(fov.sample_id for fov in project.fovs.list() if fov.id == learned)
    project.samples.set_split([sample], Split.TEST)
    with pytest.raises(UserError, match="learned from images of the test split"):
        choose_stored_images(project, "made", material, min_visible=0.5, side=64)


@pytest.mark.parametrize(
    ("changes", "prompts", "error", "told"),
    [
        ({"run": "nothing"}, {}, NotFound, "no run"),
        ({"model": "nothing"}, {"class_name": "wart"}, NotFound, "no model nothing"),
        ({"model": MODEL}, {}, UserError, "Name the class"),
        ({"checkpoint": 15}, {}, UserError, "no checkpoint of step 15"),
        ({}, {"class_name": "unknown"}, NotFound, "no class unknown"),
        ({}, {"side_px": 60}, UserError, "multiple of 8 px"),
        ({}, {"mode": "image", "places": ("nowhere.png",)}, NotFound, "no image nowhere.png"),
    ],
)
def test_that_what_cannot_be_made_is_told(
    project: Project, changes: dict[str, object], prompts: dict[str, object], error: type[UserError], told: str
) -> None:
    with pytest.raises(error, match=told):
        generate.run(asked(**prompts).model_copy(update=changes), RecordingContext(project, "generate"))
    assert not project.set_folder("made").exists()


def test_that_no_test_image_is_painted_upon_and_no_other_run_is_asked(project: Project) -> None:
    locked = project.fovs.list(split=Split.TEST)[0]
    with pytest.raises(UserError, match="test split"):
        generate.run(asked(mode="image", places=(locked.name,)), RecordingContext(project, "generate"))
    with pytest.raises(UserError, match="is a train-diffusion run"):
        generate.run(GenerateSettings(run=run_of(project)), RecordingContext(project, "generate"))


def test_that_a_prompt_that_is_too_long_is_named(project: Project) -> None:
    context = RecordingContext(project, "generate")
    generate.run(asked(prompts=("lesion " * 90,), variants=1), context)
    assert any("too long" in text for text in context.warnings)
