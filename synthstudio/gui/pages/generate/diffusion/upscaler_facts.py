"""What is known of the project's upscalers and of the sets that they have enlarged. No widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import ValidationError
from PySide6.QtGui import QImage

from synthstudio.core.imaging import ImageArray, read_image
from synthstudio.core.synthesis.set_header import read_set_header
from synthstudio.core.synthesis.upscaled import read_lines, read_source_set, read_upscaling, source_index
from synthstudio.core.training.resolution_pairs import enlarge_bicubic
from synthstudio.core.training.upscaler_card import CARD_NAME, DENOISER_WEIGHTS, WEIGHTS_NAME
from synthstudio.domain.records import Run
from synthstudio.gui.pages.generate.trainings.facts import TrainingFacts, TrainingKind, read_trainings
from synthstudio.gui.pages.generate.trainings.sample_strip import Cells, cut_rows
from synthstudio.gui.widgets.image_grid import GridImage, to_qimage
from synthstudio.project import Project
from synthstudio.protocol.results import TrainUpscalerResult, UpscaledFigure
from synthstudio.settings.train_upscaler import TrainUpscalerSettings

UpscalerFacts = TrainingFacts[TrainUpscalerSettings]
SAMPLE_ROWS = ("Bicubic", "Enlarged", "Real")
N_PAIRS = 6
PAIR_PX = 318
"""Of the middle of an image, beside the same of the bicubic one."""


def _title(settings: TrainUpscalerSettings | None) -> str:
    if settings is None:
        return "Upscaler"
    name = "Compact" if settings.method == "compact" else "Diffusion"
    return f"{name} x{settings.times}" + (f" on {settings.guides}" if settings.guides else "")


def _has_weights(folder: Path) -> bool:
    return (folder / CARD_NAME).is_file() and any(
        (folder / each).is_file() for each in (WEIGHTS_NAME, DENOISER_WEIGHTS)
    )


UPSCALING = TrainingKind(TrainUpscalerSettings, _title, lambda settings: settings.optimization.steps, _has_weights)


def read_upscalers(project: Project) -> list[UpscalerFacts]:
    """Read the trainings of upscalers of which there is something to be seen, newest first."""
    return read_trainings(project, UPSCALING)


def cut_patches(_folder: Path, picture: QImage, step: int) -> Cells:
    """Held-out patches: bicubic, enlarged and true."""
    return cut_rows(
        picture,
        SAMPLE_ROWS,
        lambda row, column: f"{SAMPLE_ROWS[row]}, held-out patch {column + 1}, step {step:,}",
    )


def figure_rows(run: Run | None) -> list[tuple[str, str, str, str]]:
    """Name, upscaler, bicubic and gain of each figure of a finished training; nothing before."""
    if run is None or not run.summary_json:
        return []
    try:
        result = TrainUpscalerResult.model_validate_json(run.summary_json)
    except ValidationError:  # another version wrote it
        return []
    rows = (
        ("PSNR", result.psnr, result.psnr_bicubic, result.psnr_gain, 2, " dB"),
        ("SSIM", result.ssim, result.ssim_bicubic, result.ssim_gain, 4, ""),
    )
    return [
        (name, f"{own.mean:.{digits}f}{unit}", f"{plain.mean:.{digits}f}{unit}", _gain(gain, digits, unit))
        for name, own, plain, gain, digits, unit in rows
    ]


def figure_note(run: Run | None) -> str:
    """What the figures of a finished training stand on."""
    if not figure_rows(run) or run is None:
        return "PSNR and SSIM against bicubic enlargement stand here once the training has finished."
    result = TrainUpscalerResult.model_validate_json(run.summary_json)
    doubt = "" if result.is_reliable else " Fewer than 20 samples: the intervals are unreliable."
    return f"{result.n_held_out} held-out patches of {result.n_samples} samples; 95 % intervals.{doubt}"


def _gain(figure: UpscaledFigure, digits: int, unit: str) -> str:
    interval = "" if figure.ci95 is None else f"\n[{figure.ci95[0]:+.{digits}f}, {figure.ci95[1]:+.{digits}f}]"
    return f"{figure.mean:+.{digits}f}{unit}{interval}"


@dataclass(frozen=True, slots=True)
class LargerSet:
    """An enlarged set: its name, and what it is in words."""

    name: str
    line: str


def list_larger_sets(project: Project) -> list[LargerSet]:
    """The enlarged sets of a project, newest first."""
    runs = {run.id for run in project.runs.list(kind="upscale")}
    made = [each for each in reversed(project.sets.list()) if each.run_id in runs]
    return [LargerSet(each.name, f"{each.name} · {each.n_images:,} images") for each in made]


def read_pairs(project: Project, name: str) -> Sequence[GridImage]:
    """The middle of some images of an enlarged set, each after the same of bicubic enlargement.

    Raises:
        UserError: The files of the set are damaged.
    """
    folder = project.set_folder(name)
    upscaling = read_upscaling(read_set_header(folder), name)
    source = read_source_set(project.set_folder(upscaling.source_set))
    known = {each["index"]: each for each in source.lines}
    lines = read_lines(folder)
    pairs: list[GridImage] = []
    for place in np.unique(np.linspace(0, len(lines) - 1, min(N_PAIRS, len(lines))).round().astype(int)):
        line = lines[place]
        larger = read_image(folder / str(line["file"]))
        before = known.get(source_index(line))
        if before is not None:
            plain = enlarge_bicubic(source.read(before), upscaling.origin.factor)
            pairs.append(GridImage(to_qimage(_middle(plain)), caption=f"Image {line['index']}, bicubic"))
        pairs.append(GridImage(to_qimage(_middle(larger)), caption=f"Image {line['index']}, enlarged"))
    return pairs


def _middle(image: ImageArray) -> ImageArray:
    side = min(PAIR_PX, *image.shape[:2])
    y, x = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    return image[y : y + side, x : x + side]
