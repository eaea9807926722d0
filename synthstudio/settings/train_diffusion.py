"""Settings of the train-diffusion job: fine-tuning a local Stable Diffusion on a guide set.

DreamBooth after Ruiz et al. 2023, with the numbers of SynthVision (Kularathne et al. 2024); LoRA after Hu et al. 2021.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from synthstudio.settings.base import JobSettings, SettingsGroup

Method = Literal["dreambooth", "lora"]
TrainingPrecision = Literal["fp32", "bf16", "fp16"]
RateSchedule = Literal["constant", "linear", "cosine"]


class DiffusionOptimizationSettings(SettingsGroup):
    """How the denoiser and the text encoder are trained."""

    steps: int = Field(2000, ge=1, le=1_000_000, title="Steps", json_schema_extra={"tier": "basic"})
    """Steps of the denoiser. Paper: 2000."""

    rate: float = Field(
        2e-6, gt=0.0, le=1.0, title="Rate of the denoiser", json_schema_extra={"tier": "basic", "unit": "per step"}
    )
    """Learning rate. Paper: 2e-6 for DreamBooth; LoRA wants about 1e-4."""

    text_encoder_steps: int = Field(
        350, ge=0, le=1_000_000, title="Steps of the text encoder", json_schema_extra={"tier": "basic", "unit": "steps"}
    )
    """The text encoder is trained along with the denoiser for this many steps, then stays as it is; 0 leaves it as it
    came. Paper: 350."""

    text_encoder_rate: float = Field(
        4e-7,
        gt=0.0,
        le=1.0,
        title="Rate of the text encoder",
        json_schema_extra={"tier": "basic", "unit": "per step"},
    )
    """Learning rate of its own. Paper: 4e-7."""

    batch_size: int = Field(1, ge=1, le=256, title="Batch", json_schema_extra={"tier": "basic", "unit": "images"})
    """Guide images per step; with prior images, as many of them come beside. Paper: 1."""

    accumulate: int = Field(
        1, ge=1, le=256, title="Batches per step", json_schema_extra={"tier": "advanced", "unit": "batches"}
    )
    """A step sums the gradients of so many batches: a larger batch in the memory of a small one."""

    schedule: RateSchedule = Field("constant", title="Schedule of the rates", json_schema_extra={"tier": "advanced"})
    """What both rates do over the steps that their network is trained: stay, or fall to 0."""

    warmup_steps: int = Field(
        0, ge=0, le=100_000, title="Warm-up", json_schema_extra={"tier": "advanced", "unit": "steps"}
    )
    """Steps over which both rates rise from 0."""

    optimizer: Literal["adamw", "adamw-8bit"] = Field(
        "adamw", title="Optimiser", json_schema_extra={"tier": "advanced"}
    )
    """"adamw-8bit" keeps its state in a quarter of the memory, where the package bitsandbytes is installed; else plain
    AdamW is taken, and said."""

    weight_decay: float = Field(0.01, ge=0.0, le=1.0, title="Weight decay", json_schema_extra={"tier": "advanced"})
    """Of AdamW."""

    clip: float = Field(
        1.0, ge=0.0, le=1000.0, title="Largest gradient", json_schema_extra={"tier": "advanced", "unit": "norm"}
    )
    """Gradients of all that is trained are scaled down together to this norm; 0 leaves them."""

    min_snr: float = Field(0.0, ge=0.0, le=100.0, title="Min-SNR gamma", json_schema_extra={"tier": "advanced"})
    """Weighs the loss of a time step by min(SNR, gamma) / SNR (Hang et al. 2023), for v-prediction by SNR + 1 below; 5
    is usual. 0 weighs all alike, as published for DreamBooth."""

    ema: float = Field(0.0, ge=0.0, lt=1.0, title="Averaging of weights", json_schema_extra={"tier": "advanced"})
    """What is stored is a moving average with this memory per step; 0 stores the weights as they are. It takes the
    memory of another copy of all that is trained."""

    precision: TrainingPrecision = Field("fp32", title="Precision", json_schema_extra={"tier": "basic"})
    """Of the computation; the weights that are trained stay in fp32. "bf16" suits recent GPUs and processors with AMX,
    "fp16" older GPUs (its loss is scaled)."""

    gradient_checkpointing: bool = Field(False, title="Gradient checkpointing", json_schema_extra={"tier": "basic"})
    """Computes activations twice instead of keeping them: a third more time for a fraction of the memory."""

    cache_latents: bool = Field(True, title="Keep latents", json_schema_extra={"tier": "advanced"})
    """Images are encoded once, before the training: mean and spread are kept, and drawn from in each step. Off encodes
    them in each step."""


class PriorSettings(SettingsGroup):
    """Prior preservation: images of the class as the base model knows it, so that it does not forget them."""

    weight: float = Field(1.0, ge=0.0, le=100.0, title="Weight", json_schema_extra={"tier": "basic"})
    """Of the loss on prior images, beside that on guide images; 0 trains without them. Published: 1."""

    n_images: int = Field(
        200, ge=1, le=100_000, title="Images", json_schema_extra={"tier": "basic", "unit": "prior images"}
    )
    """How many. Missing ones are made by the base model before the training."""

    prompt: str = Field("", title="Prompt", json_schema_extra={"tier": "basic"})
    """What they show; empty takes "a photo of" and the class name of the guide set."""

    folder: str = Field("", title="Folder", json_schema_extra={"tier": "advanced"})
    """A folder of images of one's own that are taken, in the order of their names, before any is made."""


class LoraSettings(SettingsGroup):
    """Low-rank additions to the attention layers; only they are trained, and stored."""

    rank: int = Field(8, ge=1, le=512, title="Rank", json_schema_extra={"tier": "basic"})
    """Of each addition: 4 to 16 is usual."""

    alpha: float = Field(8.0, gt=0.0, le=1024.0, title="Alpha", json_schema_extra={"tier": "advanced"})
    """The additions are multiplied by alpha / rank."""

    dropout: float = Field(0.0, ge=0.0, le=0.9, title="Dropout", json_schema_extra={"tier": "advanced"})
    """Share of what enters an addition that is left out at random."""


class DiffusionSampleSettings(SettingsGroup):
    """Checkpoints, and the pictures that are made with each: same prompts, same noise."""

    every: int = Field(
        500, ge=1, le=1_000_000, title="Checkpoint every", json_schema_extra={"tier": "basic", "unit": "steps"}
    )
    """A checkpoint that images can be made with is stored, and sampled, after so many steps and at the end. Paper:
    500."""

    prompts: tuple[str, ...] = Field(
        (), title="Prompts of the samples", json_schema_extra={"tier": "basic", "entries": "lines"}
    )
    """One per line; without any, the captions of the first guide images are taken, and the class alone."""

    per_prompt: int = Field(
        2, ge=1, le=16, title="Samples per prompt", json_schema_extra={"tier": "advanced", "unit": "images"}
    )
    """Images of each prompt."""

    sampler_steps: int = Field(
        30, ge=1, le=1000, title="Steps of the sampler", json_schema_extra={"tier": "advanced", "unit": "steps"}
    )
    """Of the samples, and of prior images."""

    guidance: float = Field(7.5, ge=0.0, le=50.0, title="Guidance", json_schema_extra={"tier": "advanced"})
    """How far images are pushed towards their prompt; of the samples, and of prior images. 1 is off."""

    stored: Literal["fp32", "fp16"] = Field("fp32", title="Stored in", json_schema_extra={"tier": "advanced"})
    """"fp16" halves the size of a checkpoint of DreamBooth (Stable Diffusion 1.5: 2 GB instead of 4). The last state,
    which a training goes on from, is always exact."""

    pipeline: bool = Field(False, title="Folder for other programs", json_schema_extra={"tier": "advanced"})
    """At the end, write the whole model of the last checkpoint as `pipeline/` into the run's folder, as programs built
    on diffusers read it. Stable Diffusion 1.5 takes 4 GB."""


class TrainDiffusionSettings(JobSettings):
    """Fine-tune a local Stable Diffusion on a guide set."""

    kind: Literal["train-diffusion"] = "train-diffusion"

    model: str = Field("", title="Base model", json_schema_extra={"tier": "basic"})
    """Name of a local model of the project, or the path of a folder or a single .safetensors file. With a single
    usable one in the project it may stay empty."""

    guides: str = Field("", title="Guide set", json_schema_extra={"tier": "basic"})
    """Name of the guide set to learn from; it may stay empty where there is one alone."""

    method: Method = Field("dreambooth", title="Method", json_schema_extra={"tier": "basic"})
    """"dreambooth": all weights of the denoiser, and of the text encoder for its own steps. "lora": small additions to
    both, for small GPUs."""

    side: int = Field(
        512, ge=32, le=1024, multiple_of=8, title="Side", json_schema_extra={"tier": "basic", "unit": "px"}
    )
    """Guide images are brought to this side. Paper: 512."""

    flips: bool = Field(False, title="Mirror images", json_schema_extra={"tier": "advanced"})
    """Guide and prior images are mirrored left to right at random; leave it off where captions speak of sides."""

    optimization: DiffusionOptimizationSettings = Field(default_factory=DiffusionOptimizationSettings, title="Training")
    """How the denoiser and the text encoder are trained."""

    prior: PriorSettings = Field(default_factory=PriorSettings, title="Prior images")
    """Prior preservation."""

    lora: LoraSettings = Field(default_factory=LoraSettings, title="LoRA")
    """Of the method "lora" alone."""

    samples: DiffusionSampleSettings = Field(default_factory=DiffusionSampleSettings, title="Checkpoints and samples")
    """What is stored and shown while it trains."""
