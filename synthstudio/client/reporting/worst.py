"""The most wrong answers of each classifier, as pictures."""

from __future__ import annotations

from collections.abc import Sequence

from synthstudio.client.reporting.runs import ReportedRun
from synthstudio.core.evaluation.cases import Case, list_cases
from synthstudio.core.export.report.document import Block, Paragraph, Picture, Pictures, Section
from synthstudio.core.export.report.pictures import crop_picture
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId
from synthstudio.project import Project

N_CASES = 6
"""Shown of each run."""


def worst_section(project: Project, runs: Sequence[ReportedRun]) -> Section:
    """Crops that were answered the most certainly and wrongly; images that are gone are passed over."""
    fovs = {fov.id: fov for fov in project.fovs.list()}
    blocks: list[Block] = []
    for run in runs:
        if run.predictions is None:
            continue
        pictures: list[Picture] = []
        for case in list_cases(run.predictions, limit=N_CASES):
            fov = fovs.get(FovId(case.fov_id))
            if fov is None:
                continue
            try:
                pictures.append(crop_picture(fov, case.box, _words(case)))
            except UserError:
                continue  # its place in the list of fields says what is wrong with it
        if pictures:
            blocks.append(Pictures(tuple(pictures), run.label))
    words = "Crops, the most certainly wrong first. What looks right here is often an annotation that is missing."
    return Section("Most wrong answers", (Paragraph(words), *blocks) if blocks else ())


def _words(case: Case) -> str:
    truth = ", ".join(case.true_names) or "no class"
    return f"{case.class_name} {case.kind.value} ({case.score:.2f}); holds: {truth}"
