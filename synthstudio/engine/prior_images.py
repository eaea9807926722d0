"""Images of the class as the base model knows it, for prior preservation; made once, one by one, and kept as PNG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from synthstudio.core.imaging import (
    IMAGE_SUFFIXES,
    ImageArray,
    encode_png,
    read_image,
    translate_os_error,
    write_bytes_atomically,
)
from synthstudio.core.synthesis.square_crops import cut_square
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.prompts import PromptRequest
from synthstudio.domain.records import CropSquare
from synthstudio.engine.diffusion_sampling import PromptArtist

FOLDER = "prior"
FIRST_INDEX = 1_000_000
"""Of the noise of prior images, so that none has that of a sample."""


def list_supplied(folder: str, *, count: int) -> list[Path]:
    """The first images of the user's folder, by name.

    Raises:
        UserError: There is no such folder, or no image in it.
    """
    if not folder:
        return []
    place = Path(folder).expanduser()
    if not place.is_dir():
        raise UserError(f"There is no folder {folder} with prior images.", "Check its path, or leave it empty.")
    found = sorted(path for path in place.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    if not found:
        raise UserError(f"There is no image in {folder}.", "Put images of the class into it, or leave it empty.")
    return found[:count]


def gather_prior(
    artist: PromptArtist,
    request: PromptRequest,
    *,
    run_folder: Path,
    supplied: Sequence[Path],
    count: int,
    seed: int,
    tick: Tick = no_tick,
) -> list[ImageArray]:
    """Read what is there of the prior images, and make the others.

    Args:
        artist: Of the base model as it came.
        request: What they show.
        run_folder: Of the run: those that were made before a training was stopped are not made again.
        supplied: The user's own, which come first.
        count: Of all.
        seed: Of their noise.
        tick: Called with the number that there are, and of all.

    Returns:
        `(side, side, 3)` uint8 RGB each.

    Raises:
        UserError: One cannot be read or written, or the model cannot make them.
    """
    folder = run_folder / FOLDER
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise translate_os_error(error, folder) from error
    images = [_fitted(read_image(path), request.side) for path in supplied]
    for number in range(len(images), count):
        tick(number, count)
        path = folder / f"{number:06d}.png"
        if not path.is_file():
            made = artist.draw(request, seed=seed, index=FIRST_INDEX + number)
            write_bytes_atomically(path, encode_png(made))
        images.append(read_image(path))
    tick(count, count)
    return images


def _fitted(image: ImageArray, side: int) -> ImageArray:
    """The middle square of an image, brought to a side."""
    height, width = image.shape[:2]
    least = min(height, width)
    window = CropSquare((width - least) // 2, (height - least) // 2, least)
    return cut_square(image, window, side=side, name="A prior image")
