"""What the images and objects of a data set are like, as charts whose parts lead back to what lies in them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.review.gallery import GalleryTable
from synthstudio.core.review.gallery_charts import (
    ClassBalance,
    Spread,
    balance_by_split,
    balance_of_all,
    map_places,
    relative_places,
    rows_of_class,
    spread_by_class,
)
from synthstudio.core.review.gallery_filter import SPLIT_NAMES, GalleryView
from synthstudio.core.review.image_figures import FIGURE_NAMES, FigureTable
from synthstudio.core.synthesis.distributions import N_BINS, Comparison, compare_values, count_edges
from synthstudio.domain.tones import ToneScale

Values = NDArray[np.float64]
Ids = NDArray[np.int64]
LEAST_TOP_ASPECT = 2.0
COVERED = 0.995
"""Share of the objects within the axis of the shapes; the others belong to its last bin."""
OBJECT_CHARTS = ("objects", "size", "aspect")
IMAGE_CHARTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "brightness": ("Brightness", "mean grey level"),
        "contrast": ("Contrast", "deviation of the grey level"),
        "sharpness": ("Sharpness", "fine against coarse contrast, log"),
        "green_red": ("Green to red", "mean a*"),
        "blue_yellow": ("Blue to yellow", "mean b*"),
        "chroma": ("Colourfulness", "mean distance from grey"),
        "dark_share": ("Nearly black", "% of the pixels"),
        "bright_share": ("Nearly white", "% of the pixels"),
    }
)
"""Title and unit of what is measured on pixels."""
_IN_PERCENT = frozenset({"dark_share", "bright_share"})


@dataclass(frozen=True, slots=True, eq=False)
class DataSide:
    """What is charted of the project, or of a set.

    Attributes:
        table: Its objects.
        contents: `(images,)` content key of each image.
        tones: `(images,)` int64, tone of each image, from 1; 0 where it has none.
    """

    table: GalleryTable
    contents: Sequence[str]
    tones: Ids


@dataclass(frozen=True, slots=True, eq=False)
class Quantity:
    """One number of each image, or of each object, of a data set.

    Attributes:
        view: Which of the two.
        ids: `(N,)` of FOVs or annotations.
        values: `(N,)`, none of them nan.
    """

    view: GalleryView
    ids: Ids
    values: Values

    @classmethod
    def of_known(cls, view: GalleryView, ids: Ids, values: Values) -> Quantity:
        """Leave out what is not known."""
        known = np.isfinite(values)
        return cls(view, ids[known], values[known])


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """A quantity of the project, alone or beside that of a set.

    Attributes:
        comparison: Its histograms.
        sides: Of the project, and of the set where there is one.
    """

    comparison: Comparison
    sides: tuple[Quantity, ...]

    def within(self, low: float, high: float, *, side: int = 0) -> Ids:
        """Ids of what lies from `low` to before `high`; the outermost bins hold what lies beyond them, too."""
        edges, own = self.comparison.edges, self.sides[side]
        least = -math.inf if low <= edges[0] else low
        most = math.inf if high >= edges[-1] else high
        return own.ids[(own.values >= least) & (own.values < most)]


@dataclass(frozen=True, slots=True, eq=False)
class DataCharts:
    """All charts of a data set. Where something is a tuple by side, the first is the project, the second a set.

    Attributes:
        sides: What is charted.
        class_name: The class that counts; all where it is empty.
        set_name: Empty where the project is shown alone.
        balance: Objects by class of each split, and of the set.
        charts: By their names: "objects", "size", "aspect", and those of `IMAGE_CHARTS`.
        spreads: Of "size" and "aspect", for each side the spread of each class.
        places: For each side where the objects are, `(MAP_BINS, MAP_BINS)`.
        scale: Names of the tones.
        n_measured: Images of each side whose pixels have been looked at.
    """

    sides: tuple[DataSide, ...]
    class_name: str
    set_name: str
    balance: tuple[ClassBalance, ...]
    charts: Mapping[str, Chart]
    spreads: Mapping[str, tuple[tuple[Spread, ...], ...]]
    places: tuple[Values, ...]
    scale: ToneScale | None
    n_measured: tuple[int, ...]

    @property
    def class_names(self) -> tuple[str, ...]:
        """All classes."""
        return self.sides[0].table.class_names

    @property
    def n_objects(self) -> tuple[int, ...]:
        """Of each side."""
        return tuple(len(each.table) for each in self.sides)

    @property
    def n_images(self) -> tuple[int, ...]:
        """Of each side."""
        return tuple(len(each.table.fov_ids) for each in self.sides)

    @property
    def n_unmeasured(self) -> int:
        """Images of all sides whose pixels have not been looked at."""
        return sum(self.n_images) - sum(self.n_measured)

    @property
    def tone_names(self) -> tuple[str, ...]:
        """Of the tones that occur, from the first to the last; empty where no image has one."""
        most = max((int(own.tones.max(initial=0)) for own in self.sides), default=0)
        scale = self.scale
        return tuple(scale.name(tone) if scale is not None else str(tone) for tone in range(1, most + 1))

    def tone_shares(self, side: int) -> Values:
        """`(tones,)` share of each tone among the images of a side that have one; nan where there is none."""
        counts = np.bincount(self.sides[side].tones, minlength=len(self.tone_names) + 1)[1:]
        total = int(counts.sum())
        return counts / total if total else np.full(len(counts), math.nan)

    def of_class(self, place: int, split: str, *, side: int = 0) -> Ids:
        """Annotation ids of the objects of a class in a split; of any where its name is empty."""
        table = self.sides[side].table
        kept = table.class_of == place
        if split:
            kept &= (table.images.split_of == SPLIT_NAMES.index(split))[table.fov]
        return table.mark_ids[np.flatnonzero(kept)]

    def of_tone(self, tone: int, *, side: int = 0) -> Ids:
        """Ids of the images of a tone, from 1."""
        own = self.sides[side]
        return own.table.fov_ids[np.flatnonzero(own.tones == tone)]

    def related(self, view: GalleryView, ids: Ids, *, side: int = 0) -> Ids:
        """Ids of the images on which some objects are, or of the objects on some images; `view` says what `ids` are."""
        table = self.sides[side].table
        if view == "objects":
            return np.asarray(np.unique(table.fov_ids[table.fov[np.isin(table.mark_ids, ids)]]), np.int64)
        return table.mark_ids[np.isin(table.fov_ids, ids)[table.fov]]

    def of_place(self, part: tuple[float, float, float, float], *, side: int = 0) -> Ids:
        """Ids of the objects of the class that counts within left, top, right and bottom, as shares of the image."""
        table = self.sides[side].table
        rows = rows_of_class(table, self.class_name)
        x, y = relative_places(table, rows).T
        left, top, right, bottom = part
        return table.mark_ids[rows[np.flatnonzero((x >= left) & (x <= right) & (y >= top) & (y <= bottom))]]


def chart_data(
    sides: Sequence[DataSide],
    figures: FigureTable,
    *,
    set_name: str = "",
    class_name: str = "",
    scale: ToneScale | None = None,
) -> DataCharts:
    """Count and compare everything.

    Args:
        sides: The project, and a set where one is compared with it.
        figures: What is known of the pixels.
        set_name: Of the set.
        class_name: Only objects of this class count, and images that show it; all where it is empty.
        scale: Names of the tones.
    """
    tables = [each.table for each in sides]
    balance = balance_by_split(tables[0])
    if len(tables) > 1:
        balance.append(balance_of_all(tables[1], f"set {set_name}"))
    known = [figures.find(each.contents) for each in sides]
    return DataCharts(
        sides=tuple(sides),
        class_name=class_name,
        set_name=set_name,
        balance=tuple(balance),
        charts=_object_charts(tables, class_name) | _image_charts(tables, known, class_name),
        spreads={
            "size": tuple(spread_by_class(each, each.size) for each in tables),
            "aspect": tuple(spread_by_class(each, each.aspect) for each in tables),
        },
        places=tuple(map_places(each, class_name=class_name) for each in tables),
        scale=scale,
        n_measured=tuple(int(np.isfinite(each[:, 0]).sum()) for each in known),
    )


def _object_charts(tables: Sequence[GalleryTable], class_name: str) -> dict[str, Chart]:
    rows = [rows_of_class(each, class_name) for each in tables]
    numbers = [
        np.bincount(each.fov[own], minlength=len(each.fov_ids)).astype(np.int64)
        for each, own in zip(tables, rows, strict=True)
    ]

    def of_objects(values: Sequence[Values]) -> list[Quantity]:
        return [
            Quantity("objects", each.mark_ids[own], value[own])
            for each, own, value in zip(tables, rows, values, strict=True)
        ]

    counted = [
        Quantity("images", each.fov_ids, own.astype(np.float64)) for each, own in zip(tables, numbers, strict=True)
    ]
    aspects = of_objects([each.aspect for each in tables])
    return {
        "objects": chart_of("Objects on an image", "objects", counted, count_edges(numbers)),
        "size": chart_of("Size", "px", of_objects([each.size for each in tables])),
        "aspect": chart_of("Width by height", "ratio", aspects, _aspect_edges([each.values for each in aspects])),
    }


def _image_charts(tables: Sequence[GalleryTable], known: Sequence[Values], class_name: str) -> dict[str, Chart]:
    """Charts of the pixels, of the images that show a class."""
    shown = [
        each.shows[:, each.class_names.index(class_name)] if class_name in each.class_names else np.True_
        for each in tables
    ]
    charts = {}
    for name, (title, unit) in IMAGE_CHARTS.items():
        factor = 100.0 if name in _IN_PERCENT else 1.0
        column = FIGURE_NAMES.index(name)
        sides = [
            Quantity.of_known("images", each.fov_ids, np.where(has, factor * values[:, column], math.nan))
            for each, values, has in zip(tables, known, shown, strict=True)
        ]
        charts[name] = chart_of(title, unit, sides)
    return charts


def chart_of(title: str, unit: str, sides: Sequence[Quantity], edges: Values | None = None) -> Chart:
    """A chart of a quantity of one or two data sets; over bins that span all values where no edges are given."""
    values = [each.values for each in sides]
    ends = spanning_edges(values) if edges is None else edges
    return Chart(compare_values(title, unit, [*values, np.zeros(0)][:2], ends), tuple(sides))


def spanning_edges(values: Sequence[Values]) -> Values:
    """Bins of one width from the least to the greatest of all values, with some room at both ends."""
    together = np.concatenate([*values, np.zeros(0)])
    if not len(together):
        return np.array([0.0, 1.0])
    low, high = float(together.min()), float(together.max())
    spare = 0.04 * (high - low) or max(0.05 * abs(low), 0.01)
    first = 0.0 if 0.0 <= low < spare else low - spare  # no room below nothing
    return np.linspace(first, high + spare, N_BINS + 1)


def _aspect_edges(aspects: Sequence[Values]) -> Values:
    together = np.concatenate([*aspects, np.zeros(0)])
    top = float(np.quantile(together, COVERED)) if len(together) else LEAST_TOP_ASPECT
    return np.linspace(0.0, max(LEAST_TOP_ASPECT, math.ceil(2 * top) / 2), N_BINS + 1)
