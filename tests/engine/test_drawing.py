"""The standing engine that draws maps, driven by the real client."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from synthstudio.client.drawing import DrawingSession
from synthstudio.client.launch import engine_command
from synthstudio.client.process import EngineProcess
from synthstudio.core.training.gan_card import ONNX_NAME, WEIGHTS_NAME
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.maps import MapRegion, MapRequest
from synthstudio.domain.records import Box
from synthstudio.engine.gan_drawing import open_gan
from synthstudio.project import Project
from synthstudio.protocol.messages import (
    AnyEvent,
    Cancel,
    DrawMap,
    ImageDrawn,
    JobCancelled,
    JobRequest,
    StageChanged,
)
from synthstudio.settings.draw import DrawSettings
from tests.support.engine_project import build_engine_project
from tests.support.trained_gans import add_trained_gan

WAIT_S = 60.0
SIDE = 64


@pytest.fixture(scope="module")
def drawn_project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, RunId]]:
    project = build_engine_project(tmp_path_factory.mktemp("drawing") / "study", n_train=2, n_val=1, n_test=1)
    yield project, add_trained_gan(project, noise=4)
    project.close()


@pytest.fixture(scope="module")
def session(drawn_project: tuple[Project, RunId]) -> Iterator[DrawingSession]:
    project, run_id = drawn_project
    opened = DrawingSession(project.folder, run_id, device="cpu")
    yield opened
    opened.close()


def request(x0: float = 8.0, *, tone: int = 0, name: str = "disc") -> MapRequest:
    return MapRequest(SIDE, tone, (MapRegion(name, Box(x0, 8, x0 + 24, 40)),))


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def test_that_a_session_draws_what_the_generator_makes_and_follows_map_and_seed(
    session: DrawingSession, drawn_project: tuple[Project, RunId], tmp_path: Path
) -> None:
    project, run_id = drawn_project
    drawn = session.draw(request(), seed=3)
    artist = open_gan(project.run_folder(run_id), scratch=tmp_path, device="cpu")
    assert drawn.image.shape == (SIDE, SIDE, 3)
    assert drawn.image.dtype == np.uint8
    assert np.array_equal(drawn.image, artist.draw(request(), seed=3))
    assert 0 < drawn.seconds < WAIT_S
    assert not np.array_equal(session.draw(request(24.0), seed=3).image, drawn.image)
    assert not np.array_equal(session.draw(request(), seed=4).image, drawn.image)
    assert np.array_equal(session.draw(request(), seed=3).image, drawn.image)


def test_that_a_map_that_the_gan_does_not_know_is_refused_in_a_sentence_and_the_session_goes_on(
    session: DrawingSession,
) -> None:
    with pytest.raises(UserError, match='no condition "wart"'):
        session.draw(request(name="wart"), seed=0)
    pid = session.pid
    with pytest.raises(UserError, match="images of 64 px, not of 32 px"):
        session.draw(MapRequest(32, 0), seed=0)
    assert session.draw(request(), seed=0).image.shape == (SIDE, SIDE, 3)
    assert session.pid == pid


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_that_a_killed_engine_is_told_of_in_one_sentence_and_started_again_by_the_next_map(
    session: DrawingSession,
) -> None:
    before = session.draw(request(), seed=0).image
    first = session.pid
    assert first is not None
    os.kill(first, signal.SIGSTOP)  # it takes the next map, and dies over it
    failures: list[UserError] = []

    def draw() -> None:
        try:
            session.draw(request(16.0), seed=0)
        except UserError as error:
            failures.append(error)

    asked = session._number
    waiting = threading.Thread(target=draw)
    waiting.start()
    wait_for(lambda: session._number > asked)
    os.kill(first, signal.SIGKILL)
    waiting.join(WAIT_S)
    assert [str(each) for each in failures]
    assert "was killed (SIGKILL)" in failures[0].message
    assert failures[0].hint == "It starts again with the next change of the map."
    assert np.array_equal(session.draw(request(), seed=0).image, before)
    assert session.pid != first


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_that_an_engine_that_died_while_nobody_drew_is_replaced_without_a_word(session: DrawingSession) -> None:
    session.draw(request(), seed=0)
    first = session.pid
    assert first is not None
    os.killpg(first, signal.SIGKILL)
    wait_for(lambda: session._engine is not None and session._engine.poll() is not None)
    assert session.draw(request(), seed=0).image.shape == (SIDE, SIDE, 3)
    assert session.pid != first


def test_that_a_closed_session_leaves_no_process_and_no_file_and_the_project_as_it_was(
    drawn_project: tuple[Project, RunId],
) -> None:
    project, run_id = drawn_project
    before = sorted(path.relative_to(project.folder) for path in project.folder.rglob("*"))
    runs = project.runs.list()
    session = DrawingSession(project.folder, run_id, device="cpu")
    session.draw(request(), seed=0)
    pid, scratch = session.pid, session._scratch
    assert pid is not None
    assert scratch is not None
    session.close()
    assert session.pid is None
    assert not is_alive(pid)
    assert not Path(scratch.name).exists()
    assert sorted(path.relative_to(project.folder) for path in project.folder.rglob("*")) == before
    assert project.runs.list() == runs
    session.close()  # again is nothing


def test_that_an_interrupted_draw_gives_up(drawn_project: tuple[Project, RunId]) -> None:
    project, run_id = drawn_project
    session = DrawingSession(project.folder, run_id, device="cpu")
    session.interrupt()
    with pytest.raises(Cancelled):
        session.draw(request(), seed=0)
    session.close()


def test_that_a_run_without_a_gan_is_told_in_a_sentence(drawn_project: tuple[Project, RunId]) -> None:
    session = DrawingSession(drawn_project[0].folder, RunId("train-gan-none"), device="cpu")
    with pytest.raises(UserError, match="GAN"):
        session.draw(request(), seed=0)
    session.close()


def test_that_the_graph_is_made_aside_where_the_run_has_none_and_draws_the_same(
    drawn_project: tuple[Project, RunId], tmp_path: Path
) -> None:
    project, run_id = drawn_project
    folder = tmp_path / "run"
    shutil.copytree(project.run_folder(run_id), folder)
    expected = open_gan(folder, scratch=tmp_path, device="cpu").draw(request(), seed=1)
    (folder / ONNX_NAME).unlink()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    made = open_gan(folder, scratch=scratch, device="cpu").draw(request(), seed=1)
    assert np.array_equal(made, expected)
    assert (scratch / ONNX_NAME).is_file()
    assert not (folder / ONNX_NAME).exists()
    assert (folder / WEIGHTS_NAME).is_file()


def test_that_the_newest_of_many_maps_is_drawn_and_older_ones_are_dropped(
    drawn_project: tuple[Project, RunId], tmp_path: Path
) -> None:
    project, run_id = drawn_project
    asked = JobRequest(
        run_id="draw",
        project=str(project.folder),
        run_dir=str(tmp_path),
        settings=DrawSettings(run=run_id),
        device="cpu",
    )
    engine = EngineProcess(engine_command(), asked, log_path=tmp_path / "engine.log")
    try:
        last = 200
        # All of them are there before the GAN is loaded.
        for number in range(1, last + 1):
            engine.send(DrawMap(number=number, side=SIDE, tone=0, regions=()))
        events = until(engine, lambda event: isinstance(event, ImageDrawn) and event.number == last)
        numbers = [event.number for event in events if isinstance(event, ImageDrawn)]
        assert numbers[-1] == last
        assert numbers == sorted(set(numbers))
        assert len(numbers) < last / 2
        assert [event.text for event in events if isinstance(event, StageChanged)][-1] == "Ready to draw"
        engine.send(Cancel())
        assert isinstance(until(engine, lambda event: isinstance(event, JobCancelled))[-1], JobCancelled)
        assert engine.wait(WAIT_S) == 0
    finally:
        engine.close()


def until(engine: EngineProcess, is_last: Callable[[AnyEvent], bool]) -> list[AnyEvent]:
    events: list[AnyEvent] = []
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        try:
            events.append(engine.events.get(timeout=0.1))
        except queue.Empty:
            continue
        if is_last(events[-1]):
            return events
    raise AssertionError(f"never came; so far {events}, log {engine.log_tail()}")


def test_that_images_do_not_depend_on_the_number_of_threads(
    drawn_project: tuple[Project, RunId], tmp_path: Path
) -> None:
    folder = drawn_project[0].run_folder(drawn_project[1])
    alone, shared = (open_gan(folder, scratch=tmp_path, device="cpu", threads=each) for each in (1, 2))
    assert np.array_equal(alone.draw(request(), seed=1), shared.draw(request(), seed=1))


def test_that_drawing_starts_without_torch_where_the_graph_is_there() -> None:
    code = "import sys; import synthstudio.engine.jobs.draw; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=WAIT_S)
    assert found.stdout.strip() == "False"
