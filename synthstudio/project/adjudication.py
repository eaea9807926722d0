"""Which marks somebody has accepted after two authors differed about them."""

from __future__ import annotations

import json
from collections.abc import Collection

from synthstudio.domain.ids import AnnotationId
from synthstudio.domain.records import Changes, changes
from synthstudio.project.project import Project

_KEY = "accepted_annotations"


def accepted_marks(project: Project) -> frozenset[AnnotationId]:
    """Return the ids of the accepted annotations; ids are never used twice, so that one that is gone does no harm."""
    stored = project.find_meta(_KEY)
    return frozenset(AnnotationId(each) for each in json.loads(stored)) if stored else frozenset()


def accept_marks(project: Project, ids: Collection[AnnotationId], *, accepted: bool) -> Changes:
    """Accept annotations, or take that back."""
    with project.transaction():
        former = accepted_marks(project)
        now = former | frozenset(ids) if accepted else former - frozenset(ids)
        project.set_meta(_KEY, json.dumps(sorted(now)))
    return changes("adjudications")
