"""Settings of patches and compositing (methods.md A): used by the compose job, the live preview and the training."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from synthstudio.settings.base import JobSettings, SettingsGroup

CanvasKind = Literal["matched", "black", "white", "mean"]
Blend = Literal["feather", "paste", "mixed"]
MaskShape = Literal["square", "rounded", "ellipse"]
ForegroundMethod = Literal["none", "threshold"]


class PatchSettings(SettingsGroup):
    """How patches are cut around the annotations. Changing one of these rebuilds the patch bank."""

    scale: float = Field(1.0, ge=0.05, le=2.0, title="Working scale", json_schema_extra={"tier": "basic"})
    """Images are resized by this factor before patches are cut: 0.5 is half resolution. The training sees real images
    at the same scale."""

    window: Literal["class_size", "own_box"] = Field("class_size", title="Window", json_schema_extra={"tier": "basic"})
    """Size of a patch: "class_size" is the square of the class's mean size (the paper's way, and the only one for
    centres), "own_box" the object's own box where it has one."""

    min_inside: float = Field(
        0.6, ge=0.1, le=1.0, title="Least part inside", json_schema_extra={"tier": "advanced", "unit": "share"}
    )
    """A patch is used when at least this share of its window lies inside the image; the rest is mirrored."""

    foreground: ForegroundMethod = Field("none", title="Foreground", json_schema_extra={"tier": "basic"})
    """What of the window is pasted: "none" is the whole window in the chosen shape (paper), "threshold" the object
    alone, found by its difference from the empty background. Neighbours stay out, and boxes are those of the object.
    Where no object stands out the window is kept whole."""

    foreground_margin: float = Field(
        0.03, ge=0.0, le=0.3, title="Rim kept", json_schema_extra={"tier": "advanced", "unit": "share of the side"}
    )
    """Width of the rim that is pasted around the object's outline. Only with a foreground."""

    even_light: bool = Field(True, title="Even out illumination", json_schema_extra={"tier": "advanced"})
    """Divide each image by its own smooth illumination before cutting, so that a patch from a dark corner has the same
    background as one from the middle. Off, only the mean colour of the background is evened out."""

    memory_mb: int = Field(
        512, ge=16, le=16384, title="Memory for patches", json_schema_extra={"tier": "advanced", "unit": "MB"}
    )
    """Upper bound of the patch bank. When the patches need more, the largest classes are thinned out evenly."""


class PatchAugmentation(SettingsGroup):
    """What happens to a patch before it is pasted."""

    size_jitter: float = Field(
        0.1, ge=0.0, le=0.5, title="Size jitter", json_schema_extra={"tier": "basic", "unit": "share"}
    )
    """The side of the window is varied by up to this share of the class's size, up or down (paper: 0-10 %). It may cut
    part of the object off, which is wanted."""

    flip: bool = Field(True, title="Flip", json_schema_extra={"tier": "basic"})
    """Mirror half of the patches."""

    rotation_deg: float = Field(
        180.0, ge=0.0, le=180.0, title="Rotation", json_schema_extra={"tier": "basic", "unit": "deg"}
    )
    """Turn by a random angle of up to this much either way. Corners are filled from the image around, never black."""

    scale_jitter: float = Field(
        0.1, ge=0.0, le=0.5, title="Scale jitter", json_schema_extra={"tier": "basic", "unit": "share"}
    )
    """Enlarge or shrink the object and its window by up to this share: 0.1 is 0.9 to 1.1."""

    contrast: float = Field(
        0.15, ge=0.0, le=0.9, title="Contrast jitter", json_schema_extra={"tier": "basic", "unit": "share"}
    )
    """Make the object stain stronger or weaker. It acts on the optical density, so the background stays unchanged."""

    hue: float = Field(0.05, ge=0.0, le=0.5, title="Stain jitter", json_schema_extra={"tier": "basic", "unit": "share"})
    """Vary the density of each colour channel by itself, which shifts the stain's hue; the background stays."""

    brightness: float = Field(
        0.0, ge=0.0, le=0.5, title="Brightness jitter", json_schema_extra={"tier": "advanced", "unit": "share"}
    )
    """Make the whole patch lighter or darker. This also shifts its background, so that its outline shows: leave it at
    0 on a matched canvas, and vary the brightness of the whole image instead."""


class ImageAugmentation(SettingsGroup):
    """What happens to the whole image after pasting."""

    brightness: float = Field(
        0.08, ge=0.0, le=0.8, title="Brightness", json_schema_extra={"tier": "basic", "unit": "share"}
    )
    """Multiply by a random factor of up to this much above or below 1."""

    contrast: float = Field(
        0.08, ge=0.0, le=0.8, title="Contrast", json_schema_extra={"tier": "basic", "unit": "share"}
    )
    """Stretch or squeeze around the image's middle grey by up to this share."""

    blur_px: float = Field(0.5, ge=0.0, le=8.0, title="Blur", json_schema_extra={"tier": "basic", "unit": "px"})
    """Standard deviation of a Gaussian blur, drawn between 0 and this."""

    noise: float = Field(
        1.0, ge=0.0, le=64.0, title="Noise", json_schema_extra={"tier": "basic", "unit": "grey levels"}
    )
    """Standard deviation of added Gaussian noise, drawn between 0 and this."""

    jpeg: int = Field(
        0, ge=0, le=95, title="JPEG damage", json_schema_extra={"tier": "basic", "unit": "quality points"}
    )
    """Compress as JPEG with a quality drawn between 100 minus this and 100; 0 leaves it out."""

    flip: bool = Field(True, title="Flip", json_schema_extra={"tier": "basic"})
    """Mirror the image left-right and top-bottom, each half of the time."""


class CompositionSettings(SettingsGroup):
    """How patches become an image. Changing these never rebuilds the patch bank."""

    canvas_px: int = Field(384, ge=32, le=4096, title="Canvas", json_schema_extra={"tier": "basic", "unit": "px"})
    """Side of the square image, at the working scale. Paper: 384 for classification, 416 for detection."""

    canvas: CanvasKind = Field("matched", title="Background", json_schema_extra={"tier": "basic"})
    """Colour of the empty canvas: "matched" takes the colour, illumination and noise of a training image's own
    background, and multiplies each patch to fit it, because stained objects filter light. "black", "white" and
    "mean" (one flat colour) are the paper's way. Warning: on flat canvases small classes are lost on real
    images (on blood cells the F1 of platelets fell from .76 to .47): the network learns the edge of the patch."""

    n_objects_min: int = Field(1, ge=0, le=2000, title="Fewest objects", json_schema_extra={"tier": "basic"})
    """Least number of objects on an image, artifacts included; the number is drawn with equal probability."""

    n_objects_max: int = Field(20, ge=1, le=2000, title="Most objects", json_schema_extra={"tier": "basic"})
    """Greatest number of objects on an image, artifacts included. Those that find no place are left out."""

    class_draw: Literal["uniform", "empirical", "top_up"] = Field(
        "uniform", title="Class frequency", json_schema_extra={"tier": "basic"}
    )
    """How a class is drawn: "uniform" draws each class with equal probability (paper), "empirical" as often as it was
    annotated, "top_up" the more often, the rarer it was annotated (inversely to its number of patches)."""

    class_presence: float = Field(
        0.6, ge=0.05, le=1.0, title="Class takes part", json_schema_extra={"tier": "basic", "unit": "probability"}
    )
    """Chance of a class to take part in an image at all, drawn first. Below 1 there are images without a class, which
    a presence classifier needs; 1 lets every class take part always."""

    classes: tuple[str, ...] = Field((), title="Classes", json_schema_extra={"tier": "basic"})
    """Names of the classes to paste; empty means all that have patches, artifacts included."""

    patch: PatchAugmentation = Field(default_factory=PatchAugmentation, title="Patch augmentation")
    """What happens to a patch before it is pasted."""

    image: ImageAugmentation = Field(default_factory=ImageAugmentation, title="Image augmentation")
    """What happens to the whole image after pasting."""

    blend: Blend = Field("feather", title="Blending", json_schema_extra={"tier": "basic"})
    """How the rim is treated: "feather" fades the patch out at its rim, "paste" is a hard edge (paper), "mixed" draws
    one of them, and the width, for each object, so that a detector learns to ignore the seam."""

    mask: MaskShape = Field("ellipse", title="Patch shape", json_schema_extra={"tier": "basic"})
    """Outline of what is pasted: the whole "square" (paper), a square with "rounded" corners, or the "ellipse" in it.
    The ellipse hides the neighbours in the corners and looks most like real cells; for angular objects that fill their
    window take "rounded". With a foreground it ends what is larger than the window."""

    feather: float = Field(
        0.12, ge=0.0, le=0.5, title="Feather", json_schema_extra={"tier": "basic", "unit": "share of the side"}
    )
    """Width of the fading rim."""

    max_overlap: float = Field(
        0.3, ge=0.0, le=1.0, title="Most overlap", json_schema_extra={"tier": "basic", "unit": "share"}
    )
    """Share of an object that later ones may cover in all. A place that covers more is refused; 1 allows any."""

    clustering: float = Field(
        0.0, ge=0.0, le=1.0, title="Clusters", json_schema_extra={"tier": "basic", "unit": "probability"}
    )
    """Chance of an object to be put so that it touches one that lies there already, as cells do in dense fields; the
    others lie anywhere. Touching counts as overlap: with a "Most overlap" of 0 they lie edge to edge."""

    stacking: Literal["random", "small_on_top"] = Field(
        "random", title="Stacking", json_schema_extra={"tier": "advanced"}
    )
    """Which of two overlapping objects lies on top: "random", or the smaller one ("small_on_top"), so that a small
    object is seldom hidden by a large one."""

    tries: int = Field(12, ge=1, le=50, title="Tries per object", json_schema_extra={"tier": "advanced"})
    """Places tried for an object before it is left out."""

    overhang: float = Field(
        0.25, ge=0.0, le=0.5, title="Cut by the edge", json_schema_extra={"tier": "advanced", "unit": "share"}
    )
    """Share of an object's side that may lie outside the image, as it does on crops of real images."""

    min_visible: float = Field(
        0.3, ge=0.0, le=1.0, title="Least visible part", json_schema_extra={"tier": "advanced", "unit": "share"}
    )
    """An object of which less than this can be seen gives no label and no box."""

    render: Literal["continuous", "cached"] = Field(
        "continuous", title="Rendering", json_schema_extra={"tier": "basic"}
    )
    """How patches are drawn: "continuous" turns, scales and stains every pasted patch anew; "cached" draws from a
    fixed number of prepared variants of each patch, which is several times faster and a little less varied."""

    variants: int = Field(32, ge=1, le=256, title="Variants per patch", json_schema_extra={"tier": "advanced"})
    """Prepared variants of each patch in cached rendering; fewer where they would not fit the memory below."""

    cache_mb: int = Field(
        256, ge=8, le=8192, title="Memory for variants", json_schema_extra={"tier": "advanced", "unit": "MB"}
    )
    """Upper bound of the prepared variants in each worker process."""

    @model_validator(mode="after")
    def _counts_are_a_range(self) -> Self:
        if self.n_objects_min > self.n_objects_max:
            raise ValueError(
                f"fewest objects ({self.n_objects_min}) must not be more than most objects ({self.n_objects_max})"
            )
        return self


class ComposeSettings(JobSettings):
    """Write a set of composited images with labels, boxes and the source of every object."""

    kind: Literal["compose"] = "compose"

    set_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
            title="Name of the set",
            json_schema_extra={"tier": "basic"},
        ),
    ] = "composites"
    """Name of the set and of its folder: letters, digits, dot, dash and underscore."""

    count: int = Field(1000, ge=1, le=10_000_000, title="Images", json_schema_extra={"tier": "basic"})
    """Number of images to write."""

    first_index: int = Field(0, ge=0, le=1_000_000_000, title="First image", json_schema_extra={"tier": "advanced"})
    """Number of the first image. Image 500 is the same in every set of these settings and seed: two machines can write
    0 to 499 and 500 to 999 as two sets."""

    workers: int = Field(0, ge=0, le=256, title="Worker processes", json_schema_extra={"tier": "advanced"})
    """Processes that compose at the same time; 0 composes in the job's own process. The bytes are the same."""

    patches: PatchSettings = Field(default_factory=PatchSettings, title="Patches")
    """How patches are cut around the annotations."""

    composition: CompositionSettings = Field(default_factory=CompositionSettings, title="Composition")
    """How patches become an image."""
