"""The charts of a data set, read from a project. For any thread; shared by the window and the reports."""

from __future__ import annotations

import numpy as np

from synthstudio.core.review.data_charts import DataCharts, DataSide, chart_data
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.project import Project
from synthstudio.project.gallery import read_gallery_table
from synthstudio.project.image_figures import list_contents, newest_figures
from synthstudio.project.tones import find_tone_scale


def read_charts(project: Project, set_name: str = "", class_name: str = "", tick: Tick = no_tick) -> DataCharts:
    """Read and count.

    Args:
        project: Only read.
        set_name: The set that stands beside the project; empty for the project alone.
        class_name: The class that counts; all where it is empty.
        tick: Called before each part.

    Raises:
        UserError: The files of the set are missing or damaged.
    """
    names = ["", set_name] if set_name else [""]
    sides = []
    for done, name in enumerate(names):
        tick(done, len(names))
        if name:
            table = read_gallery_table(project, name, "objects")
            contents = [fov.content_key for fov in table.fovs]
            tones = np.array([fov.tone or 0 for fov in table.fovs], np.int64)
        else:
            with project.database.snapshot():  # an import may go on
                table = read_gallery_table(project, "", "objects")
                contents, tones = list_contents(project)
        sides.append(DataSide(table, contents, tones))
    return chart_data(
        sides, newest_figures(project), set_name=set_name, class_name=class_name, scale=find_tone_scale(project)
    )
