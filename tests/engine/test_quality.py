"""The quality job: planted faults of every kind are found, and an untouched project gives no alarm."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from synthstudio.core.annotations.readers import READERS
from synthstudio.core.imaging import ImageArray, read_image, sha256_of_file, write_png
from synthstudio.core.review.findings import Finding
from synthstudio.domain.errors import Cancelled, NotFound, UserError
from synthstudio.domain.ids import AnnotationId, FovId
from synthstudio.domain.records import Annotation, AnnotationState, Box, FieldOfView, Split, Storage
from synthstudio.engine.jobs import quality
from synthstudio.project import Project
from synthstudio.project.imports import apply_import
from synthstudio.protocol.results import QualityResult
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from synthstudio.settings.generate import GenerateSettings
from synthstudio.settings.quality import QualitySettings
from tests.support.engine_project import RecordingContext, build_engine_project
from tests.support.sets import add_set
from tests.support.shared_data import shared_data
from tests.support.skin_study import build_skin_study
from tests.support.trained_gans import add_trained_gan, put_crops_in_place, write_generated

N_TRAIN, N_VAL, N_TEST = 16, 6, 6


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = build_engine_project(tmp_path, n_train=N_TRAIN, n_val=N_VAL, n_test=N_TEST)
    yield project
    project.close()


def _check(project: Project, settings: QualitySettings | None = None) -> tuple[QualityResult, RecordingContext]:
    context = RecordingContext(project, "quality")
    result = quality.run(settings or QualitySettings(), context)
    context.finish()
    return result, context


def _named(result: QualityResult, check: str) -> set[str]:
    """Names of all images that the findings of a check concern."""
    return {image.name for each in result.findings if each.check == check for image in each.images}


def _path(project: Project, name: str) -> Path:
    fov = project.fovs.find(name)
    assert fov is not None
    return Path(fov.path)


def _fov(project: Project, name: str) -> FieldOfView:
    fov = project.fovs.find(name)
    assert fov is not None
    return fov


def _add_image(project: Project, name: str, image: ImageArray, *, split: Split, like: str = "") -> FovId:
    """Add an image, with the marks of another."""
    path = project.folder.parent / "images" / name
    write_png(path, image)
    fov_id = project.fovs.add(
        sample_id=project.samples.get_or_add(f"of {name}", split=split).id,
        name=name,
        stored_path=str(path),
        storage=Storage.REFERENCE,
        sha256=sha256_of_file(path),
        width=image.shape[1],
        height=image.shape[0],
        state=AnnotationState.EXHAUSTIVE,
    )
    if like:
        marks = project.annotations.by_fov()[_fov(project, like).id]
        project.annotations.add([_mark(fov_id, each.class_id, each.box) for each in marks if each.box])
    return fov_id


def _mark(fov_id: FovId, class_id: int, box: Box) -> Annotation:
    x, y = box.center
    return Annotation(AnnotationId(0), fov_id, class_id, x, y, box)


def _jpeg(image: ImageArray, quality_points: int) -> ImageArray:
    encoded, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality_points])
    assert encoded
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.asarray(decoded, np.uint8)


def test_that_an_untouched_project_is_sound_and_gives_no_alarm(project: Project) -> None:
    result, _ = _check(project, QualitySettings(fail_on="note"))
    assert result.findings == ()
    assert result.is_sound
    assert (result.n_images, result.n_reused) == (N_TRAIN + N_VAL + N_TEST, 0)
    assert set(result.n_by_check.values()) == {0}


def test_that_planted_faults_of_files_are_all_found_by_their_kind(project: Project) -> None:
    for name in ("00.png", "01.png"):
        _path(project, name).unlink()
    for name in ("02.png", "03.png"):
        path = _path(project, name)
        path.write_bytes(path.read_bytes()[:-400])
    for name in ("04.png", "05.png"):
        path = _path(project, name)
        write_png(path, 255 - read_image(path))
    for name in ("06.png", "07.png"):
        path = _path(project, name)
        write_png(path, read_image(path)[:-8])
    result, context = _check(project)
    assert _named(result, "missing-file") == {"00.png", "01.png"}
    assert _named(result, "unreadable-file") == {"02.png", "03.png"}
    assert _named(result, "changed-file") == {"04.png", "05.png"}
    assert _named(result, "wrong-dimensions") == {"06.png", "07.png"}
    assert len(result.findings) == 8
    assert not result.is_sound
    lines = (context.run_dir / result.file).read_text().splitlines()
    assert [Finding.model_validate_json(line) for line in lines] == list(result.findings)


def test_that_planted_faults_of_marks_are_all_found_by_their_kind(project: Project) -> None:
    disc, square = (each.id for each in project.classes.list())
    planted: dict[str, list[tuple[str, int, Box]]] = {
        "outside-image": [("02.png", disc, Box(84, 40, 102, 58)), ("03.png", disc, Box(-120, 5, -102, 23))],
        "tiny-box": [("04.png", square, Box(70, 70, 71.5, 84)), ("05.png", square, Box(2, 2, 16, 3))],
        "huge-box": [("06.png", disc, Box(0, 0, 96, 96)), ("07.png", square, Box(0, 1, 96, 96))],
        "implausible-size": [("08.png", disc, Box(10, 10, 80, 80)), ("09.png", square, Box(40, 40, 44, 44))],
    }
    for faults in planted.values():
        for name, class_id, box in faults:
            project.annotations.add([_mark(_fov(project, name).id, class_id, box)])
    for name in ("10.png", "11.png"):
        mark = next(each for each in project.annotations.by_fov()[_fov(project, name).id] if each.box)
        assert mark.box is not None
        project.annotations.add([_mark(mark.fov_id, mark.class_id, mark.box.moved(1, 0))])
    result, _ = _check(project)
    for check, faults in planted.items():
        assert {name for name, _, _ in faults} <= _named(result, check), check
    assert _named(result, "duplicate-annotation") == {"10.png", "11.png"}
    doubled = [each for each in result.findings if each.check == "duplicate-annotation"]
    assert all(len(each.annotations) == 2 for each in doubled)
    # A slip of a box may be implausible for its class, too; nothing else than what was planted is named.
    assert _named(result, "implausible-size") <= {f"{number:02d}.png" for number in range(4, 10)}


def test_that_repeated_pictures_are_found_however_they_were_disguised(project: Project) -> None:
    disguises: dict[str, Callable[[ImageArray], ImageArray]] = {
        "copied": lambda image: image,
        "mirrored": lambda image: np.ascontiguousarray(image[:, ::-1]),
        "turned": lambda image: np.ascontiguousarray(np.rot90(image)),
        "compressed": lambda image: _jpeg(image, 50),
        "darkened": lambda image: np.asarray(image * 0.8, np.uint8),
        "enlarged": lambda image: np.asarray(cv2.resize(image, (150, 150)), np.uint8),
    }
    for number, (name, disguise) in enumerate(disguises.items()):
        original = f"{number:02d}.png"  # of the train split
        split = Split.TRAIN if number % 2 else Split.TEST
        _add_image(project, f"{name}.png", disguise(read_image(_path(project, original))), split=split, like=original)
    result, _ = _check(project, QualitySettings(skip=("exposure", "blur", "implausible-size", "outside-image")))
    pairs = {
        each.check: {
            frozenset(image.name for image in found.images) for found in result.findings if found.check == each.check
        }
        for each in result.findings
    }
    expected = {name: frozenset({f"{number:02d}.png", f"{name}.png"}) for number, name in enumerate(disguises)}
    assert pairs == {
        "split-leak": {expected[name] for name in ("copied", "turned", "darkened")},
        "near-duplicate": {expected[name] for name in ("mirrored", "compressed", "enlarged")},
    }
    exact = next(each for each in result.findings if "copied.png" in {image.name for image in each.images})
    assert "pixel for pixel" in exact.reason


def test_that_badly_taken_images_are_found(project: Project) -> None:
    for number in (0, 1):
        original = read_image(_path(project, f"{number:02d}.png"))
        _add_image(project, f"dark{number}.png", np.asarray(original[::-1] * 0.3, np.uint8), split=Split.TRAIN)
        blurred = cv2.GaussianBlur(np.ascontiguousarray(np.rot90(original)), (0, 0), 4)
        _add_image(project, f"blurred{number}.png", np.asarray(blurred, np.uint8), split=Split.TRAIN)
    result, _ = _check(project, QualitySettings(skip=("near-duplicate", "unmarked-image")))
    assert _named(result, "exposure") == {"dark0.png", "dark1.png"}
    assert _named(result, "blur") == {"blurred0.png", "blurred1.png"}


def test_that_gaps_of_classes_and_splits_are_found(project: Project) -> None:
    project.classes.add("never seen")
    rare = project.classes.add("rare").id
    fov = project.fovs.list(split=Split.TEST)[0]
    project.annotations.add([_mark(fov.id, rare, Box(10, 10, 24, 24))])
    _add_image(project, "empty.png", np.full((90, 110, 3), 204, np.uint8), split=Split.TRAIN)
    result, _ = _check(project, QualitySettings(skip=("duplicate-annotation", "blur")))
    told = {(each.check, each.class_name, each.severity) for each in result.findings}
    assert told == {
        ("empty-class", "never seen", "warning"),
        ("class-missing-in-split", "rare", "error"),  # nothing can learn it
        ("class-missing-in-split", "rare", "warning"),
        ("unmarked-image", "", "note"),
    }


def test_that_a_set_made_from_images_that_are_held_out_now_is_found_every_time(project: Project) -> None:
    settings = ComposeSettings(
        set_name="made", count=6, composition=CompositionSettings(canvas_px=64, n_objects_min=3, n_objects_max=5)
    )
    add_set(project, settings)
    assert _check(project)[0].is_sound
    used = [json.loads(line) for line in (project.set_folder("made") / "manifest.jsonl").read_text().splitlines()]
    behind = Counter(fov for line in used for fov in {item["fov"] for item in line["objects"]})
    for split, check in ((Split.TEST, "set-from-test"), (Split.VAL, "set-from-val")):
        for fov_id in list(behind)[:3]:
            fov = project.fovs.get(FovId(fov_id))
            project.samples.set_split([fov.sample_id], split)
            result, _ = _check(project, QualitySettings(set_name="made"))
            leaks = [each for each in result.findings if each.check == check]
            assert [each.set_name for each in leaks] == ["made"]
            assert fov.name in leaks[0].reason
            assert leaks[0].n_images >= behind[fov_id]
            assert result.is_sound is (check == "set-from-val")
            project.samples.set_split([fov.sample_id], Split.TRAIN)
    project.fovs.remove([FovId(next(iter(behind)))])
    assert _check(project)[0].n_by_check["set-source-gone"] == 1


def test_that_damaged_images_of_a_set_are_found_and_its_name_has_to_exist(project: Project) -> None:
    settings = ComposeSettings(set_name="made", count=4, composition=CompositionSettings(canvas_px=64))
    add_set(project, settings)
    images = sorted((project.set_folder("made") / "images").glob("*.png"))
    images[0].unlink()
    images[1].write_bytes(images[1].read_bytes()[:-100])
    result, _ = _check(project, QualitySettings(set_name="made"))
    assert (result.set, result.n_images, result.sets) == ("made", 4, ("made",))
    assert _named(result, "missing-file") == {images[0].name}
    assert _named(result, "unreadable-file") == {images[1].name}
    assert all(image.set == "made" for each in result.findings for image in each.images)
    assert "not searched for copies" in result.notes[0]
    assert not {"too-near-to-real", "blur", "empty-class"} & set(result.n_by_check)  # they were not made
    with pytest.raises(NotFound):
        _check(project, QualitySettings(set_name="nowhere"))


def test_that_only_what_has_changed_is_looked_at_again(project: Project) -> None:
    first, _ = _check(project)
    path = _path(project, "03.png")
    write_png(path, 255 - read_image(path))
    again, _ = _check(project)
    assert (first.n_reused, again.n_reused) == (0, again.n_images - 1)
    assert _named(again, "changed-file") == {"03.png"}


def test_that_the_severity_that_fails_and_the_checks_that_are_left_out_are_chosen(project: Project) -> None:
    project.classes.add("never seen")
    assert _check(project)[0].is_sound
    assert not _check(project, QualitySettings(fail_on="warning"))[0].is_sound
    result, _ = _check(project, QualitySettings(fail_on="note", skip=("empty-class",)))
    assert result.is_sound
    assert "empty-class" not in result.n_by_check


def test_that_a_check_can_be_cancelled_and_an_empty_project_is_told(project: Project, tmp_path: Path) -> None:
    context = RecordingContext(project, "quality")
    context.stop_at = (3, N_TRAIN + N_VAL + N_TEST)
    with pytest.raises(Cancelled):
        quality.run(QualitySettings(), context)
    empty = Project.create(tmp_path / "empty")
    try:
        with pytest.raises(UserError, match="no images"):
            _check(empty)
    finally:
        empty.close()


def test_that_generated_images_that_are_copies_are_told_with_what_they_copy(tmp_path: Path) -> None:
    skin = build_skin_study(tmp_path / "skin", n_train=6, n_val=1, n_test=6, size_px=(128, 96))
    try:
        gan = add_trained_gan(skin)
        write_generated(skin, GenerateSettings(run=gan, set_name="copied", count=12))
        put_crops_in_place(skin, gan, "copied", n=8)
        result, _ = _check(skin, QualitySettings(set_name="copied", skip=("tiny-box", "duplicate-annotation")))
        copies = [each for each in result.findings if each.check == "too-near-to-real"]
        assert {each.images[0].name for each in copies} >= {f"images/{number:06d}.png" for number in range(8)}
        learned = {fov.name for fov in skin.fovs.list(split=Split.TRAIN)}
        assert {each.images[1].name for each in copies} <= learned
        assert any("12 images of the set were searched" in note for note in result.notes)
    finally:
        skin.close()


def test_that_the_blood_cells_of_bccd_have_the_faults_that_were_looked_at(tmp_path: Path) -> None:
    """Each of them was looked at: one field focused twice stands in two splits, seven cells have two boxes, a platelet
    is called a white cell, a white cell a platelet."""
    folder = shared_data("bccd")
    project = Project.create(tmp_path / "blood")
    try:
        apply_import(project, READERS["voc"](folder), copy=False)
        result, _ = _check(project)
    finally:
        project.close()
    assert {name: n for name, n in result.n_by_check.items() if n} == {
        "duplicate-annotation": 7,
        "implausible-size": 2,
        "split-leak": 1,
    }
    assert _named(result, "split-leak") == {"BloodImage_00037.jpg", "BloodImage_00038.jpg"}
    assert _named(result, "implausible-size") == {"BloodImage_00113.jpg", "BloodImage_00133.jpg"}
