"""The page that annotates, as the rest of the window knows it."""

from __future__ import annotations

from typing import Protocol

from synthstudio.domain.ids import FovId
from synthstudio.domain.records import Annotation


class Annotator(Protocol):
    """Shows and removes annotations where they are edited."""

    def reveal_marks(self, fov_id: FovId, marks: tuple[Annotation, ...]) -> None: ...
    def remove_marks(self, fov_id: FovId, marks: tuple[Annotation, ...], text: str) -> None: ...
