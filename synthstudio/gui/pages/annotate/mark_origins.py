"""Where an annotation comes from that was a suggestion: which model, how sure it was, who accepted it and when."""

from __future__ import annotations

from synthstudio.domain.errors import NotFound
from synthstudio.domain.ids import AnnotationId
from synthstudio.gui.pages.annotate.suggestion_facts import model_line
from synthstudio.gui.workspace import Workspace


def origin_words(workspace: Workspace, annotation_id: AnnotationId) -> str:
    """Say it in one line; nothing where it was no suggestion. Takes well below a millisecond."""
    project = workspace.project
    known = project.suggestions.of_annotation(annotation_id) if project is not None else None
    if project is None or known is None:
        return ""
    try:
        model = model_line(project.runs.get(known.run_id))
    except NotFound:
        model = known.run_id
    by = f" by {known.judged_by}" if known.judged_by else ""
    return f"Suggested by {model}, score {known.score:.2f}; accepted{by} {known.judged_at[5:16].replace('T', ' ')}"
