"""Composing images of a set, in this process or in others; the bytes are the same.

Workers are spawned, never forked: the parent may be an engine with threads of its own. The patches' pixels reach them
through a file that all of them map, so that memory does not grow with their number.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import cv2
import numpy as np

from synthstudio.core.imaging import save_array, translate_os_error
from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.synthesis.composer import Composer
from synthstudio.core.synthesis.manifest import ImageMaker, SetFiles
from synthstudio.domain.errors import UserError
from synthstudio.settings.compose import CompositionSettings

CHUNK_IMAGES = 8  # small enough that a cancel is answered within a moment, large enough to hide the hand-over
CHUNKS_AHEAD = 3  # per worker

_makers: list[ImageMaker] = []  # of a worker process: filled once by its initializer


def write_images(maker: ImageMaker, folder: Path, indices: range) -> list[str]:
    """Write the images of a range into the set's folder and return their manifest lines.

    Raises:
        UserError: A file cannot be written.
    """
    lines = []
    width, height = maker.composer.settings.size
    buffer = np.empty((height, width, 3), np.uint8)
    for index in indices:
        made = maker.make(index, buffer)
        for name, data in made.files.items():
            path = folder / name
            try:
                path.write_bytes(data)
            except OSError as error:
                raise translate_os_error(error, path) from error
        lines.append(made.line)
    return lines


def iter_lines(
    composer: Composer, files: SetFiles, folder: Path, *, indices: range, workers: int, scratch: Path
) -> Generator[list[str], None, None]:
    """Write images of a set and yield their manifest lines in order, chunk by chunk.

    Args:
        composer: Makes the images; workers build their own from the same bank, settings and seed.
        files: Which files each image comes in.
        folder: Folder of the set; its folders for images and masks exist.
        indices: Numbers of the images.
        workers: Number of processes; 0 composes here.
        scratch: Existing folder for the file through which the workers share the patches.
    """
    chunks = [indices[start : start + CHUNK_IMAGES] for start in range(0, len(indices), CHUNK_IMAGES)]
    if workers == 0 or not chunks:
        maker = ImageMaker(composer, files)
        for chunk in chunks:
            yield write_images(maker, folder, chunk)
        return
    pool = _open_pool(composer, files, workers=min(workers, len(chunks)), scratch=scratch)
    try:
        waiting: deque[Future[list[str]]] = deque()
        for chunk in chunks:
            waiting.append(pool.submit(_write_chunk, str(folder), chunk))
            if len(waiting) > CHUNKS_AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise UserError(
            "A worker process died while composing, probably for lack of memory.",
            "Use fewer worker processes, or less memory for patches and variants.",
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _open_pool(composer: Composer, files: SetFiles, *, workers: int, scratch: Path) -> ProcessPoolExecutor:
    pixels = scratch / "patches.npy"
    save_array(pixels, composer.bank.pixels)
    bare = dataclasses.replace(composer.bank, pixels=np.empty(0, np.uint8))
    return ProcessPoolExecutor(
        max_workers=workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(bare, str(pixels), composer.settings, composer.seed, files),
    )


def _start_worker(bank: PatchBank, pixels: str, settings: CompositionSettings, seed: int, files: SetFiles) -> None:
    cv2.setNumThreads(1)
    parent = multiprocessing.parent_process()
    if parent is not None:
        # A worker of a parent that was killed would wait for work for ever: nobody closes its queue.
        threading.Thread(target=_exit_with, args=(parent,), daemon=True).start()
    mapped = np.load(pixels, mmap_mode="r")
    _makers.append(ImageMaker(Composer(dataclasses.replace(bank, pixels=mapped), settings, seed=seed), files))


def _exit_with(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)


def _write_chunk(folder: str, indices: range) -> list[str]:
    return write_images(_makers[0], Path(folder), indices)
