"""The tone scale of a project, and the tones of its FOVs."""

from __future__ import annotations

import json

from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Changes, changes
from synthstudio.domain.tones import ToneScale
from synthstudio.project.project import Project

_KEY = "tone_scale"


def find_tone_scale(project: Project) -> ToneScale | None:
    """The scale, or None where the project has no tones."""
    stored = project.find_meta(_KEY)
    return ToneScale(tuple(json.loads(stored))) if stored else None


def set_tone_scale(project: Project, scale: ToneScale | None) -> Changes:
    """Choose the scale; None for no tones.

    Raises:
        UserError: An FOV has a tone that the scale does not reach, or the project cannot be written.
    """
    n_levels = len(scale.levels) if scale is not None else 0
    with project.transaction():
        beyond = [fov for fov in project.fovs.list() if fov.tone is not None and fov.tone > n_levels]
        if beyond:
            raise UserError(
                f"{len(beyond)} fields have a tone that this scale has no level for, among them {beyond[0].name}.",
                "Choose a scale with more levels, or set their tone to unknown first.",
            )
        project.set_meta(_KEY, json.dumps(scale.levels) if scale is not None else "")
    return changes("tones", "fovs")
