"""Checks of classes, splits and provenance: what a training or its scores would lack, or know too much of."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from synthstudio.core.review.findings import Finding, FoundImage, found
from synthstudio.domain.ids import ClassId, FovId
from synthstudio.domain.records import Annotation, FieldOfView, ObjectClass, Role, Split
from synthstudio.settings.quality import CheckName

Marks = Mapping[FovId, Sequence[Annotation]]
USUALLY_MARKED = 0.9
"""Where at least this share of the finished images shows an object, one without any is worth a look."""


def find_class_gaps(
    fovs: Sequence[FieldOfView], annotations: Marks, classes: Sequence[ObjectClass]
) -> Iterator[Finding]:
    """Find classes without annotations, and those that a split lacks. A project without annotations has no gaps yet."""
    counts: Counter[tuple[ClassId, Split | None]] = Counter()
    for fov in fovs:
        counts.update((mark.class_id, fov.split) for mark in annotations.get(fov.id, ()))
    totals: Counter[ClassId] = Counter()
    for (class_id, _), n in counts.items():
        totals[class_id] += n
    marked = [split for split in Split if any(n for (_, of), n in counts.items() if of is split)]
    for each in classes:
        if totals and not totals[each.id]:
            yield found("empty-class", f"No object of {each.name} is annotated.", class_name=each.name)
        if each.role is not Role.OBJECT or not totals[each.id]:
            continue
        for split in marked:
            if counts[each.id, split]:
                continue
            # What no training can see is an error; what no score can tell is a gap.
            is_unlearned = split is Split.TRAIN
            yield found(
                "class-missing-in-split",
                f"{each.name} is annotated {totals[each.id]} times, but never in the {split.value} split.",
                class_name=each.name,
                severity="error" if is_unlearned else None,
            )


def find_unmarked(fovs: Sequence[FieldOfView], annotations: Marks) -> Iterator[Finding]:
    """Find images that are said to be done but show no object, where nearly all others do."""
    done = [fov for fov in fovs if fov.state.is_complete]
    bare = [fov for fov in done if not annotations.get(fov.id)]
    if bare and len(bare) <= (1 - USUALLY_MARKED) * len(done):
        for fov in bare:
            yield found("unmarked-image", f"{fov.name} is done, but has no annotations.", images=[FoundImage.of(fov)])


def find_leaks(
    set_name: str, sources: Mapping[FovId, frozenset[FovId]], images: Mapping[FovId, str], fovs: Sequence[FieldOfView]
) -> Iterator[Finding]:
    """Find images of a set that were made from held-out FOVs, by its own account: certain, not guessed.

    Args:
        set_name: Of the set.
        sources: FOVs that each image of the set goes back to, by its id.
        images: Name of each image of the set by its id.
        fovs: Those of the project.
    """
    known = {fov.id: fov for fov in fovs}
    made_of: defaultdict[FovId, list[FoundImage]] = defaultdict(list)
    for image, behind in sorted(sources.items()):
        for fov_id in behind:
            fov = known.get(fov_id)
            if fov is None or fov.split in (Split.TEST, Split.VAL):
                made_of[fov_id].append(FoundImage(fov=image, name=images.get(image, str(image)), set=set_name))
    for fov_id, made in sorted(made_of.items()):
        yield _leak(set_name, known.get(fov_id), fov_id, made)


def _leak(set_name: str, fov: FieldOfView | None, fov_id: FovId, made: Sequence[FoundImage]) -> Finding:
    check: CheckName
    if fov is None:
        check, what = "set-source-gone", f"the field of view {fov_id}, which is not in the project any more"
    else:
        check = "set-from-test" if fov.split is Split.TEST else "set-from-val"
        what = f"{fov.name} of the {fov.split.value if fov.split else ''} split"
    reason = f"{len(made)} of the images of the set {set_name} were made from {what}."
    return found(check, reason, images=made, set_name=set_name)
