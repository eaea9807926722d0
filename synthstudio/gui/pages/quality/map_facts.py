"""What the map shows: pictures and where they lie, in groups; and what is most like one. For any thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synthstudio.client.evaluations import result_of
from synthstudio.core.evaluation.feature_map import FeatureMaps, Positions, read_maps
from synthstudio.core.evaluation.feature_store import FeatureStore
from synthstudio.core.export.report.charts import series_color
from synthstudio.core.review.gallery_filter import GalleryView
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import ClassId, FovId
from synthstudio.domain.models import ModelKind
from synthstudio.domain.palette import ARTIFACT_COLOR
from synthstudio.domain.records import ObjectClass, Run, RunStatus, Split
from synthstudio.gui.canvas.plane_view import Rows
from synthstudio.gui.canvas.point_map import Points
from synthstudio.gui.widgets.job_state import NO_JOB, JobState, newest_state
from synthstudio.project import Project
from synthstudio.project.features import describe_alone, read_store
from synthstudio.project.image_labels import image_labels_by_fov
from synthstudio.project.pictures import Picture, list_pictures
from synthstudio.project.similar_pictures import PictureSearch, SimilarPicture
from synthstudio.protocol.results import EmbedResult

EMBED_KIND = "embed"
GROUPINGS: Mapping[str, str] = {"class": "Class", "split": "Split", "source": "Project or set"}
SEVERAL_PLACE, NOTHING_PLACE = -1, -2
SEVERAL, NOTHING, REAL, NO_SPLIT = "several classes", "nothing marked", "project", "no split"
OTHER_COLORS = (ARTIFACT_COLOR, "#C0C0C0")


@dataclass(frozen=True, slots=True, eq=False)
class ShownMap:
    """One view of the newest map.

    Attributes:
        run: That made it.
        result: What it told.
        pictures: N that are on it.
        positions: `(N, 2)`.
        store: Features of all that is described.
        search: All that is described, on the map or not.
        row_of: Row on the map of each picture that is searched, -1 where it is not on it.
        n_new: Pictures of the project that are not on it.
        classes: Of the project.
        class_of: `(N,)` place in `classes`, -1 for several, -2 for none.
    """

    run: Run
    result: EmbedResult
    pictures: tuple[Picture, ...]
    positions: Positions
    store: FeatureStore
    search: PictureSearch
    row_of: Rows
    n_new: int
    classes: tuple[ObjectClass, ...]
    class_of: Rows


@dataclass(frozen=True, slots=True, eq=False)
class MapFacts:
    """All of a project.

    Attributes:
        shown: None where nothing has been laid out yet.
        state: What the newest run does, or how it ended, where that is not the map that is shown.
        is_under_way: It waits or works.
        models: Names of local models that can describe images.
    """

    shown: ShownMap | None = None
    state: JobState = NO_JOB
    is_under_way: bool = False
    models: tuple[str, ...] = ()


def read_map(project: Project, view: GalleryView) -> MapFacts:
    """Read the newest map of the images, or of the objects."""
    runs = project.runs.list(kind=EMBED_KIND)
    models = tuple(each.name for each in project.models.list(ModelKind.BACKBONE, ModelKind.FEATURES))
    state = newest_state(runs, noun="map", doing="Describing and laying out…")
    is_under_way = bool(runs) and runs[-1].status in (RunStatus.QUEUED, RunStatus.RUNNING)
    for run in reversed(runs):
        result = result_of(run)
        if not isinstance(result, EmbedResult):
            continue
        try:
            maps = read_maps(project.run_folder(run.id))
        except UserError:  # the next one is tried: the folder of a run may have been cleared
            continue
        return MapFacts(_shown(project, run, result, maps, view), state, is_under_way, models)
    return MapFacts(None, state, is_under_way, models)


def _shown(project: Project, run: Run, result: EmbedResult, maps: FeatureMaps, view: GalleryView) -> ShownMap:
    with project.database.snapshot():  # an import may go on
        classes = tuple(project.classes.list())
        known = {each.name for each in project.sets.list()}
        names = ("", *(each for each in result.sets if each in known))
        listed = [list_pictures(project, name, has_images=view == "images") for name in names]
        labels = image_labels_by_fov(project)
    pictures = [picture for each in listed for picture in (each.objects if view == "objects" else each.images)]
    places = (maps.objects if view == "objects" else maps.images).place([each.key for each in pictures])
    is_placed = np.isfinite(places[:, 0])
    rows = np.flatnonzero(is_placed).tolist()
    on_map = tuple(pictures[row] for row in rows)
    store = read_store(project, sha256=result.features_sha256, name=result.features)
    n_own = len(listed[0].objects if view == "objects" else listed[0].images)
    return ShownMap(
        run=run,
        result=result,
        pictures=on_map,
        positions=places[is_placed],
        store=store,
        search=PictureSearch(pictures, store),
        row_of=np.where(is_placed, np.cumsum(is_placed) - 1, -1),
        n_new=n_own - sum(not each.set_name for each in on_map),
        classes=classes,
        class_of=_class_places(on_map, [picture for each in listed for picture in each.objects], labels, classes),
    )


def _class_places(
    pictures: Sequence[Picture],
    objects: Sequence[Picture],
    labels: Mapping[FovId, Mapping[ClassId, bool]],
    classes: Sequence[ObjectClass],
) -> Rows:
    """Of each picture the place of the one class that it shows."""
    places = {each.id: place for place, each in enumerate(classes)}
    shown: dict[tuple[str, int], set[ClassId]] = {}
    for each in objects:
        if each.mark is not None:
            shown.setdefault((each.set_name, each.fov.id), set()).add(each.mark.class_id)
    for fov_id, own_labels in labels.items():
        shown.setdefault(("", fov_id), set()).update(each for each, is_there in own_labels.items() if is_there)

    def place_of(picture: Picture) -> int:
        if picture.mark is not None:
            return places[picture.mark.class_id]
        own = shown.get((picture.set_name, picture.fov.id), set())
        if len(own) == 1:
            return places[next(iter(own))]
        return SEVERAL_PLACE if own else NOTHING_PLACE

    return np.array([place_of(each) for each in pictures], np.int64)


def group_points(shown: ShownMap, by: str) -> Points:
    """The points of a map in groups: by "class", "split" or "source"; groups that nothing is in are left out."""
    match by:
        case "class":
            names = [each.name for each in shown.classes] + [SEVERAL, NOTHING]
            colors = [each.color for each in shown.classes] + list(OTHER_COLORS)
            group_of = np.where(shown.class_of >= 0, shown.class_of, len(shown.classes) - 1 - shown.class_of)
        case "split":
            names = [*(each.value for each in Split), NO_SPLIT, *(f"set {name}" for name in shown.result.sets)]
            colors = [series_color(number) for number in range(len(names))]
            group_of = _places_in(names, [_split_name(each) for each in shown.pictures])
        case _:
            names = [REAL, *(f"set {name}" for name in shown.result.sets)]
            colors = [OTHER_COLORS[0], *(series_color(number) for number in range(len(names) - 1))]
            group_of = _places_in(names, [_source_name(each) for each in shown.pictures])
    kept, group_of = np.unique(group_of, return_inverse=True)
    return Points(
        shown.positions,
        np.asarray(group_of, np.int64),
        tuple(names[place] for place in kept.tolist()),
        tuple(colors[place] for place in kept.tolist()),
    )


def _places_in(names: Sequence[str], of: Sequence[str]) -> Rows:
    places = {name: place for place, name in enumerate(names)}
    return np.array([places[each] for each in of], np.int64)


def _source_name(picture: Picture) -> str:
    return f"set {picture.set_name}" if picture.set_name else REAL


def _split_name(picture: Picture) -> str:
    if picture.set_name:
        return _source_name(picture)
    return picture.fov.split.value if picture.fov.split is not None else NO_SPLIT


@dataclass(frozen=True, slots=True)
class FoundLike:
    """What is most like a picture, nearest first; `rows` are those that are on the map, with its own."""

    similar: tuple[SimilarPicture, ...]
    rows: tuple[int, ...]


def find_like(picture: Picture, shown: ShownMap, *, count: int) -> FoundLike:
    """Find what is most like a picture.

    Raises:
        UserError: It cannot be read.
    """
    row = int(shown.store.rows([picture.key])[0])
    vector = shown.store.vectors()[row] if row >= 0 else describe_alone(picture)
    found = shown.search.find(vector, count=count + 1)  # it finds itself, too
    rows = [int(shown.row_of[each.place]) for each in found]
    others = [each for each in found if each.picture != picture]
    return FoundLike(tuple(others[:count]), tuple(each for each in rows if each >= 0))


def can_describe(picture: Picture, shown: ShownMap) -> bool:
    """Whether the features of a picture are known, or can be made here: a network runs in the engine alone."""
    return not shown.result.features_sha256 or picture.key in shown.store


def words_of(picture: Picture, classes: Sequence[ObjectClass]) -> str:
    """What a picture is, in lines: its name, then where it belongs."""
    fov, mark = picture.fov, picture.mark
    own = next((each.name for each in classes if mark is not None and each.id == mark.class_id), "")
    where = f"set {picture.set_name}" if picture.set_name else f"sample {fov.sample_name}, {_split_name(picture)}"
    lines = [f"{own} on {fov.name}" if own else fov.name, where]
    if picture.window is not None:
        lines.append(f"{picture.window.side} px wide, at {picture.window.x}, {picture.window.y}")
    return "\n".join(lines)
