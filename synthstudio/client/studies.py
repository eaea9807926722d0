"""Reading studies from end to end: built from a project, read in it, closed and judged."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from synthstudio.core.imaging import sync_folder, translate_os_error
from synthstudio.core.review.study_design import StudyDesign
from synthstudio.core.review.study_images import encode_alike, tell_differences
from synthstudio.core.review.study_items import StudyItem, draw_items
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import Changes, Split
from synthstudio.project import Project
from synthstudio.project.study_sources import SourceImage, StudySources, list_study_sources, read_squares

FILE_TIME_S = 946_684_800
"""Last change of every image of a study: the first second of 2000 in UTC."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class BuiltStudy:
    """What building a study came to; `notes` say by what the images might be told apart all the same."""

    name: str
    n_images: int
    notes: tuple[str, ...]
    changes: Changes


def image_name(token: str) -> str:
    """File name of an image of a study."""
    return f"{token}.png"


def build_study(
    project: Project,
    name: str,
    design: StudyDesign,
    *,
    set_name: str,
    split: Split = Split.TEST,
    secret: str = "",
    tick: Tick = no_tick,
) -> BuiltStudy:
    """Choose the images, write them alike into the project, and record the study.

    Args:
        project: Of the images.
        name: Of the study.
        design: What is asked; its images are not made larger than those of the set.
        set_name: Where the synthetic images come from.
        split: Where the real ones come from.
        secret: What all chances follow from; drawn anew where it is empty, as it must be for readers who could know it.
        tick: Called once per image; where it raises, nothing stays behind.

    Raises:
        NotFound: There is no such set.
        UserError: The name is taken or unfit, the project is read-only, there are too few images, or one is damaged.
    """
    if not _NAME.fullmatch(name):
        raise UserError(f'"{name}" cannot name a study.', "Use letters, digits, dots, dashes and underscores.")
    if project.is_read_only:
        raise UserError(f"The project cannot be changed: {project.read_only_reason}", "Open it with write access.")
    if project.studies.find(name) is not None:
        raise UserError(f"There is already a reading study {name}.", "Choose another name.")
    secret = secret or secrets.token_hex(32)
    sources = list_study_sources(project, set_name, split=split)
    design = replace(design, side_px=min(design.side_px, sources.native_px))
    items = draw_items([each.candidate for each in sources.images.values()], design, secret=secret)
    chosen = [sources.images[item.source] for item in items]
    notes = tell_differences([each.history for each in chosen], native_px=sources.native_px)
    folder = project.study_folder(name)
    _write_images(folder, items, sources, design, tick)
    try:
        changed = project.studies.add(
            name, design, items, set_name=set_name, notes=notes, secret=secret, salt=secrets.token_hex(32)
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return BuiltStudy(name, len(items), notes, changed)


def remove_study(project: Project, name: str) -> Changes:
    """Forget a study and delete its images.

    Raises:
        NotFound: There is no such study.
        UserError: Its folder cannot be deleted.
    """
    project.studies.get(name)
    changed = project.studies.remove(name)
    folder = project.study_folder(name)
    try:
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        raise translate_os_error(error, folder) from error
    return changed


def _write_images(folder: Path, items: list[StudyItem], sources: StudySources, design: StudyDesign, tick: Tick) -> None:
    """Write aside, then rename. Files are read by source, but written by token: the order on disk tells nothing."""
    partial = folder.with_name(f".{folder.name}.partial")
    tokens = {item.source: item.token for item in items}
    made: dict[str, bytes] = {}
    try:
        if partial.exists():
            shutil.rmtree(partial)
        partial.mkdir(parents=True)
        wanted: list[SourceImage] = [sources.images[item.source] for item in items]
        for done, (each, square) in enumerate(read_squares(wanted)):
            tick(done, len(wanted))
            made[tokens[each.candidate.source]] = encode_alike(
                square, native_px=sources.native_px, side_px=design.side_px, quality=design.quality
            )
        write_image_files(partial, made)
        if folder.exists():
            shutil.rmtree(folder)  # of a build that was killed before its row was written
        partial.replace(folder)
        sync_folder(folder.parent)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise translate_os_error(error, folder) from error
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def write_image_files(folder: Path, images: dict[str, bytes]) -> None:
    """Write the images of a study by token, in the order of the tokens, all with one time of change."""
    for token in sorted(images):
        path = folder / image_name(token)
        with path.open("wb") as stream:
            stream.write(images[token])
            stream.flush()
            os.fsync(stream.fileno())
        os.utime(path, (FILE_TIME_S, FILE_TIME_S))
