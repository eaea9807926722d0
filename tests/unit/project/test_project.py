"""The store keeps what it acknowledged, in the shape in which it was given."""

import dataclasses
import multiprocessing
import os
import shutil
import signal
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthstudio.domain.errors import NotFound, ProjectIsReadOnly, UserError
from synthstudio.domain.ids import AnnotationId, ClassId, FovId, RunId, SetName
from synthstudio.domain.records import (
    Annotation,
    Box,
    Generator,
    Metric,
    Role,
    RunStatus,
    Split,
    Storage,
    SyntheticSet,
    Verdict,
    VerdictKind,
)
from synthstudio.project import Project


@pytest.fixture
def project(tmp_path: Path):
    project = Project.create(tmp_path / "study")
    yield project
    project.close()


def add_fov(project: Project, name: str = "a.png", sample: str = "s1", split: Split | None = Split.TRAIN) -> FovId:
    sample_id = project.samples.get_or_add(sample, split=split).id
    return project.fovs.add(
        sample_id=sample_id,
        name=name,
        stored_path=f"/images/{name}",
        storage=Storage.REFERENCE,
        sha256="0" * 64,
        width=640,
        height=480,
    )


def centre(fov_id: FovId, class_id: ClassId, x: float = 10.5, y: float = 20.25) -> Annotation:
    return Annotation(id=AnnotationId(0), fov_id=fov_id, class_id=class_id, x=x, y=y)


def test_that_a_reopened_project_gives_back_every_record(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "Prüfung 日本")
    rbc = project.classes.add("RBC", size_um=7.5)
    fov_id = add_fov(project)
    boxed = centre(fov_id, rbc.id).with_box(Box(1.0, 2.0, 5.5, 9.0))
    stored, _ = project.annotations.add([centre(fov_id, rbc.id), boxed])
    fovs, classes = project.fovs.list(), project.classes.list()
    project.close()
    again = Project.open(tmp_path / "Prüfung 日本")
    assert again.annotations.list(fov_id) == stored
    assert again.fovs.list() == fovs
    assert again.classes.list() == classes
    again.close()


def test_that_deleted_and_added_again_an_annotation_keeps_its_id_and_no_id_is_used_twice(project: Project) -> None:
    rbc = project.classes.add("RBC")
    fov_id = add_fov(project)
    (first,), _ = project.annotations.add([centre(fov_id, rbc.id)])
    project.annotations.remove([first])
    (second,), _ = project.annotations.add([centre(fov_id, rbc.id)])
    assert second.id != first.id
    project.annotations.add([first])
    assert {each.id for each in project.annotations.list(fov_id)} == {first.id, second.id}


def test_that_a_failing_transaction_leaves_nothing_behind(project: Project) -> None:
    rbc = project.classes.add("RBC")
    fov_id = add_fov(project)

    def add_a_good_and_a_bad_one() -> None:
        with project.transaction():
            project.annotations.add([centre(fov_id, rbc.id)])
            project.annotations.add([centre(FovId(999), rbc.id)])

    with pytest.raises(sqlite3.IntegrityError):
        add_a_good_and_a_bad_one()
    assert project.annotations.list(fov_id) == []


def test_that_the_second_opener_may_only_read_and_is_told_why(project: Project) -> None:
    second = Project.open(project.folder)
    assert str(os.getpid()) in second.read_only_reason
    with pytest.raises(ProjectIsReadOnly):
        second.classes.add("WBC")
    second.close()


def test_that_the_lock_is_free_again_once_the_first_has_closed(tmp_path: Path) -> None:
    Project.create(tmp_path / "p").close()
    again = Project.open(tmp_path / "p")
    assert not again.is_read_only
    again.close()


def test_that_a_damaged_database_is_said_in_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    Project.create(folder).close()
    (folder / "project.sqlite").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(UserError, match="damaged or is no SynthStudio project"):
        Project.open(folder)


def test_that_a_project_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    Project.create(tmp_path / "p").close()
    connection = sqlite3.connect(tmp_path / "p" / "project.sqlite")
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(UserError, match="newer SynthStudio"):
        Project.open(tmp_path / "p")


def test_that_a_project_is_not_made_in_a_folder_with_other_things(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(UserError, match="not empty"):
        Project.create(tmp_path)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["letter.txt"]


def test_that_class_names_are_unique_and_used_classes_stay(project: Project) -> None:
    rbc = project.classes.add("RBC")
    with pytest.raises(UserError, match="already a class RBC"):
        project.classes.add(" RBC ")
    project.annotations.add([centre(add_fov(project), rbc.id)])
    with pytest.raises(UserError, match="used by 1 annotations"):
        project.classes.remove(rbc.id)


def test_that_classes_get_the_free_keys_and_distinct_colours(project: Project) -> None:
    made = [project.classes.add(f"c{i}") for i in range(11)]
    assert [each.key for each in made] == [*"123456789", "", ""]
    assert len({each.color for each in made}) == 11
    assert project.classes.add("dirt", role=Role.ARTIFACT).color not in {each.color for each in made}


def test_that_a_split_belongs_to_the_sample_and_reaches_all_its_fovs(project: Project) -> None:
    first, second = add_fov(project, "a.png"), add_fov(project, "b.png")
    add_fov(project, "c.png", sample="s2", split=None)
    project.samples.set_split([project.fovs.get(first).sample_id], Split.TEST)
    assert [each.id for each in project.fovs.list(split=Split.TEST)] == [first, second]
    assert project.fovs.list(split=Split.TRAIN) == []


def test_that_runs_left_by_a_killed_process_are_failed_with_a_reason(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "p")
    project.runs.add(RunId("r1"), kind="compose", title="t", settings_json="{}")
    project.runs.set_running(RunId("r1"))
    project.close()
    again = Project.open(tmp_path / "p")
    run = again.runs.get(RunId("r1"))
    assert run.status is RunStatus.FAILED
    assert "ended before" in run.message
    assert run.hint
    again.close()


def test_that_metrics_come_back_as_curves_and_a_repeated_step_replaces(project: Project) -> None:
    run = RunId("r1")
    project.runs.add(run, kind="compose", title="t", settings_json="{}")
    project.runs.add_metrics([Metric(run, 2, "loss", 0.5), Metric(run, 1, "loss", 0.9), Metric(run, 1, "f1", 0.1)])
    project.runs.add_metrics([Metric(run, 2, "loss", 0.4)])
    assert project.runs.metrics(run) == {"loss": [(1, 0.9), (2, 0.4)], "f1": [(1, 0.1)]}


def test_that_an_unknown_run_is_answered_with_the_runs_that_exist(project: Project) -> None:
    project.runs.add(RunId("r1"), kind="compose", title="t", settings_json="{}")
    with pytest.raises(NotFound, match="r1"):
        project.runs.get(RunId("nope"))


def test_that_a_set_made_again_forgets_the_verdicts_about_the_old_images(project: Project) -> None:
    made = SyntheticSet(SetName("s"), Generator.COMPOSITED, None, 2, "aa", "{}", "bb", "")
    project.sets.put(made)
    project.verdicts.put(Verdict(SetName("s"), 0, VerdictKind.REJECTED, "blur", "ann", ""))
    assert project.verdicts.list("s")[0].kind is VerdictKind.REJECTED
    project.sets.put(dataclasses.replace(made, n_images=3))
    assert project.verdicts.list("s") == []
    assert project.sets.get("s").n_images == 3


def test_that_the_training_state_follows_annotations_and_classes_and_nothing_else(project: Project) -> None:
    rbc = project.classes.add("RBC", size_px=20)
    fov_id = add_fov(project)
    before = project.training_state()
    project.runs.add(RunId("r1"), kind="compose", title="t", settings_json="{}")
    assert project.training_state() == before
    (mark,), _ = project.annotations.add([centre(fov_id, rbc.id)])
    assert project.training_state() != before
    project.annotations.remove([mark])
    assert project.training_state() == before


finite = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(x=finite, y=finite, size=st.none() | st.floats(min_value=0.01, max_value=1e5), author=st.text(max_size=20))
def test_that_coordinates_survive_to_the_last_bit(
    project: Project, x: float, y: float, size: float | None, author: str
) -> None:
    known = project.classes.find("RBC") or project.classes.add("RBC")
    fovs = project.fovs.list()
    fov_id = fovs[0].id if fovs else add_fov(project)
    mark = Annotation(AnnotationId(0), fov_id, known.id, x, y, None, size, author.encode(errors="ignore").decode())
    (stored,), _ = project.annotations.add([mark])
    assert project.annotations.list(fov_id)[-1] == stored
    assert dataclasses.replace(stored, id=AnnotationId(0)) == mark


def _click_until_killed(folder: str, pipe: object) -> None:
    project = Project.open(Path(folder))
    fov, rbc = project.fovs.list()[0], project.classes.list()[0]
    while True:
        (stored,), _ = project.annotations.add([centre(fov.id, rbc.id)])
        pipe.send(stored.id)  # type: ignore[attr-defined]


def test_that_no_acknowledged_annotation_is_lost_when_the_writer_is_killed(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "p")
    project.classes.add("RBC")
    fov_id = add_fov(project)
    project.close()
    context = multiprocessing.get_context("spawn")
    acknowledged: set[int] = set()
    for n_clicks in (1, 7, 23):
        receiver, sender = context.Pipe(duplex=False)
        writer = context.Process(target=_click_until_killed, args=(str(tmp_path / "p"), sender))
        writer.start()
        sender.close()
        for _ in range(n_clicks):
            acknowledged.add(receiver.recv())
        os.kill(writer.pid or 0, signal.SIGKILL)
        writer.join(10)
        receiver.close()
        again = Project.open(tmp_path / "p")
        assert not again.is_read_only
        assert acknowledged <= {each.id for each in again.annotations.list(fov_id)}
        assert again.database.rows("PRAGMA integrity_check")[0][0] == "ok"
        again.close()


@pytest.mark.parametrize("was_there", [True, False])
def test_that_a_project_that_cannot_be_completed_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, was_there: bool
) -> None:
    folder = tmp_path / "study"
    if was_there:
        folder.mkdir()

    def refuse(self: Project, key: str, value: str) -> None:
        raise UserError("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(Project, "set_meta", refuse)
        with pytest.raises(UserError, match="disk is full"):
            Project.create(folder)
    assert folder.exists() == was_there
    assert not was_there or not list(folder.iterdir())
    Project.create(folder).close()


def test_that_an_empty_database_file_does_not_pass_for_an_empty_project(project: Project) -> None:
    project.close()
    (project.folder / "project.sqlite").write_bytes(b"")
    for read_only in (True, False):
        with pytest.raises(UserError, match="is empty"):
            Project.open(project.folder, read_only=read_only)


def test_that_a_project_that_cannot_be_opened_is_not_held(project: Project) -> None:
    project.close()
    database = project.folder / "project.sqlite"
    good = database.read_bytes()
    database.write_bytes(b"no database at all, but long enough to be looked at" * 99)
    with pytest.raises(UserError, match="damaged") as caught:
        Project.open(project.folder)
    database.write_bytes(good)
    opened = Project.open(project.folder)
    assert not opened.is_read_only
    opened.close()
    assert caught.value.hint


def test_that_a_query_in_the_background_does_not_wait_for_a_writer(project: Project) -> None:
    """So that no click waits for a long query either; what is not committed is seen by the writer alone."""
    project.classes.add("cell")
    seen: list[int] = []
    with project.transaction():
        project.classes.add("fibre")
        thread = threading.Thread(target=lambda: seen.append(len(project.classes.list())))
        thread.start()
        thread.join(10)
        assert len(project.classes.list()) == 2
    assert seen == [1]
    thread = threading.Thread(target=lambda: seen.append(len(project.classes.list())))
    thread.start()
    thread.join(10)
    assert seen == [1, 2]


def test_that_a_thread_reads_what_it_writes(project: Project) -> None:
    seen: list[int] = []

    def work() -> None:
        with project.transaction():
            project.classes.add("cell")
            seen.append(len(project.classes.list()))
        seen.append(len(project.classes.list()))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert seen == [1, 1]


def test_that_queries_in_a_snapshot_see_one_moment_and_a_writer_does_not_wait_for_it(project: Project) -> None:
    begun, written, seen = threading.Event(), threading.Event(), list[int]()

    def read() -> None:
        with project.database.snapshot(), project.database.snapshot():
            seen.append(len(project.classes.list()))
            begun.set()
            written.wait(10)
            seen.append(len(project.classes.list()))
        seen.append(len(project.classes.list()))

    thread = threading.Thread(target=read)
    thread.start()
    assert begun.wait(10)
    project.classes.add("cell")
    written.set()
    thread.join(10)
    assert seen == [0, 0, 1]
    with project.database.snapshot():  # of the thread that may write, too
        project.classes.add("fibre")
    assert len(project.classes.list()) == 2


def test_that_a_query_of_the_main_thread_does_not_wait_for_a_writer_in_the_background(project: Project) -> None:
    """So that the window does not stand still while an import is written."""
    begun, read = threading.Event(), threading.Event()

    def work() -> None:
        with project.transaction():
            project.classes.add("cell")
            begun.set()
            read.wait(10)

    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(10)
    assert project.classes.list() == []
    read.set()
    thread.join(10)
    assert len(project.classes.list()) == 1


def test_that_a_query_that_fails_half_way_does_not_hold_on_to_the_past(project: Project) -> None:
    for name in ("cell", "fibre"):
        project.classes.add(name)

    def fail(_: object) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no") as kept:
        project.database.records("SELECT * FROM object_class", (), fail)
    project.classes.add("crystal")
    assert len(project.classes.list()) == 3
    assert kept.value is not None


def test_that_commits_are_folded_in_when_it_is_quiet_and_not_at_a_click(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def folded(name: str) -> bool:
        """Whether the database file knows a fact without its WAL."""
        alone = tmp_path / "alone.sqlite"
        shutil.copyfile(project.database.path, alone)
        with closing(sqlite3.connect(alone)) as copy:
            return copy.execute("SELECT 1 FROM meta WHERE key = ?", (name,)).fetchone() is not None

    project.database.fold()  # or that file had no tables
    monkeypatch.setattr("synthstudio.project.database.QUIET_S", 3600.0)
    project.database.fold_when_quiet()
    project.set_meta("first", "1")
    for _ in range(1500):  # SQLite itself folds at 1000 pages
        project.set_meta("fact", "x" * 5000)
    assert not folded("first")
    assert not project.database.wants_folding
    monkeypatch.setattr("synthstudio.project.database.QUIET_S", 0.0)
    assert project.database.wants_folding
    project.database.fold()
    assert folded("first")
    assert not project.database.wants_folding
