"""The layout of the formats that keep an annotation file beside each image: `[SPLIT/]STEM.png`, `[SPLIT/]STEM.ext`."""

from collections.abc import Callable, Sequence
from pathlib import Path

from synthstudio.core.export.clean_images import read_clean_image
from synthstudio.core.export.datasets import ExportImage
from synthstudio.core.export.staging import make_folder, write_staged
from synthstudio.domain.progress import Tick

Encode = Callable[[ExportImage, str], bytes]
"""Gives the content of an annotation file for an image and the name of its file."""


def write_beside(images: Sequence[ExportImage], folder: Path, encode: Encode, *, suffix: str, tick: Tick) -> None:
    """Write images with their annotation files; those of a split go into a folder of its name.

    Raises:
        UserError: An image is gone or changed, or the folder cannot be written.
    """
    for number, image in enumerate(images):
        tick(number, len(images))
        home = make_folder(folder / image.fov.split) if image.fov.split else folder
        clean = read_clean_image(image.fov)
        file_name = f"{image.stem}{clean.suffix}"
        write_staged(home / file_name, clean.data)
        write_staged(home / f"{image.stem}{suffix}", encode(image, file_name))
    tick(len(images), len(images))
