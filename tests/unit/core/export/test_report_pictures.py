"""Pictures of a report point at what they are about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from synthstudio.core.export.report.document import Picture
from synthstudio.core.export.report.pictures import CROP_WIDTH_PX, crop_picture
from synthstudio.core.imaging import ImageArray, write_png
from synthstudio.domain.ids import FovId, SampleId
from synthstudio.domain.records import AnnotationState, Box, FieldOfView, Storage


def _field(path: Path) -> FieldOfView:
    write_png(path, np.full((500, 700, 3), 120, np.uint8))
    return FieldOfView(
        id=FovId(1),
        sample_id=SampleId(1),
        sample_name="",
        split=None,
        name=path.name,
        path=str(path),
        storage=Storage.REFERENCE,
        sha256="",
        width=700,
        height=500,
        um_per_px=None,
        tone=None,
        state=AnnotationState.NONE,
    )


def _pixels(picture: Picture) -> ImageArray:
    decoded = cv2.imdecode(np.frombuffer(picture.data, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.asarray(decoded[..., ::-1], np.uint8)


def test_that_what_is_pointed_at_is_outlined_where_it_lies_and_nothing_else_is(tmp_path: Path) -> None:
    fov = _field(tmp_path / "field.png")
    part = (100, 100, 400, 300)  # shown at half size
    pixels = _pixels(crop_picture(fov, part, "a field", outlined=[Box(200, 200, 300, 260)]))
    assert pixels.shape == (150, CROP_WIDTH_PX, 3)
    changed = np.abs(pixels.astype(int) - 120).max(axis=2) > 60
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    assert abs(rows[0] - 50) <= 2
    assert abs(rows[-1] - 80) <= 2
    assert abs(columns[0] - 50) <= 2
    assert abs(columns[-1] - 100) <= 2
    assert not changed[56:74, 56:94].any()  # what it encloses is seen
    plain = _pixels(crop_picture(replace(fov, name="another"), part, "a field"))
    assert np.abs(plain.astype(int) - 120).max() < 5
