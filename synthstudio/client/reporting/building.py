"""A report of trained models: scores, comparison, curves, and where all of it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from synthstudio import __version__
from synthstudio.client.reporting.boxes import boxes_section
from synthstudio.client.reporting.comparisons import comparison_section
from synthstudio.client.reporting.maps import maps_section
from synthstudio.client.reporting.presence import confusion_section, curves_section, places_section, presence_section
from synthstudio.client.reporting.provenance import (
    data_section,
    models_section,
    overview_section,
    settings_section,
    training_section,
)
from synthstudio.client.reporting.runs import read_reported_runs
from synthstudio.client.reporting.worst import worst_section
from synthstudio.core.export.report.document import Document, Section
from synthstudio.domain.ids import RunId
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import Split
from synthstudio.project import Project

N_PARTS = 4


def build_report(
    project: Project,
    run_ids: Sequence[RunId],
    *,
    split: Split,
    leading: Sequence[Section] = (),
    tick: Tick = no_tick,
) -> Document:
    """Gather a report; takes about a second, so not for the thread of a window.

    Args:
        project: Where the runs are; only read.
        run_ids: Trainings, or evaluations of them; the first of each kind is what the others are compared with.
        split: Images that the scores are of.
        leading: What comes before all else.
        tick: Called between the parts.

    Raises:
        NotFound: There is no such run.
        UserError: A run is no training.
    """
    runs = read_reported_runs(project, run_ids, split)
    tick(1, N_PARTS)
    scores = (
        overview_section(runs),
        data_section(project),
        presence_section(runs),
        places_section(runs),
        boxes_section(runs),
    )
    tick(2, N_PARTS)
    compared = (comparison_section(runs), curves_section(runs), confusion_section(runs))
    tick(3, N_PARTS)
    rest = (
        worst_section(project, runs),
        maps_section(project, runs),
        training_section(runs),
        models_section(project, runs),
        settings_section(runs),
    )
    tick(N_PARTS, N_PARTS)
    moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    return Document(
        title=f"{project.name}: {len(runs)} trained model{'s' if len(runs) > 1 else ''}",
        subtitle=f"Scores on the {split.value} split. SynthStudio {__version__}, {moment} UTC.",
        sections=(*leading, *scores, *compared, *rest),
    )
