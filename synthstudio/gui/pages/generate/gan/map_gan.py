"""What the map editor knows of a trained GAN, and the project's own crops to start from. Read off the GUI thread."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from synthstudio.core.synthesis.region_crops import PlannedCrop
from synthstudio.core.synthesis.semantic_maps import MapCoding
from synthstudio.core.training.gan_card import GanCard, read_gan_card
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import ClassId, RunId
from synthstudio.domain.maps import UNKNOWN_TONE
from synthstudio.domain.palette import class_color
from synthstudio.domain.records import ObjectClass, Role, Run
from synthstudio.project import Project
from synthstudio.project.region_crops import CropSplit, list_region_crops
from synthstudio.settings.train_gan import TrainGanSettings

LEARNED_FROM: tuple[CropSplit, ...] = ("train", "val")


@dataclass(frozen=True, slots=True)
class MapGan:
    """A trained GAN as the editor sees it.

    Attributes:
        classes: Its conditions in the order of their codes, under ids that count from 1; colours are the project's.
    """

    run_id: RunId
    card: GanCard
    coding: MapCoding
    classes: dict[ClassId, ObjectClass]

    @property
    def names(self) -> dict[ClassId, str]:
        """Names of the conditions."""
        return {each.id: each.name for each in self.classes.values()}

    @property
    def ids(self) -> dict[str, ClassId]:
        """Ids of the conditions."""
        return {each.name: each.id for each in self.classes.values()}

    @property
    def has_noise(self) -> bool:
        """Whether another seed gives another image."""
        return self.card.network.noise > 0

    @property
    def tones(self) -> tuple[tuple[int, str], ...]:
        """Tones that it can be asked for, in their order, with their names."""
        known = tuple(enumerate(self.card.tone_levels, start=1))
        if not known:
            return ((UNKNOWN_TONE, "none"),)
        return ((UNKNOWN_TONE, "unknown"), *known) if self.coding.has_unknown else known


def read_map_gan(project: Project, run: Run) -> MapGan:
    """Read the GAN of a run. Raises UserError where there is none."""
    card = read_gan_card(project.run_folder(run.id))
    colors = {each.name: each.color for each in project.classes.list()}
    classes = {
        ClassId(number): ObjectClass(
            ClassId(number),
            name,
            colors.get(name, class_color(number - 1)),
            str(number) if number < 10 else "",
            Role.OBJECT,
            None,
            None,
        )
        for number, name in enumerate(card.class_names, start=1)
    }
    return MapGan(run.id, card, MapCoding(card.class_names, len(card.tone_levels), card.has_unknown_tone), classes)


def list_own_crops(project: Project, run: Run, coding: MapCoding) -> tuple[PlannedCrop, ...]:
    """The crops that a GAN learned from, and those that were set aside; none where their records are gone."""
    try:
        settings = TrainGanSettings.model_validate_json(run.settings_json)
    except ValidationError:
        return ()
    crops: list[PlannedCrop] = []
    for split in LEARNED_FROM:
        try:
            crops += list_region_crops(project, settings, split=split, coding=coding).crops
        except UserError:
            continue  # fields were removed, or classes renamed: an empty map is still there to start from
    return tuple(crops)
