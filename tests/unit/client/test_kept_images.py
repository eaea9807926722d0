"""Images that somebody keeps: in a set that grows, provable, and taken back by undo."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from synthstudio.client.kept_images import KeptImage, keep_images, remove_kept_images
from synthstudio.core.imaging import read_image
from synthstudio.core.synthesis.manifest import HEADER_NAME, MANIFEST_NAME
from synthstudio.core.synthesis.semantic_maps import MapCoding
from synthstudio.core.synthesis.verification import verify_set
from synthstudio.core.training.gan_card import WEIGHTS_NAME
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId, SetName
from synthstudio.domain.maps import MapRegion, MapRequest
from synthstudio.domain.records import Box, Generator, Split, Verdict, VerdictKind
from synthstudio.project import Project
from synthstudio.project.set_images import list_set_images, list_set_sources
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from tests.support.sets import add_set
from tests.support.skin_study import build_skin_study
from tests.support.trained_gans import add_card, make_card


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return build_skin_study(tmp_path / "study", n_train=4, n_val=1, n_test=1, size_px=(120, 96))


@pytest.fixture
def run_id(project: Project) -> RunId:
    return add_card(project, make_card(project))


def kept(project: Project, run_id: RunId, number: int, *, side: int = 64) -> KeptImage:
    image = np.random.default_rng(number).integers(0, 255, (side, side, 3)).astype(np.uint8)
    name = project.classes.list()[number % 2].name
    request = MapRequest(side, 1 + number % 3, (MapRegion(name, Box(8.3, 9.0, 30.0, 31.7 + number)),))
    return KeptImage(image, request, run_id, seed=number)


def test_that_kept_images_are_in_the_set_with_their_boxes_maps_and_provenance(project: Project, run_id: RunId) -> None:
    images = [kept(project, run_id, number) for number in range(3)]
    assert "sets" in keep_images(project, "mine", images[:1]).kinds
    keep_images(project, "mine", images[1:])
    recorded = project.sets.get("mine")
    assert (recorded.generator, recorded.n_images) == (Generator.GAN, 3)
    folder = project.set_folder("mine")
    assert verify_set(folder, manifest_sha256=recorded.manifest_sha256) == []
    fovs, marks = list_set_images(project, "mine")
    card = make_card(project)
    coding = MapCoding(card.class_names, len(card.tone_levels), card.has_unknown_tone)
    lines = [json.loads(line) for line in (folder / MANIFEST_NAME).read_text().splitlines()]
    for each, fov, line in zip(images, fovs, lines, strict=True):
        assert np.array_equal(read_image(Path(fov.path)), each.image)
        assert (fov.width, fov.height, fov.tone) == (64, 64, each.request.tone)
        assert coding.read(read_image(folder / line["map"])) == coding.normalise(each.request)
        assert [mark.box for mark in marks[fov.id]] == [region.box for region in coding.normalise(each.request).regions]
        assert line["labels"] == [each.request.regions[0].class_name]
        assert (line["run"], line["noise"]) == (run_id, {"seed": each.seed, "index": 0})
        assert (
            line["weights_sha256"]
            == json.loads((folder / HEADER_NAME).read_text())["generators"][run_id]["weights_sha256"]
        )
    train = {fov.id for fov in project.fovs.list(split=Split.TRAIN)}
    assert set(list_set_sources(project, "mine").values()) == {frozenset(train)}


def test_that_images_are_taken_back_and_the_last_one_takes_the_set_along(project: Project, run_id: RunId) -> None:
    keep_images(project, "mine", [kept(project, run_id, 0)])
    before = {path: path.read_bytes() for path in project.set_folder("mine").rglob("*") if path.is_file()}
    state = project.sets.get("mine")
    keep_images(project, "mine", [kept(project, run_id, 1), kept(project, run_id, 2)])
    for index in (0, 2):
        project.verdicts.put(Verdict(SetName("mine"), index, VerdictKind.REJECTED, "", "me", ""))
    remove_kept_images(project, "mine", 2)
    assert {path: path.read_bytes() for path in project.set_folder("mine").rglob("*") if path.is_file()} == before
    assert project.sets.get("mine") == state
    assert [each.index for each in project.verdicts.list("mine")] == [0]
    remove_kept_images(project, "mine", 1)
    assert project.sets.find("mine") is None
    assert not project.set_folder("mine").exists()


def test_that_what_a_killed_program_left_is_written_over(project: Project, run_id: RunId) -> None:
    keep_images(project, "mine", [kept(project, run_id, 0)])
    folder = project.set_folder("mine")
    header = (folder / HEADER_NAME).read_bytes()
    row = project.sets.get("mine")
    keep_images(project, "mine", [kept(project, run_id, 1)])
    (folder / HEADER_NAME).write_bytes(header)  # killed between manifest and header
    project.sets.update(row)
    keep_images(project, "mine", [kept(project, run_id, 2)])
    recorded = project.sets.get("mine")
    assert recorded.n_images == 2
    assert verify_set(folder, manifest_sha256=recorded.manifest_sha256) == []
    assert np.array_equal(read_image(folder / "images/000001.png"), kept(project, run_id, 2).image)


def test_that_a_set_of_a_job_a_changed_one_and_one_of_another_size_take_no_image(
    project: Project, run_id: RunId
) -> None:
    add_set(project, ComposeSettings(set_name="made", count=1, composition=CompositionSettings(canvas_px=64)))
    with pytest.raises(UserError, match="written by a job"):
        keep_images(project, "made", [kept(project, run_id, 0)])
    keep_images(project, "mine", [kept(project, run_id, 0)])
    other = add_card(project, make_card(project).model_copy(update={"side": 128}))
    with pytest.raises(UserError, match="another size"):
        keep_images(project, "mine", [kept(project, other, 0, side=128)])
    (project.run_folder(run_id) / WEIGHTS_NAME).write_bytes(b"trained on")
    with pytest.raises(UserError, match="trained further"):
        keep_images(project, "mine", [kept(project, run_id, 1)])
    assert project.sets.get("mine").n_images == 1
    with (project.set_folder("mine") / MANIFEST_NAME).open("ab") as manifest:
        manifest.write(b"{}\n")
    (project.set_folder("mine") / MANIFEST_NAME).write_bytes(b"{}\n")
    with pytest.raises(UserError, match="changed by another program"):
        keep_images(project, "mine", [kept(project, run_id, 1)])


def test_that_more_than_there_is_cannot_be_taken_back(project: Project, run_id: RunId) -> None:
    keep_images(project, "mine", [kept(project, run_id, 0)])
    with pytest.raises(UserError, match="only 1 images"):
        remove_kept_images(project, "mine", 2)
    assert project.sets.get("mine").n_images == 1
