"""What can be done with guide sets, as data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from synthstudio.gui.actions import ActionSpec

MENU = "Generate"


@dataclass(frozen=True, slots=True)
class GuideDeeds:
    """What is done, and when it can be.

    Attributes:
        area: The panel.
        grid: The captions, which must have the focus for keys that mean something else in a line of text.
        has_project: A project is open that may be written.
        has_set: There is a guide set besides.
        has_images: The set has images.
        has_selection: Images are selected, and the project may be written.
        can_write: The assistant has a sentence that differs from the caption.
    """

    area: QWidget
    grid: QWidget
    has_project: Callable[[], bool]
    has_set: Callable[[], bool]
    has_images: Callable[[], bool]
    has_selection: Callable[[], bool]
    can_write: Callable[[], bool]
    make_set: Callable[[], None]
    remove_set: Callable[[], None]
    add_images: Callable[[], None]
    add_regions: Callable[[], None]
    bring_captions: Callable[[], None]
    export: Callable[[], None]
    crop: Callable[[], None]
    edit: Callable[[], None]
    write: Callable[[], None]
    remove_images: Callable[[], None]
    move_earlier: Callable[[], None]
    move_later: Callable[[], None]
    go_to_uncaptioned: Callable[[], None]
    show_field: Callable[[], None]


def guide_specs(do: GuideDeeds) -> Sequence[ActionSpec]:
    """All actions of the panel."""
    return (*_set_specs(do), *_image_specs(do))


def _set_specs(do: GuideDeeds) -> Sequence[ActionSpec]:
    return (
        ActionSpec(
            "diffusion.new_guide_set",
            "New guide set…",
            do.make_set,
            icon="mdi6.plus",
            menu=MENU,
            enabled_when=do.has_project,
            area=do.area,
        ),
        ActionSpec(
            "diffusion.remove_guide_set",
            "Remove the guide set",
            do.remove_set,
            icon="mdi6.delete-outline",
            menu=MENU,
            enabled_when=do.has_set,
            area=do.area,
            tip="With its captions; the images stay in the project.",
        ),
        ActionSpec(
            "diffusion.add_guide_images",
            "Add images to the guide set…",
            do.add_images,
            shortcut="Ctrl+Shift+A",
            icon="mdi6.image-plus-outline",
            menu=MENU,
            enabled_when=do.has_set,
            area=do.area,
        ),
        ActionSpec(
            "diffusion.add_guide_regions",
            "Add crops around regions to the guide set…",
            do.add_regions,
            icon="mdi6.crop",
            menu=MENU,
            enabled_when=do.has_set,
            area=do.area,
        ),
        ActionSpec(
            "diffusion.import_captions",
            "Import images with captions…",
            do.bring_captions,
            icon="mdi6.import",
            menu=MENU,
            enabled_when=do.has_project,
            area=do.area,
        ),
        ActionSpec(
            "diffusion.export_guides",
            "Export the guide set…",
            do.export,
            icon="mdi6.export",
            menu=MENU,
            enabled_when=do.has_images,
            area=do.area,
            tip="Each image with its caption in a text file beside it.",
        ),
    )


def _image_specs(do: GuideDeeds) -> Sequence[ActionSpec]:
    return (
        ActionSpec(
            "diffusion.edit_caption",
            "Edit the caption",
            do.edit,
            shortcut="F2",
            icon="mdi6.pencil-outline",
            menu=MENU,
            enabled_when=do.has_selection,
            area=do.area,
        ),
        ActionSpec(
            "diffusion.write_caption",
            "Write the caption from its fields",
            do.write,
            shortcut="Ctrl+Return",
            icon="mdi6.text-box-edit-outline",
            menu=MENU,
            enabled_when=do.can_write,
            area=do.area,
        ),
        ActionSpec(
            "diffusion.crop_guides",
            "Crop the guide images to regions…",
            do.crop,
            icon="mdi6.crop-free",
            menu=MENU,
            enabled_when=lambda: do.has_set() and do.has_images(),
            area=do.area,
            tip="Those that are selected, or all of the set; captions stay.",
        ),
        ActionSpec(
            "diffusion.next_uncaptioned",
            "Go to the next image without a caption",
            do.go_to_uncaptioned,
            shortcut="N",
            icon="mdi6.skip-next-outline",
            menu=MENU,
            enabled_when=do.has_images,
            focus=do.grid,
            area=do.area,
        ),
        ActionSpec(
            "diffusion.remove_guides",
            "Take the images out of the guide set",
            do.remove_images,
            shortcut="Del",
            icon="mdi6.image-minus-outline",
            menu=MENU,
            enabled_when=do.has_selection,
            focus=do.grid,
            area=do.area,
        ),
        ActionSpec(
            "diffusion.guide_earlier",
            "Move the images one place forward",
            do.move_earlier,
            shortcut="Alt+Left",
            icon="mdi6.arrow-left",
            menu=MENU,
            enabled_when=do.has_selection,
            focus=do.grid,
            area=do.area,
        ),
        ActionSpec(
            "diffusion.guide_later",
            "Move the images one place back",
            do.move_later,
            shortcut="Alt+Right",
            icon="mdi6.arrow-right",
            menu=MENU,
            enabled_when=do.has_selection,
            focus=do.grid,
            area=do.area,
        ),
        ActionSpec(
            "diffusion.show_guide_field",
            "Show the guide image in its field",
            do.show_field,
            icon="mdi6.image-search-outline",
            menu=MENU,
            enabled_when=do.has_images,
            area=do.area,
        ),
    )
