"""The reasons that reviewers of a project choose from."""

from __future__ import annotations

import json
from collections.abc import Sequence

from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Changes, changes
from synthstudio.project.project import Project

DEFAULT_REASONS = ("blurred", "wrong colours", "visible seam", "wrong class", "implausible", "copy of another")
_KEY = "verdict_reasons"


def list_reasons(project: Project) -> tuple[str, ...]:
    """The reasons in the order of their keys; those that a new project comes with, until somebody changes them."""
    stored = project.find_meta(_KEY)
    return tuple(json.loads(stored)) if stored else DEFAULT_REASONS


def set_reasons(project: Project, reasons: Sequence[str]) -> Changes:
    """Choose the reasons; verdicts that carry another one keep it.

    Raises:
        UserError: One stands twice, or the project cannot be written.
    """
    kept = [each.strip() for each in reasons if each.strip()]
    if twice := next((each for each in kept if kept.count(each) > 1), None):
        raise UserError(f'The reason "{twice}" stands twice.', "Write each reason once.")
    project.set_meta(_KEY, json.dumps(kept))
    return changes("verdict_reasons")
