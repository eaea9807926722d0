"""What makes generated images: a generator that is asked by semantic maps, or a diffusion model that reads prompts.

The header of a set holds an entry for each that stands behind its images, under the key that the lines name it by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from synthstudio.core.synthesis.semantic_maps import MapCoding
from synthstudio.domain.records import Generator

AskedBy = Literal["maps", "prompts"]
MODEL_MARK = "model:"
"""Before the name of a local model, where it makes images without a training in the project."""


@dataclass(frozen=True, slots=True)
class MapOrigin:
    """A generator that makes images from semantic maps.

    Attributes:
        run: Id of its training.
        weights_sha256: Of the file with its averaged weights.
        class_names, tone_levels, has_unknown: What it can be asked for, see `MapCard`.
        side: Of its images in px.
        source_fovs: FOVs that it learned from.
        generator: Which kind it is.
    """

    run: str
    weights_sha256: str
    class_names: tuple[str, ...]
    tone_levels: tuple[str, ...]
    has_unknown: bool
    side: int
    source_fovs: tuple[int, ...]
    generator: Generator = Generator.GAN

    @property
    def key(self) -> str:
        """What lines and the header name it by."""
        return self.run

    @property
    def coding(self) -> MapCoding:
        """What the colours of its maps mean."""
        return MapCoding(self.class_names, len(self.tone_levels), self.has_unknown)

    def to_json(self) -> dict[str, object]:
        """Its entry in the header of a set."""
        return {
            "generator": self.generator.value,
            "asked_by": "maps",
            "weights_sha256": self.weights_sha256,
            "classes": list(self.class_names),
            "tone_levels": list(self.tone_levels),
            "has_unknown_tone": self.has_unknown,
            "side": self.side,
            "source_fovs": list(self.source_fovs),
        }

    @classmethod
    def from_json(cls, key: str, entry: Mapping[str, object]) -> MapOrigin:
        """Read an entry of a header. Raises ValueError, TypeError or KeyError where it is damaged."""
        return cls(
            run=key,
            weights_sha256=str(entry["weights_sha256"]),
            class_names=_texts(entry["classes"]),
            tone_levels=_texts(entry["tone_levels"]),
            has_unknown=bool(entry["has_unknown_tone"]),
            side=int(str(entry["side"])),
            source_fovs=_numbers(entry["source_fovs"]),
            generator=Generator(str(entry["generator"])),
        )


@dataclass(frozen=True, slots=True)
class PromptOrigin:
    """A text-to-image diffusion model.

    Attributes:
        run: Id of its training; empty for a local model as somebody brought it in.
        model: Name of the local model: that was trained further, or itself.
        model_sha256: Of its files.
        weights_sha256: Of what makes the images: of the checkpoint, or of the local model.
        step: Of the checkpoint; 0 for a local model.
        class_name: What the images are labelled with.
        source_fovs: FOVs that it learned from in the project.
    """

    run: str
    model: str
    model_sha256: str
    weights_sha256: str
    step: int
    class_name: str
    source_fovs: tuple[int, ...] = ()

    @property
    def generator(self) -> Generator:
        """Which kind it is."""
        return Generator.DIFFUSION

    @property
    def key(self) -> str:
        """What lines and the header name it by."""
        return self.run or f"{MODEL_MARK}{self.model}"

    def to_json(self) -> dict[str, object]:
        """Its entry in the header of a set."""
        return {
            "generator": self.generator.value,
            "asked_by": "prompts",
            "run": self.run,
            "model": self.model,
            "model_sha256": self.model_sha256,
            "weights_sha256": self.weights_sha256,
            "step": self.step,
            "classes": [self.class_name],
            "source_fovs": list(self.source_fovs),
        }

    @classmethod
    def from_json(cls, entry: Mapping[str, object]) -> PromptOrigin:
        """Read an entry of a header. Raises ValueError, TypeError or KeyError where it is damaged."""
        (class_name,) = _texts(entry["classes"])
        return cls(
            run=str(entry["run"]),
            model=str(entry["model"]),
            model_sha256=str(entry["model_sha256"]),
            weights_sha256=str(entry["weights_sha256"]),
            step=int(str(entry["step"])),
            class_name=class_name,
            source_fovs=_numbers(entry["source_fovs"]),
        )


Origin = MapOrigin | PromptOrigin


def read_origin(key: str, entry: Mapping[str, object]) -> Origin:
    """Read an entry of a header by its key. Raises ValueError, TypeError or KeyError where it is damaged."""
    if entry["asked_by"] == "prompts":
        return PromptOrigin.from_json(entry)
    return MapOrigin.from_json(key, entry)


def read_origin_entries(header: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """The entries in the header of a set by their keys; none for composites.

    Before there were diffusion models, GANs stood there under a name of their own.
    """
    found, gans = header.get("generators"), header.get("gans")
    if isinstance(found, dict):
        return {str(key): dict(entry) for key, entry in found.items() if isinstance(entry, dict)}
    entries = gans.items() if isinstance(gans, dict) else ()
    as_now: dict[str, object] = {"generator": Generator.GAN.value, "asked_by": "maps"}
    return {str(key): as_now | entry for key, entry in entries if isinstance(entry, dict)}


def _items(found: object) -> list[object]:
    if not isinstance(found, list):
        raise TypeError("not a list")
    return found


def _texts(found: object) -> tuple[str, ...]:
    return tuple(str(each) for each in _items(found))


def _numbers(found: object) -> tuple[int, ...]:
    return tuple(int(str(each)) for each in _items(found))
