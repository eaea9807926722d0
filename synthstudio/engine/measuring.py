"""What a measurement compares: the images of a set, or a generator, and what a reader must know about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from pydantic import ValidationError

from synthstudio.core.imaging import ImageArray
from synthstudio.core.synthesis.manifest import SetFiles
from synthstudio.core.synthesis.origins import PromptOrigin
from synthstudio.core.synthesis.set_header import SetHeader, read_set_header
from synthstudio.core.training.diffusion_card import read_diffusion_card
from synthstudio.core.training.map_card import MapCard, coding_of
from synthstudio.core.training.map_origin import map_generator, read_map_card
from synthstudio.domain.errors import NotFound, UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import Generator, ObjectClass, Split
from synthstudio.engine.context import JobContext
from synthstudio.engine.data.fields import MarkedReader
from synthstudio.engine.data.measured_images import (
    LOSSLESS,
    ImageFacts,
    MeasuredImage,
    Wanted,
    make_images,
    read_region_images,
    read_set_images,
    read_square_images,
)
from synthstudio.engine.data.whole_images import read_class_images, read_guide_images
from synthstudio.engine.features import Described, Extractor, describe
from synthstudio.engine.map_sets import open_map_artist
from synthstudio.project import Project
from synthstudio.project.gans import find_gan
from synthstudio.project.patches import list_train_fovs
from synthstudio.settings.compose import ComposeSettings
from synthstudio.settings.measure import MeasureSettings
from synthstudio.settings.region_crops import RegionLearning
from synthstudio.settings.train_gan import TrainGanSettings
from synthstudio.settings.train_patch_diffusion import TrainPatchDiffusionSettings

_GENERATORS = ("train-gan", "train-patch-diffusion", "train-diffusion")
"""Trainings that can be named; of the last it is told that it reads no maps."""
MOST_LEARNED = 5000
"""Training images that are searched for copies: their small pictures have to fit into memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """All images of a measurement.

    Attributes:
        target: What is measured, and its name.
        synthetic: Its images.
        real: Held-out real ones.
        learned: Real ones that it learned from, or was composed of.
        draw: Makes one of the synthetic images again, where it lies in no set.
        notes: What a reader must know, each a sentence.
    """

    target: Literal["set", "run"]
    name: str
    synthetic: Described
    real: Described
    learned: Described
    draw: Callable[[ImageFacts], ImageArray] | None = None
    notes: tuple[str, ...] = ()


class _Reader(Protocol):
    def __call__(self, split: Split, wanted: Wanted) -> Iterator[MeasuredImage]:
        """Read the real images of a split."""


def gather_material(settings: MeasureSettings, context: JobContext, extractor: Extractor) -> Material:
    """Read, or make, all images and describe them.

    Raises:
        NotFound: There is no such set or run.
        UserError: There is no generator, the split has no images, or one cannot be read.
    """
    gathering = _Gathering(settings, context, extractor)
    if not settings.set_name:
        runs = context.project.runs
        named = runs.find_named(settings.run, kinds=_GENERATORS).id if settings.run else find_gan(context.project)
        return gathering.of_generator(named)
    if context.project.sets.get(settings.set_name).generator is Generator.COMPOSITED:
        return gathering.of_composites()
    return gathering.of_generated()


@dataclass(frozen=True, slots=True)
class _Gathering:
    """Reads and describes images, as the settings want them."""

    settings: MeasureSettings
    context: JobContext
    extractor: Extractor

    @property
    def _project(self) -> Project:
        return self.context.project

    def of_generator(self, run: RunId) -> Material:
        """What a generator makes of the maps of held-out crops."""
        folder = self._project.run_folder(run)
        if self._project.runs.get(run).kind == "train-diffusion":
            raise UserError(
                f"The model of the run {run} reads prompts, not maps.", "Write a set with it, and measure that."
            )
        card = read_map_card(folder)
        real, learned, notes = self._describe_real(self._region_reader(run, card), card, LOSSLESS)
        self.context.stage("Making images")
        artist = open_map_artist(
            folder, map_generator(folder), scratch=self.context.run_dir, device=self.context.device
        ).artist

        def draw(facts: ImageFacts) -> ImageArray:
            assert facts.request is not None  # it was read with one
            return artist.draw(facts.request, seed=self.settings.seed, index=facts.number)

        synthetic = self._describe(make_images(real.images, draw, self.context.tick))
        said = (
            "Images were made from the maps of held-out crops; no draw compares real ones with such of their own maps."
        )
        return Material("run", run, synthetic, real, learned, draw, (said, *notes))

    def of_generated(self) -> Material:
        """A set that generators have made."""
        name = self.settings.set_name
        header = read_set_header(self._project.set_folder(name))
        if prompted := _prompt_origin(header, name):
            return self._of_prompts(header, prompted)
        run = _generator_behind(self._project, header, name)
        card = read_map_card(self._project.run_folder(run))
        synthetic = self._describe_set(card.side)
        real, learned, notes = self._describe_real(self._region_reader(run, card), card, header.files)
        if len(header.generators) > 1:
            n = len(header.generators)
            notes = (f"{n} generators made the set; real crops are cut as those of {run} were.", *notes)
        return Material("set", name, synthetic, real, learned, None, notes)

    def _of_prompts(self, header: SetHeader, origin: PromptOrigin) -> Material:
        """A set made from prompts, against whole images that show its class; copies of its guide images are found."""
        name, class_name = self.settings.set_name, origin.class_name
        side = min(header.size) if header.size is not None else 0
        split, project, tick = self.settings.split, self._project, self.context.tick
        sources = frozenset(origin.source_fovs)
        synthetic = self._describe_set(side)
        wanted = self._wanted(files=header.files)
        held_out = wanted if split is Split.TRAIN else replace(wanted, left_out=sources)
        self.context.stage("Reading held-out images")
        real = self._describe(
            read_class_images(project, class_name, split=split, side=side, wanted=held_out, tick=tick)
        )
        if not len(real):
            raise UserError(
                f"The {split.value} split has no image that shows {class_name}, and was not learned from.",
                "Choose another split, or put more samples with that class into it.",
            )
        self.context.stage("Reading guide images")
        card = read_diffusion_card(project.run_folder(RunId(origin.run))) if origin.run else None
        guides = project.guides.find(card.guide_set) if card is not None else None
        only = replace(self._wanted(n_most=MOST_LEARNED, files=header.files), only=sources)
        learned = self._describe(read_guide_images(project, guides, class_name, side=side, wanted=only, tick=tick))
        said = f"Real images are the middle squares of those that show {class_name}."
        return Material("set", name, synthetic, real, learned, None, (said, *_split_notes(split)))

    def of_composites(self) -> Material:
        """Composites against squares of whole FOVs, at the scale of the set."""
        name = self.settings.set_name
        header = read_set_header(self._project.set_folder(name))
        made = _compose_settings(header, name)
        read = self._square_reader(header, made)
        synthetic = self._describe_set(min(made.composition.size))
        real, learned = self._describe_both(
            read, self._wanted(files=header.files), self._wanted(n_most=MOST_LEARNED, files=header.files)
        )
        said = "Composites are made of pieces of training images: nearness to these is no sign of copying whole images."
        return Material("set", name, synthetic, real, learned, None, (said, *_split_notes(self.settings.split)))

    def _describe(self, images: Iterator[MeasuredImage]) -> Described:
        return describe(images, self.extractor)

    def _describe_set(self, side: int) -> Described:
        self.context.stage("Reading the set")
        name, tick = self.settings.set_name, self.context.tick
        return self._describe(read_set_images(self._project, name, side=side, wanted=self._wanted(), tick=tick))

    def _wanted(self, *, n_most: int = 0, files: SetFiles = LOSSLESS) -> Wanted:
        return Wanted(max(n_most, self.settings.n_images), self.settings.seed, files=files)

    def _describe_real(
        self, read: _Reader, card: MapCard, files: SetFiles
    ) -> tuple[Described, Described, tuple[str, ...]]:
        """The held-out crops and those that a generator learned from, and what to say about them."""
        learned_from, split = frozenset(card.train_fov_ids), self.settings.split
        wanted = replace(self._wanted(files=files), left_out=learned_from)
        if split is Split.VAL:
            wanted = replace(wanted, only=frozenset(card.validation_fov_ids))
        elif split is Split.TRAIN:
            wanted = replace(wanted, left_out=frozenset())
        learned_wanted = replace(self._wanted(n_most=MOST_LEARNED, files=files), only=learned_from)
        real, learned = self._describe_both(read, wanted, learned_wanted)
        return real, learned, _split_notes(split)

    def _describe_both(self, read: _Reader, held_out: Wanted, learned: Wanted) -> tuple[Described, Described]:
        split = self.settings.split
        self.context.stage("Reading held-out images")
        real = self._describe(read(split, held_out))
        if not len(real):
            raise UserError(
                f"The {split.value} split has no images to measure against that were not learned from.",
                "Choose another split, or put more samples into it.",
            )
        self.context.stage("Reading training images")
        return real, self._describe(read(Split.TRAIN, learned))

    def _region_reader(self, run: RunId, card: MapCard) -> _Reader:
        project, tick = self._project, self.context.tick
        training = _training_of(project, run)

        def read(split: Split, wanted: Wanted) -> Iterator[MeasuredImage]:
            return read_region_images(project, training, coding_of(card), split=split, wanted=wanted, tick=tick)

        return read

    def _square_reader(self, header: SetHeader, made: ComposeSettings) -> _Reader:
        project, side = self._project, min(made.composition.size)
        classes = _labelled_classes(project, header)
        scale = made.patches.working_scale
        reader = MarkedReader(project, classes, sizes_px=[1.0] * len(classes), scale=scale, side=side)

        def read(split: Split, wanted: Wanted) -> Iterator[MeasuredImage]:
            return read_square_images(
                reader,
                [each.name for each in classes],
                list_train_fovs(project) if split is Split.TRAIN else project.fovs.list(split=split),
                side=side,
                min_visible=made.composition.min_visible,
                wanted=wanted,
                tick=self.context.tick,
            )

        return read


def _split_notes(split: Split) -> tuple[str, ...]:
    if split is Split.TRAIN:
        return ("The real images are those that were learned from: near figures may come from copying.",)
    if split is Split.VAL:
        return ("The images of the val split have served to choose trainings: report figures on the test split.",)
    return ()


def _training_of(project: Project, run: RunId) -> RegionLearning:
    """How the crops were cut that a generator learned from. Raises UserError where that cannot be read."""
    found = project.runs.get(run)
    try:
        if found.kind == "train-patch-diffusion":
            return TrainPatchDiffusionSettings.model_validate_json(found.settings_json)
        return TrainGanSettings.model_validate_json(found.settings_json)
    except ValidationError as error:
        raise UserError(f"The run {run} was made by another version of SynthStudio.", "Train it again.") from error


def _prompt_origin(header: SetHeader, name: str) -> PromptOrigin | None:
    """What made a set from prompts; None where it was made from maps. Raises UserError where it is not told."""
    for entry in header.generators.values():
        if entry.get("asked_by") == "prompts":
            try:
                return PromptOrigin.from_json(entry)
            except (KeyError, TypeError, ValueError) as error:
                raise UserError(f"The header of the set {name} is damaged: {error}.", "Write the set again.") from error
    return None


def _generator_behind(project: Project, header: SetHeader, name: str) -> RunId:
    """The first generator of a set that is still there. Raises UserError where none is."""
    for run in header.generators:
        try:
            return project.runs.get(RunId(run)).id
        except NotFound:
            continue
    raise UserError(
        f"The training of the generator behind the set {name} is not in this project any more, so it is not known how"
        " real images have to be cut to stand beside it.",
        "Measure a set whose generator is still there.",
    )


def _compose_settings(header: SetHeader, name: str) -> ComposeSettings:
    try:
        return ComposeSettings.model_validate(header.values.get("settings"))
    except ValidationError as error:
        raise UserError(f"The set {name} was made by another version of SynthStudio.", "Compose it again.") from error


def _labelled_classes(project: Project, header: SetHeader) -> list[ObjectClass]:
    named = header.values.get("classes")
    names = [str(each) for each in named] if isinstance(named, list) else []
    return [each for each in project.classes.list() if each.name in names]
