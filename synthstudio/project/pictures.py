"""The images of a project or a set, and the squares around its marked objects, as pictures that can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from synthstudio.core.evaluation.feature_store import Key, picture_key
from synthstudio.core.evaluation.lone_objects import square_side
from synthstudio.core.patches.windows import mean_class_sizes
from synthstudio.domain.records import Annotation, Box, CropSquare, FieldOfView
from synthstudio.project.project import Project
from synthstudio.project.set_images import list_set_images


@dataclass(frozen=True, slots=True)
class Picture:
    """An image, or an object on it.

    Attributes:
        fov: The image; of a set, as `list_set_images` numbers them.
        set_name: Empty for one of the project.
        mark: The object; None where the image as a whole is meant.
        window: The square around the object.
        outline: The object's box in px of the image, where it is shown alone: what is beside it fades, and the window
            may reach beyond the image (`lone_objects`).
    """

    fov: FieldOfView
    set_name: str = ""
    mark: Annotation | None = None
    window: CropSquare | None = None
    outline: Box | None = None
    key: Key = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", picture_key(self._content_key, self.window))

    @property
    def _content_key(self) -> str:
        box = self.outline
        return self.fov.content_key if box is None else f"{self.fov.content_key}/{box.x0},{box.y0},{box.x1},{box.y1}"


@dataclass(frozen=True, slots=True)
class Pictures:
    """Those of a project or one of its sets."""

    images: tuple[Picture, ...]
    objects: tuple[Picture, ...]


def list_pictures(
    project: Project, set_name: str = "", *, has_images: bool = True, has_objects: bool = True
) -> Pictures:
    """List the images, or their objects, or both, of the project, or of a set where one is named.

    Raises:
        NotFound: There is no such set.
        UserError: Its files are missing or damaged.
    """
    if set_name:
        fovs, marks = list_set_images(project, set_name)
    else:
        fovs, marks = project.fovs.list(), project.annotations.by_fov() if has_objects else {}
    images = tuple(Picture(fov, set_name) for fov in fovs) if has_images else ()
    if not has_objects:
        return Pictures(images, ())
    measured = mean_class_sizes([mark for own in marks.values() for mark in own])
    classes = {each.id: each for each in project.classes.list()}
    objects = []
    for fov in fovs:
        for mark in marks.get(fov.id, ()):
            size = classes[mark.class_id].size_in(fov.um_per_px) or measured.get(mark.class_id, 0.0)
            objects.append(Picture(fov, set_name, mark, object_square(mark, fov, class_size_px=size)))
    return Pictures(images, tuple(objects))


def find_picture(project: Project, number: int, *, is_object: bool, set_name: str = "") -> Picture | None:
    """The picture of an annotation, or of an image, by its id; None where it is gone.

    Raises:
        NotFound: There is no such set.
        UserError: Its files are missing or damaged.
    """
    listed = list_pictures(project, set_name, has_images=not is_object, has_objects=is_object)
    if is_object:
        return next((each for each in listed.objects if each.mark is not None and each.mark.id == number), None)
    return next((each for each in listed.images if each.fov.id == number), None)


def object_square(mark: Annotation, fov: FieldOfView, *, class_size_px: float) -> CropSquare:
    """The square around an object with a little of its surroundings, moved into the image where it is beyond."""
    box = mark.extent(class_size_px)
    side = min(square_side(box), fov.width, fov.height)
    x, y = box.center
    left = min(max(round(x - side / 2), 0), fov.width - side)
    top = min(max(round(y - side / 2), 0), fov.height - side)
    return CropSquare(left, top, side)


def by_image(pictures: Sequence[Picture]) -> list[list[Picture]]:
    """Pictures of one image together, so that it is read once; images in the order in which they are met."""
    groups: dict[str, list[Picture]] = {}
    for each in pictures:
        groups.setdefault(each.fov.content_key, []).append(each)
    return list(groups.values())
