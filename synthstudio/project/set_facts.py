"""What the manifest of a set says about its images, for counts and reports."""

from __future__ import annotations

import json

from synthstudio.core.imaging import read_bytes
from synthstudio.core.review.verdict_counts import ImageFacts
from synthstudio.core.synthesis.manifest import MANIFEST_NAME
from synthstudio.domain.errors import UserError
from synthstudio.project.project import Project


def list_image_facts(project: Project, set_name: str) -> list[ImageFacts]:
    """Read all lines of a set's manifest.

    Raises:
        NotFound: There is no such set.
        UserError: Its manifest is missing or damaged.
    """
    known = project.sets.get(set_name)
    facts = []
    try:
        for line in read_bytes(project.set_folder(known.name) / MANIFEST_NAME).splitlines():
            entry = json.loads(line)
            facts.append(
                ImageFacts(
                    index=int(entry["index"]),
                    labels=tuple(str(each) for each in entry["labels"]),
                    tone=str(entry.get("tone") or ""),
                    prompt=str(entry.get("prompt") or ""),
                    generator=str(entry.get("generator", known.generator)),
                )
            )
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"The manifest of the set {set_name} is damaged: {error}.", "Verify the set.") from error
    return facts
