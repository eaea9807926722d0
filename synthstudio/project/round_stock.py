"""What a round has to learn from, counted at the moment when it begins."""

from __future__ import annotations

import hashlib
import json

from synthstudio.core.suggestions.effort import expert_effort
from synthstudio.domain.records import Split
from synthstudio.domain.rounds import Stock
from synthstudio.project.project import Project


def take_stock(project: Project) -> Stock:
    """Count annotations, actions and the time behind them; half a second for a hundred thousand annotations."""
    effort = expert_effort(project.rounds.expert_moments())
    return Stock(
        n_annotations=project.rounds.n_annotations(),
        n_complete=project.rounds.n_complete(),
        n_actions=effort.n_actions,
        expert_s=effort.seconds,
        test_state=_test_state(project),
    )


def _test_state(project: Project) -> str:
    """Hash of what scores are taken on: the test images, by content, and what is marked on them."""
    names = {each.id: each.name for each in project.classes.list()}
    facts = []
    for fov in project.fovs.list(split=Split.TEST):
        marks = [
            (names[mark.class_id], mark.x, mark.y, *((mark.box.width, mark.box.height) if mark.box else ()))
            for mark in project.annotations.list(fov.id)
        ]
        facts.append((fov.content_key, fov.state.is_complete, sorted(marks)))
    return hashlib.sha256(json.dumps(sorted(facts), separators=(",", ":")).encode()).hexdigest()
