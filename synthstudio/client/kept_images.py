"""Images that somebody keeps from the map editor or a sweep, in a set of the project."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from synthstudio.core.imaging import ImageArray
from synthstudio.core.synthesis.generated import GeneratedImage
from synthstudio.core.synthesis.kept import KEPT_SETTINGS, KeptSet, append_images, remove_last_images
from synthstudio.core.synthesis.origins import MapOrigin
from synthstudio.core.training.map_origin import read_map_origin
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId, SetName
from synthstudio.domain.maps import MapRequest
from synthstudio.domain.records import Changes, Generator, SyntheticSet, changes
from synthstudio.project import Project


@dataclass(frozen=True, slots=True)
class KeptImage:
    """A generated image, `(S, S, 3)` uint8 RGB, as the engine drew it from this map.

    Attributes:
        run_id: Run of the generator.
        seed, noise_index: Of the random numbers that entered with the map.
    """

    image: ImageArray
    request: MapRequest
    run_id: RunId
    seed: int
    noise_index: int = 0


def keep_images(project: Project, set_name: str, images: Sequence[KeptImage]) -> Changes:
    """Add images with their maps, boxes and provenance to a set, which is made where there is none.

    Raises:
        UserError: The project is read-only; the set was written by a job, or its images have another size; the
            generator is gone or was trained further since the set was begun, or is of another kind.
    """
    if not images:
        return changes()
    known = project.sets.find(set_name)
    folder = project.set_folder(set_name)
    if known is not None and json.loads(known.settings_json) != KEPT_SETTINGS:
        raise UserError(
            f"The set {set_name} was written by a job, from its settings alone; nothing can be added to it.",
            "Choose another name.",
        )
    origins: dict[RunId, MapOrigin] = {}
    made = []
    for each in images:
        if each.run_id not in origins:
            origins[each.run_id] = read_map_origin(project.run_folder(each.run_id))
        noise = each.seed, each.noise_index
        made.append((GeneratedImage(each.image, each.request, noise), origins[each.run_id]))
    generator = made[0][1].generator
    return _record(project, set_name, append_images(folder, made), known, generator=generator)


def remove_kept_images(project: Project, set_name: str, n_images: int) -> Changes:
    """Take back the images that were kept last; a set that has none left is forgotten.

    Raises:
        NotFound: There is no such set.
        UserError: It is not a set of kept images, has not as many, or cannot be written.
    """
    known = project.sets.get(set_name)
    left = remove_last_images(project.set_folder(set_name), n_images)
    if not left.n_images:
        return project.sets.remove(set_name)
    return project.sets.update(_updated(known, left))


def _updated(known: SyntheticSet, now: KeptSet) -> SyntheticSet:
    return replace(known, n_images=now.n_images, manifest_sha256=now.sha256)


def _record(
    project: Project, set_name: str, now: KeptSet, known: SyntheticSet | None, *, generator: Generator
) -> Changes:
    if known is not None:
        return project.sets.update(_updated(known, now))
    return project.sets.put(
        SyntheticSet(
            name=SetName(set_name),
            generator=generator,
            run_id=None,
            n_images=now.n_images,
            manifest_sha256=now.sha256,
            settings_json=json.dumps(dict(KEPT_SETTINGS)),
            project_state="",
            created_at="",
        )
    )
