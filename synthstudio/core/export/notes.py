"""What a format cannot say, in sentences for the user."""

from collections.abc import Sequence

from synthstudio.core.export.datasets import ExportImage
from synthstudio.domain.records import Role


def note_centers(images: Sequence[ExportImage]) -> list[str]:
    """Say how many centres other programs will see as boxes."""
    n = sum(not mark.annotation.is_box for image in images for mark in image.marks)
    return [f"{_count(n, 'centre is', 'centres are')} written as boxes of the size of object or class."] if n else []


def note_boxes(images: Sequence[ExportImage]) -> list[str]:
    """Say how many boxes are reduced to their middle, and how many sizes are lost."""
    n_boxes = sum(mark.annotation.is_box for image in images for mark in image.marks)
    n_sizes = sum(mark.annotation.size_px is not None for image in images for mark in image.marks)
    notes = [f"{_count(n_boxes, 'box is', 'boxes are')} written as centres."] if n_boxes else []
    return [*notes, f"The own size of {_count(n_sizes, 'object is', 'objects is')} not written."] if n_sizes else notes


def note_artifacts(images: Sequence[ExportImage]) -> list[str]:
    """Say which artifacts other programs will take for objects."""
    classes = (mark.object_class for image in images for mark in image.marks)
    names = dict.fromkeys(each.name for each in classes if each.role is Role.ARTIFACT)
    return [f"The format knows no artifacts; written like objects: {', '.join(names)}."] if names else []


def note_partial(images: Sequence[ExportImage]) -> list[str]:
    """Say how many images have objects that will pass for background."""
    n = sum(not image.fov.state.is_complete for image in images)
    verb = "is" if n == 1 else "are"
    return (
        [f"{_count(n, 'image', 'images')} {verb} only partly annotated; unmarked objects count as background."]
        if n
        else []
    )


def note_states(images: Sequence[ExportImage]) -> list[str]:
    """Say how many images are complete, where the format does not tell."""
    n = sum(image.fov.state.is_complete for image in images)
    verb = "is" if n == 1 else "are"
    return [f"The format cannot say that {_count(n, 'image', 'images')} {verb} annotated exhaustively."] if n else []


def _count(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"
