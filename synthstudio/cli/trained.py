"""Results of trainings as text for a terminal."""

from __future__ import annotations

from pathlib import Path

from synthstudio.cli.render import print_lines, print_table
from synthstudio.protocol.results import (
    TrainDiffusionResult,
    TrainGanResult,
    TrainingResult,
    TrainPatchDiffusionResult,
    TrainUpscalerResult,
    UpscaledFigure,
)


def print_training(result: TrainingResult, folder: Path) -> None:
    """Write the result of a training to standard output; `folder` is the run's."""
    match result:
        case TrainGanResult() | TrainPatchDiffusionResult():
            _print_from_maps(result, folder)
        case TrainDiffusionResult():
            _print_diffusion(result, folder)
        case TrainUpscalerResult():
            _print_upscaler(result, folder)
        case _:
            print_lines(f"run {result.run}: {result.status} after {result.seconds:.0f} s")
            _print_best("best on validation", result)


def _print_from_maps(result: TrainGanResult | TrainPatchDiffusionResult, folder: Path) -> None:
    print_lines(
        f"run {result.run}: {result.status} after {result.seconds:.0f} s on {result.n_crops} crops",
        f"conditions: {', '.join(result.classes)}",
        f"tones: {', '.join(result.tones) or 'none'}",
    )
    _print_best(f"best on {result.n_validation_crops} held-out crops", result)
    print_lines(f"last samples: {folder / result.sample}")


def _print_diffusion(result: TrainDiffusionResult, folder: Path) -> None:
    print_lines(
        f"run {result.run}: {result.status} after {result.seconds:.0f} s on {result.n_guides} images of the guide set"
        f" {result.guides} and {result.n_prior} prior images",
        f"{result.method} of {result.model}; checkpoints: {', '.join(map(str, result.checkpoints))}",
    )
    _print_best("best checkpoint", result)
    print_lines(f"last samples: {folder / result.sample}")


def _print_upscaler(result: TrainUpscalerResult, folder: Path) -> None:
    print_lines(
        f"run {result.run}: {result.status} after {result.seconds:.0f} s on {result.n_patches} patches,"
        f" x{result.factor}"
    )
    rows = [
        ("PSNR in dB", *map(_with_interval, (result.psnr, result.psnr_bicubic, result.psnr_gain))),
        ("SSIM", *map(_with_interval, (result.ssim, result.ssim_bicubic, result.ssim_gain))),
    ]
    print_table((f"{result.n_held_out} held-out patches", "upscaler", "bicubic", "gain"), rows)
    if not result.is_reliable:
        print_lines(f"note: intervals from {result.n_samples} samples are unreliable; 20 are wanted")
    print_lines(*(f"note: {text}" for text in result.warnings), f"last samples: {folder / result.sample}")


def _with_interval(figure: UpscaledFigure) -> str:
    if figure.ci95 is None:
        return f"{figure.mean:.4g}"
    return f"{figure.mean:.4g} [{figure.ci95[0]:.4g}, {figure.ci95[1]:.4g}]"


def _print_best(head: str, result: TrainingResult) -> None:
    print_table((head, "value"), [(name, value) for name, value in result.best.items()])
    print_lines(*(f"note: {text}" for text in result.warnings))
