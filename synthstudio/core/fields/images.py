"""Microscope images as found on disk: which files, how large, which scale, whose sample."""

import errno
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from synthstudio.core.fields.scales import read_um_per_px
from synthstudio.core.imaging import (
    IMAGE_SUFFIXES,
    open_image_source,
    read_image,
    read_image_header,
    read_image_size,
    read_preview,
    sha256_of_file,
    translate_os_error,
)
from synthstudio.domain.errors import UserError


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An image file that was opened once.

    Attributes:
        path: Absolute path.
        width: Columns as shown, in px.
        height: Rows as shown, in px.
        um_per_px: Micrometres per pixel where the file says so credibly.
        page: Which image of a stack it is, from 0; None where the file holds one image.
    """

    path: Path
    width: int
    height: int
    sha256: str
    um_per_px: float | None
    page: int | None = None


@dataclass(frozen=True, slots=True)
class SampleNaming:
    """How the sample of an image follows from its place on disk.

    Attributes:
        rule: `folder`: the folders between root and image; `stem`: each image is its own sample;
            `pattern`: what the group of the regular expression finds in the path below the root.
        pattern: The regular expression, with exactly one group, for the rule `pattern`.
    """

    rule: Literal["folder", "stem", "pattern"] = "stem"
    pattern: str = ""

    @classmethod
    def from_option(cls, sample_from: str | None, *, default: Literal["folder", "stem"]) -> "SampleNaming":
        """Return the naming that a user asks for: None for the default, "folder", "stem", or a pattern.

        Raises:
            UserError: The pattern is no regular expression with exactly one group.
        """
        match sample_from:
            case None:
                return cls(default)
            case "folder" | "stem":
                return cls(sample_from)
        _compile(sample_from)
        return cls("pattern", sample_from)


def sample_name(path: Path, root: Path, naming: SampleNaming) -> str:
    """Return the name of the sample that an image belongs to.

    An image directly in the root, or one that the pattern does not match, is a sample of its own: wrongly joining
    two patients would only hide a difference, wrongly splitting one would leak it from training into the test.
    """
    relative = path.relative_to(root) if path.is_relative_to(root) else Path(path.name)
    if naming.rule == "folder" and relative.parent != Path():
        return relative.parent.as_posix()
    if naming.rule == "pattern" and (found := _compile(naming.pattern).search(relative.as_posix())):
        return found.group(1) or path.stem
    return path.stem


def _compile(pattern: str) -> "re.Pattern[str]":
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UserError(
            f"The sample pattern {pattern!r} is no regular expression: {error}.",
            r"Example: ^(patient\d+)_ takes the sample from names like patient07_field3.png.",
        ) from error
    if compiled.groups != 1:
        raise UserError(
            f"The sample pattern {pattern!r} has {compiled.groups} groups; it needs exactly one.",
            r"Put the part that names the sample in parentheses: ^(patient\d+)_",
        )
    return compiled


def find_images(folder: Path) -> list[Path]:
    """Return all image files in the folder and below, sorted as people count (2 before 10).

    Hidden files and folders are left out: they hold the previews and leftovers of other programs.

    Raises:
        UserError: The folder does not exist or cannot be read.
    """
    try:
        if not folder.is_dir():
            raise NotADirectoryError() if folder.exists() else FileNotFoundError(errno.ENOENT, "")
        found = [path for path in folder.rglob("*") if _is_candidate(path, folder)]
    except NotADirectoryError as error:
        raise UserError(f"{folder} is not a folder.", "Choose the folder that holds the images.") from error
    except OSError as error:
        raise translate_os_error(error, folder) from error
    return sorted(found, key=lambda path: natural_key(path.relative_to(folder).as_posix()))


def _is_candidate(path: Path, folder: Path) -> bool:
    if path.suffix.lower() not in IMAGE_SUFFIXES or not path.is_file():
        return False
    return not any(part.startswith(".") for part in path.relative_to(folder).parts)


def natural_key(text: str) -> tuple[tuple[bool, int, str], ...]:
    """Return a sort key that counts numbers by value and ignores case; the text itself settles ties."""
    parts = re.split(r"([0-9]+)", text)
    numbered = tuple(
        (False, int(part), "") if part.isdecimal() else (True, 0, part.casefold()) for part in parts if part
    )
    return (*numbered, (True, 0, text))


def open_image_file(path: Path, *, page: int | None = None, decode: bool = True) -> ImageFile:
    """Return size, hash and scale of an image file after proving that it can be read.

    Args:
        path: The file.
        page: Which image of a stack, from 0; without it a stack is refused.
        decode: Decode all pixels once, so that a damaged file is refused now and not in the middle of a training.

    Raises:
        UserError: The file cannot be read, is no image, is damaged, or is too large.
    """
    absolute = path.absolute()
    width, height = read_image_size(absolute, page=page)
    if decode:
        prove_readable(absolute, page=page)
    return ImageFile(absolute, width, height, sha256_of_file(absolute), read_um_per_px(absolute), page)


def prove_readable(path: Path, *, page: int | None = None) -> None:
    """Decode all of an image; of a large one, which may take minutes, a spread of parts.

    Args:
        path: The file.
        page: Which image of a stack, from 0; without it a stack is refused.

    Raises:
        UserError: The image is damaged or too large, or the file has no such page.
    """
    if read_image_header(path, page=page).is_large:
        read_preview(open_image_source(path, page or 0))
    else:
        read_image(path, page=page)
