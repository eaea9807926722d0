"""Image files looked at one by one: what is wrong with each, and its facts; those of an unchanged file are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from synthstudio.core.evaluation.array_files import AnyArray, read_arrays, write_arrays
from synthstudio.core.imaging import ImageArray, ImageSource, read_overview, sha256_of_file
from synthstudio.core.review.findings import Finding, FoundImage, found
from synthstudio.core.review.image_facts import ImageFacts, take_facts
from synthstudio.core.review.image_figures import FIGURE_NAMES, FigureTable, figures_of
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import FieldOfView
from synthstudio.engine.data.fields import open_fov
from synthstudio.project import Project
from synthstudio.project.image_figures import list_surveys, write_figures
from synthstudio.settings.quality import CheckName

FACTS_NAME = "image_facts.npz"
_VERSION = 2
"""Of the facts: those of another version are taken anew."""
_OVERVIEW_PX = 2048
"""Longer side at which an image is looked at that is too large to be held."""


@dataclass(slots=True, eq=False)
class Survey:
    """What was seen.

    Attributes:
        fovs: Images whose files are as they ought to be.
        facts: Of each of them.
        findings: What is wrong with the others.
        n_reused: Images whose facts were known from an earlier check.
    """

    fovs: list[FieldOfView] = field(default_factory=list)
    facts: list[ImageFacts] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    n_reused: int = 0


class FactStore:
    """Facts by the content of the file, in the folder of each run: the next check looks only at what has changed."""

    def __init__(self, known: dict[str, ImageFacts]) -> None:
        self._known = known

    @classmethod
    def of_newest(cls, project: Project) -> FactStore:
        """Those of the newest job that has finished; none where its file is gone, damaged or of another version."""
        for run in list_surveys(project):
            try:
                return cls(read_arrays(project.run_folder(run.id) / FACTS_NAME, _from_arrays))
            except UserError:  # it only saves time
                continue
        return cls({})

    def find(self, key: str) -> ImageFacts | None:
        """Facts of this content, or None."""
        return self._known.get(key)

    def put(self, key: str, facts: ImageFacts) -> None:
        """Keep facts."""
        self._known[key] = facts

    def write(self, folder: Path) -> None:
        """Write all that is known, and its figures as a small file of their own. Raises UserError where that fails."""
        write_arrays(folder / FACTS_NAME, _to_arrays(self._known))
        write_figures(folder, FigureTable.of(self._known))


def survey_images(fovs: Sequence[FieldOfView], store: FactStore, *, set_name: str = "", tick: Tick) -> Survey:
    """Look at each image: is its file there, the one that was recorded, readable, of the right size?

    Args:
        fovs: FOVs, or images of a set that are read as such.
        store: Of facts; new ones are put there.
        set_name: Of the set.
        tick: Reports, and cancels between two images.
    """
    survey = Survey()
    hashes: dict[str, str] = {}  # the pages of a stack share one file
    for done, fov in enumerate(fovs):
        tick(done, len(fovs))
        known = None
        try:
            if not Path(fov.path).is_file():
                survey.findings.append(_of_file("missing-file", fov, "is not there any more", set_name))
                continue
            if fov.path not in hashes:
                hashes[fov.path] = sha256_of_file(Path(fov.path))
            is_same = hashes[fov.path] == fov.sha256
            known = store.find(fov.content_key) if is_same else None
            facts = known or _look_at(fov)
        except UserError as error:
            survey.findings.append(
                found("unreadable-file", error.message, images=_image(fov, set_name), set_name=set_name)
            )
            continue
        survey.n_reused += known is not None
        if is_same:
            store.put(fov.content_key, facts)
        if facts.size != (fov.width, fov.height):
            now, then = (f"{width} x {height} px" for width, height in (facts.size, (fov.width, fov.height)))
            survey.findings.append(_of_file("wrong-dimensions", fov, f"has {now}, but {then} are recorded", set_name))
        elif not is_same:
            survey.findings.append(_of_file("changed-file", fov, "is not the file that was recorded", set_name))
        else:
            survey.fovs.append(fov)
            survey.facts.append(facts)
    tick(len(fovs), max(1, len(fovs)))
    return survey


def _look_at(fov: FieldOfView) -> ImageFacts:
    opened = open_fov(fov)
    if isinstance(opened, ImageSource):
        return take_facts(_overview(opened), size=(opened.width, opened.height))
    return take_facts(opened)


def _overview(source: ImageSource) -> ImageArray:
    factor = min(1.0, _OVERVIEW_PX / max(source.width, source.height))
    return read_overview(source, (max(1, round(source.width * factor)), max(1, round(source.height * factor))))


def _of_file(check: CheckName, fov: FieldOfView, what: str, set_name: str) -> Finding:
    return found(check, f"{fov.path} {what}.", images=_image(fov, set_name), set_name=set_name)


def _image(fov: FieldOfView, set_name: str) -> list[FoundImage]:
    return [FoundImage.of(fov, set_name=set_name)]


def _to_arrays(known: Mapping[str, ImageFacts]) -> dict[str, AnyArray]:
    facts = list(known.values())
    return {
        "version": np.int64(_VERSION).reshape(1),
        "keys": np.array(list(known), np.str_),
        "digests": np.array([each.digest for each in facts], np.str_),
        "sizes": np.array([each.size for each in facts], np.int64).reshape(-1, 2),
        "pictures": np.array([each.picture for each in facts], np.uint8),
        "figures": np.array([figures_of(each) for each in facts], np.float64).reshape(-1, len(FIGURE_NAMES)),
    }


def _from_arrays(arrays: Mapping[str, AnyArray]) -> dict[str, ImageFacts]:
    """The other way. Raises KeyError or ValueError where something is amiss."""
    if arrays["version"].tolist() != [_VERSION]:
        raise ValueError("the facts are of another version")
    columns = (arrays[name] for name in ("keys", "digests", "sizes", "pictures", "figures"))
    return {
        str(key): ImageFacts(
            str(digest),
            (int(size[0]), int(size[1])),
            np.asarray(picture, np.uint8),
            **dict(zip(FIGURE_NAMES, map(float, shown), strict=True)),
        )
        for key, digest, size, picture, shown in zip(*columns, strict=True)
    }
