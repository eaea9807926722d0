"""The images of a synthetic set as FOV and annotation records, for what works on those: exports and views."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import TypedDict, cast

from synthstudio.core.imaging import read_bytes, translate_os_error
from synthstudio.core.synthesis.generated import origin_key
from synthstudio.core.synthesis.instance_masks import InstanceMask
from synthstudio.core.synthesis.manifest import MANIFEST_NAME
from synthstudio.core.synthesis.set_header import SetHeader, read_set_header
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import AnnotationId, ClassId, FovId, SampleId
from synthstudio.domain.records import (
    Annotation,
    AnnotationSource,
    AnnotationState,
    Box,
    FieldOfView,
    Split,
    Storage,
)
from synthstudio.project.project import Project

SetImages = tuple[list[FieldOfView], dict[FovId, list[Annotation]]]


_ObjectEntry = TypedDict(
    "_ObjectEntry",
    {
        "class": str,
        "role": str,
        "labelled": bool,
        "visible": float,
        "fov": int | None,
        "box": tuple[float, float, float, float],
    },
)


class _CanvasEntry(TypedDict):
    fov: int | None


class _ImageEntry(TypedDict, total=False):
    run: str
    model: str
    source_fovs: list[int]
    source_sets: list[str]
    canvas: _CanvasEntry
    objects: list[_ObjectEntry]


def list_set_images(
    project: Project, name: str, *, split: Split = Split.TRAIN, min_visible: float | None = None
) -> SetImages:
    """Return the images of a set, with the boxes of their labelled objects.

    Ids are those of the set alone: image `i` has FOV id `i + 1`. Each image is a sample of its own, in `split`.

    Args:
        project: Where the set is.
        name: Of the set.
        split: Of all its images.
        min_visible: Share of an object that must be seen for it to count; as the set was made with where it is None.

    Raises:
        NotFound: There is no such set.
        UserError: Its files are missing or damaged, or it shows a class that the project has no more.
    """
    folder = project.set_folder(project.sets.get(name).name)
    class_ids = {each.name: each.id for each in project.classes.list()}
    fovs: list[FieldOfView] = []
    annotations: dict[FovId, list[Annotation]] = {}
    try:
        header = read_set_header(folder)
        if header.size is None:
            raise ValueError("the header does not tell the size of the images")
        ids = count(1)
        for line in read_bytes(folder / MANIFEST_NAME).splitlines():
            entry = json.loads(line)
            fov = _to_fov(
                folder / str(entry["file"]), entry["sha256"], index=entry["index"], size=header.size, split=split
            )
            tone = entry.get("request", {}).get("tone") or None
            fov = dataclasses.replace(fov, um_per_px=header.um_per_px, tone=tone)
            fovs.append(fov)
            marks = []
            for _, item in _iter_counted(entry, min_visible):
                marks.append(_to_annotation(item, fov.id, class_ids[item["class"]], number=next(ids)))
            annotations[fov.id] = marks
    except KeyError as error:
        raise UserError(
            f"The set {name} does not fit the project: {error.args[0]} is missing.",
            "Bring the class back, or write the set again.",
        ) from error
    except (ValueError, TypeError) as error:
        raise UserError(f"The files of the set {name} are damaged: {error}.", "Write it again.") from error
    return fovs, annotations


def list_set_masks(project: Project, name: str) -> dict[FovId, InstanceMask]:
    """Return the instance masks of a set by the ids of its images and annotations, see `list_set_images`.

    Images without a mask are absent: most sets have none.

    Raises:
        NotFound: There is no such set.
        UserError: Its files are missing or damaged.
    """
    folder = project.set_folder(project.sets.get(name).name)
    masks: dict[FovId, InstanceMask] = {}
    ids = count(1)
    try:
        for line in read_bytes(folder / MANIFEST_NAME).splitlines():
            entry = json.loads(line)
            numbers = {AnnotationId(next(ids)): number for number, _ in _iter_counted(entry, None)}
            if "mask" in entry:
                path = folder / str(entry["mask"])
                masks[FovId(entry["index"] + 1)] = InstanceMask(path, str(entry["mask_sha256"]), numbers)
    except (KeyError, ValueError, TypeError) as error:
        raise UserError(f"The files of the set {name} are damaged: {error}.", "Write it again.") from error
    return masks


def list_set_sources(project: Project, name: str) -> dict[FovId, frozenset[FovId]]:
    """Return the FOVs of the project that each image of a set goes back to, by the ids of the images.

    Those of which something is seen on a composite; those that the generator of an image has learned from, and the one
    that it started from where it was painted upon a real picture; those that its upscaler has learned from.

    Raises:
        NotFound: There is no such set.
        UserError: Its files are missing or damaged.
    """
    folder = project.set_folder(project.sets.get(name).name)
    header = read_set_header(folder)
    learned: dict[str, frozenset[FovId]] = {}
    sources = {}
    try:
        enlarged_by = frozenset(FovId(each) for each in header.upscaler_fovs)
        for line in read_bytes(folder / MANIFEST_NAME).splitlines():
            entry = json.loads(line)
            sources[FovId(entry["index"] + 1)] = _sources_of(entry, header, learned) | enlarged_by
    except (KeyError, ValueError, TypeError) as error:
        raise UserError(f"The files of the set {name} are damaged: {error}.", "Write it again.") from error
    return sources


def _sources_of(entry: _ImageEntry, header: SetHeader, learned: dict[str, frozenset[FovId]]) -> frozenset[FovId]:
    """FOVs behind one image; `learned` keeps those of each generator, which many images share."""
    key = origin_key(cast("Mapping[str, object]", entry))
    if key is None:
        shown = {*entry["source_fovs"], entry["canvas"]["fov"], *(item["fov"] for item in entry["objects"])}
        for name in entry.get("source_sets", ()):
            shown |= header.fovs_behind(name)
        return frozenset(FovId(each) for each in shown if each is not None)
    if key not in learned:
        learned[key] = frozenset(FovId(each) for each in header.source_fovs(key))
    return learned[key].union(FovId(each) for each in entry.get("source_fovs", ()))


def delete_set_files(project: Project, name: str) -> None:
    """Delete the folder of a set; nothing happens where there is none.

    Raises:
        UserError: It cannot be deleted.
    """
    folder = project.set_folder(name)
    try:
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        raise translate_os_error(error, folder) from error


def _iter_counted(entry: _ImageEntry, min_visible: float | None) -> Iterator[tuple[int, _ObjectEntry]]:
    """Objects that count, with their numbers on the image from 1 from bottom to top."""
    for number, item in enumerate(entry["objects"], start=1):
        if _counts(item, min_visible):
            yield number, item


def _counts(item: _ObjectEntry, min_visible: float | None) -> bool:
    """Whether an object is named by the labels of its image. The manifest gives four decimals of what is seen."""
    if min_visible is None:
        return item["labelled"]
    return item["role"] == "object" and item["visible"] >= min_visible - 5e-5


def _to_fov(path: Path, sha256: str, *, index: int, size: tuple[int, int], split: Split) -> FieldOfView:
    return FieldOfView(
        id=FovId(index + 1),
        sample_id=SampleId(index + 1),
        sample_name=path.stem,
        split=split,
        name=path.name,
        path=str(path),
        storage=Storage.COPY,
        sha256=sha256,
        width=size[0],
        height=size[1],
        um_per_px=None,
        tone=None,
        state=AnnotationState.EXHAUSTIVE,
    )


def _to_annotation(item: _ObjectEntry, fov_id: FovId, class_id: ClassId, *, number: int) -> Annotation:
    mark = Annotation(AnnotationId(number), fov_id, class_id, 0.0, 0.0, source=AnnotationSource.SIMULATED)
    return mark.with_box(Box(*item["box"]))
