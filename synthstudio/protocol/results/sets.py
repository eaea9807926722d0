"""Results of the jobs that write synthetic sets."""

from typing import Literal

from pydantic import Field

from synthstudio.domain.records import Generator
from synthstudio.protocol.results.base import JobResult


class ComposeResult(JobResult):
    """A written set. `sha256` is that of the manifest."""

    kind: Literal["compose"] = "compose"
    set: str
    n_images: int
    n_objects: dict[str, int] = Field(default_factory=dict)
    seconds: float
    sha256: str
    project_state: str


class GenerateResult(JobResult):
    """A written set of generated images. `sha256` is that of the manifest.

    Attributes:
        generator: Kind of what made them.
        origin: Its run, or the name of a local model.
        n_by_class, n_by_tone: Images that were asked to show each condition, and each level of the tone scale.
        n_by_prompt: Images of each prompt, where prompts were asked for.
    """

    kind: Literal["generate"] = "generate"
    set: str
    generator: Generator = Generator.GAN
    origin: str
    n_images: int
    n_by_class: dict[str, int] = Field(default_factory=dict)
    n_by_tone: dict[str, int] = Field(default_factory=dict)
    n_by_prompt: dict[str, int] = Field(default_factory=dict)
    seconds: float
    sha256: str
    project_state: str


class UpscaleResult(JobResult):
    """A written set of enlarged images. `sha256` is that of the manifest.

    Attributes:
        source_set: The set that was enlarged.
        generator: What has made its images.
        upscaler: Run, or name of the local model, that has enlarged them.
        method: "compact" or "diffusion".
        factor: How many times larger they are.
        size: Width and height in px.
    """

    kind: Literal["upscale"] = "upscale"
    set: str
    source_set: str
    generator: Generator
    upscaler: str
    method: str
    factor: int
    size: tuple[int, int]
    n_images: int
    seconds: float
    sha256: str
    project_state: str
