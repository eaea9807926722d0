"""Threads that hang are worked around and left behind."""

from __future__ import annotations

import threading
import time

from synthstudio.gui.threads import Threads

PATIENCE_S = 20.0


def test_that_urgent_work_finds_a_thread_while_other_work_hangs() -> None:
    threads, answers, done = Threads(4), threading.Event(), threading.Event()
    for _ in range(10):
        threads.start(lambda: bool(answers.wait(PATIENCE_S)), -2)
    threads.start(done.set, 1)
    assert done.wait(PATIENCE_S)
    answers.set()
    assert threads.wait(PATIENCE_S)


def test_that_a_job_that_hangs_is_worked_around() -> None:
    threads, answers, done = Threads(1, hangs_after_s=0.05), threading.Event(), threading.Event()
    threads.start(lambda: bool(answers.wait(PATIENCE_S)))
    threads.start(done.set)
    started = time.monotonic()
    while not done.wait(0.02) and time.monotonic() - started < PATIENCE_S:
        threads.tend()
    assert done.is_set()
    answers.set()
    assert threads.wait(PATIENCE_S)


def test_that_jobs_of_higher_priority_go_first() -> None:
    threads, answers = Threads(1), threading.Event()
    order: list[int] = []
    threads.start(lambda: bool(answers.wait(PATIENCE_S)), 9)
    for priority in (0, 2, -1, 2):
        threads.start(lambda priority=priority: order.append(priority), priority)  # type: ignore[misc]
    answers.set()
    assert threads.wait(PATIENCE_S)
    assert order == [2, 2, 0, -1]


def test_that_what_was_left_behind_is_waited_for_no_longer() -> None:
    threads, answers, begun = Threads(1), threading.Event(), threading.Event()
    never: list[int] = []

    def hang() -> None:
        begun.set()
        answers.wait(PATIENCE_S)

    threads.start(hang)
    threads.start(lambda: never.append(1))
    assert begun.wait(PATIENCE_S)
    assert not threads.wait(0.05)
    threads.leave_behind()
    assert threads.wait(0.0)
    answers.set()
    done = threading.Event()
    threads.start(done.set)
    assert done.wait(PATIENCE_S)
    assert never == []
