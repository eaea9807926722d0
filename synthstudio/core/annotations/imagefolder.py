"""A folder of images: one subfolder per sample, or one per class."""

from pathlib import Path
from typing import Literal

from synthstudio.core.annotations.planning import DEFAULT_OPTIONS, Marks, PlanBuilder, ReadOptions, list_classes
from synthstudio.core.annotations.split_folders import SPLIT_FOLDERS
from synthstudio.core.fields.images import find_images, natural_key
from synthstudio.domain.errors import UserError
from synthstudio.domain.plans import ImportPlan
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import Split

CONTAINER_FOLDERS = frozenset({"images", "image", "img", "imgs", "jpegimages", "data", "dataset", "pictures"})


def read_imagefolder(root: Path, options: ReadOptions = DEFAULT_OPTIONS, *, tick: Tick = no_tick) -> ImportPlan:
    """Read an image, or all in the folder and below, each chosen page of a stack as an image of its own; see `Reader`.

    The subfolder is the sample. With `labels_from_folder` the innermost subfolder is the class of the image instead:
    present there, absent elsewhere, and each image is its own sample. Folders called train, val or test at the top
    give the split.
    """
    image_root, paths = _find_chosen(options.images or root, options.only)
    if not paths:
        raise UserError(
            f"{image_root} holds no images (PNG, JPEG, WebP, BMP or TIFF).", "Choose the folder that holds them."
        )
    image_root = _skip_container(paths, image_root)
    naming: Literal["folder", "stem"] = "stem" if options.labels_from_folder else "folder"
    builder = PlanBuilder(root, options, default_naming=naming, image_root=image_root)
    classes = _list_folder_classes(paths, image_root, options, builder) if options.labels_from_folder else []
    for number, path in enumerate(paths):
        tick(number, len(paths))
        split, inner = split_off(path, image_root)
        own = inner.parent.name
        labels = tuple((name, name == own) for name in classes) if own in classes else ()
        for image in builder.iter_pages(path):
            tick(number, len(paths))  # a stack may have a thousand pages
            builder.add(image, Marks(split=split, labels=labels), naming_path=image_root / inner)
    tick(len(paths), len(paths))
    return builder.build(list_classes(builder.fovs))


def _find_chosen(root: Path, only: frozenset[Path]) -> tuple[Path, list[Path]]:
    """Return the folder that samples are named from, and the images."""
    if root.is_file():
        return root.parent, [root]
    if not only:
        return root, find_images(root)
    found = {image for each in only for image in (find_images(each) if each.is_dir() else [each])}
    return root, sorted(found, key=lambda path: natural_key(path.as_posix()))


def _skip_container(paths: list[Path], root: Path) -> Path:
    """Return the folder inside the root that holds everything, where its name only says "images".

    Otherwise all images of `study/images/*.png` would be one sample.
    """
    first = {path.relative_to(root).parts[0] for path in paths}
    only = next(iter(first))
    is_container = len(first) == 1 and only.casefold() in CONTAINER_FOLDERS and (root / only).is_dir()
    return root / only if is_container else root


def split_off(path: Path, root: Path) -> tuple[Split | None, Path]:
    """Return the split that the first folder below the root names, and the path without that folder."""
    relative = path.relative_to(root)
    split = SPLIT_FOLDERS.get(relative.parts[0].casefold()) if len(relative.parts) > 1 else None
    return split, Path(*relative.parts[1:]) if split else relative


def _list_folder_classes(paths: list[Path], root: Path, options: ReadOptions, builder: PlanBuilder) -> list[str]:
    """Return the names of the innermost folders; those that are not in the user's list are reported."""
    named = dict.fromkeys(split_off(path, root)[1].parent.name for path in paths)
    classes = [name for name in named if name and builder.is_accepted(name)]
    for name in named:
        if name and not builder.is_accepted(name):
            builder.report(root / name, f"the class {name!r} is not in the list; its images come without a label")
    return classes
