"""What the guide page shows, read off the GUI thread: the sets, the pictures of one, and what is off with it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from synthstudio.core.review.guide_checks import LOOK_PX, GuideLook, GuideProblem, check_guides
from synthstudio.core.review.image_facts import ImageFacts, take_facts
from synthstudio.core.synthesis.guide_crops import read_guide
from synthstudio.domain.errors import UserError
from synthstudio.domain.guides import GuideSet
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Box, Role
from synthstudio.gui.background import Task
from synthstudio.gui.canvas.pictures import to_picture
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.guide_material import GuideCrop, list_guide_crops

MOST_PICTURES = 200
"""Kept in memory, 0.25 MB each; others are read again when they come into sight."""

PictureKey = tuple[str, Box | None]


@dataclass(frozen=True, slots=True)
class GuideListing:
    """The guide sets of the project, and the images of the chosen one.

    Attributes:
        sets: All of them, oldest first.
        chosen: The one that is shown; None where there is none.
        crops: Its images, in its order.
        class_names: Classes of objects of the project.
    """

    sets: tuple[GuideSet, ...]
    chosen: GuideSet | None
    crops: tuple[GuideCrop, ...]
    class_names: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class GuidePicture:
    """What a guide image shows; without picture and facts, and with the reason, where it cannot be read."""

    image: QImage | None
    facts: ImageFacts | None
    trouble: str = ""


class GuideReader(QObject):
    """Reads for one panel; an answer that is no longer wanted is dropped.

    Signals:
        listed: (`GuideListing`)
        looked: (`GuideId`) Its picture is there.
        checked: (sequence of `GuideProblem`) What is off with the listed set, once all pictures are there.
        failed: (Exception) The project could not be read.
    """

    listed = Signal(object)
    looked = Signal(object)
    checked = Signal(object)
    failed = Signal(object)

    def __init__(self, workspace: Workspace, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._pictures: OrderedDict[PictureKey, GuidePicture] = OrderedDict()
        self._seen: dict[PictureKey, GuidePicture] = {}
        """All that was looked at, without the pictures."""
        self._in_flight: set[PictureKey] = set()
        self._unseen: set[PictureKey] = set()
        """Of the listed set; once there are none it is checked."""
        self._tasks: list[Task] = []
        self._listing: GuideListing | None = None
        self._side = 512

    def forget(self) -> None:
        """Another project is open."""
        self._stop()
        self._pictures.clear()
        self._seen.clear()
        self._listing = None

    def read(self, project: Project, name: str, *, side: int) -> None:
        """Read the sets anew, and show the one of this name, else the newest; checked for squares of this side."""
        self._stop()
        self._side = side

        def work(_: Tick) -> GuideListing:
            sets = tuple(project.guides.list())
            chosen = next((each for each in sets if each.name == name), sets[-1] if sets else None)
            crops = tuple(list_guide_crops(project, chosen)) if chosen is not None else ()
            names = tuple(each.name for each in project.classes.list() if each.role is Role.OBJECT)
            return GuideListing(sets, chosen, crops, names)

        self._tasks.append(
            self._workspace.background.run(work, done=self._on_listed, failed=self.failed.emit, owner=self)
        )

    def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()
        self._in_flight.clear()

    def _on_listed(self, listing: GuideListing) -> None:
        self._listing = listing
        self.listed.emit(listing)
        self._unseen = {_key(crop) for crop in listing.crops} - self._seen.keys()
        for crop in listing.crops:
            if _key(crop) in self._unseen:
                self._look(crop)
        self._check()

    def find_picture(self, crop: GuideCrop) -> GuidePicture | None:
        """The picture of an image that comes into sight; None while it has yet to be read, which is begun then."""
        known = self._pictures.get(_key(crop))
        if known is None:
            self._look(crop)
        else:
            self._pictures.move_to_end(_key(crop))
        return known

    def _look(self, crop: GuideCrop) -> None:
        key = _key(crop)
        if key in self._in_flight:
            return
        self._in_flight.add(key)

        def done(picture: GuidePicture) -> None:
            self._in_flight.discard(key)
            was_unseen = key in self._unseen
            self._unseen.discard(key)
            self._pictures[key] = picture
            self._seen[key] = replace(picture, image=None)
            while len(self._pictures) > MOST_PICTURES:
                self._pictures.popitem(last=False)
            self.looked.emit(crop.guide.id)
            if was_unseen:
                self._check()

        self._tasks.append(
            self._workspace.background.run(
                lambda _: _look_at(crop),
                done=done,
                failed=self.failed.emit,
                owner=self,
                priority=-1,
                reads_images=True,
            )
        )

    def _check(self) -> None:
        """Check the listed set, once all its pictures are there."""
        listing, side = self._listing, self._side
        if listing is None or listing.chosen is None or self._unseen:
            return
        chosen, seen = listing.chosen, [(crop, self._seen[_key(crop)]) for crop in listing.crops]
        looks = [GuideLook(crop.guide, crop.fov, each.facts, each.trouble) for crop, each in seen]

        def work(tick: Tick) -> list[GuideProblem]:
            return check_guides(chosen, looks, class_names=listing.class_names, side=side, tick=tick)

        self._tasks.append(
            self._workspace.background.run(work, done=self.checked.emit, failed=self.failed.emit, owner=self)
        )


def _key(crop: GuideCrop) -> PictureKey:
    return crop.fov.content_key, crop.guide.box


def _look_at(crop: GuideCrop) -> GuidePicture:
    try:
        pixels = read_guide(crop.fov, crop.guide.box, side=LOOK_PX)
    except UserError as error:
        return GuidePicture(None, None, error.message)
    return GuidePicture(to_picture(pixels), take_facts(pixels))
