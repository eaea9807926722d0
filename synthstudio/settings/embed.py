"""Settings of the embed job: which pictures are like which?"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from synthstudio.settings.base import JobSettings


class EmbedSettings(JobSettings):
    """Describe images and marked objects by features, and lay them out on a map where like is near like. What an
    earlier job has described, and has not changed, is not read again."""

    kind: Literal["embed"] = "embed"

    sets: tuple[str, ...] = Field((), title="Sets", json_schema_extra={"tier": "advanced"})
    """Names of the synthetic sets that are put beside the project's own images; empty takes all of them."""

    n_most: int = Field(
        5000, ge=0, le=100_000, title="Of each set", json_schema_extra={"tier": "basic", "unit": "pictures"}
    )
    """At most so many images, and as many objects, of each set, drawn at random; 0 leaves sets out. The project's own
    are all taken."""

    objects: bool = Field(True, title="Objects", json_schema_extra={"tier": "basic"})
    """Describe each marked object, too, by the square around it: about 3 ms an object by the built-in descriptor."""

    features: str = Field("", title="Feature file", json_schema_extra={"tier": "basic"})
    """Name of a local model, or path of a .safetensors file, with the weights of a network that describes images, such
    as resnet50. Empty takes the built-in descriptor: colour, texture, and roughly where what lies, but no meaning."""

    layout: Literal["t-sne", "pca"] = Field("t-sne", title="Map", json_schema_extra={"tier": "basic"})
    """How the map is made. t-SNE keeps neighbours together, and neither distances between groups nor their sizes; "pca"
    shows the two directions in which the pictures differ most."""

    perplexity: float = Field(
        30.0, ge=2, le=200, title="Perplexity", json_schema_extra={"tier": "advanced", "unit": "pictures"}
    )
    """About how many neighbours each picture is held to on the map of t-SNE."""

    files: tuple[str, ...] = Field((), title="Files", json_schema_extra={"tier": "advanced"})
    """Image files outside the project that are described, too, so that what is like them can be found."""
