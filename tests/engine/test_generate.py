"""The generate job: a set that a GAN has made, the same bytes in any part, provable, and locked to its training."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from synthstudio.client.kept_images import KeptImage, keep_images
from synthstudio.client.remaking import REMADE, open_remaker
from synthstudio.core.export.datasets import ExportData
from synthstudio.core.export.writers import WRITERS
from synthstudio.core.imaging import read_image
from synthstudio.core.synthesis import sets
from synthstudio.core.synthesis.manifest import HEADER_NAME, MANIFEST_NAME
from synthstudio.core.synthesis.requests import request_from_json
from synthstudio.core.synthesis.semantic_maps import MapCoding
from synthstudio.core.synthesis.verification import verify_set
from synthstudio.core.training.gan_card import ONNX_NAME, WEIGHTS_NAME
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.ids import RunId, SetName
from synthstudio.domain.records import Generator, Split, Verdict, VerdictKind
from synthstudio.engine.data.material import choose_material
from synthstudio.engine.data.stored_sets import choose_stored_images
from synthstudio.engine.gan_drawing import open_gan
from synthstudio.engine.jobs import generate, train_classifier
from synthstudio.project import Project
from synthstudio.project.joined_sets import join_set
from synthstudio.project.set_images import list_set_images, list_set_sources
from synthstudio.protocol.results import GenerateResult
from synthstudio.settings.generate import GenerateSettings
from synthstudio.settings.train_classifier import TrainClassifierSettings
from tests.support.engine_project import RecordingContext
from tests.support.skin_study import build_skin_study
from tests.support.trained_gans import add_trained_gan, make_card, write_generated

COUNT = 8
SETTINGS = GenerateSettings(set_name="made", count=COUNT, seed=5)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study") / "project"
    project = build_skin_study(folder, n_train=6, n_val=2, n_test=2, size_px=(120, 96))
    add_trained_gan(project, noise=4)
    project.close()
    return folder


@pytest.fixture
def project(study: Path, tmp_path: Path) -> Iterator[Project]:
    shutil.copytree(study, tmp_path / "project")
    opened = Project.open(tmp_path / "project")
    yield opened
    opened.close()


def gan_of(project: Project) -> RunId:
    return next(run.id for run in project.runs.list() if run.kind == "train-gan")


def write(project: Project, settings: GenerateSettings = SETTINGS) -> GenerateResult:
    return write_generated(project, settings)


def lines_of(project: Project, name: str) -> list[dict[str, object]]:
    text = (project.set_folder(name) / MANIFEST_NAME).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_that_a_generated_set_tells_what_each_image_shows_and_where_it_comes_from(project: Project) -> None:
    result = write(project)
    recorded = project.sets.get("made")
    assert (recorded.generator, recorded.n_images) == (Generator.GAN, COUNT)
    assert recorded.manifest_sha256 == result.sha256
    assert result.origin == gan_of(project)
    lines = lines_of(project, "made")
    assert Counter(str(line["labels"][0]) for line in lines) == {  # type: ignore[index]
        name: count for name, count in result.n_by_class.items() if count
    }
    card = make_card(project)
    coding = MapCoding(card.class_names, len(card.tone_levels), card.has_unknown_tone)
    fovs, marks = list_set_images(project, "made")
    names = {each.id: each.name for each in project.classes.list()}
    for fov, line in zip(fovs, lines, strict=True):
        drawn = coding.read(read_image(project.set_folder("made") / str(line["map"])))
        assert (drawn.tone, fov.width, fov.height) == (fov.tone, 64, 64)
        assert line["tone"] == card.tone_levels[drawn.tone - 1]
        told = [(names[mark.class_id], mark.box) for mark in marks[fov.id]]
        assert told == [(region.class_name, region.box) for region in drawn.regions]
        assert [each.class_name for each in drawn.regions] == line["labels"]
    header = json.loads((project.set_folder("made") / HEADER_NAME).read_text())
    assert header["generator"] == "gan"
    assert header["size"] == [64, 64]
    assert header["settings"]["run"] == result.origin
    train = {fov.id for fov in project.fovs.list(split=Split.TRAIN)}
    assert set(header["generators"][result.origin]["source_fovs"]) == train
    assert set(list_set_sources(project, "made").values()) == {frozenset(train)}


def test_that_a_part_of_a_set_has_the_bytes_of_the_whole_whatever_the_threads(project: Project) -> None:
    write(project)
    part = SETTINGS.model_copy(update={"set_name": "part", "first_index": 3, "count": 4, "threads": 1})
    write(project, part)
    whole, some = contents(project.set_folder("made")), contents(project.set_folder("part"))
    for index in range(3, 7):
        for name in (f"images/{index:06d}.png", f"maps/{index:06d}.png"):
            assert some[name] == whole[name]
    assert lines_of(project, "part") == lines_of(project, "made")[3:7]
    assert len({data for name, data in whole.items() if name.startswith("images")}) == COUNT


def test_that_parts_of_a_generated_set_join_to_the_bytes_of_one(project: Project) -> None:
    write(project)
    whole = contents(project.set_folder("made"))
    shutil.move(project.set_folder("made"), project.folder / "aside")
    project.sets.remove("made")
    for name, first, count in (("one", 0, 5), ("two", 5, 3)):
        write(project, SETTINGS.model_copy(update={"set_name": name, "first_index": first, "count": count}))
    made, _ = join_set(project, "made", [project.set_folder("one"), project.set_folder("two")])
    assert contents(project.set_folder("made")) == whole
    assert (made.generator, made.n_images) == (Generator.GAN, COUNT)
    with open_remaker(project, made) as (_, words):
        assert words == REMADE


def test_that_every_image_comes_out_the_same_when_it_is_made_again_and_a_change_is_found(project: Project) -> None:
    write(project)
    recorded = project.sets.get("made")
    folder = project.set_folder("made")
    line = lines_of(project, "made")[2]
    with open_remaker(project, recorded) as (maker, words):
        assert words == REMADE
        assert verify_set(folder, maker, manifest_sha256=recorded.manifest_sha256) == []
        # An image of another noise, its hashes mended: only making it again tells.
        path = folder / str(line["file"])
        original = path.read_bytes()
        other = folder / str(lines_of(project, "made")[3]["file"])
        path.write_bytes(other.read_bytes())
        told = [each.message for each in verify_set(folder, maker)]
        assert any("made again, the image comes out different" in each for each in told)
        path.write_bytes(original)


def test_that_a_set_of_kept_images_is_made_again_too(project: Project) -> None:
    run_id = gan_of(project)
    artist = open_gan(project.run_folder(run_id), scratch=project.folder, device="cpu")
    write(project)
    kept = []
    for seed, line in enumerate(lines_of(project, "made")[:2]):
        request = request_from_json(line["request"])
        kept.append(KeptImage(artist.draw(request, seed=seed), request, run_id, seed=seed))
    keep_images(project, "mine", kept)
    recorded = project.sets.get("mine")
    with open_remaker(project, recorded) as (maker, words):
        assert words == REMADE
        assert verify_set(project.set_folder("mine"), maker, manifest_sha256=recorded.manifest_sha256) == []


def test_that_a_gan_that_is_gone_or_was_trained_further_is_named(project: Project) -> None:
    write(project)
    weights = project.run_folder(gan_of(project)) / WEIGHTS_NAME
    for damage, told in ((lambda: weights.write_bytes(b"more"), "trained further"), (weights.unlink, "are gone")):
        damage()
        with open_remaker(project, project.sets.get("made")) as (maker, words):
            assert maker is None
            assert told in words


def test_that_a_killed_write_is_gone_on_with_and_ends_in_the_same_bytes(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project, SETTINGS.model_copy(update={"set_name": "whole"}))
    context = RecordingContext(project, "generate", seed=SETTINGS.seed)
    context.stop_at = (5, COUNT)
    with monkeypatch.context() as patched:
        patched.setattr(sets, "_clear", lambda folder: None)  # a killed process clears nothing
        with pytest.raises(Cancelled):
            generate.run(SETTINGS, context)
    partial = project.set_folder("made").with_name(".made.partial")
    stamps = {path: path.stat().st_mtime_ns for path in (partial / "images").iterdir()}
    assert len(stamps) == 5
    write(project)
    made = project.set_folder("made")
    assert {made / "images" / path.name: stamp for path, stamp in stamps.items()}.items() <= {
        path: path.stat().st_mtime_ns for path in (made / "images").iterdir()
    }.items()
    images = {name: data for name, data in contents(made).items() if name != HEADER_NAME}
    assert images == {name: data for name, data in contents(project.set_folder("whole")).items() if name != HEADER_NAME}


def test_that_a_cancelled_set_leaves_nothing_behind_and_an_existing_one_is_never_overwritten(project: Project) -> None:
    context = RecordingContext(project, "generate")
    context.stop_at = (3, COUNT)
    with pytest.raises(Cancelled):
        generate.run(SETTINGS, context)
    assert not list(project.set_folder("made").parent.glob("*"))
    write(project)
    with pytest.raises(UserError, match="already a set"):
        write(project)


def test_that_what_cannot_be_generated_is_told(project: Project, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no run"):
        write(project, SETTINGS.model_copy(update={"run": "nothing"}))
    wanted = SETTINGS.model_copy(update={"requests": SETTINGS.requests.model_copy(update={"classes": ("wart",)})})
    with pytest.raises(UserError, match="knows no condition"):
        write(project, wanted)
    (project.run_folder(gan_of(project)) / WEIGHTS_NAME).unlink()
    with pytest.raises(UserError, match="No GAN has been trained"):
        write(project)


def test_that_the_graph_is_made_where_it_is_missing_and_the_run_is_left_as_it_is(project: Project) -> None:
    write(project)
    (project.run_folder(gan_of(project)) / ONNX_NAME).unlink()
    write(project, SETTINGS.model_copy(update={"set_name": "again"}))
    assert lines_of(project, "again") == lines_of(project, "made")
    assert not (project.run_folder(gan_of(project)) / ONNX_NAME).exists()


def training(**changes: object) -> TrainClassifierSettings:
    return TrainClassifierSettings.model_validate(
        {
            "source": "stored-set",
            "set_name": "made",
            "optimization": {"steps": 2, "batch_size": 4, "evaluate_every": 2, "workers": 0},
            "composition": {"canvas_px": 32},
            **changes,
        }
    )


def test_that_a_classifier_trains_on_generated_images_as_whole_crops(project: Project) -> None:
    write(project)
    settings = training(source="mix", real_share=0.5)
    batches = train_classifier._Training(settings, RecordingContext(project, "train-classifier"))._build_batches()
    images, labels = batches[0]
    assert images.shape[1:] == (32, 32, 3)
    material = choose_material(project, settings)
    stored = choose_stored_images(project, "made", material, min_visible=0.5, side=32)
    assert (len(stored.fovs), stored.scale.of(stored.fovs[0])) == (COUNT, 0.5)
    assert labels.sum() > 0
    result = train_classifier.run(settings, RecordingContext(project, "train-classifier"))
    assert result.status == "finished"


def test_that_no_training_takes_images_of_a_gan_that_has_seen_the_test_split(project: Project) -> None:
    write(project)
    project.verdicts.put(Verdict(SetName("made"), 0, VerdictKind.REJECTED, "", "me", ""))
    material = choose_material(project, training())
    kept = choose_stored_images(project, "made", material, min_visible=0.5, side=32, review="not-rejected")
    assert len(kept.fovs) == COUNT - 1
    moved = next(fov for fov in project.fovs.list() if fov.split is Split.TRAIN)
    project.samples.set_split([moved.sample_id], Split.TEST)
    with pytest.raises(UserError, match="learned from images of the test split"):
        choose_stored_images(project, "made", material, min_visible=0.5, side=32)


def test_that_images_differ_with_the_seed_and_are_no_constant(project: Project) -> None:
    write(project, SETTINGS.model_copy(update={"count": 2}))
    write(project, SETTINGS.model_copy(update={"count": 2, "seed": 6, "set_name": "other"}))
    one, other = (read_image(project.set_folder(name) / "images/000000.png") for name in ("made", "other"))
    assert not np.array_equal(one, other)
    assert one.std() > 0


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_that_a_generated_set_is_exported_in_every_format(project: Project, tmp_path: Path, name: str) -> None:
    write(project, SETTINGS.model_copy(update={"count": 3}))
    fovs, marks = list_set_images(project, "made")
    WRITERS[name](ExportData(fovs, marks, project.classes.list()), tmp_path / "out")
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len([path for path in written if path.suffix == ".png"]) == 3
    assert any(path.suffix != ".png" for path in written) or name == "imagefolder"
