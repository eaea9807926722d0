"""Results of trainings, and of the search for their recipe."""

from typing import Literal

from pydantic import Field

from synthstudio.core.training.recipe_ranking import RecipeTable
from synthstudio.protocol.results.base import Interval, JobResult


class TrainingResult(JobResult):
    """A finished training. `best` holds the validation scores of the best checkpoint."""

    run: str
    status: str
    seconds: float
    best: dict[str, float | None]
    warnings: tuple[str, ...] = ()
    device: str = ""
    """What it was trained on, in words; empty in results of earlier versions."""


class TrainResult(TrainingResult):
    """Of a classifier."""

    kind: Literal["train-classifier"] = "train-classifier"


class TrainDetectorResult(TrainingResult):
    """Of a detector."""

    kind: Literal["train-detector"] = "train-detector"


class RegionTrainingResult(TrainingResult):
    """Of what learned to make crops of regions.

    Attributes:
        step: Of the network that is kept, the last one.
        validation: Figures of the last samples.
        n_crops, n_validation_crops: It learned from, and its samples were taken on.
        classes, tones: Classes or conditions, and names of the tone levels, that it knows.
        sample: Picture of its last samples, in the run's folder.
    """

    step: int
    validation: dict[str, float] = Field(default_factory=dict)
    n_crops: int
    n_validation_crops: int
    classes: tuple[str, ...]
    tones: tuple[str, ...] = ()
    sample: str = ""


class TrainGanResult(RegionTrainingResult):
    """Of a GAN. `best` holds the validation figures, differences to held-out crops, at the step where they were least.

    Attributes:
        onnx: File that its images are made with, in the run's folder; empty where the export failed.
    """

    kind: Literal["train-gan"] = "train-gan"
    onnx: str = ""


class TrainDiffusionResult(TrainingResult):
    """Of a fine-tuned diffusion model. `best` holds the step of the checkpoint with the least loss, and that loss.

    Attributes:
        step: Of the last checkpoint.
        method: "dreambooth" or "lora".
        model: The base model's name.
        guides: The guide set's name.
        n_guides, n_held_out, n_prior: Images that it learned from, that were held out, and prior images.
        checkpoints: Steps that are stored.
        sample: Picture of the last samples, in the run's folder.
    """

    kind: Literal["train-diffusion"] = "train-diffusion"
    step: int
    method: str
    model: str
    guides: str
    n_guides: int
    n_held_out: int = 0
    n_prior: int = 0
    checkpoints: tuple[int, ...]
    sample: str = ""


class TrainPatchDiffusionResult(RegionTrainingResult):
    """Of a diffusion model of patches. `best` holds the validation figures at the step where denoising was best."""

    kind: Literal["train-patch-diffusion"] = "train-patch-diffusion"


class UpscaledFigure(JobResult):
    """A mean over held-out patches, and its 95 % interval from resampling samples; None below two samples."""

    mean: float
    ci95: Interval | None = None


class TrainUpscalerResult(TrainingResult):
    """Of an upscaler. `best` holds the validation figures at the step that is kept.

    Attributes:
        method: "compact" or "diffusion".
        factor: How many times larger images become.
        step: Of the network that is kept.
        n_patches, n_held_out: Pairs that it learned from, and those that the figures are taken on.
        n_samples: Samples behind the held-out ones.
        psnr, psnr_bicubic, psnr_gain: In dB: of the upscaler, of bicubic enlargement, and the difference.
        ssim, ssim_bicubic, ssim_gain: The same of the structural similarity.
        is_reliable: There are samples enough for the intervals.
        sample: Picture of its last samples, in the run's folder.
    """

    kind: Literal["train-upscaler"] = "train-upscaler"
    method: str
    factor: int
    step: int
    n_patches: int
    n_held_out: int
    n_samples: int
    psnr: UpscaledFigure
    psnr_bicubic: UpscaledFigure
    psnr_gain: UpscaledFigure
    ssim: UpscaledFigure
    ssim_bicubic: UpscaledFigure
    ssim_gain: UpscaledFigure
    is_reliable: bool
    sample: str = ""


class SearchRecipesResult(JobResult):
    """The recipes that were tried, best first, scored on validation images."""

    kind: Literal["search-recipes"] = "search-recipes"
    table: RecipeTable
    seconds: float
