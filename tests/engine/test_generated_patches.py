"""Patches from generated images beside clicked ones: told apart, with their provenance, and as locked as their GAN."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from synthstudio.client.recording import Recorder
from synthstudio.client.remaking import REMADE, open_remaker
from synthstudio.core.patches.generated import GeneratedImages, is_generated
from synthstudio.core.synthesis.composer import Composer
from synthstudio.core.synthesis.manifest import HEADER_NAME, MANIFEST_NAME, bank_digest
from synthstudio.core.synthesis.verification import verify_set
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import AnnotationId, RunId, SetName
from synthstudio.domain.records import Annotation, Split, Verdict, VerdictKind
from synthstudio.engine.data.material import choose_material
from synthstudio.engine.jobs import compose
from synthstudio.engine.training import build_training_bank
from synthstudio.project import Project
from synthstudio.project.generated_patches import describe_losses, patch_state, with_sources
from synthstudio.project.patches import build_project_bank
from synthstudio.project.set_images import list_set_sources
from synthstudio.protocol.messages import JobFinished
from synthstudio.settings.compose import ComposeSettings, CompositionSettings, PatchSettings
from synthstudio.settings.generate import GenerateSettings
from synthstudio.settings.train_classifier import TrainClassifierSettings
from tests.support.engine_project import RecordingContext
from tests.support.skin_study import build_skin_study
from tests.support.trained_gans import add_trained_gan, write_generated

N_MADE = 6
PATCHES = PatchSettings(generated_sets=("made",))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study") / "project"
    project = build_skin_study(folder, n_train=6, n_val=1, n_test=1, size_px=(160, 120))
    add_trained_gan(project)
    write_generated(project, GenerateSettings(set_name="made", count=N_MADE))
    project.close()
    return folder


@pytest.fixture
def project(study: Path, tmp_path: Path) -> Iterator[Project]:
    shutil.copytree(study, tmp_path / "project")
    opened = Project.open(tmp_path / "project")
    yield opened
    opened.close()


def test_that_classes_of_a_generated_set_that_give_no_patch_are_told(project: Project) -> None:
    bank = build_project_bank(project, PATCHES)
    (unjudged,) = describe_losses(bank)
    assert "Nobody has judged" in unjudged
    kept = tuple(each for each in bank.patches if not is_generated(each.fov_id))
    mark = Annotation(AnnotationId(-1), next(iter(bank.generated)), kept[0].class_id, x=1, y=1)
    made = GeneratedImages((), (mark,), bank.generated, bank.generated_sets)
    _, loss = describe_losses(with_sources(replace(bank, patches=kept), made))
    name = next(each.name for each in bank.classes if each.id == kept[0].class_id)
    assert f"No patch could be cut of {name} in the set made" in loss


def test_that_generated_patches_join_the_clicked_ones_at_the_size_of_their_class(project: Project) -> None:
    clicked, both = build_project_bank(project, PatchSettings()), build_project_bank(project, PATCHES)
    made = [patch for patch in both.patches if is_generated(patch.fov_id)]
    assert len(made) == N_MADE
    assert {(each.set_name, each.index) for each in both.generated.values()} == {("made", n) for n in range(N_MADE)}
    assert sorted(each.annotation_id for each in both.patches if not is_generated(each.fov_id)) == sorted(
        each.annotation_id for each in clicked.patches
    )
    assert len({patch.annotation_id for patch in both.patches}) == len(both.patches)
    sizes = {patch.class_id: patch.width for patch in clicked.patches}
    for patch in made:
        if patch.class_id in sizes:
            assert patch.width == pytest.approx(sizes[patch.class_id], rel=0.2)
    (source,) = both.generated_sets
    assert set(source.source_fovs) == {fov.id for fov in project.fovs.list(split=Split.TRAIN)}
    again = build_project_bank(project, PATCHES)
    assert bank_digest(again) == bank_digest(both)


def test_that_no_canvas_is_made_of_a_generated_image(project: Project) -> None:
    bank = build_project_bank(project, PATCHES)
    composer = Composer(bank, CompositionSettings(canvas_px=64), seed=1)
    canvases = {composer.compose(index).canvas_fov_id for index in range(30)}
    assert canvases
    assert all(fov_id is not None and not is_generated(fov_id) for fov_id in canvases)


def test_that_a_composite_names_the_image_behind_a_generated_patch_and_is_made_again(project: Project) -> None:
    settings = ComposeSettings(
        set_name="joined",
        count=6,
        patches=PATCHES,
        composition=CompositionSettings(canvas_px=96, n_objects_min=4, n_objects_max=8, class_presence=1.0),
    )
    context = RecordingContext(project, "compose")
    result = compose.run(settings, context)
    run = replace(project.runs.get(RunId(context.run_id)), settings_json=settings.model_dump_json())
    with Recorder(project, run) as recorder:
        recorder.finish(JobFinished(result=result))
    folder = project.set_folder("joined")
    lines = [json.loads(line) for line in (folder / MANIFEST_NAME).read_text().splitlines()]
    objects = [item for line in lines for item in line["objects"]]
    made = [item for item in objects if "set" in item]
    assert made
    assert all(item["set"] == "made" and 0 <= item["image"] < N_MADE and item["fov"] is None for item in made)
    assert all(item["fov"] > 0 and item["annotation"] > 0 for item in objects if "set" not in item)
    assert all(fov > 0 for line in lines for fov in line["source_fovs"])
    header = json.loads((folder / HEADER_NAME).read_text())
    assert header["generated_sets"]["made"]["manifest_sha256"] == project.sets.get("made").manifest_sha256
    train = {fov.id for fov in project.fovs.list(split=Split.TRAIN)}
    with_made = [line["index"] + 1 for line in lines if "source_sets" in line]
    sources = list_set_sources(project, "joined")
    assert all(sources[fov_id] >= train for fov_id in with_made)
    recorded = project.sets.get("joined")
    with open_remaker(project, recorded) as (maker, words):
        assert words == REMADE
        assert verify_set(folder, maker, manifest_sha256=recorded.manifest_sha256) == []
    project.verdicts.put(Verdict(SetName("made"), 0, VerdictKind.REJECTED, "", "me", ""))
    with open_remaker(project, recorded) as (maker, words):
        assert maker is None
        assert "have changed since" in words


def test_that_rejected_images_and_rejected_patches_are_left_out(project: Project) -> None:
    before = patch_state(project, PATCHES)
    whole = build_project_bank(project, PATCHES)
    project.verdicts.put(Verdict(SetName("made"), 2, VerdictKind.REJECTED, "", "me", ""))
    assert patch_state(project, PATCHES) != before
    lenient = PATCHES.model_copy(update={"generated_review": "not-rejected"})
    bank = build_project_bank(project, lenient)
    assert {each.index for each in bank.generated.values()} == set(range(N_MADE)) - {2}
    assert "1 rejected" in bank.generated_sets[0].review
    chosen = next(patch for patch in bank.patches if is_generated(patch.fov_id))
    project.patch_verdicts.reject([chosen.annotation_id])
    left = build_project_bank(project, lenient)
    assert len(left.patches) == len(bank.patches) - 1 == len(whole.patches) - 2
    assert chosen.annotation_id not in {patch.annotation_id for patch in left.patches}
    assert patch_state(project, PatchSettings()) == project.training_state()


def test_that_only_accepted_images_give_patches_once_somebody_has_judged(project: Project) -> None:
    assert "Nobody has judged" in build_project_bank(project, PATCHES).generated_sets[0].review
    for index in (0, 1):
        project.verdicts.put(Verdict(SetName("made"), index, VerdictKind.ACCEPTED, "", "me", ""))
    project.verdicts.put(Verdict(SetName("made"), 2, VerdictKind.UNSURE, "", "me", ""))
    bank = build_project_bank(project, PATCHES)
    assert {each.index for each in bank.generated.values()} == {0, 1}
    assert "1 unsure" in bank.generated_sets[0].review
    assert f"{N_MADE - 3} undecided" in bank.generated_sets[0].review


def test_that_a_set_whose_gan_has_seen_the_test_split_and_one_of_composites_give_no_patch(project: Project) -> None:
    with pytest.raises(UserError, match="There is no set"):
        build_project_bank(project, PatchSettings(generated_sets=("other",)))
    moved = project.fovs.list(split=Split.TRAIN)[0]
    project.samples.set_split([moved.sample_id], Split.TEST)
    with pytest.raises(UserError, match="images of the test split"):
        build_project_bank(project, PATCHES)


def test_that_a_training_on_composites_pastes_generated_patches_too(project: Project) -> None:
    settings = TrainClassifierSettings.model_validate({"patches": {"generated_sets": ["made"]}})
    material = choose_material(project, settings)
    told: list[str] = []
    bank = build_training_bank(
        project, material, settings.patches, with_plates=False, warn=told.append, tick=lambda done, total: None
    )
    assert told == ["Nobody has judged the set made: all its images are used, as they are."]
    assert sum(is_generated(patch.fov_id) for patch in bank.patches) >= 1
