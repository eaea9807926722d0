"""Regions of interest of a project's images: boxes as they are, clicks by the mean size of their class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synthstudio.core.geometry import clip_box
from synthstudio.core.patches.windows import mean_class_sizes
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import ClassId, FovId
from synthstudio.domain.maps import MapRegion
from synthstudio.domain.records import Annotation, FieldOfView, ObjectClass, Role
from synthstudio.project.project import Project


@dataclass(frozen=True, slots=True)
class ProjectRegions:
    """All regions of the chosen classes.

    Attributes:
        class_names: The classes, in the order of the project, or as they were named.
        by_fov: Regions of each FOV that has any, in px of the FOV, within its edges.
        n_clicks: Of each FOV and class name: how many of them are clicks.
    """

    class_names: tuple[str, ...]
    by_fov: Mapping[FovId, tuple[MapRegion, ...]]
    n_clicks: Mapping[tuple[FovId, str], int]

    def having(self, fovs: Sequence[FieldOfView]) -> list[FieldOfView]:
        """Those of the FOVs that have a region."""
        return [fov for fov in fovs if fov.id in self.by_fov]

    def names_on(self, fovs: Sequence[FieldOfView]) -> tuple[str, ...]:
        """The classes of the regions on these FOVs."""
        present = {each.class_name for fov in fovs for each in self.by_fov.get(fov.id, ())}
        return tuple(name for name in self.class_names if name in present)

    def notes(self, fovs: Sequence[FieldOfView]) -> list[str]:
        """What the user should know about the regions on these FOVs."""
        notes = []
        for name in self.class_names:
            n_clicks = sum(self.n_clicks.get((fov.id, name), 0) for fov in fovs)
            if n_clicks:
                notes.append(f'{n_clicks} clicks of "{name}" count as boxes of the mean size of their class.')
        return notes


def list_regions(project: Project, names: Sequence[str] = ()) -> ProjectRegions:
    """Read the annotations of these classes; of all that are not artifacts where none is named.

    Raises:
        UserError: A class is not known, or has clicks but neither a size nor a box to measure it from.
    """
    chosen = _choose_classes(project.classes.list(), names)
    by_id = {each.id: each for each in chosen}
    fovs = {fov.id: fov for fov in project.fovs.list()}
    marks = {
        fov_id: [mark for mark in all_marks if mark.class_id in by_id]
        for fov_id, all_marks in project.annotations.by_fov().items()
    }
    measured = mean_class_sizes([mark for each in marks.values() for mark in each])
    by_fov: dict[FovId, tuple[MapRegion, ...]] = {}
    n_clicks: dict[tuple[FovId, str], int] = {}
    for fov_id, own in marks.items():
        regions = _to_regions(own, fovs[fov_id], by_id, measured)
        if regions:
            by_fov[fov_id] = tuple(regions)
        for mark in own:
            if not mark.is_box:
                key = fov_id, by_id[mark.class_id].name
                n_clicks[key] = n_clicks.get(key, 0) + 1
    return ProjectRegions(tuple(each.name for each in chosen), by_fov, n_clicks)


def _choose_classes(classes: Sequence[ObjectClass], names: Sequence[str]) -> list[ObjectClass]:
    if not names:
        return [each for each in classes if each.role is Role.OBJECT]
    by_name = {each.name: each for each in classes}
    for name in names:
        if name not in by_name:
            raise UserError(f'There is no class "{name}".', f"The classes are: {', '.join(by_name)}.")
    return [by_name[name] for name in dict.fromkeys(names)]


def _to_regions(
    marks: Sequence[Annotation],
    fov: FieldOfView,
    classes: Mapping[ClassId, ObjectClass],
    measured: Mapping[ClassId, float],
) -> list[MapRegion]:
    regions: list[MapRegion] = []
    for mark in marks:
        own = classes[mark.class_id]
        side = mark.size_px or own.size_in(fov.um_per_px) or measured.get(mark.class_id)
        if mark.box is None and side is None:
            raise UserError(
                f'The class "{own.name}" has no size, so nothing is known about the extent of its clicks.',
                "Give the class a mean size in micrometres or pixels, or draw a box around one of its objects.",
            )
        box = clip_box(mark.extent(side or 0.0), fov.width, fov.height)
        if box is not None:
            regions.append(MapRegion(own.name, box))
    return regions
