"""What is in which split: samples, FOVs and objects per class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from synthstudio.domain.ids import ClassId, FovId, SampleId
from synthstudio.domain.records import FieldOfView, ObjectClass, Role, Split


@dataclass(frozen=True, slots=True)
class SampleContent:
    """What a sample brings to its split."""

    n_fovs: int = 0
    n_objects: Mapping[ClassId, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SplitContent:
    """What is in a split."""

    n_samples: int
    n_fovs: int
    n_objects: Mapping[ClassId, int]


def sample_contents(
    fovs: Sequence[FieldOfView], counts: Mapping[FovId, Mapping[ClassId, int]]
) -> dict[SampleId, SampleContent]:
    """Add up the FOVs of each sample."""
    n_fovs = Counter(fov.sample_id for fov in fovs)
    objects: dict[SampleId, Counter[ClassId]] = {sample_id: Counter() for sample_id in n_fovs}
    for fov in fovs:
        objects[fov.sample_id].update(counts.get(fov.id, {}))
    return {sample_id: SampleContent(n, dict(objects[sample_id])) for sample_id, n in n_fovs.items()}


def split_contents(
    contents: Mapping[SampleId, SampleContent], division: Mapping[SampleId, Split | None]
) -> dict[Split | None, SplitContent]:
    """Add up the samples of each split, and of those in none."""
    found: dict[Split | None, SplitContent] = {}
    for split in (*Split, None):
        chosen = [contents.get(each, SampleContent()) for each, part in division.items() if part is split]
        objects: Counter[ClassId] = Counter()
        for content in chosen:
            objects.update(content.n_objects)
        found[split] = SplitContent(len(chosen), sum(content.n_fovs for content in chosen), dict(objects))
    return found


def split_warnings(contents: Mapping[Split | None, SplitContent], classes: Sequence[ObjectClass]) -> list[str]:
    """Say which class is missing in which split that is in use, where it exists in another.

    A class that is not in train cannot be learned; one that is not in val or test cannot be judged.
    """
    used = [split for split in Split if contents[split].n_samples]
    warnings = []
    for each in classes:
        if each.role is not Role.OBJECT or not any(part.n_objects.get(each.id) for part in contents.values()):
            continue
        missing = [split.value for split in used if not contents[split].n_objects.get(each.id)]
        if missing:
            warnings.append(f"No {each.name} in {' and '.join(missing)}.")
    return warnings
