"""Sets made larger: boxes, masks and provenance go along, a stopped job goes on, and it can be proved."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from synthstudio.client.remaking import open_remaker
from synthstudio.core.imaging import read_image
from synthstudio.core.synthesis.manifest import HEADER_NAME, MANIFEST_NAME
from synthstudio.core.synthesis.sets import unfinished_folder
from synthstudio.core.synthesis.verification import verify_set
from synthstudio.core.training.resolution_pairs import enlarge_bicubic
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.ids import SetName
from synthstudio.domain.records import Generator, Split, Verdict, VerdictKind
from synthstudio.engine.data.material import choose_material
from synthstudio.engine.data.stored_sets import choose_stored_images
from synthstudio.engine.jobs import upscale
from synthstudio.project import Project
from synthstudio.project.set_images import list_set_images, list_set_sources
from synthstudio.protocol.messages import PreviewReady
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from synthstudio.settings.train_classifier import TrainClassifierSettings
from synthstudio.settings.upscale import UpscaleSettings
from tests.support.cell_projects import make_cell_project
from tests.support.engine_project import RecordingContext
from tests.support.prompt_sets import add_prompt_set, add_tuned_card
from tests.support.sets import add_set
from tests.support.upscalers import add_upscaler, write_upscaled

N_IMAGES = 4
COMPOSED = ComposeSettings(
    set_name="composed", count=N_IMAGES, masks=True, composition=CompositionSettings(canvas_px=96, n_objects_max=4)
)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    torch.set_num_threads(1)
    made = make_cell_project(tmp_path / "study", splits=(Split.TEST,))
    add_set(made, COMPOSED)
    yield made
    made.close()


def lines_of(project: Project, name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (project.set_folder(name) / MANIFEST_NAME).read_text().splitlines()]


def settings(**changes: object) -> UpscaleSettings:
    return UpscaleSettings.model_validate({"source_set": "composed", "set_name": "larger", **changes})


def test_that_a_set_becomes_a_larger_one_with_its_boxes_masks_and_provenance(project: Project) -> None:
    run = add_upscaler(project)
    result = write_upscaled(project, settings())
    assert (result.n_images, result.factor, result.size, result.upscaler) == (N_IMAGES, 2, (192, 192), run)
    stored = project.sets.get("larger")
    assert (stored.generator, stored.n_images, stored.manifest_sha256) == (
        Generator.COMPOSITED,
        N_IMAGES,
        result.sha256,
    )
    assert verify_set(project.set_folder("larger"), manifest_sha256=result.sha256) == []
    for small, large in zip(lines_of(project, "composed"), lines_of(project, "larger"), strict=True):
        image, larger = (
            read_image(project.set_folder(n) / str(e["file"])) for n, e in (("composed", small), ("larger", large))
        )
        inner = slice(8, -8)
        assert np.abs(larger.astype(int) - enlarge_bicubic(image, 2))[inner, inner].max() <= 1
        assert large["labels"] == small["labels"]
        masks = [
            read_image(project.set_folder(n) / str(e["mask"])) for n, e in (("composed", small), ("larger", large))
        ]
        assert np.array_equal(masks[1], masks[0].repeat(2, axis=0).repeat(2, axis=1))
        upscaled = large["upscaled"]
        assert isinstance(upscaled, dict)
        assert (upscaled["set"], upscaled["sha256"], upscaled["upscaler"]) == ("composed", small["sha256"], run)
    before, after = (list_set_images(project, name) for name in ("composed", "larger"))
    assert [(fov.width, fov.height) for fov in after[0]] == [(192, 192)] * N_IMAGES
    for fov_id, marks in before[1].items():
        boxes = [mark.box for mark in after[1][fov_id]]
        assert [(b.x0, b.y1) for b in boxes if b] == [(2 * m.box.x0, 2 * m.box.y1) for m in marks if m.box]
    assert [len(marks) for marks in after[1].values()] != [0] * N_IMAGES


def test_that_images_go_back_to_what_their_upscaler_has_learned_from_too(project: Project) -> None:
    (locked,) = project.fovs.list(split=Split.TEST)
    add_upscaler(project, learned=[int(locked.id)])
    write_upscaled(project, settings())
    before, after = (list_set_sources(project, name) for name in ("composed", "larger"))
    assert after == {image: sources | {locked.id} for image, sources in before.items()}


def test_that_a_stopped_job_goes_on_and_ends_as_an_uninterrupted_one(project: Project) -> None:
    add_upscaler(project)
    straight = write_upscaled(project, settings(set_name="straight"))
    context = RecordingContext(project, "upscale")
    context.stop_at = (2, N_IMAGES)
    with pytest.raises(Cancelled):
        upscale.run(settings(), context)
    assert any("2 enlarged images are kept" in text for text in context.warnings)
    kept = unfinished_folder(project.set_folder("larger")) / "images/000000.png"
    written_at = kept.stat().st_mtime_ns
    again = RecordingContext(project, "upscale")
    resumed = upscale.run(settings(), again)
    assert (project.set_folder("larger") / "images/000000.png").stat().st_mtime_ns == written_at
    assert resumed.sha256 == straight.sha256
    assert sum(isinstance(each, PreviewReady) for each in context.events + again.events) >= 1


def test_that_images_of_other_settings_are_not_said_to_be_kept(project: Project) -> None:
    add_upscaler(project)
    context = RecordingContext(project, "upscale")
    context.stop_at = (2, N_IMAGES)
    with pytest.raises(Cancelled):
        upscale.run(settings(), context)
    project.set_folder("larger").mkdir()  # so that nothing is made this time
    for wanted, n_kept in ((settings(), 1), (settings(format="jpeg"), 0)):
        refused = RecordingContext(project, "upscale")
        with pytest.raises(UserError, match='already a set "larger"'):
            upscale.run(wanted, refused)
        assert sum("2 enlarged images are kept" in text for text in refused.warnings) == n_kept


def test_that_only_accepted_images_are_enlarged_where_that_is_wanted(project: Project) -> None:
    add_upscaler(project)
    verdicts = ((1, VerdictKind.ACCEPTED), (2, VerdictKind.REJECTED), (3, VerdictKind.ACCEPTED))
    project.verdicts.replace([Verdict(SetName("composed"), index, kind, "", "A", "") for index, kind in verdicts])
    write_upscaled(project, settings(images="accepted"))
    found = [(each["index"], each["upscaled"]["index"]) for each in lines_of(project, "larger")]  # type: ignore[index]
    assert found == [(0, 1), (1, 3)]
    header = json.loads((project.set_folder("larger") / HEADER_NAME).read_text())
    assert (header["n_images"], header["upscaling"]["set"]) == (2, "composed")


def test_that_what_cannot_be_enlarged_is_refused_by_name(project: Project) -> None:
    with pytest.raises(UserError, match="no upscaler in this project"):
        write_upscaled(project, settings())
    add_upscaler(project)
    write_upscaled(project, settings())
    with pytest.raises(UserError, match="enlarged already"):
        write_upscaled(project, settings(source_set="larger", set_name="more"))
    with pytest.raises(UserError, match='already a set "larger"'):
        write_upscaled(project, settings())
    with pytest.raises(UserError, match="No set is named"):
        write_upscaled(project, settings(source_set=""))
    image = project.set_folder("composed") / "images/000001.png"
    image.write_bytes((project.set_folder("composed") / "images/000000.png").read_bytes())
    with pytest.raises(UserError, match="not the image that was written"):
        write_upscaled(project, settings(set_name="third"))


def test_that_a_local_diffusion_upscaler_enlarges_images_of_prompts(project: Project, tmp_path: Path) -> None:
    from tests.support.tiny_diffusion import write_tiny_upscaler

    model = write_tiny_upscaler(tmp_path / "x4")
    name = project.classes.list()[0].name
    tuned = add_tuned_card(project, class_name=name, captions=["photo"])
    add_prompt_set(project, "prompted", run=tuned, class_name=name, prompts=["photo of red cell"], variants=2)
    wanted = {"source_set": "prompted", "model": str(model), "steps": 2, "format": "jpeg"}
    result = write_upscaled(project, settings(**wanted))
    again = write_upscaled(project, settings(**wanted, set_name="again"))
    assert (result.method, result.size, result.generator) == ("diffusion", (256, 256), Generator.DIFFUSION)
    assert [each["sha256"] for each in lines_of(project, "larger")] == [
        each["sha256"] for each in lines_of(project, "again")
    ]
    assert again.n_images == 2
    assert verify_set(project.set_folder("larger")) == []
    fovs, marks = list_set_images(project, "larger")
    assert [each.box.width for fov in fovs for each in marks[fov.id] if each.box] == [256.0, 256.0]


def test_that_an_enlarged_set_is_made_again_and_a_changed_source_is_named(project: Project) -> None:
    add_upscaler(project)
    write_upscaled(project, settings())
    recorded, folder = project.sets.get("larger"), project.set_folder("larger")
    with open_remaker(project, recorded) as (maker, words):
        assert words == "made again and compared"
        assert verify_set(folder, maker) == []
    shutil.copy(folder / "images/000000.png", folder / "images/000001.png")
    with open_remaker(project, recorded) as (maker, _):
        assert any("made again, the image comes out different" in str(each) for each in verify_set(folder, maker))
    manifest = project.set_folder("composed") / MANIFEST_NAME
    manifest.write_bytes(manifest.read_bytes() + b"\n")
    with open_remaker(project, recorded) as (maker, words):
        assert maker is None
        assert "the set composed was written anew since" in words or "damaged" in words


def test_that_a_training_reads_enlarged_composites_at_the_scale_of_their_source(project: Project) -> None:
    add_upscaler(project)
    write_upscaled(project, settings())
    material = choose_material(project, TrainClassifierSettings(seed=1))
    first, second = (
        choose_stored_images(project, name, material, min_visible=0.5, side=64, review="not-rejected").scale.factor
        for name in ("composed", "larger")
    )
    assert second == pytest.approx(first / 2)
