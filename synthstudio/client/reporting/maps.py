"""Examples of class activation maps for a report."""

from __future__ import annotations

from collections.abc import Sequence

from synthstudio.client.evaluations import result_of
from synthstudio.client.reporting.runs import ReportedRun
from synthstudio.core.explanation.records import EXPLAIN_FOLDER, read_explanation
from synthstudio.core.export.report.document import Picture, Pictures, Section
from synthstudio.core.export.report.pictures import shrink_picture
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId, RunId
from synthstudio.project import Project
from synthstudio.protocol.results import ExplainResult

MAX_FOVS = 2
"""Images shown of each run."""


def maps_section(project: Project, runs: Sequence[ReportedRun]) -> Section:
    """The same images under the maps of every run, as far as these have been explained; numbers in place of names."""
    explained = {run.letter: _newest(project, RunId(run.run.id)) for run in runs}
    shown = _choose([found for found in explained.values() if found])
    blocks = []
    for run in runs:
        pictures = [
            picture
            for number, fov_id in enumerate(shown, 1)
            if fov_id in explained[run.letter]
            for picture in _pictures(project, explained[run.letter][fov_id], fov_id, number=number)
        ]
        if pictures:
            blocks.append(Pictures(tuple(pictures), run.label))
    return Section("Examples of class activation maps", tuple(blocks))


def _newest(project: Project, training: RunId) -> dict[FovId, RunId]:
    """Explain runs of a training by FOV, the newest of each."""
    found: dict[FovId, RunId] = {}
    for job in project.runs.list(kind="explain"):
        result = result_of(job)
        if isinstance(result, ExplainResult) and result.run == training:
            found |= {FovId(each.fov): job.id for each in result.fovs}
    return found


def _choose(explained: Sequence[dict[FovId, RunId]]) -> list[FovId]:
    """FOVs that all runs have in common, else those of the first that has any."""
    if not explained:
        return []
    common = [fov_id for fov_id in sorted(explained[0]) if all(fov_id in each for each in explained)]
    return (common or sorted(explained[0]))[:MAX_FOVS]


def _pictures(project: Project, job: RunId, fov_id: FovId, *, number: int) -> list[Picture]:
    folder = project.run_folder(job) / EXPLAIN_FOLDER / str(fov_id)
    try:
        explanation, _ = read_explanation(folder)
        return [shrink_picture(folder / each.overlay, f"image {number}: {each.name}") for each in explanation.classes]
    except UserError:
        return []  # the maps were removed since
