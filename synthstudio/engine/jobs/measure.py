"""Measuring how near synthetic images come to held-out real ones, beside how near real ones come to each other."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain

import numpy as np

from synthstudio.core.evaluation.manifold import LEAST_IMAGES
from synthstudio.core.evaluation.nearest import LEAST_CORRELATION, Neighbours, find_neighbours, near_limits
from synthstudio.core.evaluation.nearest_table import MAX_PAIRS, NEAREST_NAME, NearestTable, NearPair, write_nearest
from synthstudio.core.evaluation.set_figures import Comparison, compare_over_draws
from synthstudio.core.imaging import translate_os_error, write_png
from synthstudio.core.stats import MIN_RELIABLE_GROUPS
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.engine.context import JobContext
from synthstudio.engine.data.measured_images import ImageFacts
from synthstudio.engine.features import Described, FeatureExtractor, open_features
from synthstudio.engine.measuring import Material, gather_material
from synthstudio.protocol.results import MeasuredFigure, MeasuredGroup, MeasureResult
from synthstudio.settings.measure import MeasureSettings

IMAGES_FOLDER = "images"
FEW_IMAGES = 100
"""With fewer in a draw the Fréchet distance is mostly bias."""
MOST_DIFFERENCE = 0.1
"""Of the share of images that show a condition or tone, from which on it is told."""
LEAST_OF_PART = 12
"""In a draw; a condition or tone with fewer gets no figures of its own."""


def run(settings: MeasureSettings, context: JobContext) -> MeasureResult:
    """Measure a set, or a GAN.

    Raises:
        NotFound: There is no such set or run.
        UserError: There are too few images, one cannot be read, or the feature file is of no known network.
    """
    return _Measurement(settings, context).run()


class _Measurement:
    """One execution of the job."""

    def __init__(self, settings: MeasureSettings, context: JobContext) -> None:
        self._settings = settings
        self._context = context

    def run(self) -> MeasureResult:
        """Do the work."""
        began = time.monotonic()
        features = self._context.project.models.find_weights(self._settings.features)
        extractor = open_features(str(features or ""), self._context.device)
        material = gather_material(self._settings, self._context, extractor)
        synthetic, real = material.synthetic, material.real
        self._context.stage("Comparing")
        overall = self._compare("all", real, synthetic, tick=self._context.tick)
        if not overall.n:
            raise _too_few(material)
        by_condition = self._compare_parts(real, synthetic, parts_of=lambda facts: facts.classes)
        by_tone = self._compare_parts(real, synthetic, parts_of=lambda facts: frozenset({facts.tone} - {""}))
        self._context.stage("Looking for copies")
        nearest = self._find_nearest(material)
        return MeasureResult(
            target=material.target,
            name=material.name,
            split=self._settings.split.value,
            features=extractor.name,
            features_sha256=extractor.sha256,
            is_published=extractor.is_published,
            draws=self._settings.draws,
            n_duplicates=(synthetic.n_duplicates, real.n_duplicates),
            overall=overall,
            by_condition=by_condition,
            by_tone=by_tone,
            n_too_near=nearest.n_too_near if nearest is not None else 0,
            nearest=NEAREST_NAME if nearest is not None else "",
            notes=(*material.notes, *_notes(extractor, overall, material)),
            seconds=round(time.monotonic() - began, 3),
        )

    def _compare(self, name: str, real: Described, synthetic: Described, *, tick: Tick = no_tick) -> MeasuredGroup:
        samples = [np.array([each.sample for each in images.images], np.int64) for images in (real, synthetic)]
        found = compare_over_draws(
            real.features,
            samples[0],
            synthetic.features,
            synthetic_groups=samples[1] if samples[1].any() else None,
            n_draws=self._settings.draws,
            seed=self._context.seed,
            tick=tick,
        )
        figures = _to_figures(found) if found is not None else {}
        return MeasuredGroup(
            name=name,
            n_real=len(real),
            n_synthetic=len(synthetic),
            n=found.n if found is not None else 0,
            figures=figures,
        )

    def _compare_parts(
        self, real: Described, synthetic: Described, *, parts_of: Callable[[ImageFacts], frozenset[str]]
    ) -> tuple[MeasuredGroup, ...]:
        """Each condition or tone by itself, where there is more than one; without figures where it has few images."""
        names = sorted(
            {name for images in (real.images, synthetic.images) for each in images for name in parts_of(each)}
        )
        if len(names) < 2:
            return ()
        found: list[MeasuredGroup] = []
        for name in names:
            self._context.tick(len(found), len(names))

            def is_wanted(facts: ImageFacts, wanted: str = name) -> bool:
                return wanted in parts_of(facts)

            part = self._compare(name, real.those(is_wanted), synthetic.those(is_wanted))
            found.append(part if part.n >= LEAST_OF_PART else part.model_copy(update={"n": 0, "figures": {}}))
        return tuple(found)

    def _find_nearest(self, material: Material) -> NearestTable | None:
        """The nearest pairs, written down; None where nothing was learned from that can be looked at."""
        synthetic, learned = material.synthetic, material.learned
        if not len(learned):
            return None

        def find(images: Described) -> Neighbours:
            return find_neighbours(
                images.features, images.pictures, among_features=learned.features, among_pictures=learned.pictures
            )

        found, usual = find(synthetic), find(material.real)
        limits = near_limits(usual)
        too_near = limits.are_too_near(found)
        # Copies by picture first, then by how near their features are: the order in which a person wants to look.
        order = np.lexsort((found.distance, -np.where(found.correlation > limits.correlation, 1, 0)))[:MAX_PAIRS]
        table = NearestTable(
            pairs=tuple(self._pair(material, found, row, is_too_near=bool(too_near[row])) for row in order.tolist()),
            distance_limit=limits.distance,
            correlation_limit=limits.correlation,
            distance=float(np.median(found.distance)),
            held_out_distance=float(np.median(usual.distance)) if len(usual) else None,
            n_images=len(synthetic),
            n_learned=len(learned),
            n_too_near=int(too_near.sum()),
        )
        write_nearest(self._context.run_dir, table)
        return table

    def _pair(self, material: Material, found: Neighbours, row: int, *, is_too_near: bool) -> NearPair:
        by_picture = found.correlation[row] > LEAST_CORRELATION
        real = material.learned.images[int((found.by_correlation if by_picture else found.by_distance)[row])]
        facts = material.synthetic.images[row]
        return NearPair(
            file=facts.file or self._store(facts, material),
            fov=real.fov_id,
            fov_name=real.fov_name,
            window=(real.window.x, real.window.y, real.window.side),
            distance=float(found.distance[row]),
            correlation=float(found.correlation[row]),
            by="picture" if by_picture else "features",
            is_too_near=is_too_near,
        )

    def _store(self, facts: ImageFacts, material: Material) -> str:
        """Make an image of this measurement again and write it; return its path in the run's folder."""
        assert material.draw is not None  # else it lies in a set
        file = f"{IMAGES_FOLDER}/{facts.number:06d}.png"
        path = self._context.run_dir / file
        try:
            path.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise translate_os_error(error, path.parent) from error
        write_png(path, material.draw(facts))
        return file


def _to_figures(found: Comparison) -> dict[str, MeasuredFigure]:
    return {
        name: MeasuredFigure(
            mean=figure.mean,
            ci95=(figure.low, figure.high),
            floor=found.floor[name].mean,
            floor_ci95=(found.floor[name].low, found.floor[name].high),
            difference=found.differences[name].mean,
            difference_ci95=(found.differences[name].low, found.differences[name].high),
        )
        for name, figure in found.figures.items()
    }


def _too_few(material: Material) -> UserError:
    n_samples = len({each.sample for each in material.real.images})
    return UserError(
        f"{len(material.synthetic)} synthetic images and {len(material.real)} real ones of {n_samples} samples are too"
        " few to be compared.",
        f"{LEAST_IMAGES} synthetic images are needed, and two halves of as many real ones with no sample in both.",
    )


def _notes(extractor: FeatureExtractor, overall: MeasuredGroup, material: Material) -> Iterator[str]:
    if not extractor.is_published:
        yield f"The figures are by {extractor.name}: they are not comparable with published FIDs."
    if overall.n < FEW_IMAGES:
        yield (
            f"Each draw has {overall.n} images of either kind: the FID is mostly bias then. Look at how far it is above"
            " its floor, and at the KID."
        )
    n_samples = len({each.sample for each in material.real.images})
    if n_samples < MIN_RELIABLE_GROUPS:
        yield f"Intervals are unreliable: the real images are of {n_samples} samples, fewer than {MIN_RELIABLE_GROUPS}."
    yield from _notes_on_shares(material)
    for images, kind in ((material.synthetic, "synthetic"), (material.real, "real")):
        if images.n_duplicates:
            yield f"{images.n_duplicates} {kind} images were exact repeats of others and were left out."
    if not len(material.learned):
        yield "No training image could be looked at for copies."


def _notes_on_shares(material: Material) -> Iterator[str]:
    """What the two sides show unequally often: that is distance, too, whatever the single images look like."""
    shares = [
        {name: count / len(images) for name, count in Counter(chain(*map(_shown, images.images))).items()}
        for images in (material.synthetic, material.real)
    ]
    names = sorted({*shares[0], *shares[1]})
    if not names:
        return
    made, real = shares
    worst = max(names, key=lambda name: abs(made.get(name, 0.0) - real.get(name, 0.0)))
    if abs(made.get(worst, 0.0) - real.get(worst, 0.0)) > MOST_DIFFERENCE:
        yield (
            f'"{worst}" is on {made.get(worst, 0.0):.0%} of the synthetic and {real.get(worst, 0.0):.0%} of the real'
            " images: such differences are part of the distance. Look at the figures by condition and tone, too."
        )


def _shown(facts: ImageFacts) -> frozenset[str]:
    return facts.classes | frozenset({facts.tone} - {""})
