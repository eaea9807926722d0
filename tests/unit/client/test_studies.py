"""Reading studies from a project to the result: built alike, read in turns, closed, judged, and on travel."""

from __future__ import annotations

import dataclasses
import json
import shutil
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score

from synthstudio.client.kept_images import KeptImage, keep_images
from synthstudio.client.studies import remove_study
from synthstudio.client.study_reading import ProjectReading, find_next_page
from synthstudio.client.travelling_studies import (
    ANSWERS_NAME,
    STUDY_NAME,
    FolderReading,
    import_answers,
    write_travelling,
)
from synthstudio.core.imaging import read_image
from synthstudio.core.review.relevance import RelevanceResult
from synthstudio.core.review.study_design import StudyDesign
from synthstudio.core.review.study_items import ReaderAnswer, StudyItem, truth_commitment
from synthstudio.core.review.turing import TuringResult
from synthstudio.domain.errors import NotFound, UserError
from synthstudio.domain.maps import MapRegion, MapRequest
from synthstudio.domain.records import Box
from synthstudio.project import Project
from synthstudio.project.studies import read_items
from synthstudio.project.study_truth import read_all_answers, read_result, read_truth
from tests.support.reading_studies import ONE, PICK, RELEVANCE, SET, answer_all, build_fixed_study, build_study_project
from tests.support.skin_study import build_skin_study
from tests.support.trained_gans import add_card, make_card


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    build_study_project(folder).close()
    return folder


@pytest.fixture
def project(built: Path, tmp_path: Path) -> Iterator[Project]:
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    opened = Project.open(tmp_path / "project")
    yield opened
    opened.close()


def truth_of(project: Project, name: str = "eyes") -> dict[str, StudyItem]:
    """What tests may know before the study is closed."""
    return {item.token: item for item in read_items(project.database, name)}


def real_of(project: Project, name: str = "eyes") -> set[str]:
    return {token for token, item in truth_of(project, name).items() if item.is_real}


def chunks_of(data: bytes) -> list[bytes]:
    """Names of the chunks of a PNG file."""
    names, at = [], 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        names.append(data[at + 4 : at + 8])
        at += length + 12
    return names


def test_that_the_images_of_a_study_differ_in_nothing_but_their_pixels(project: Project) -> None:
    built = build_fixed_study(project)
    files = sorted(project.study_folder("eyes").iterdir())
    assert built.n_images == len(files) == 20
    assert {path.stem for path in files} == set(truth_of(project))
    assert len({path.stat().st_size for path in files}) == 1
    assert len({path.stat().st_mtime_ns for path in files}) == 1
    assert {frozenset(chunks_of(path.read_bytes())) for path in files} == {frozenset((b"IHDR", b"IDAT", b"IEND"))}
    assert {read_image(path).shape for path in files} == {(48, 48, 3)}
    assert Counter(item.is_real for item in truth_of(project).values()) == {True: 10, False: 10}


def test_that_a_study_shows_what_its_truth_says(project: Project) -> None:
    build_fixed_study(project, design=dataclasses.replace(PICK, quality=100))
    item = next(item for item in truth_of(project).values() if not item.is_real)
    index = int(item.source.rsplit(" ", 1)[1])
    made = read_image(project.set_folder(SET) / f"images/{index:06d}.png").astype(float)
    shown = read_image(project.study_folder("eyes") / f"{item.token}.png").astype(float)
    assert np.abs(made - shown).mean() < 4
    real = next(item for item in truth_of(project).values() if item.is_real)
    _, fov_id, _, x, y, side = real.source.split(" ")
    fov = next(fov for fov in project.fovs.list() if str(fov.id) == fov_id)
    window = read_image(Path(fov.path))[int(y) : int(y) + int(side), int(x) : int(x) + int(side)].astype(float)
    shown = read_image(project.study_folder("eyes") / f"{real.token}.png").astype(float)
    assert np.abs(window - shown).mean() < 4
    assert fov.split == "test"


def test_that_an_unbuildable_study_leaves_nothing_behind(project: Project) -> None:
    with pytest.raises(UserError, match="real images"):
        build_fixed_study(project, design=dataclasses.replace(PICK, n_real=1000))
    with pytest.raises(UserError, match="cannot name"):
        build_fixed_study(project, name="../x")
    with pytest.raises(NotFound):
        project.studies.get("eyes")
    assert not list((project.folder / "studies").glob("*"))


def test_that_perfect_readers_get_a_perfect_result_and_leave_others_alone(project: Project) -> None:
    build_fixed_study(project)
    real = real_of(project)
    answer_all(ProjectReading(project, "eyes", "A. Smith"), real)
    answer_all(ProjectReading(project, "eyes", "B"), set(list(truth_of(project))[:0]))
    assert [(each.name, each.is_finished) for each in project.studies.readers("eyes")] == [
        ("A. Smith", True),
        ("B", True),
    ]
    project.studies.close("eyes")
    result = read_result(project, "eyes")
    assert isinstance(result, TuringResult)
    assert [each.share for each in result.tpr.by_reader] == [1.0, 0.0]
    assert result.fpr.mean == 0.0
    assert result.readers[0].kappa == 1.0
    assert result.readers[0].n_repeats == 4
    assert {item.token for item in read_truth(project, "eyes") if item.is_real} == real
    row = project.database.row("SELECT salt FROM reading_secret WHERE study = 'eyes'")
    assert row is not None
    assert truth_commitment(read_truth(project, "eyes"), salt=row["salt"]) == project.studies.get("eyes").commitment


def test_that_confidences_give_a_roc_curve(project: Project) -> None:
    build_fixed_study(project, design=ONE)
    reading = ProjectReading(project, "eyes", "A")
    with pytest.raises(UserError, match="no answer yet"):
        reading.complete(0)
    with pytest.raises(UserError, match="does not ask"):
        reading.put(0, reading.pages[0].tokens[0], ReaderAnswer(is_picked=True))
    answer_all(reading, real_of(project))
    project.studies.close("eyes")
    result = read_result(project, "eyes")
    assert isinstance(result, TuringResult)
    assert result.auc.mean == 1.0
    assert result.roc is not None


def test_that_a_relevance_study_counts_what_shows_its_condition(project: Project) -> None:
    build_fixed_study(project, design=RELEVANCE)
    truth = truth_of(project)
    answer_all(ProjectReading(project, "eyes", "A"), {token for token in truth if truth[token].shows_condition})
    project.studies.close("eyes")
    result = read_result(project, "eyes")
    assert isinstance(result, RelevanceResult)
    assert result.overall.real.mean == result.overall.synthetic.mean == 1.0
    assert result.overall.false_real.mean == result.overall.false_synthetic.mean == 0.0


def test_that_nothing_is_told_before_the_study_is_closed(project: Project) -> None:
    build_fixed_study(project)
    reading = ProjectReading(project, "eyes", "A")
    reading.complete(0)
    for ask in (read_truth, read_all_answers, read_result):
        with pytest.raises(UserError, match="nobody may see"):
            ask(project, "eyes")
    with pytest.raises(UserError, match="has not finished"):
        project.studies.close("eyes")
    known = repr((project.studies.get("eyes"), project.studies.readers("eyes"), reading.pages))
    assert not any(item.source in known for item in truth_of(project).values())
    assert not {"is_real", "fixed for eyes"} & set(known.replace("(", " ").replace("=", " ").split())
    project.studies.close("eyes", with_unfinished=True)
    with pytest.raises(UserError, match="is closed"):
        reading.complete(1)
    with pytest.raises(UserError, match="is closed"):
        ProjectReading(project, "eyes", "another")
    answered = read_all_answers(project, "eyes")
    assert {page for page, _ in answered[0].answers} == {0}


def test_that_a_reader_goes_on_where_the_window_was_lost(project: Project) -> None:
    build_fixed_study(project)
    reading = ProjectReading(project, "eyes", "A")
    reading.complete(0)
    token = reading.pages[1].tokens[2]
    reading.put(1, token, ReaderAnswer(is_picked=True))
    reading.put(1, token, ReaderAnswer(is_picked=False, seconds=2.0))
    folder = project.folder
    project.close()  # nothing is written by closing: every answer was committed
    again = Project.open(folder)
    try:
        resumed = ProjectReading(again, "eyes", " A ")
        assert resumed.pages == reading.pages
        assert find_next_page(resumed) == resumed.pages[1]
        assert resumed.answers(1) == {token: ReaderAnswer(is_picked=False, seconds=2.0)}
        with pytest.raises(UserError, match="complete"):
            resumed.put(0, resumed.pages[0].tokens[0], ReaderAnswer(is_picked=True))
        with pytest.raises(UserError, match="does not show"):
            resumed.put(1, "0000", ReaderAnswer(is_picked=True))
    finally:
        again.close()


def test_that_a_removed_study_takes_its_images_and_answers_along(project: Project) -> None:
    build_fixed_study(project)
    answer_all(ProjectReading(project, "eyes", "A"), set())
    remove_study(project, "eyes")
    assert not project.study_folder("eyes").exists()
    tables = ("reading_truth", "reading_secret", "reading_reader", "reading_page", "reading_answer")
    assert not any(project.database.rows(f"SELECT * FROM {table}") for table in tables)
    build_fixed_study(project)


def test_that_answers_of_a_travelled_study_come_home(project: Project, tmp_path: Path) -> None:
    build_fixed_study(project)
    write_travelling(project, "eyes", "A", tmp_path / "out")
    travelled = tmp_path / "elsewhere"
    (tmp_path / "out").rename(travelled)
    reading = FolderReading(travelled)
    real = real_of(project)
    reading.put(0, reading.pages[0].tokens[0], ReaderAnswer(is_picked=True))
    assert FolderReading(travelled).answers(0) == reading.answers(0)
    reading.put(0, reading.pages[0].tokens[0], ReaderAnswer(is_picked=reading.pages[0].tokens[0] in real))
    answer_all(reading, real)
    assert find_next_page(FolderReading(travelled)) is None
    import_answers(project, travelled)
    import_answers(project, travelled)
    project.studies.close("eyes")
    result = read_result(project, "eyes")
    assert isinstance(result, TuringResult)
    assert result.tpr.mean == 1.0
    assert result.fpr.mean == 0.0


def test_that_answers_of_another_study_are_refused(project: Project, tmp_path: Path) -> None:
    build_fixed_study(project)
    write_travelling(project, "eyes", "A", tmp_path / "out")
    answer_all(FolderReading(tmp_path / "out"), set())
    answers = tmp_path / "out" / ANSWERS_NAME
    whole = answers.read_text(encoding="utf-8")
    answers.write_text(whole.replace('"A"', '"B"'), encoding="utf-8")
    with pytest.raises(UserError, match="damaged"):
        import_answers(project, tmp_path / "out")
    answers.write_text(whole[:100], encoding="utf-8")
    with pytest.raises(UserError, match="damaged"):
        import_answers(project, tmp_path / "out")
    answers.write_text(whole, encoding="utf-8")
    remove_study(project, "eyes")
    build_fixed_study(project, design=StudyDesign(**{**dataclasses.asdict(PICK), "n_real": 9}))
    with pytest.raises(UserError, match="not those of the study"):
        import_answers(project, tmp_path / "out")
    with pytest.raises(UserError, match="exists already"):
        write_travelling(project, "eyes", "A", tmp_path / "out")


def describe_files(folder: Path) -> tuple[list[str], np.ndarray]:
    """What a file manager and the sheet show of the images: names as numbers, their order, sizes, times, places."""
    sheet = json.loads((folder / STUDY_NAME).read_text(encoding="utf-8"))
    shown = [token for page in sheet["pages"] for token in page["images"]]
    tokens = sorted({*shown})
    rows = []
    for rank, token in enumerate(tokens):
        stat = (folder / "images" / f"{token}.png").stat()
        named = [rank, *bytes.fromhex(token)]
        rows.append([*named, stat.st_size, stat.st_mtime_ns, stat.st_mode, shown.index(token), shown.count(token)])
    return tokens, np.array(rows, np.float64)


def test_that_nothing_in_a_travelling_folder_tells_real_from_synthetic(tmp_path: Path) -> None:
    project = build_study_project(tmp_path, n_test=36, n_made=64)
    try:
        design = dataclasses.replace(PICK, n_real=60, n_synthetic=60, page_size=12)
        build_fixed_study(project, design=design)
        write_travelling(project, "eyes", "A", tmp_path / "out")
        truth = truth_of(project)
        tokens, facts = describe_files(tmp_path / "out")
        labels = np.array([truth[token].is_real for token in tokens])
        row = project.database.row("SELECT secret, salt FROM reading_secret")
        assert row is not None
        written = (tmp_path / "out" / STUDY_NAME).read_text(encoding="utf-8")
        assert not any(item.source in written for item in truth.values())
        assert row["secret"] not in written
        assert row["salt"] not in written
    finally:
        project.close()
    assert len(tokens) == 120
    forest = RandomForestClassifier(60, random_state=0)
    accuracy = cross_val_score(forest, facts, labels, cv=5).mean()
    # 120 coins within 3.3 standard deviations; told the sizes of ordinary PNG files of these images it reaches 0.9.
    assert abs(accuracy - 0.5) < 0.15
    assert {name.name for name in (tmp_path / "out").iterdir()} == {STUDY_NAME, "images"}


def test_that_images_of_a_gan_are_shown_beside_crops_as_it_learns_from(tmp_path: Path) -> None:
    project = build_skin_study(tmp_path / "study", n_train=4, n_val=1, n_test=4, size_px=(120, 96))
    try:
        run_id = add_card(project, make_card(project))
        names = [each.name for each in project.classes.list()]
        pixels = np.random.default_rng(0).integers(0, 255, (8, 64, 64, 3)).astype(np.uint8)
        requests = [
            MapRequest(64, 1, (MapRegion(names[number % 2], Box(8.0, 9.0, 30.0, 31.0)),)) for number in range(8)
        ]
        made = zip(pixels, requests, range(8), strict=True)
        keep_images(project, SET, [KeptImage(image, request, run_id, seed=seed) for image, request, seed in made])
        build_fixed_study(project, design=dataclasses.replace(PICK, n_real=4, n_synthetic=4, page_size=4))
        sides = [int(item.source.split()[-1]) for item in truth_of(project).values() if item.is_real]
        assert len(sides) == 4
        assert set(sides) != {64}  # windows by the size of their regions, brought to the side of the GAN's images
        shapes = {read_image(path).shape for path in project.study_folder("eyes").iterdir()}
        assert shapes == {(64, 64, 3)}
    finally:
        project.close()
