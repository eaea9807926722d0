"""What all readers share: the options, and the collecting of good images and problems into one plan."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

from synthstudio.core.annotations.texts import UNSAFE
from synthstudio.core.fields.images import ImageFile, SampleNaming, open_image_file, prove_readable, sample_name
from synthstudio.core.fields.pages import ALL_PAGES, PageChoice, page_name
from synthstudio.core.imaging import read_image_header
from synthstudio.domain.errors import UserError
from synthstudio.domain.os_errors import translate_os_error
from synthstudio.domain.plans import ImportPlan, PlannedAnnotation, PlannedFov, Problem
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import AnnotationState, Split

MAX_TEXT_BYTES = 64 << 20
"""Longest annotation file that is read; real ones have a few kB."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the user may say about a data set that is read.

    Attributes:
        images: Folder of the images, where they do not lie inside the root.
        split: Split of all that is read; wins over what the data set says.
        sample_from: "folder", "stem" (each image its own sample), or a regular expression with one group that is
            searched in the path below the image folder; None for the format's default.
        known_classes: The only classes that are accepted; None accepts all.
        renamed_classes: Accepted as well: they get names of known classes once they are read.
        labels_from_folder: Image folders only: the innermost folder is the class of the image, not its sample.
        pages: Image folders only: the pages of a stack that become images of their own.
        only: Image folders only: the files, and folders with all that is in them, that are read; all where it is empty.
    """

    images: Path | None = None
    split: Split | None = None
    sample_from: str | None = None
    known_classes: Sequence[str] | None = None
    renamed_classes: Collection[str] = ()
    labels_from_folder: bool = False
    pages: PageChoice = ALL_PAGES
    only: frozenset[Path] = frozenset()


DEFAULT_OPTIONS = ReadOptions()


class Reader(Protocol):
    """Reads a data set of one format.

    What is wrong inside the data set becomes a `Problem` of the plan.

    Raises:
        UserError: There is nothing to read: the folder is missing, holds no such files, or an option is wrong.
    """

    def __call__(self, root: Path, options: ReadOptions = ..., *, tick: Tick = ...) -> ImportPlan: ...


@dataclass(frozen=True, slots=True)
class Marks:
    """What was read about one image besides its pixels."""

    split: Split | None = None
    state: AnnotationState = AnnotationState.NONE
    annotations: tuple[PlannedAnnotation, ...] = ()
    labels: tuple[tuple[str, bool], ...] = ()
    caption: str | None = None


NO_MARKS = Marks()


class PlanBuilder:
    """Collects images and problems; keeps names unique within a sample and one split per sample."""

    def __init__(
        self, root: Path, options: ReadOptions, *, default_naming: Literal["folder", "stem"], image_root: Path
    ) -> None:
        self.fovs: list[PlannedFov] = []
        self.problems: list[Problem] = []
        self._root = root
        self._image_root = image_root
        self._options = options
        self._naming = SampleNaming.from_option(options.sample_from, default=default_naming)
        self._names: set[tuple[str, str]] = set()
        self._splits: dict[str, Split | None] = {}
        self._taken: dict[Path, Path] = {}

    @property
    def taken(self) -> set[Path]:
        """The images that an annotation file speaks of."""
        return set(self._taken)

    def report(self, path: Path, message: str, line: int | None = None) -> None:
        """Note a problem with a file."""
        shown = path.relative_to(self._root).as_posix() if path.is_relative_to(self._root) else str(path)
        self.problems.append(Problem(UNSAFE.sub("\ufffd", shown), UNSAFE.sub("\ufffd", message), line))

    def open_image(self, path: Path) -> ImageFile | None:
        """Open an image once; a broken one becomes a problem and is left out."""
        if UNSAFE.search(str(path)):
            self.report(path, "the image is left out: its path holds characters that are no text; rename it")
            return None
        try:
            return open_image_file(path)
        except UserError as error:
            self.report(path, f"the image is left out: {error.message}")
            return None

    def iter_pages(self, path: Path) -> Iterator[ImageFile]:
        """Open an image, or the chosen pages of a stack one by one; broken ones become problems and are left out."""
        n_pages = _count_pages(path)
        chosen = [None] if n_pages == 1 else self._options.pages.pick(n_pages)
        if not chosen:
            self.report(path, f"is left out: it has {n_pages} pages, none of which was asked for")
        first: ImageFile | None = None
        for page in chosen:
            image = self.open_image(path) if page is None else self._open_page(path, page, first)
            first = first or image
            if image is not None:
                yield image

    def _open_page(self, path: Path, page: int, first: ImageFile | None) -> ImageFile | None:
        """Open a page of a stack; `first` is another of its pages, so that the file is hashed only once."""
        try:
            if first is None:
                return open_image_file(path, page=page)
            prove_readable(first.path, page=page)
            return replace(first, page=page)
        except UserError as error:
            self.report(path, f"page {page + 1} is left out: {error.message}")
            return None

    def take_image(self, path: Path, image_path: Path | None, stated: str) -> ImageFile | None:
        """Open the image that an annotation file speaks of; missing, taken and broken ones become problems.

        Args:
            path: The annotation file.
            image_path: Its image, or None where there is none.
            stated: What the file calls it.
        """
        if image_path is None:
            self.report(path, f"its image {stated[:200]!r} is missing; the annotations are left out")
            return None
        other = self._taken.get(image_path)
        if other is not None:
            where = "further up in this file" if other == path else f"from {other.name}"
            self.report(path, f"is left out: {image_path.name} has its annotations {where} already")
            return None
        self._taken[image_path] = path
        return self.open_image(image_path)

    def read_text(self, path: Path, *, max_bytes: int = MAX_TEXT_BYTES) -> bytes | None:
        """Read an annotation file; an unreadable one becomes a problem."""
        try:
            if path.stat().st_size > max_bytes:
                self.report(path, f"is left out: it is larger than {max_bytes >> 20} MB, no annotation file is")
                return None
            return path.read_bytes()
        except OSError as error:
            told = translate_os_error(error, path).message.rstrip(".")
            self.report(path, f"cannot be read: {told}")
            return None

    def is_accepted(self, class_name: str) -> bool:
        """Whether the user's list of classes, if there is one, has this class."""
        known = self._options.known_classes
        return known is None or class_name in known or class_name in self._options.renamed_classes

    def add(
        self, image: ImageFile, marks: Marks = NO_MARKS, *, naming_path: Path | None = None, sample: str = ""
    ) -> None:
        """Add an opened image with its marks.

        Args:
            image: The opened image.
            marks: What is known about it.
            naming_path: Path that the sample is named after, where that is not the image's own.
            sample: What the data set itself says; counts unless the user names samples otherwise.
        """
        if not sample or self._options.sample_from is not None:
            sample = sample_name(naming_path or image.path, self._image_root, self._naming)
        fov = PlannedFov(
            path=image.path,
            name=self._unique_name(image, sample),
            sample=sample,
            split=self._options.split or marks.split,
            sha256=image.sha256,
            width=image.width,
            height=image.height,
            um_per_px=image.um_per_px,
            state=marks.state,
            annotations=marks.annotations,
            labels=marks.labels,
            page=image.page,
            caption=marks.caption,
        )
        self.fovs.append(replace(fov, split=self._split_of_sample(fov)))

    def build(
        self,
        class_names: Sequence[str],
        *,
        sizes_px: dict[str, float] | None = None,
        estimated: frozenset[str] = frozenset(),
        artifacts: frozenset[str] = frozenset(),
        colors: Mapping[str, str] | None = None,
    ) -> ImportPlan:
        """Return the plan; images of a sample all get the split that the sample has in the end."""
        fovs = tuple(replace(fov, split=self._splits[fov.sample]) for fov in self.fovs)
        return ImportPlan(
            fovs,
            tuple(class_names),
            sizes_px or {},
            estimated,
            tuple(self.problems),
            artifacts=artifacts,
            class_colors=dict(colors or {}),
        )

    def _unique_name(self, image: ImageFile, sample: str) -> str:
        path, name = image.path, page_name(image.path.name, image.page)
        if (sample, name) in self._names:
            relative = path.relative_to(self._image_root) if path.is_relative_to(self._image_root) else path
            name = page_name(relative.as_posix(), image.page)
            self.report(path, f"sample {sample!r} has an image of this name already; this one is called {name!r}")
        self._names.add((sample, name))
        return name

    def _split_of_sample(self, fov: PlannedFov) -> Split | None:
        """Return the split of the FOV's sample: the first that was stated."""
        known = self._splits.get(fov.sample)
        if known is not None and fov.split is not None and fov.split != known:
            message = f"is listed as {fov.split}, but its sample {fov.sample!r} is already {known}; it stays {known}"
            self.report(fov.path, message)
        self._splits[fov.sample] = known or fov.split
        return known or fov.split


def _count_pages(path: Path) -> int:
    """Return how many images a file holds; 1 where it cannot be told, which opening it explains."""
    try:
        return 1 if UNSAFE.search(str(path)) else read_image_header(path, page=0).n_pages
    except UserError:
        return 1


def list_classes(fovs: Sequence[PlannedFov]) -> list[str]:
    """Return the classes of all marks and labels in order of their first appearance."""
    marked = (mark.class_name for fov in fovs for mark in fov.annotations)
    labelled = (name for fov in fovs for name, _ in fov.labels)
    return list(dict.fromkeys([*marked, *labelled]))
