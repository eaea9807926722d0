"""The anchoring guard of a project: a fact about it as a whole."""

from __future__ import annotations

import json
import math

from synthstudio.domain.errors import UserError
from synthstudio.domain.guard import Guard
from synthstudio.domain.records import Changes, changes
from synthstudio.project.project import Project

DEFAULT_SHARE = 0.1
MIN_FOVS = 30
"""With fewer FOVs a tenth of them shows nothing, so that nothing is guarded unless it is asked for."""
_KEY = "guard"


def read_guard(project: Project) -> Guard:
    """Return the guard that was set, or what holds where none was: a tenth of the FOVs once there are enough."""
    stored = project.find_meta(_KEY)
    if stored is None:
        return Guard(DEFAULT_SHARE if project.fovs.count() >= MIN_FOVS else 0.0)
    facts = json.loads(stored)
    return Guard(float(facts["share"]), int(facts["seed"]))


def write_guard(project: Project, guard: Guard) -> Changes:
    """Set the guard. Raises UserError where the share is not from 0 to 1."""
    if not (math.isfinite(guard.share) and 0.0 <= guard.share <= 1.0):
        raise UserError(f"{guard.share:g} is no share of the fields.", "Give a number from 0 to 1, such as 0.1.")
    project.set_meta(_KEY, json.dumps({"share": guard.share, "seed": guard.seed}))
    return changes("suggestions")
