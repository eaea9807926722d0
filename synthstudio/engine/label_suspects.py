"""Annotations that look like another class than they are called, judged by what was learned from other samples.

Nothing that is looked at may follow from the class itself: an object with a box, or a size of its own, is seen
within that; a bare click in discs that are as wide for all classes. Neighbours are faded (`lone_objects`).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.kernel_classifier import MOST_LEARNED, fit_kernel_classifier
from synthstudio.core.evaluation.lone_objects import lone_square
from synthstudio.core.evaluation.object_profile import PROFILE_NAME, describe_objects
from synthstudio.core.evaluation.out_of_fold import divide_folds, predict_out_of_fold
from synthstudio.core.evaluation.wrong_labels import DoubtedLabels, doubt_labels
from synthstudio.core.patches.windows import mean_class_sizes, sizes_on_fov
from synthstudio.core.review.findings import Finding, FoundImage, found
from synthstudio.core.stats import FloatArray
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import ClassId
from synthstudio.domain.records import Annotation, FieldOfView, ObjectClass
from synthstudio.engine.context import JobContext
from synthstudio.project.features import Describer, describe_and_keep, read_store, rows_of
from synthstudio.project.pictures import Picture
from synthstudio.settings.quality import LabelLimits

MOST_SCALES = 4
"""Discs around a bare click."""
SCALE_STEP = 2.0
"""The next disc is about so many times as wide; there are as many as lead from the smallest class to the largest."""
SURROUNDINGS = 1.2
"""The smallest disc, by the size of the smallest class."""
SIZE_SHARE = 0.2
"""What the two sides of objects count in their distance, beside hundreds of other features. With one in twenty labels
of three simulated studies wrong, of as many suspects .85 are wrong where they count like any other feature, .87 from
here to 0.4; without neighbours, and centred at edges (`lone_objects`), .93 are."""
MISTRUSTED = 0.5
"""Labels that are wrong with at least this probability are not learned from when all are judged a second time: objects
like those that were called wrong are no longer pulled along."""
PROFILES = Describer(describe_objects, PROFILE_NAME, PROFILE_NAME)


@dataclass(frozen=True, slots=True)
class MarkedObject:
    """An annotation on its image."""

    fov: FieldOfView
    mark: Annotation

    @property
    def is_sized(self) -> bool:
        """Whether its extent is known from itself, not from its class."""
        return self.mark.box is not None or bool(self.mark.size_px)


@dataclass(frozen=True, slots=True, eq=False)
class JudgedObjects:
    """Objects and what classifiers that have not seen their samples say of them.

    Attributes:
        objects: N of them.
        classes: K classes that were learned.
        labels: `(N,)` place in `classes`.
        doubted: What is said.
    """

    objects: tuple[MarkedObject, ...]
    classes: tuple[ObjectClass, ...]
    labels: NDArray[np.int64]
    doubted: DoubtedLabels


def find_label_suspects(
    fovs: Sequence[FieldOfView], limits: LabelLimits, context: JobContext, *, unfit: Collection[int] = ()
) -> tuple[list[Finding], tuple[str, ...]]:
    """Find annotations whose class is probably wrong; also return what a reader must know.

    Args:
        fovs: Images that can be read.
        limits: What counts as wrong.
        context: Of the job.
        unfit: Annotations that are neither learned from nor judged.

    Raises:
        UserError: The features cannot be written.
    """
    findings: list[Finding] = []
    judged, notes = judge_labels(fovs, limits, context, unfit=unfit)
    for each in judged:
        findings += _findings(each, confidence=limits.confidence)
    findings.sort(key=lambda each: -(each.score or 0.0))
    return findings, notes


def judge_labels(
    fovs: Sequence[FieldOfView], limits: LabelLimits, context: JobContext, *, unfit: Collection[int] = ()
) -> tuple[list[JudgedObjects], tuple[str, ...]]:
    """Judge the classes of all objects, those with an extent of their own and bare clicks each by themselves."""
    marks = context.project.annotations.by_fov()
    classes = context.project.classes.list()
    fit = [(fov, mark) for fov in fovs for mark in marks.get(fov.id, ()) if mark.id not in unfit and _is_sound(mark)]
    objects = [MarkedObject(fov, mark) for fov, mark in fit]
    judged: list[JudgedObjects] = []
    notes: list[str] = []
    for is_sized, one, many in ((True, "object with a box", "objects with a box"), (False, "click", "clicks")):
        own = [each for each in objects if each.is_sized is is_sized]
        if not own:
            continue
        try:
            judged.append(_judge(own, classes, limits, context))
        except UserError as error:
            text = f"class of 1 {one} was" if len(own) == 1 else f"classes of {len(own):,} {many} were"
            notes.append(f"The {text} not checked: {error}")
    return judged, tuple(notes)


def _is_sound(mark: Annotation) -> bool:
    return mark.box is None or min(mark.box.width, mark.box.height) > 0


def _judge(
    objects: Sequence[MarkedObject], classes: Sequence[ObjectClass], limits: LabelLimits, context: JobContext
) -> JudgedObjects:
    """Judge objects of one kind. Raises UserError where there is too little to learn from."""
    objects, groups = _learnable(objects, limits.least_objects)
    kept = {each.mark.class_id for each in objects}
    learned = tuple(each for each in classes if each.id in kept)
    if len(learned) < 2:
        raise UserError(f"No two classes have {limits.least_objects} objects in two samples or more.")
    features, importance = _describe(objects, classes, context)
    place = {each.id: number for number, each in enumerate(learned)}
    rows = np.flatnonzero(np.isfinite(features).all(axis=1)).tolist()
    labels = np.array([place[objects[row].mark.class_id] for row in rows], np.int64)
    shown = tuple(objects[row] for row in rows)
    folds = divide_folds([groups[row] for row in rows], labels)
    if not folds.any():
        raise UserError("Too few of their images can be read.")
    context.stage(f"Doubting the classes of {len(shown):,} objects")
    doubt = partial(_doubt, features[rows], labels, folds, importance, n_classes=len(learned), context=context)
    doubted = doubt(np.ones(len(rows), np.bool_))
    is_trusted = doubted.wrong < MISTRUSTED
    # A class that would be left with nothing to learn from keeps its labels.
    is_trusted |= np.bincount(labels, is_trusted, len(learned))[labels] < limits.least_objects
    if not is_trusted.all():
        doubted = doubt(is_trusted)
    return JudgedObjects(shown, learned, labels, doubted)


def _doubt(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    folds: NDArray[np.int64],
    importance: FloatArray,
    is_trusted: NDArray[np.bool_],
    *,
    n_classes: int,
    context: JobContext,
) -> DoubtedLabels:
    """Hold all labels against what is learned from those of other folds that are trusted."""
    said = predict_out_of_fold(
        features,
        labels,
        folds,
        n_classes=n_classes,
        fit=partial(fit_kernel_classifier, importance=importance),
        is_learned=is_trusted,
        most=MOST_LEARNED,
        tick=context.tick,
    )
    return doubt_labels(said, labels)


def _learnable(objects: Sequence[MarkedObject], least: int) -> tuple[list[MarkedObject], list[int]]:
    """Objects of classes that can be learned from other samples, and the group of each.

    Where all are of one sample, images stand in for samples: their objects may be alike, but they are not the same.
    """
    has_samples = len({each.fov.sample_id for each in objects}) > 1
    group_of = {each.fov.id: int(each.fov.sample_id if has_samples else each.fov.id) for each in objects}
    seen: defaultdict[ClassId, list[int]] = defaultdict(list)
    for each in objects:
        seen[each.mark.class_id].append(group_of[each.fov.id])
    known = {class_id for class_id, groups in seen.items() if len(groups) >= least and len(set(groups)) > 1}
    kept = [each for each in objects if each.mark.class_id in known]
    return kept, [group_of[each.fov.id] for each in kept]


def _describe(
    objects: Sequence[MarkedObject], classes: Sequence[ObjectClass], context: JobContext
) -> tuple[NDArray[np.float32], FloatArray]:
    """`(N, D)` features: of each disc around an object, and the logarithms of its sides where they are its own;
    and `(D,)` how much each counts."""
    pictures = [_alone(each) for each in objects] if objects[0].is_sized else list(_discs(objects, classes))
    store = read_store(context.project, sha256=PROFILES.sha256, name=PROFILES.name)
    context.stage(f"Describing {len(objects):,} objects")
    describe_and_keep(context.project, pictures, store, PROFILES, tick=context.tick)
    rows = rows_of(store, pictures)
    if not rows.shape[1]:
        raise UserError("None of their images can be read.")
    seen = rows.reshape(len(objects), -1)
    looks = np.full(seen.shape[1], (1 - SIZE_SHARE) / seen.shape[1])
    if not objects[0].is_sized:
        return seen, looks
    sides = _log_sides(objects)
    sizes = np.full(sides.shape[1], SIZE_SHARE / sides.shape[1])
    return np.concatenate([seen, sides], axis=1), np.concatenate([looks, sizes])


def _alone(item: MarkedObject, *, side: float = 0.0) -> Picture:
    """The picture of an object, or of what is so wide around a bare click, without its neighbours."""
    box = item.mark.extent(side)
    return Picture(item.fov, window=lone_square(box, width=item.fov.width, height=item.fov.height), outline=box)


def _discs(objects: Sequence[MarkedObject], classes: Sequence[ObjectClass]) -> Iterator[Picture]:
    """Discs around each click, as wide for all classes; those of one click stand together."""
    measured = mean_class_sizes([each.mark for each in objects])
    scales: dict[float | None, tuple[float, ...]] = {}
    for each in objects:
        calibration = each.fov.um_per_px
        if calibration not in scales:
            scales[calibration] = _scales(sizes_on_fov(classes, calibration, measured))
        for side in scales[calibration]:
            yield _alone(each, side=side)


def _scales(sizes: Mapping[ClassId, float]) -> tuple[float, ...]:
    """Diameters in px that lead from the smallest class to the largest. Raises UserError where no size is known."""
    known = [size for size in sizes.values() if size]
    if not known:
        raise UserError("Their classes have no size.", "Give each class a mean size.")
    least, most = min(known), max(known)
    n_scales = min(MOST_SCALES, 1 + round(math.log(most / least, SCALE_STEP)))
    return tuple(float(side) for side in np.geomspace(SURROUNDINGS * least, SURROUNDINGS * most, n_scales))


def _log_sides(objects: Iterable[MarkedObject]) -> NDArray[np.float32]:
    """`(N, 2)` logarithms of width and height, in um where all images are calibrated."""
    items = list(objects)
    is_calibrated = all(each.fov.um_per_px for each in items)
    found = []
    for each in items:
        box, per_px = each.mark.extent(0.0), (each.fov.um_per_px or 1.0) if is_calibrated else 1.0
        found.append((math.log(box.width * per_px), math.log(box.height * per_px)))
    return np.array(found, np.float32)


def _findings(judged: JudgedObjects, *, confidence: float) -> Iterator[Finding]:
    doubted = judged.doubted
    for row in doubted.suspects(confidence=confidence).tolist():
        item = judged.objects[row]
        given, other = judged.classes[judged.labels[row]].name, judged.classes[doubted.other[row]].name
        own, likely = float(doubted.own[row]), float(doubted.likely[row])
        yield found(
            "label-suspect",
            f"Looks like {other}, not {given} ({likely:.0%} against {own:.0%}), judged by objects of other samples.",
            images=[FoundImage.of(item.fov)],
            marks=[item.mark],
            class_name=given,
            other_class=other,
            score=round(float(doubted.wrong[row]), 4),
        )
