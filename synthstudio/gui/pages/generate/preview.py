"""The live preview: composites made off the GUI thread, the latest wish first."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, Signal

from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.patches.generated import is_generated
from synthstudio.core.synthesis.composer import Composer, Composite
from synthstudio.domain.ids import ClassId
from synthstudio.domain.progress import Tick
from synthstudio.gui.widgets.image_grid import GridBox, GridImage, to_qimage
from synthstudio.gui.workspace import Workspace
from synthstudio.settings.compose import CompositionSettings

SLICE_S = 0.012
"""Time for one slice of work: a newer wish waits no longer than this, and large canvases appear one by one."""
PLANS_S = 0.1
N_PLANS = 64
"""Images that are planned (not drawn) to tell how many objects find a place."""


@dataclass(frozen=True, slots=True)
class PreviewWish:
    """What is to be seen: `n_images` images of a seed from number `first` on."""

    bank: PatchBank = field(repr=False)
    settings: CompositionSettings
    seed: int
    n_images: int
    first: int = 0
    asked_at: float = field(default_factory=time.perf_counter, compare=False)


@dataclass(frozen=True, slots=True)
class PlacementFacts:
    """Expected objects per image, artifacts included, and how often each class is present.

    Attributes:
        n_wanted: Mean number drawn.
        n_placed: Mean number that found a place.
        mean_by_class: Mean number per image.
        presence_by_class: Share of the images that show the class.
    """

    n_wanted: float
    n_placed: float
    mean_by_class: Mapping[ClassId, float]
    presence_by_class: Mapping[ClassId, float]


@dataclass(frozen=True, slots=True)
class PreviewSlice:
    """Some images of a wish: those from its `first`-th on. `facts` come with the last slice."""

    wish: PreviewWish
    first: int
    images: tuple[GridImage, ...]
    facts: PlacementFacts | None


class PreviewMaker(QObject):
    """Makes one wish at a time; a newer wish takes the place of all older ones that have not begun."""

    slice_ready = Signal(object)
    preview_failed = Signal(object)

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._next: PreviewWish | None = None
        self._current: PreviewWish | None = None
        self._is_busy = False
        self._composer: tuple[PreviewWish, Composer] | None = None

    def make(self, wish: PreviewWish) -> None:
        """Ask for a preview; it arrives in slices."""
        self._next = wish
        if not self._is_busy:
            self._start(wish, 0)

    def forget(self) -> None:
        """Drop what is asked for and the memory of what was made."""
        self._next = None
        self._composer = None

    def _start(self, wish: PreviewWish, first: int) -> None:
        self._is_busy = True
        self._current = wish
        self._workspace.background.run(
            lambda tick: self._work(wish, first, tick), done=self._on_done, failed=self._on_failed, owner=self
        )

    def _work(self, wish: PreviewWish, first: int, tick: Tick) -> PreviewSlice:
        """One slice; never two at a time, so that the composer is used by one thread."""
        started = time.perf_counter()
        kept = self._composer
        if kept is None or kept[0] != wish or kept[0].bank is not wish.bank:
            if kept is not None and kept[0].bank is wish.bank and kept[0].seed == wish.seed:
                composer = kept[1].with_settings(wish.settings)
            else:
                composer = Composer(wish.bank, wish.settings, seed=wish.seed)
            self._composer = (wish, composer)
        else:
            composer = kept[1]
        colors = {item.id: item.color for item in wish.bank.classes}
        images: list[GridImage] = []
        while first + len(images) < wish.n_images and (not images or time.perf_counter() - started < SLICE_S):
            tick(first + len(images), wish.n_images)
            images.append(to_grid_image(composer.compose(wish.first + first + len(images)), colors))
        is_last = first + len(images) >= wish.n_images
        return PreviewSlice(wish, first, tuple(images), placement_facts(composer) if is_last else None)

    def _on_done(self, made: PreviewSlice) -> None:
        self._is_busy = False
        wish = self._next
        # An older wish is shown too: while a slider is dragged the picture must follow, not wait for the hand to stop.
        self.slice_ready.emit(made)
        if wish is not None and wish is not made.wish:
            self._start(wish, 0)
        elif wish is not None and made.facts is None:
            self._start(wish, made.first + len(made.images))
        else:
            self._next = None

    def _on_failed(self, error: Exception) -> None:
        self._is_busy = False
        wish, self._next = self._next, None
        self.preview_failed.emit(error)
        if wish is not None and wish is not self._current:
            self.make(wish)


def to_grid_image(composite: Composite, colors: Mapping[ClassId, str]) -> GridImage:
    """A composite with the boxes of its objects; those without a label are quiet."""
    boxes = tuple(
        GridBox(
            item.box.x0,
            item.box.y0,
            item.box.x1,
            item.box.y1,
            colors[item.class_id],
            is_quiet=not item.has_label,
            source=None if is_generated(item.fov_id) else (item.fov_id, item.annotation_id),
        )
        for item in composite.objects
    )
    return GridImage(to_qimage(composite.image), boxes, f"Image {composite.index}")


def placement_facts(composer: Composer, *, n_plans: int = N_PLANS, budget_s: float = PLANS_S) -> PlacementFacts:
    """Expected objects per image, from plans alone: as many as the time allows, at least one."""
    started = time.perf_counter()
    patches = composer.bank.patches
    n_wanted = n_placed = n_done = 0
    counts: dict[ClassId, int] = {}
    present: dict[ClassId, int] = {}
    for index in range(n_plans):
        plan = composer.plan(index)
        n_done += 1
        n_wanted += plan.n_wanted
        n_placed += len(plan.objects)
        classes = [patches[item.patch].class_id for item in plan.objects]
        for class_id in classes:
            counts[class_id] = counts.get(class_id, 0) + 1
        for class_id in set(classes):
            present[class_id] = present.get(class_id, 0) + 1
        if time.perf_counter() - started > budget_s:
            break
    return PlacementFacts(
        n_wanted=n_wanted / n_done,
        n_placed=n_placed / n_done,
        mean_by_class={class_id: count / n_done for class_id, count in counts.items()},
        presence_by_class={class_id: count / n_done for class_id, count in present.items()},
    )
