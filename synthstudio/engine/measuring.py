"""What a measurement compares: which images there are for a set, or a GAN, and what a reader must know about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from pydantic import ValidationError

from synthstudio.core.imaging import ImageArray
from synthstudio.core.synthesis.manifest import SetFiles
from synthstudio.core.synthesis.set_header import SetHeader, read_set_header
from synthstudio.core.training.gan_card import GanCard, read_gan_card
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
from synthstudio.engine.features import Described, FeatureExtractor, describe
from synthstudio.engine.gan_drawing import coding_of, open_gan
from synthstudio.project import Project
from synthstudio.project.gans import find_gan
from synthstudio.project.patches import list_train_fovs
from synthstudio.settings.compose import ComposeSettings
from synthstudio.settings.measure import MeasureSettings
from synthstudio.settings.train_gan import TrainGanSettings

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


def gather_material(settings: MeasureSettings, context: JobContext, extractor: FeatureExtractor) -> Material:
    """Read, or make, all images and describe them.

    Raises:
        NotFound: There is no such set or run.
        UserError: There is no GAN, the split has no images, or one cannot be read.
    """
    gathering = _Gathering(settings, context, extractor)
    if not settings.set_name:
        return gathering.of_gan(find_gan(context.project, settings.run))
    if context.project.sets.get(settings.set_name).generator is Generator.COMPOSITED:
        return gathering.of_composites()
    return gathering.of_generated()


@dataclass(frozen=True, slots=True)
class _Gathering:
    """Reads and describes images, as the settings want them."""

    settings: MeasureSettings
    context: JobContext
    extractor: FeatureExtractor

    @property
    def _project(self) -> Project:
        return self.context.project

    def of_gan(self, run: RunId) -> Material:
        """What a GAN makes of the maps of held-out crops."""
        folder = self._project.run_folder(run)
        card = read_gan_card(folder)
        real, learned, notes = self._describe_real(self._region_reader(run, card), card, LOSSLESS)
        self.context.stage("Making images")
        artist = open_gan(folder, scratch=self.context.run_dir, device=self.context.device)

        def draw(facts: ImageFacts) -> ImageArray:
            assert facts.request is not None  # it was read with one
            return artist.draw(facts.request, seed=self.settings.seed, index=facts.number)

        synthetic = self._describe(make_images(real.images, draw, self.context.tick))
        said = (
            "Images were made from the maps of held-out crops; no draw compares real ones with such of their own maps."
        )
        return Material("run", run, synthetic, real, learned, draw, (said, *notes))

    def of_generated(self) -> Material:
        """A set that GANs have made."""
        name = self.settings.set_name
        header = read_set_header(self._project.set_folder(name))
        run = _gan_behind(self._project, header, name)
        card = read_gan_card(self._project.run_folder(run))
        synthetic = self._describe_set(card.side)
        real, learned, notes = self._describe_real(self._region_reader(run, card), card, header.files)
        if len(header.gans) > 1:
            notes = (f"{len(header.gans)} GANs made the set; real crops are cut as those of {run} were.", *notes)
        return Material("set", name, synthetic, real, learned, None, notes)

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
        self, read: _Reader, card: GanCard, files: SetFiles
    ) -> tuple[Described, Described, tuple[str, ...]]:
        """The held-out crops and those that a GAN learned from, and what to say about them."""
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

    def _region_reader(self, run: RunId, card: GanCard) -> _Reader:
        project, tick = self._project, self.context.tick
        try:
            training = TrainGanSettings.model_validate_json(project.runs.get(run).settings_json)
        except ValidationError as error:
            raise UserError(
                f"The run {run} was made by another version of SynthStudio.", "Train the GAN again."
            ) from error

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


def _gan_behind(project: Project, header: SetHeader, name: str) -> RunId:
    """The first GAN of a set that is still there. Raises UserError where none is."""
    for run in header.gans:
        try:
            return project.runs.get(RunId(run)).id
        except NotFound:
            continue
    raise UserError(
        f"The training of the GAN behind the set {name} is not in this project any more, so it is not known how real"
        " images have to be cut to stand beside it.",
        "Measure a set whose GAN is still there.",
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
