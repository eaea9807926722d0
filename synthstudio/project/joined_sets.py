"""Entering a set into a project that was made in parts, on several machines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from synthstudio.core.synthesis.joining import JoinedSet, read_part
from synthstudio.core.synthesis.manifest import HEADER_NAME
from synthstudio.core.synthesis.sets import write_made_set
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import SetName
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import Changes, Generator, SyntheticSet
from synthstudio.project.project import Project
from synthstudio.settings.recipe import settings_from_toml


def find_part(place: Path, name: str) -> Path:
    """Return the folder of a part: the named one, or that of the set of this name in the named project.

    Raises:
        UserError: There is no such folder, or the project has no set of this name; those that it has are named.
    """
    if (place / HEADER_NAME).is_file():
        return place
    sets = place / "sets"
    if (sets / name / HEADER_NAME).is_file():
        return sets / name
    if not place.is_dir():
        raise UserError(f"There is no folder {place}.", "Name the folder of a part, or a project that holds it.")
    if sets.is_dir():
        known = sorted(each.parent.name for each in sets.glob(f"*/{HEADER_NAME}"))
        raise UserError(
            f"The project {place} has no set {name}.",
            f"Its sets are: {', '.join(known)}. Name the folder of the set, {sets / known[0]} for example."
            if known
            else "It has none yet.",
        )
    return place


def join_set(
    project: Project, name: str, places: Sequence[Path], *, tick: Tick = no_tick
) -> tuple[SyntheticSet, Changes]:
    """Copy the parts of a set into one set of the project.

    A join that was killed is gone on with.

    Args:
        project: Where to.
        name: Of the joined set.
        places: Folders of the parts, or projects that hold them under the same name.
        tick: Called for every image; where it raises, nothing stays behind.

    Raises:
        UserError: There is a set of this name, a part cannot be read, or the parts do not belong together.
    """
    if project.sets.find(name) is not None:
        raise UserError(f'There is already a set "{name}" in the project.', "Choose another name.")
    joined = JoinedSet([read_part(find_part(place, name)) for place in places], name=name)
    settings = settings_from_toml(dict(joined.settings), origin=f"The set {name}")
    summary = write_made_set(project.set_folder(name), joined, joined.indices, tick=tick)
    made = SyntheticSet(
        name=SetName(name),
        generator=Generator(str(joined.values["generator"])),
        run_id=None,
        n_images=summary.n_images,
        manifest_sha256=summary.sha256,
        settings_json=json.dumps(settings.model_dump(mode="json", exclude_none=True), ensure_ascii=False),
        project_state=str(joined.values.get("project_state", "")),
        created_at="",
    )
    return made, project.sets.put(made)
