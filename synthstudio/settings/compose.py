"""Settings of patches and compositing (methods.md A): used by the compose job, the live preview and the training."""

from __future__ import annotations

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, field_validator, model_validator

from synthstudio.domain.records import ReviewRule
from synthstudio.domain.scale import WorkingScale
from synthstudio.settings.base import JobSettings, SettingsGroup

CanvasKind = Literal["matched", "emptied", "empty_region", "black", "white", "mean"]
Blend = Literal["feather", "paste", "poisson", "poisson_mixed", "mixed", "all"]
ImageFormat = Literal["png", "jpeg", "webp"]
MaskShape = Literal["square", "rounded", "ellipse"]
ForegroundMethod = Literal["none", "ellipse", "threshold"]


class PatchSettings(SettingsGroup):
    """How patches are cut around the annotations. Changing one of these rebuilds the patch bank."""

    scale: float = Field(1.0, ge=0.05, le=2.0, title="Working scale", json_schema_extra={"tier": "basic"})
    """Images are resized by this factor before patches are cut: 0.5 is half resolution. The training sees real images
    at the same scale."""

    um_per_px: float = Field(
        0.0, ge=0.0, le=100.0, title="Pixel size", json_schema_extra={"tier": "advanced", "unit": "µm"}
    )
    """Bring all images to this pixel size, so that objects of different magnifications lie side by side in their true
    proportions; the working scale above then has no effect. All images must be calibrated. 0 takes them as they are."""

    window: Literal["class_size", "own_box"] = Field("class_size", title="Window", json_schema_extra={"tier": "basic"})
    """Size of a patch: "class_size" is the square of the class's mean size (the paper's way, and the only one for
    centres), "own_box" the object's own box where it has one."""

    min_inside: float = Field(
        0.6, ge=0.1, le=1.0, title="Least part inside", json_schema_extra={"tier": "advanced", "unit": "share"}
    )
    """A patch is used when at least this share of its window lies inside the image; the rest is mirrored."""

    foreground: ForegroundMethod = Field("none", title="Foreground", json_schema_extra={"tier": "basic"})
    """What of the window is pasted: "none" is the whole window in the chosen patch shape (paper), "ellipse" a soft
    ellipse in the window, which turns with the object, "threshold" the object alone, found by its difference from the
    empty background: neighbours stay out. With both, boxes are those of what is pasted. Where no object stands out the
    window is kept whole."""

    foreground_by_class: tuple[str, ...] = Field(
        (), title="Foreground by class", json_schema_extra={"tier": "advanced"}
    )
    """Classes with a foreground of their own, as NAME=METHOD, for example Platelets=threshold; the others have that
    above."""

    foreground_margin: float = Field(
        0.03, ge=0.0, le=0.3, title="Rim kept", json_schema_extra={"tier": "advanced", "unit": "share of the side"}
    )
    """Width of the rim that is pasted around the object's outline. Only with a foreground."""

    even_light: bool = Field(True, title="Even out illumination", json_schema_extra={"tier": "advanced"})
    """Divide each image by its own smooth illumination before cutting, so that a patch from a dark corner has the same
    background as one from the middle. Off, only the mean colour of the background is evened out."""

    generated_sets: tuple[str, ...] = Field(
        (), title="Sets of generated images", json_schema_extra={"tier": "advanced", "entries": "lines"}
    )
    """Names of sets that a GAN or a diffusion model has made: their regions become patches beside those around clicks,
    at the mean size of their class. In the gallery such patches have a mark and a sample of their own."""

    generated_review: Annotated[
        ReviewRule, Field(title="Images of those sets", json_schema_extra={"tier": "advanced"})
    ] = "accepted"
    """"accepted": where somebody has judged a set, only images that its reviewers have accepted give patches; a set
    that nobody has judged is used as a whole. "not-rejected": all but those that were rejected or that reviewers
    disagree about."""

    memory_mb: int = Field(
        512, ge=16, le=16384, title="Memory for patches", json_schema_extra={"tier": "advanced", "unit": "MB"}
    )
    """Upper bound of the patch bank. When the patches need more, the largest classes are thinned out evenly."""

    @field_validator("foreground_by_class")
    @classmethod
    def _names_have_methods(cls, pairs: tuple[str, ...]) -> tuple[str, ...]:
        methods = get_args(ForegroundMethod)
        names = [pair.rpartition("=")[0] for pair in pairs]
        for pair, name in zip(pairs, names, strict=True):
            if not name or pair.rpartition("=")[2] not in methods:
                raise ValueError(f'"{pair}" is not NAME=METHOD with one of the methods {", ".join(methods)}')
            if names.count(name) > 1:
                raise ValueError(f'"{name}" is named twice')
        return pairs

    @property
    def working_scale(self) -> WorkingScale:
        """How far each image is resized."""
        return WorkingScale.choose(factor=self.scale, um_per_px=self.um_per_px)

    @property
    def own_foregrounds(self) -> dict[str, ForegroundMethod]:
        """Methods of the classes that have one of their own, by name."""
        known: dict[str, ForegroundMethod] = {each: each for each in get_args(ForegroundMethod)}
        return {name: known[method] for name, _, method in (pair.rpartition("=") for pair in self.foreground_by_class)}

    def foreground_of(self, class_name: str) -> ForegroundMethod:
        """The method for a class."""
        return self.own_foregrounds.get(class_name, self.foreground)

    def with_foreground(self, class_name: str, method: ForegroundMethod | None) -> tuple[str, ...]:
        """The value of `foreground_by_class` with this method for a class, or without one of its own."""
        others = [pair for pair in self.foreground_by_class if pair.rpartition("=")[0] != class_name]
        return tuple(others if method is None else [*others, f"{class_name}={method}"])


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

    elastic: float = Field(
        0.0,
        ge=0.0,
        le=0.15,
        title="Elastic bending",
        json_schema_extra={"tier": "advanced", "unit": "share of the side"},
    )
    """Bend the patch smoothly by up to this much, for objects that are soft; leave it at 0 for crystals."""

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

    color_cast: float = Field(
        0.0, ge=0.0, le=0.5, title="Colour cast", json_schema_extra={"tier": "basic", "unit": "share"}
    )
    """Multiply red, green and blue each by a random factor of up to this much above or below 1, as another lamp, white
    balance or stain does."""

    saturation: float = Field(
        0.0, ge=0.0, le=1.0, title="Saturation", json_schema_extra={"tier": "basic", "unit": "share"}
    )
    """Draw all colours away from grey, or towards it, by a random factor of up to this much above or below 1."""

    vignette: float = Field(
        0.0, ge=0.0, le=0.9, title="Vignetting", json_schema_extra={"tier": "basic", "unit": "share"}
    )
    """Darken the corners by a share drawn between 0 and this."""

    defocus_px: float = Field(0.0, ge=0.0, le=16.0, title="Defocus", json_schema_extra={"tier": "basic", "unit": "px"})
    """Radius of the disc that a point becomes out of focus, drawn between 0 and this."""

    blur_px: float = Field(0.5, ge=0.0, le=8.0, title="Blur", json_schema_extra={"tier": "basic", "unit": "px"})
    """Standard deviation of a Gaussian blur, drawn between 0 and this."""

    noise: float = Field(
        0.0, ge=0.0, le=64.0, title="Noise", json_schema_extra={"tier": "basic", "unit": "grey levels"}
    )
    """Standard deviation of white noise on top of the grain of your images, drawn between 0 and this. At 0 composites
    have the grain that real images have."""

    jpeg: int = Field(
        0, ge=0, le=95, title="JPEG damage", json_schema_extra={"tier": "basic", "unit": "quality points"}
    )
    """Compress as JPEG with a quality drawn between 100 minus this and 100; 0 leaves it out."""

    flip: bool = Field(True, title="Flip", json_schema_extra={"tier": "basic"})
    """Mirror the image left-right and top-bottom, each half of the time."""


class CompositionSettings(SettingsGroup):
    """How patches become an image. Changing these never rebuilds the patch bank."""

    canvas_px: int = Field(384, ge=32, le=8192, title="Canvas", json_schema_extra={"tier": "basic", "unit": "px"})
    """Side of the square image, at the working scale. Paper: 384 for classification, 416 for detection."""

    canvas_height_px: int = Field(
        0, ge=0, le=8192, title="Canvas height", json_schema_extra={"tier": "advanced", "unit": "px", "zero": "as wide"}
    )
    """Height where the image is not a square; 0 is as high as wide. A whole field of the paper is 4072 x 3072.
    Trainings take squares."""

    canvas: CanvasKind = Field("matched", title="Background", json_schema_extra={"tier": "basic"})
    """What objects are pasted on: "matched" takes the colour, illumination and noise of a training image's own
    background, and multiplies each patch to fit it, because stained objects filter light. "emptied" is that image
    itself, with everything taken out that stands out from its background, annotated or not; "empty_region" is a part
    of a training image in which nothing lies. "black", "white" and "mean" (one flat colour) are the paper's way.
    Warning: on flat canvases small classes are lost on real images (on blood cells the F1 of platelets fell from .76
    to .47): the network learns the edge of the patch."""

    n_objects_min: int = Field(1, ge=0, le=2000, title="Fewest objects", json_schema_extra={"tier": "basic"})
    """Least number of objects on an image, artifacts included; the number is drawn with equal probability."""

    n_objects_max: int = Field(20, ge=1, le=2000, title="Most objects", json_schema_extra={"tier": "basic"})
    """Greatest number of objects on an image, artifacts included. Those that find no place are left out."""

    class_draw: Literal["uniform", "empirical", "top_up", "weights"] = Field(
        "uniform", title="Class frequency", json_schema_extra={"tier": "basic"}
    )
    """How a class is drawn: "uniform" draws each class with equal probability (paper), "empirical" as often as it was
    annotated, "top_up" the more often, the rarer it was annotated (inversely to its number of patches), "weights" as
    the weights below say."""

    class_weights: tuple[str, ...] = Field((), title="Class weights", json_schema_extra={"tier": "advanced"})
    """Relative frequencies as NAME=WEIGHT, for example RBC=3; classes that are not named have 1, and 0 leaves a class
    out. Only with the class frequency "weights"."""

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
    one of them, and the width, for each object, so that a detector learns to ignore the seam. "poisson" carries the
    patch's gradients over onto what lies below (Perez et al. 2003), "poisson_mixed" the stronger ones of both; slow.
    "all" draws among all of these (Dwibedi et al. 2017)."""

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

    @field_validator("class_weights")
    @classmethod
    def _are_weights(cls, pairs: tuple[str, ...]) -> tuple[str, ...]:
        for pair in pairs:
            name, _, weight = pair.rpartition("=")
            try:
                is_fine = bool(name) and 0.0 <= float(weight) < float("inf")
            except ValueError:
                is_fine = False
            if not is_fine:
                raise ValueError(f'write a class weight as NAME=WEIGHT with a weight of 0 or more, not "{pair}"')
        return pairs

    @property
    def weight_by_class(self) -> dict[str, float]:
        """Weights of the classes that are named in `class_weights`."""
        return {name: float(weight) for name, _, weight in (pair.rpartition("=") for pair in self.class_weights)}

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the image in px."""
        return self.canvas_px, self.canvas_height_px or self.canvas_px

    @property
    def needs_plates(self) -> bool:
        """Whether the canvas is made of emptied training images, which the patch bank must hold then."""
        return self.canvas in ("emptied", "empty_region")

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

    format: ImageFormat = Field("png", title="File format", json_schema_extra={"tier": "advanced"})
    """"png" keeps every pixel; "jpeg" and "webp" are smaller and lose some, as camera files do."""

    quality: int = Field(95, ge=1, le=100, title="Quality", json_schema_extra={"tier": "advanced", "unit": "points"})
    """Quality of JPEG and WebP files."""

    masks: bool = Field(False, title="Instance masks", json_schema_extra={"tier": "advanced"})
    """Write a 16-bit PNG beside each image that tells for every pixel which object of the manifest is seen there:
    1 for the first, 0 for none. Without a foreground the shape of the patch is taken for the object."""

    workers: int = Field(0, ge=0, le=256, title="Worker processes", json_schema_extra={"tier": "advanced"})
    """Processes that compose at the same time; 0 composes in the job's own process. The bytes are the same."""

    patches: PatchSettings = Field(default_factory=PatchSettings, title="Patches")
    """How patches are cut around the annotations."""

    composition: CompositionSettings = Field(default_factory=CompositionSettings, title="Composition")
    """How patches become an image."""
