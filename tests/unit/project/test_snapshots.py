"""Snapshots: each is the whole state, none stands in the way of an edit, and going back loses nothing."""

from __future__ import annotations

import contextlib
import errno
import multiprocessing
import os
import shlex
import shutil
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthstudio.domain.errors import Cancelled, NotFound, ProjectIsReadOnly, UserError
from synthstudio.domain.ids import AnnotationId
from synthstudio.domain.records import Annotation, Split
from synthstudio.project import Project, restoring, snapshots
from synthstudio.project.database import iter_database_faults
from synthstudio.project.merging import Merged, redo_merge, undo_merge
from synthstudio.project.removal import remove_fovs
from synthstudio.project.restoring import restore_snapshot
from synthstudio.project.sampling import SampleAssignment, assign_samples
from synthstudio.project.snapshots import N_KEPT, find_snapshots, list_snapshots
from tests.support.cell_projects import make_cell_project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = make_cell_project(tmp_path / "study")
    yield project
    project.close()


def state_of(folder: Path) -> list[str]:
    """All that the database of a closed project says, table by table."""
    with closing(sqlite3.connect(folder / "project.sqlite")) as connection:
        return list(connection.iterdump())


def mark(project: Project, x: float = 5.0) -> Annotation:
    """Add an annotation, which is what most changes of a project are."""
    fov, known = project.fovs.list()[0], project.classes.list()[0]
    new = Annotation(id=AnnotationId(0), fov_id=fov.id, class_id=known.id, x=x, y=5.0)
    return project.annotations.add([new])[0][0]


def keep(project: Project, reason: str = "a test") -> Path:
    path = project.snapshots.take(reason)
    assert path is not None
    return path


def test_that_only_the_undo_of_an_import_keeps_a_snapshot_as_a_redo_takes_nothing_back(project: Project) -> None:
    keep(project)
    fov, known = project.fovs.list()[0], project.classes.list()[0]
    new = Annotation(id=AnnotationId(0), fov_id=fov.id, class_id=known.id, x=5.0, y=5.0)
    with project.transaction(before="import"):
        merged = Merged(tuple(project.annotations.add([new])[0]))
    for _ in range(3):
        undo_merge(project, merged)
        assert sum(project.annotations.totals().values()) == 27
        project.snapshots.wait()
        redo_merge(project, merged)
        assert sum(project.annotations.totals().values()) == 28
        project.snapshots.wait()
    kept = list_snapshots(project.folder)
    assert [each.n_annotations for each in kept] == [28, 28, 28, 27]
    assert [each.reason for each in kept] == [*3 * ["before undo of import"], "a test"]


def test_that_a_snapshot_is_named_after_moment_and_reason_and_listed_with_its_content(project: Project) -> None:
    path = keep(project, "before import")
    assert path.parent == project.folder / "snapshots"
    assert path.name.endswith("-before-import.sqlite")
    [listed] = list_snapshots(project.folder)
    assert (listed.path, listed.reason) == (path, "before import")
    assert listed.n_fields == len(project.fovs.list())
    assert listed.n_annotations == sum(project.annotations.totals().values()) > 0
    assert listed.n_bytes == path.stat().st_size


def test_that_nothing_is_kept_twice_nor_of_an_empty_project(project: Project, tmp_path: Path) -> None:
    keep(project)
    assert project.snapshots.take("again") is None
    project.close()
    reopened = Project.open(project.folder)  # another process knows nothing of the one before
    try:
        assert reopened.snapshots.take("again") is None
        assert reopened.snapshots.problem is None
        mark(reopened)
        keep(reopened)
    finally:
        reopened.close()
    assert len(find_snapshots(project.folder)) == 2
    empty = Project.create(tmp_path / "empty")
    assert empty.snapshots.take("too early") is None
    empty.close()
    assert not (empty.folder / "snapshots").exists()


def test_that_the_oldest_go_and_what_is_none_stays(project: Project) -> None:
    kept = []
    for number in range(N_KEPT + 1):
        mark(project)
        kept.append(keep(project, f"test {number}"))
    (project.folder / "snapshots" / "notes.txt").write_text("mine")
    assert find_snapshots(project.folder) == kept[:0:-1]  # several of one second are in their order, too
    mark(project)
    keep(project)
    assert (project.folder / "snapshots" / "notes.txt").exists()


KINDS = ("mark", "remove", "class", "split", "field")
EDITS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 99)), max_size=8)


def edit(project: Project, kind: str, number: int) -> None:
    fovs, marks = project.fovs.list(), [each for some in project.annotations.by_fov().values() for each in some]
    if kind == "mark":
        mark(project, float(number))
    elif kind == "remove" and marks:
        project.annotations.remove([marks[number % len(marks)]])
    elif kind == "class":
        with contextlib.suppress(UserError):  # there is one of this name
            project.classes.add(f"class {number}")
    elif kind == "split":
        samples = [each.name for each in project.samples.list()]
        assign_samples(project, SampleAssignment(split_of={name: list(Split)[number % 3] for name in samples}))
    elif kind == "field" and len(fovs) > 1:
        remove_fovs(project, [fovs[number % len(fovs)].id])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=EDITS, after=EDITS)
def test_that_going_back_and_forth_gives_the_very_states(
    tmp_path: Path, before: list[tuple[str, int]], after: list[tuple[str, int]]
) -> None:
    shutil.rmtree(tmp_path / "study", ignore_errors=True)
    project = make_cell_project(tmp_path / "study")
    for kind, number in [*before, ("mark", 0)]:
        edit(project, kind, number)
    former = keep(project)
    project.close()
    first = state_of(project.folder)
    project = Project.open(project.folder)
    for kind, number in [*after, ("mark", 1)]:
        edit(project, kind, number)
    project.close()
    second = state_of(project.folder)
    kept = restore_snapshot(project.folder, former.name)
    assert kept is not None
    assert state_of(project.folder) == first != second
    restore_snapshot(project.folder, kept.name)
    assert state_of(project.folder) == second
    opened = Project.open(project.folder)
    assert list(iter_database_faults(opened.database)) == []
    opened.close()


def test_that_edits_that_change_much_keep_the_state_before(project: Project) -> None:
    fovs, samples = project.fovs.list(), project.samples.list()
    n_before = sum(project.annotations.totals().values())
    assign_samples(project, SampleAssignment(split_of={samples[0].name: Split.TEST}))
    assert find_snapshots(project.folder) == []  # one of them can be seen, and set back
    assign_samples(project, SampleAssignment(split_of={each.name: Split.VAL for each in samples}))
    remove_fovs(project, [fov.id for fov in fovs[:2]])
    project.snapshots.wait()
    reasons = [each.reason for each in list_snapshots(project.folder)]
    assert reasons == ["before removal of fields", "before change of samples"]
    assert list_snapshots(project.folder)[0].n_annotations == n_before
    assert list_snapshots(project.folder)[0].n_fields == len(fovs)


def test_that_inside_a_transaction_the_state_before_all_of_it_is_kept(project: Project) -> None:
    n_before = sum(project.annotations.totals().values())
    with project.transaction():
        mark(project)
        with project.transaction(before="something large"):
            mark(project)
    project.snapshots.wait()
    [kept] = list_snapshots(project.folder)
    assert kept.n_annotations == n_before


@pytest.mark.parametrize("how", ["no room", "full", "refused"])
def test_that_a_snapshot_that_cannot_be_taken_stops_no_edit(
    project: Project, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    if how == "no room":
        usage = shutil.disk_usage(project.folder)
        monkeypatch.setattr(snapshots.shutil, "disk_usage", lambda _path: usage._replace(free=1000))
    elif how == "full":

        def no_sync(_path: Path) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(snapshots, "_sync_file", no_sync)
    else:
        (project.folder / "snapshots").write_text("a file where the folder should be")
    n_fovs = len(project.fovs.list())
    remove_fovs(project, [project.fovs.list()[0].id])
    assert len(project.fovs.list()) == n_fovs - 1
    project.snapshots.wait()
    assert project.snapshots.problem is not None
    assert "No snapshot" in str(project.snapshots.problem)
    assert "No snapshot" in caplog.text
    assert find_snapshots(project.folder) == []
    if how != "refused":
        assert list((project.folder / "snapshots").iterdir()) == []
        monkeypatch.undo()
        keep(project)  # once there is room
        assert project.snapshots.problem is None


def _take_and_hang(folder: Path, begun: object) -> None:
    project = Project.open(folder)

    def hang(_path: Path) -> None:
        begun.set()  # type: ignore[attr-defined]
        threading.Event().wait()

    snapshots._sync_file = hang
    project.snapshots.take("killed")


@pytest.mark.skipif(os.name == "nt", reason="fork and SIGKILL")
def test_that_one_killed_while_being_taken_is_none_and_is_cleaned_up(project: Project) -> None:
    project.close()
    context = multiprocessing.get_context("spawn")
    begun = context.Event()
    process = context.Process(target=_take_and_hang, args=(project.folder, begun))
    process.start()
    assert begun.wait(timeout=120)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    left = list((project.folder / "snapshots").iterdir())
    assert left  # it was killed in the middle
    assert find_snapshots(project.folder) == list_snapshots(project.folder) == []
    reopened = Project.open(project.folder)
    kept = keep(reopened)
    reopened.close()
    assert list((project.folder / "snapshots").iterdir()) == [kept]
    assert left[0] != kept


def test_that_a_damaged_project_names_its_newest_snapshot_and_comes_back(project: Project) -> None:
    keep(project)
    mark(project)
    newest = keep(project, "newer")
    project.close()
    wanted = state_of(project.folder)
    database = project.folder / "project.sqlite"
    damaged = b"no database at all, but long enough to be looked at" * 99
    for content, words in ((damaged, "damaged"), (b"", "is empty"), (None, "is not a SynthStudio project")):
        if content is None:
            database.unlink()
        else:
            database.write_bytes(content)
        with pytest.raises(UserError, match=words) as caught:
            Project.open(project.folder)
        assert f"synthstudio restore {shlex.quote(str(project.folder))} {newest.name}" in caught.value.hint
        kept = restore_snapshot(project.folder, newest.name)
        assert state_of(project.folder) == wanted
        if content == damaged:
            assert kept is not None
            assert (kept / "project.sqlite").read_bytes() == damaged
        else:
            assert kept is None


def test_that_a_log_that_was_not_folded_in_is_kept_and_not_played_into_another_state(project: Project) -> None:
    first = keep(project)
    mark(project)
    # What a killed process leaves: the database and its log, copied while it runs.
    left = project.folder.with_name("left")
    shutil.copytree(project.folder, left, ignore=shutil.ignore_patterns("*-shm", ".lock*"))
    assert (left / "project.sqlite-wal").stat().st_size > 0
    project.close()
    kept = restore_snapshot(left, first.name)
    assert kept is not None
    [after, before] = list_snapshots(left)
    assert after.path == kept
    assert after.n_annotations == (before.n_annotations or 0) + 1
    opened = Project.open(left)
    assert sum(opened.annotations.totals().values()) == before.n_annotations
    assert list(iter_database_faults(opened.database)) == []
    opened.close()


def _go_back_and_hang(folder: Path, name: str, step: str, begun: object) -> None:
    def hang(_path: Path) -> None:
        begun.set()  # type: ignore[attr-defined]
        threading.Event().wait()

    setattr(restoring, step, hang)
    restore_snapshot(folder, name)


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
@pytest.mark.parametrize(("step", "is_back"), [("_fold_log", False), ("sync_folder", True)])
def test_that_one_killed_while_going_back_leaves_the_state_before_or_after(
    project: Project, step: str, *, is_back: bool
) -> None:
    path = keep(project)
    n_before = sum(project.annotations.totals().values())
    mark(project)
    project.close()
    context = multiprocessing.get_context("spawn")
    begun = context.Event()
    process = context.Process(target=_go_back_and_hang, args=(project.folder, path.name, step, begun))
    process.start()
    assert begun.wait(timeout=120)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    opened = Project.open(project.folder)
    assert not opened.is_read_only
    assert sum(opened.annotations.totals().values()) == (n_before if is_back else n_before + 1)
    assert list(iter_database_faults(opened.database)) == []
    opened.close()
    restore_snapshot(project.folder, path.name)  # again, whatever was left
    assert not list(project.folder.glob(".restoring*"))


def test_that_a_clock_that_was_wrong_costs_not_the_newest(project: Project) -> None:
    first = keep(project)
    for year in range(2090, 2090 + N_KEPT):
        shutil.copyfile(first, first.with_name(f"{year}0101-000000-test.sqlite"))
    mark(project)
    taken = keep(project)
    assert taken in find_snapshots(project.folder)
    assert len(find_snapshots(project.folder)) == N_KEPT


def test_that_a_closed_project_takes_none(project: Project) -> None:
    project.close()
    assert project.snapshots.take("too late") is None
    assert project.snapshots.problem is None


def test_that_nobody_goes_back_while_the_project_is_open(project: Project) -> None:
    path = keep(project)
    mark(project)
    with pytest.raises(ProjectIsReadOnly, match="open"):
        restore_snapshot(project.folder, path.name)
    assert find_snapshots(project.folder) == [path]


def test_that_a_bad_choice_changes_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    path = keep(project)
    good = path.read_bytes()
    mark(project)
    project.close()
    wanted = state_of(project.folder)
    with pytest.raises(NotFound, match="no snapshot 1999") as caught:
        restore_snapshot(project.folder, "1999")
    assert path.name in caught.value.hint
    path.write_bytes(good[: len(good) // 2])
    with pytest.raises(UserError, match="is damaged"):
        restore_snapshot(project.folder, path.name)
    path.write_bytes(good)
    usage = shutil.disk_usage(project.folder)
    monkeypatch.setattr(snapshots.shutil, "disk_usage", lambda _path: usage._replace(free=1000))
    with pytest.raises(UserError, match="almost full"):
        restore_snapshot(project.folder, path.name)
    assert state_of(project.folder) == wanted
    assert sorted(each.name for each in project.folder.glob(".restoring*")) == []


def test_that_the_oldest_of_all_can_be_gone_back_to(project: Project) -> None:
    oldest = keep(project)
    project.close()
    wanted = state_of(project.folder)
    reopened = Project.open(project.folder)
    for number in range(N_KEPT - 1):
        mark(reopened)
        keep(reopened, f"test {number}")
    mark(reopened)
    reopened.close()
    assert find_snapshots(project.folder)[-1] == oldest
    restore_snapshot(project.folder, oldest.name)  # the one of the present state pushes it out
    assert state_of(project.folder) == wanted
    assert oldest not in find_snapshots(project.folder)


def test_that_the_database_of_an_older_version_is_kept_before_it_is_upgraded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from synthstudio.project import database as database_module
    from synthstudio.project import project as project_module

    migrations = database_module.MIGRATIONS
    project = make_cell_project(tmp_path / "study")
    n_before = sum(project.annotations.totals().values())
    project.close()
    newer = (*migrations, migrations[-1])
    monkeypatch.setattr(project_module, "MIGRATIONS", newer)
    monkeypatch.setattr(database_module, "MIGRATIONS", newer)
    monkeypatch.setattr(
        database_module,
        "migration_sql",
        lambda _name: "DELETE FROM annotation;\n",
    )
    upgraded = Project.open(project.folder)
    assert sum(upgraded.annotations.totals().values()) == 0
    upgraded.close()
    [kept] = list_snapshots(project.folder)
    assert (kept.reason, kept.n_annotations) == ("before upgrade", n_before)
    assert snapshots.stored_schema(kept.path) == len(migrations)
    Project.open(project.folder).close()
    assert len(find_snapshots(project.folder)) == 1


def test_that_a_copy_of_the_folder_has_the_snapshots_and_a_read_only_one_lists_them(
    project: Project, tmp_path: Path
) -> None:
    path = keep(project)
    project.close()
    copied = Path(shutil.copytree(project.folder, tmp_path / "copy"))
    reader = Project.open(copied, read_only=True)
    assert [each.path.name for each in list_snapshots(reader.folder)] == [path.name]
    reader.close()


def test_that_a_commit_is_not_held_up_by_a_snapshot(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen by no clock: the snapshot cannot end before the commit has."""
    begun, committed = threading.Event(), threading.Event()

    def wait_for_commit(_path: Path) -> None:
        begun.set()
        assert committed.wait(timeout=60)

    n_before = sum(project.annotations.totals().values())
    monkeypatch.setattr(snapshots, "_sync_file", wait_for_commit)
    taking = threading.Thread(target=project.snapshots.take, args=("a test",))
    taking.start()
    assert begun.wait(timeout=60)
    mark(project)
    committed.set()
    taking.join()
    [kept] = list_snapshots(project.folder)
    assert kept.n_annotations == n_before
    assert sum(project.annotations.totals().values()) == n_before + 1
    assert keep(project) != kept.path  # what was committed meanwhile is new


def test_that_a_large_edit_is_made_before_the_state_before_it_is_copied(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen by no clock: the snapshot cannot end before both edits have been made."""
    edited = threading.Event()

    def wait_for_edits(_path: Path) -> None:
        assert edited.wait(timeout=60)

    monkeypatch.setattr(snapshots, "_sync_file", wait_for_edits)
    fovs, samples = project.fovs.list(), project.samples.list()
    n_before = sum(project.annotations.totals().values())
    remove_fovs(project, [fovs[0].id])
    n_between = sum(project.annotations.totals().values())
    assign_samples(project, SampleAssignment(split_of={each.name: Split.VAL for each in samples}))
    assert not project.snapshots.is_idle
    assert find_snapshots(project.folder) == []
    edited.set()
    project.close()  # which waits for them
    latest, first = list_snapshots(project.folder)
    assert (first.reason, first.n_fields, first.n_annotations) == ("before removal of fields", len(fovs), n_before)
    assert (latest.reason, latest.n_fields, latest.n_annotations) == (
        "before change of samples",
        len(fovs) - 1,
        n_between,
    )
    assert len(list((project.folder / "snapshots").iterdir())) == 2  # and nothing beside them


def test_that_going_back_is_cancelled_until_the_state_is_changed(project: Project) -> None:
    first = keep(project)
    mark(project)
    project.close()
    wanted = state_of(project.folder)
    for n_steps in range(restoring.N_STEPS):

        def cancel(done: int, _total: int, at: int = n_steps) -> None:
            if done == at:
                raise Cancelled

        with pytest.raises(Cancelled):
            restore_snapshot(project.folder, first.name, cancel)
        assert state_of(project.folder) == wanted
        assert not list(project.folder.glob(".restoring*"))
    restore_snapshot(project.folder, first.name)
    assert state_of(project.folder) != wanted
