"""Images of a set and real ones cut and stored alike, described for finding copies and for telling them apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from synthstudio.core.evaluation.betrayal import STATISTICS, measure_statistics
from synthstudio.core.evaluation.descriptor import describe_images
from synthstudio.core.evaluation.frechet import FeatureArray
from synthstudio.core.imaging import ImageArray
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Split
from synthstudio.engine.context import JobContext
from synthstudio.engine.features import Described
from synthstudio.engine.measuring import Material, gather_material
from synthstudio.settings.measure import MeasureSettings
from synthstudio.settings.quality import QualitySettings


@dataclass(frozen=True, slots=True)
class _Features:
    """Named statistics, then the built-in descriptor."""

    def extract(self, images: Sequence[ImageArray]) -> FeatureArray:
        """Describe a few images, `(H, W, 3)` uint8 RGB of one size, as `(N, D)` float64."""
        return np.concatenate([measure_statistics(images), describe_images(images)], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class BesideReal:
    """A set and the real images that it is held against.

    Attributes:
        material: Described by the built-in descriptor.
        split: Of the real images that are held out.
        synthetic, real, learned: Statistics of the images of the material, `(N, len(STATISTICS))` each.
    """

    material: Material
    split: Split
    synthetic: FeatureArray
    real: FeatureArray
    learned: FeatureArray


def gather_beside_real(settings: QualitySettings, context: JobContext) -> BesideReal:
    """Read the images of a set, and real ones of the first split that has any: test, val, train.

    Raises:
        NotFound: There is no such set.
        UserError: Its generator is gone, there are no real images, or one cannot be read.
    """
    fovs = context.project.fovs
    split = next((each for each in (Split.TEST, Split.VAL, Split.TRAIN) if fovs.list(split=each)), None)
    if split is None:
        raise UserError("No sample is in a split.", "Divide the samples first.")
    wanted = MeasureSettings(set_name=settings.set_name, n_images=settings.n_images, seed=settings.seed, split=split)
    found = gather_material(wanted, context, _Features())
    (synthetic, shown), (real, held_out), (learned, known) = (
        _divided(each) for each in (found.synthetic, found.real, found.learned)
    )
    material = replace(found, synthetic=shown, real=held_out, learned=known)
    return BesideReal(material, split, synthetic, real, learned)


def _divided(images: Described) -> tuple[FeatureArray, Described]:
    """The statistics, and what is left."""
    n = len(STATISTICS)
    return images.features[:, :n], replace(images, features=images.features[:, n:])
