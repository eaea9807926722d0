"""A small project of simulated photographs of skin, for tests of the semantic-map GAN."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from synthstudio.client.demo import add_skin_photos
from synthstudio.core.fields.skin_simulator import N_TONES, SKIN_CONDITIONS, simulate_photo
from synthstudio.domain.records import Split
from synthstudio.project import Project


def build_skin_study(
    folder: Path,
    *,
    n_train: int = 6,
    n_val: int = 2,
    n_test: int = 2,
    conditions: Sequence[str] = tuple(each.name for each in SKIN_CONDITIONS),
    size_px: tuple[int, int] = (240, 180),
    seed: int = 5,
) -> Project:
    """Create and open a project with one photograph per patient; conditions and tones take turns in each split."""
    project = Project.create(folder)
    splits = [Split.TRAIN] * n_train + [Split.VAL] * n_val + [Split.TEST] * n_test
    starts = {Split.TRAIN: 0, Split.VAL: n_train, Split.TEST: n_train + n_val}
    photos = (
        simulate_photo(
            seed=seed,
            sample_index=number,
            photo_index=0,
            tone=1 + ((number - starts[split]) * 5 + (number - starts[split]) // N_TONES) % N_TONES,
            condition=conditions[(number - starts[split]) % len(conditions)],
            size_px=size_px,
        )
        for number, split in enumerate(splits)
    )
    add_skin_photos(project, zip(photos, splits, strict=True))
    return project
