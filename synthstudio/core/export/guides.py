"""A guide set as a folder: `image.png` with its caption in `image.txt`, as trainings elsewhere read it."""

from collections.abc import Sequence
from pathlib import Path

from synthstudio.core.export.datasets import UNSAFE_CHARACTERS
from synthstudio.core.export.staging import make_folder, staged_folder, write_staged
from synthstudio.core.imaging import encode_png
from synthstudio.core.synthesis.guide_crops import guide_window, read_guide
from synthstudio.domain.guides import GuideImage
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import FieldOfView, Split


def write_guides(
    guides: Sequence[tuple[GuideImage, FieldOfView]],
    out: Path,
    *,
    side: int | None = None,
    keep_names: bool = False,
    tick: Tick = no_tick,
) -> int:
    """Write the squares that guide images show with their captions; return how many.

    They lie in one folder; where some are held out (val or test), each split has its own.

    Args:
        guides: The images with the FOVs that they are a part of.
        out: New or empty folder; whole or absent in the end.
        side: Of the squares, in px; None leaves each as large as it is on its FOV.
        keep_names: Keep the names of the images, which may name a patient. Otherwise they are `s0001_00001`: the number
            of the sample, and that of the image.
        tick: Is told about the images.

    Raises:
        UserError: The folder holds something or cannot be written, or an image cannot be read.
    """
    has_held_out = any(fov.split in (Split.VAL, Split.TEST) for _, fov in guides)
    samples: dict[int, int] = {}
    with staged_folder(out) as partial:
        for number, (guide, fov) in enumerate(guides, start=1):
            tick(number - 1, len(guides))
            sample = samples.setdefault(fov.sample_id, len(samples) + 1)
            stem = f"s{sample:04d}_{number:05d}"
            if keep_names:
                stem = f"{UNSAFE_CHARACTERS.sub('_', fov.stem).strip(' .')[:80]}_{number:05d}"
            home = make_folder(partial / (fov.split or Split.TRAIN)) if has_held_out else partial
            pixels = read_guide(fov, guide.box, side=side or guide_window(fov, guide.box).side)
            write_staged(home / f"{stem}.png", encode_png(pixels))
            write_staged(home / f"{stem}.txt", f"{guide.caption}\n".encode())
        tick(len(guides), len(guides))
    return len(guides)
