"""Class activation maps of a trained classifier on whole FOVs: arrays, pictures and peaks."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

import cv2
import numpy as np

from synthstudio.core.evaluation.presence import mean_defined
from synthstudio.core.explanation.maps import Cam, upsample_cam
from synthstudio.core.explanation.overlay import blend_overlay, cam_overlay
from synthstudio.core.explanation.peaks import MapPlace, find_fov_peaks
from synthstudio.core.explanation.records import EXPLAIN_FOLDER, ExplainedClass, FovExplanation, write_explanation
from synthstudio.core.explanation.sanity import rank_correlation
from synthstudio.core.imaging import ImageArray, write_png
from synthstudio.core.patches.bank import scaled
from synthstudio.domain.records import FieldOfView
from synthstudio.engine.cam_maps import MapMaker, scaled_classes, with_random_weights
from synthstudio.engine.context import JobContext
from synthstudio.engine.data.fields import read_fov
from synthstudio.engine.device import choose_device
from synthstudio.engine.fov_choice import choose_fovs
from synthstudio.engine.inference import TrainedClassifier, find_training_run, load_classifier
from synthstudio.protocol.results import ExplainedFov, ExplainResult
from synthstudio.settings.explain import ExplainSettings

PREVIEW_WIDTH_PX = 320
N_PREVIEWS = 4
N_COMPARED = 4
"""So many FOVs are compared with random weights, where that is asked for."""
PARTS = 100
"""Of the work on one FOV, as it is told."""


def run(settings: ExplainSettings, context: JobContext) -> ExplainResult:
    """Explain FOVs.

    Raises:
        UserError: There is no trained classifier, no FOV of that name or split, the method does not suit the network,
            or an image cannot be read.
    """
    began = time.monotonic()
    run_id = find_training_run(context.project, settings.run)
    classifier = load_classifier(context.project.run_folder(run_id), choose_device(context.device))
    fovs = choose_fovs(context.project, settings.fovs, settings.split)
    explainer = _Explainer(settings, context, classifier, run_id)
    explainer.prepare(fovs)
    context.stage("Computing class activation maps")
    explained = tuple(explainer.explain(fov, done, len(fovs)) for done, fov in enumerate(fovs))
    context.tick(len(fovs) * PARTS, len(fovs) * PARTS)
    return ExplainResult(
        run=run_id,
        method=settings.method,
        layer=settings.layer,
        fovs=explained,
        random_correlation=explainer.random_correlation(),
        seconds=round(time.monotonic() - began, 3),
    )


class _Explainer:
    """One execution of the job."""

    def __init__(
        self, settings: ExplainSettings, context: JobContext, classifier: TrainedClassifier, run_id: str
    ) -> None:
        self._settings, self._context, self._run = settings, context, run_id
        self._maker = MapMaker(classifier, settings.method, settings.layer)
        self._random: MapMaker | None = None
        if settings.sanity_check:
            untrained = with_random_weights(classifier, seed=context.seed)
            self._random = MapMaker(untrained, settings.method, settings.layer)
        self._card = classifier.card
        self._classes = self._card.classes
        self._correlations: list[list[float | None]] = []

    def prepare(self, fovs: Sequence[FieldOfView]) -> None:
        """Find thresholds and scale of the method's maps."""
        if self._settings.method != "cam":
            self._context.stage("Finding the scale of the maps on validation images")
            self._classes = scaled_classes(self._maker, self._context.project, fovs, self._context.tick)

    def random_correlation(self) -> dict[str, float | None]:
        """Mean over the FOVs that were compared, of each class."""
        if not self._correlations:
            return {}
        by_class = zip(*self._correlations, strict=True)
        return {each.name: mean_defined(list(values)) for each, values in zip(self._classes, by_class, strict=True)}

    def explain(self, fov: FieldOfView, done: int, n_fovs: int) -> ExplainedFov:
        """Write all files of one FOV."""
        folder = self._context.run_dir / EXPLAIN_FOLDER / str(fov.id)
        folder.mkdir(parents=True, exist_ok=True)
        image = read_fov(fov)
        factor = self._card.working_scale.of(fov)
        small = scaled(image, factor)

        def tick(tile: int, n_tiles: int) -> None:
            self._context.tick(done * PARTS + tile * PARTS // max(1, n_tiles), n_fovs * PARTS)

        tick(0, 1)
        cams, stride = self._maker.make(small, tick)
        correlations = self._compare_random(small, cams) if done < N_COMPARED else [None] * len(cams)
        place = MapPlace.of(fov, stride=stride, factor=factor)
        classes = tuple(
            self._describe(number, cam, place, correlations[number], factor=factor) for number, cam in enumerate(cams)
        )
        for number, (known, cam) in enumerate(zip(classes, cams, strict=True)):
            picture = _picture(image, cam, known, place.stride_px)
            write_png(folder / known.overlay, picture)
            if number == 0 and done < N_PREVIEWS:
                self._context.preview(_shrink(picture), fov.name)
        explanation = FovExplanation(
            run=self._run,
            fov_id=fov.id,
            fov_name=fov.name,
            width=fov.width,
            height=fov.height,
            stride_px=place.stride_px,
            classes=classes,
            method=self._settings.method,
            layer=self._settings.layer,
        )
        write_explanation(folder, explanation, cams)
        relative = folder.relative_to(self._context.run_dir).as_posix()
        return ExplainedFov(fov=fov.id, name=fov.name, folder=relative)

    def _compare_random(self, image: ImageArray, cams: Cam) -> list[float | None]:
        if self._random is None:
            return [None] * len(cams)
        untrained, _ = self._random.make(image)
        found = [rank_correlation(cam, other) for cam, other in zip(cams, untrained, strict=True)]
        self._correlations.append(found)
        return found

    def _describe(
        self, number: int, cam: Cam, place: MapPlace, correlation: float | None, *, factor: float
    ) -> ExplainedClass:
        known = self._classes[number]
        return ExplainedClass(
            name=known.name,
            size_px=known.size_px / factor,
            threshold=known.peak_threshold,
            cam_low=known.cam_low,
            cam_high=known.cam_high,
            peaks=_peaks(cam, known.size_px, place),
            overlay=f"{number + 1}-{_safe_name(known.name)}.png",
            random_correlation=None if correlation is None else round(correlation, 4),
        )


def _picture(image: ImageArray, cam: Cam, known: ExplainedClass, stride_px: float) -> ImageArray:
    pixels = upsample_cam(cam, stride=stride_px, width=image.shape[1], height=image.shape[0])
    return blend_overlay(image, cam_overlay(pixels, vmin=known.cam_low, vmax=known.cam_high))


def _peaks(cam: Cam, size_px: float, place: MapPlace) -> tuple[tuple[float, float, float], ...]:
    found = find_fov_peaks(cam, place, size_px=size_px)
    return tuple((round(x, 2), round(y, 2), float(f"{value:.6g}")) for x, y, value in found.tolist())


def _safe_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name)[:40] or "class"


def _shrink(image: ImageArray) -> ImageArray:
    factor = min(1.0, PREVIEW_WIDTH_PX / image.shape[1])
    size = (max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
