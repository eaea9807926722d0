"""Labels of whole images: which classes somebody, or the folder of an import, said to be there or not."""

from __future__ import annotations

from synthstudio.domain.ids import ClassId, FovId
from synthstudio.project.project import Project

ImageLabels = dict[ClassId, bool]


def image_labels_by_fov(project: Project) -> dict[FovId, ImageLabels]:
    """Return the labels of all images that have any."""
    found: dict[FovId, ImageLabels] = {}
    for row in project.database.rows("SELECT fov_id, class_id, present FROM image_label ORDER BY fov_id, class_id"):
        found.setdefault(FovId(row["fov_id"]), {})[ClassId(row["class_id"])] = bool(row["present"])
    return found
