"""Models that somebody else has trained, as frozen records: what a project knows of files with weights."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class ModelKind(StrEnum):
    """What a local model is for; recognised from its contents."""

    STABLE_DIFFUSION = "stable-diffusion"
    DIFFUSION_UPSCALER = "diffusion-upscaler"
    COMPACT_UPSCALER = "compact-upscaler"
    BACKBONE = "backbone"
    FEATURES = "features"

    @property
    def words(self) -> str:
        """In words for the user."""
        return _WORDS[self]

    @property
    def purpose(self) -> str:
        """What can be done with a model of this kind."""
        return _PURPOSES[self]


_WORDS = {
    ModelKind.STABLE_DIFFUSION: "Stable Diffusion",
    ModelKind.DIFFUSION_UPSCALER: "Diffusion upscaler",
    ModelKind.COMPACT_UPSCALER: "Compact upscaler",
    ModelKind.BACKBONE: "Backbone",
    ModelKind.FEATURES: "Features for FID",
}
_PURPOSES = {
    ModelKind.STABLE_DIFFUSION: "fine-tuning on guide images, and images from prompts",
    ModelKind.DIFFUSION_UPSCALER: "four times larger images, by diffusion",
    ModelKind.COMPACT_UPSCALER: "larger images in a moment, also without a GPU",
    ModelKind.BACKBONE: "pretrained classifiers and detectors",
    ModelKind.FEATURES: "FID and KID that can be compared with published ones",
}


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model.

    Attributes:
        name: Path below the model's folder, with `/`; of a model of one file its file name.
        n_bytes: Size.
        mtime_ns: Time of the last change when it was hashed: while this and the size stay, so does the hash.
        sha256: Of its bytes.
    """

    name: str
    n_bytes: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A model on this machine.

    Attributes:
        name: Within the project; of a model that is named by its path, that path.
        kind: What it is for.
        path: Its folder, or its one .safetensors file; absolute.
        architecture: What it is, in words: "Stable Diffusion 1.x", "resnet50".
        sha256: Of the file; of a folder, of the names and hashes of its files.
        licence: Text, or name, of its licence; empty where none was found.
        facts: Title and value of what else is known, for the user: "Images" -> "512 px".
        files: All that belongs to it.
        is_in_place: It lies outside the project, which only refers to it.
        added_at: UTC time, ISO 8601; empty for a model that is named by its path.
    """

    name: str
    kind: ModelKind
    path: Path
    architecture: str
    sha256: str
    licence: str
    facts: tuple[tuple[str, str], ...]
    files: tuple[ModelFile, ...]
    is_in_place: bool
    added_at: str = ""

    @property
    def n_bytes(self) -> int:
        """Size of all its files."""
        return sum(each.n_bytes for each in self.files)

    def fact(self, title: str) -> str:
        """A fact by its title; empty where it is not known."""
        return dict(self.facts).get(title, "")
