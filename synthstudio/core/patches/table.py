"""The records of a bank's patches as columns: a hundred thousand are counted and filtered within milliseconds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.patches.bank import PatchBank
from synthstudio.domain.ids import AnnotationId, ClassId, FovId

Shown = Literal["used", "rejected", "all"]
"""Which patches are wanted: by whether they were rejected."""


@dataclass(frozen=True, slots=True)
class PatchTable:
    """One row for each patch of a bank, in its order: `(N,)` int64, and `widths` of the windows in px as float64."""

    annotation_ids: NDArray[np.int64]
    fov_ids: NDArray[np.int64]
    class_ids: NDArray[np.int64]
    widths: NDArray[np.float64]

    def rejected_rows(self, rejected: Collection[AnnotationId]) -> NDArray[np.bool_]:
        """`(N,)` bool, whether each patch was rejected."""
        return np.isin(self.annotation_ids, np.fromiter(rejected, np.int64, len(rejected)))

    def select(
        self,
        class_id: ClassId,
        *,
        fov_ids: Collection[FovId] | None = None,
        shown: Shown = "all",
        is_rejected: NDArray[np.bool_],
    ) -> NDArray[np.int64]:
        """Return the numbers of the patches of a class.

        Args:
            class_id: The class.
            fov_ids: Of these FOVs alone; of all where it is None.
            shown: The used ones, the rejected ones, or all.
            is_rejected: `(N,)`, see `rejected_rows`.
        """
        wanted = self.class_ids == class_id
        if fov_ids is not None:
            wanted &= np.isin(self.fov_ids, np.fromiter(fov_ids, np.int64, len(fov_ids)))
        if shown != "all":
            wanted &= is_rejected == (shown == "rejected")
        return np.flatnonzero(wanted)


def tabulate(bank: PatchBank) -> PatchTable:
    """Return the records of all patches of a bank as columns."""
    return PatchTable(
        annotation_ids=np.array([patch.annotation_id for patch in bank.patches], np.int64),
        fov_ids=np.array([patch.fov_id for patch in bank.patches], np.int64),
        class_ids=np.array([patch.class_id for patch in bank.patches], np.int64),
        widths=np.array([patch.width for patch in bank.patches], np.float64),
    )
