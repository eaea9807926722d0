"""The quality job: planted faults of every kind are found, and an untouched project gives no alarm."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from synthstudio.client.recording import Recorder
from synthstudio.client.reporting.quality import build_quality_report
from synthstudio.core.annotations.readers import READERS
from synthstudio.core.evaluation.detection import Detections
from synthstudio.core.evaluation.stored_detections import DETECTIONS_NAME, collect_detections, write_detections
from synthstudio.core.export.report.html import render_html
from synthstudio.core.geometry import boxes_to_array
from synthstudio.core.imaging import ImageArray, read_image, sha256_of_file, write_png
from synthstudio.core.review.findings import Finding
from synthstudio.domain.errors import Cancelled, NotFound, UserError
from synthstudio.domain.ids import AnnotationId, FovId, RunId
from synthstudio.domain.records import Annotation, AnnotationState, Box, FieldOfView, RunStatus, Split, Storage
from synthstudio.engine.jobs import quality
from synthstudio.project import Project
from synthstudio.project.imports import apply_import
from synthstudio.protocol.messages import JobFinished
from synthstudio.protocol.results import QualityResult
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from synthstudio.settings.generate import GenerateSettings
from synthstudio.settings.quality import CHECK_NAMES, QualitySettings
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
    tiny = next(each for each in result.findings if each.check == "tiny-box" and each.images[0].name == "04.png")
    (place,) = tiny.places
    assert (place.annotation, place.x, place.y, place.w, place.h) == (tiny.annotations[0], 70, 70, 1.5, 14)
    # A slip of a box may be implausible for its class, too; nothing else than what was planted is named.
    assert _named(result, "implausible-size") <= {f"{number:02d}.png" for number in range(4, 10)}


@pytest.mark.parametrize("with_boxes", [True, False], ids=["boxes", "clicks"])
def test_that_objects_of_a_wrong_class_are_found_and_what_they_are(tmp_path: Path, with_boxes: bool) -> None:
    project = build_engine_project(tmp_path, n_train=N_TRAIN, n_val=N_VAL, n_test=N_TEST, with_boxes=with_boxes)
    try:
        disc, square = project.classes.list()
        marks = [mark for own in project.annotations.by_fov().values() for mark in own]
        wrong = {each.id: each for each in marks[::29]}
        swapped = {disc.id: square.id, square.id: disc.id}
        project.annotations.update([replace(each, class_id=swapped[each.class_id]) for each in wrong.values()])
        result, _ = _check(project, QualitySettings(skip=("implausible-size",)))
        again, _ = _check(project, QualitySettings(skip=("implausible-size", "label-suspect")))
    finally:
        project.close()
    assert {each.check for each in result.findings} == {"label-suspect"}
    assert {each.annotations[0] for each in result.findings} == set(wrong)
    for each in result.findings:
        own = disc if wrong[AnnotationId(each.annotations[0])].class_id == disc.id else square
        assert each.other_class == own.name != each.class_name
    scores = [each.score or 0.0 for each in result.findings]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] > 0.5
    assert "label-suspect" not in again.n_by_check


def test_that_classes_are_not_doubted_where_nothing_can_be_learned(tmp_path: Path) -> None:
    project = build_engine_project(tmp_path, n_train=2, n_val=0, n_test=0)
    try:
        result, _ = _check(project, QualitySettings(skip=("class-missing-in-split",)))
        assert result.findings == ()
        assert "were not checked: No two classes have 10 objects" in result.notes[0]
    finally:
        project.close()


def test_that_a_single_click_whose_class_is_not_checked_is_told_in_the_singular(tmp_path: Path) -> None:
    project = build_engine_project(tmp_path, n_train=2, n_val=0, n_test=0)
    try:
        first = project.annotations.list(project.fovs.list()[0].id)[0]
        project.annotations.update([replace(first, box=None)])
        result, _ = _check(project, QualitySettings(skip=("class-missing-in-split",)))
        told = [note for note in result.notes if "not checked" in note]
        assert len(told) == 2
        assert told[0].startswith("The classes of ")
        assert " objects with a box were not checked: No two classes" in told[0]
        assert told[1].startswith("The class of 1 click was not checked: No two classes")
    finally:
        project.close()


def _store_found(project: Project, marks: Sequence[Annotation], *, split: str) -> None:
    """Record an evaluation of a detector that has found these marks of a split, the later ones the surer."""
    classes = {each.id: number for number, each in enumerate(project.classes.list())}
    fovs = [fov for fov in project.fovs.list() if fov.split and fov.split.value == split]
    own = [[mark for mark in marks if mark.fov_id == fov.id and mark.box] for fov in fovs]
    sides = [boxes_to_array([mark.box for mark in each if mark.box]) for each in own]
    labels = [np.array([classes[mark.class_id] for mark in each], np.int64) for each in own]
    scores = [np.linspace(0.5, 0.9, len(each)) for each in own]
    stored = collect_detections(
        class_names=[each.name for each in project.classes.list()],
        fov_ids=[fov.id for fov in fovs],
        sample_ids=[fov.sample_id for fov in fovs],
        found=[Detections(*each) for each in zip(sides, labels, scores, strict=True)],
        true=list(zip(sides, labels, strict=True)),
        scales=[1.0] * len(fovs),
        thresholds=[0.3] * len(classes),
    )
    job = RunId(f"evaluate-detector-{split}")
    project.run_folder(job).mkdir(parents=True)
    project.runs.add(job, kind="evaluate-detector", title="", settings_json='{"kind": "evaluate-detector"}')
    write_detections(project.run_folder(job) / DETECTIONS_NAME, stored)
    told = {"n_images": len(fovs), "n_groups": 1, "macro_f1": None, "map50": None, "map": None, "seconds": 1.0}
    result = {"run": "a-detector", "split": split, "per_class": {}, "detections": DETECTIONS_NAME} | told
    project.runs.set_ended(job, RunStatus.FINISHED, summary_json=json.dumps({"kind": "evaluate-detector"} | result))


def test_that_objects_that_nobody_has_marked_are_found_where_a_model_has_found_them(project: Project) -> None:
    marks = [mark for own in project.annotations.by_fov().values() for mark in own]
    skip = tuple(name for name in CHECK_NAMES if name != "label-missing")
    before, _ = _check(project, QualitySettings(skip=skip))
    assert (before.n_by_check, before.findings) == ({"label-missing": 0}, ())
    assert "Evaluate a detector on a split" in before.notes[0]
    _store_found(project, marks, split="val")
    on_val = {fov.id for fov in project.fovs.list() if fov.split is Split.VAL}
    last = {mark.fov_id: mark for mark in marks if mark.fov_id in on_val}
    removed = list(last.values())[:2]
    project.annotations.remove(removed)
    result, _ = _check(project, QualitySettings(skip=skip))
    places = {(each.images[0].fov, each.places[0].x, each.places[0].y) for each in result.findings}
    assert places == {(mark.fov_id, round(mark.box.x0, 1), round(mark.box.y0, 1)) for mark in removed if mark.box}
    assert all("found by the detector a-detector" in each.reason for each in result.findings)
    assert "no model has searched 22 yet" in result.notes[0]


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
    assert "Fewer than 12 images" in result.notes[1]
    assert result.probe is None
    with pytest.raises(NotFound):
        _check(project, QualitySettings(set_name="nowhere"))


def _replace_images(project: Project, name: str, make: Callable[[int, ImageArray], ImageArray]) -> None:
    """Put other pixels into a set, as if they had been written so."""
    folder = project.set_folder(name)
    lines = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    for number, line in enumerate(lines):
        path = folder / line["file"]
        write_png(path, make(number, read_image(path)))
        line["sha256"] = sha256_of_file(path)
    (folder / "manifest.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def test_that_images_that_are_like_real_ones_are_not_betrayed_and_others_are_by_what_they_differ_in(
    project: Project,
) -> None:
    settings = ComposeSettings(set_name="made", count=24, composition=CompositionSettings(canvas_px=64))
    add_set(project, settings)
    real = [read_image(Path(fov.path)) for fov in project.fovs.list()]
    _replace_images(project, "made", lambda number, _: np.ascontiguousarray(real[number][32:, 32:]))
    wanted = QualitySettings(set_name="made", skip=("tiny-box", "duplicate-annotation", "huge-box", "outside-image"))
    alike, _ = _check(project, wanted)
    assert alike.probe is not None
    assert alike.n_by_check["synthetic-betrayed"] == 0
    assert 0.2 < alike.probe.auc < 0.75
    assert (alike.probe.n_synthetic, alike.probe.n_samples) == (24, 22)  # test and train samples
    assert any("Synthetic against real: an AUC of 0." in note for note in alike.notes)
    _replace_images(project, "made", lambda _, image: np.asarray(cv2.GaussianBlur(image, (0, 0), 1.5), np.uint8))
    blurred, context = _check(project, wanted)
    assert blurred.probe is not None
    assert blurred.probe.auc > 0.95
    assert {each.name for each in blurred.probe.statistics[:3]} & {"sharpness", "grain", "flat_share"}
    finding = next(each for each in blurred.findings if each.check == "synthetic-betrayed")
    assert finding.severity == "note"
    assert "AUC" in finding.reason
    assert [image.set for image in finding.images] == ["made"] * 3 + [""] * 3 + ["made"] * 3
    assert blurred.is_sound
    with Recorder(project, project.runs.get(RunId(context.run_id))) as recorder:
        recorder.finish(JobFinished(result=blurred))
    report = render_html(build_quality_report(project, RunId(context.run_id)))
    assert "Synthetic against real" in report
    assert "fine against coarse contrast" in report
    assert report.count("data:image/") == 6  # three of the set, three real ones


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
        "label-suspect": 2,
        "split-leak": 1,
    }
    assert _named(result, "label-suspect") == {"BloodImage_00113.jpg", "BloodImage_00133.jpg"}
    assert _named(result, "split-leak") == {"BloodImage_00037.jpg", "BloodImage_00038.jpg"}
    assert _named(result, "implausible-size") == {"BloodImage_00113.jpg", "BloodImage_00133.jpg"}
