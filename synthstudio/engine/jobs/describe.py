"""What are the pictures of a data set like? Light, contrast, colour and sharpness of each image, for charts."""

from __future__ import annotations

import time

import numpy as np

from synthstudio.core.review.image_figures import FIGURE_NAMES, figures_of
from synthstudio.domain.errors import UserError
from synthstudio.engine.context import JobContext
from synthstudio.engine.data.surveyed_images import FactStore, Survey, survey_images
from synthstudio.project.image_figures import FIGURES_NAME
from synthstudio.project.set_images import list_set_images
from synthstudio.protocol.results import DescribeResult, FigureSpread
from synthstudio.settings.describe import DescribeSettings

MOST_NOTES = 20
_PERCENTILES = (5.0, 50.0, 95.0)


def run(settings: DescribeSettings, context: JobContext) -> DescribeResult:
    """Measure the images of the project, or of one of its sets.

    Raises:
        NotFound: There is no such set.
        UserError: There are no images, or the figures cannot be written.
    """
    began = time.monotonic()
    project, name = context.project, settings.set_name
    fovs = list_set_images(project, name)[0] if name else project.fovs.list()
    if not fovs:
        raise UserError("There are no images to measure.", "Import some first.")
    context.stage("Measuring images")
    store = FactStore.of_newest(project)
    survey = survey_images(fovs, store, set_name=name, tick=context.tick)
    store.write(context.run_dir)
    told = [each.reason for each in survey.findings]
    more = [f"{len(told) - MOST_NOTES:,} more; the quality check names them all."] if len(told) > MOST_NOTES else []
    return DescribeResult(
        set=name,
        n_images=len(fovs),
        n_reused=survey.n_reused,
        n_unmeasured=len(survey.findings),
        figures=_spreads(survey),
        file=FIGURES_NAME,
        notes=(*told[:MOST_NOTES], *more),
        seconds=round(time.monotonic() - began, 3),
    )


def _spreads(survey: Survey) -> dict[str, FigureSpread]:
    """5th, 50th and 95th percentile of each figure; nothing where no image could be measured."""
    if not survey.facts:
        return {}
    values = np.array([figures_of(each) for each in survey.facts], np.float64)
    columns = np.percentile(values, _PERCENTILES, axis=0).T.tolist()
    return {
        name: FigureSpread(p5=low, median=middle, p95=high)
        for name, (low, middle, high) in zip(FIGURE_NAMES, columns, strict=True)
    }
