"""The command that tells how far suggestions have been judged, and judges many at once."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence

from synthstudio.cli.arguments import add_project
from synthstudio.cli.jobs import open_to_write
from synthstudio.cli.render import Scalar, print_json, print_lines, print_table
from synthstudio.domain.errors import NotFound, UserError
from synthstudio.domain.ids import FovId, RunId
from synthstudio.domain.records import FieldOfView
from synthstudio.domain.suggestions import SUGGESTING_KINDS, SuggestionCounts
from synthstudio.project import Project
from synthstudio.project.guard import read_guard
from synthstudio.project.suggestion_verdicts import accept_all, list_counting, make_artifacts


def add_arguments(command: str, parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `suggestions`."""
    add_project(parser)
    parser.add_argument(
        "--run", metavar="ID", help="model whose suggestions are meant [default: the last that searched]"
    )
    parser.add_argument(
        "--field",
        metavar="NAME",
        action="append",
        help="only on this image, by name or #ID; may be given several times",
    )
    judging = parser.add_mutually_exclusive_group()
    judging.add_argument(
        "--accept",
        action="store_true",
        help="make annotations of all that reach their threshold and stand where nothing is annotated yet",
    )
    judging.add_argument(
        "--artifacts", metavar="CLASS", help="annotate all that were rejected as artifacts of this class"
    )
    parser.add_argument("--author", metavar="NAME", default="", help="whose annotations these are")


def execute(command: str, arguments: argparse.Namespace) -> int:
    """Judge where that is asked for, and tell how things stand; return the exit status."""
    judges = arguments.accept or arguments.artifacts is not None
    project = open_to_write(arguments.project) if judges else Project.open(arguments.project, read_only=True)
    try:
        run_id = _model(project, arguments.run)
        fovs = _fields(project, run_id, arguments.field)
        facts: dict[str, object] = {"run": run_id, "n_images": len(fovs)}
        if arguments.accept:
            facts |= _accept(project, run_id, fovs, author=arguments.author)
        if arguments.artifacts is not None:
            facts |= {"n_artifacts": _make_artifacts(project, run_id, fovs, arguments)}
        facts["classes"] = _count(project, run_id, fovs)
    finally:
        project.close()
    if arguments.json:
        print_json(facts)
    else:
        _print(facts)
    return 0


def _model(project: Project, run: str | None) -> RunId:
    known = project.suggestions.runs()
    if run and RunId(run) not in known:
        project.runs.find_named(run, kinds=SUGGESTING_KINDS)
        raise UserError(f"{run} has suggested nothing yet.", f"Let it: synthstudio suggest PROJECT --run {run}.")
    if not known:
        raise UserError(
            "No model has suggested anything in this project yet.", "Let one: synthstudio suggest PROJECT --run RUN."
        )
    return RunId(run) if run else known[0]


def _fields(project: Project, run_id: RunId, names: Sequence[str] | None) -> list[FieldOfView]:
    """The images of these names, or all that the model has searched.

    Raises:
        NotFound: The model has searched no image of such a name.
        UserError: Several images have one of the names.
    """
    searched = project.suggestions.searched(run_id)
    fovs = [fov for fov in project.fovs.list() if fov.id in searched]
    if not names:
        return fovs
    named: dict[FovId, FieldOfView] = {}
    for name in names:
        fov = project.fovs.find_named(name)
        if fov is None or fov.id not in searched:
            raise NotFound(f"{run_id} has searched no image {name}.", f"It has searched {len(fovs)} images.")
        named[fov.id] = fov
    return list(named.values())


def _accept(project: Project, run_id: RunId, fovs: Sequence[FieldOfView], *, author: str) -> dict[str, object]:
    guard = read_guard(project)
    open_ids = [fov.id for fov in fovs if not guard.hides(fov)]
    stored, _ = accept_all(project, run_id, open_ids, author=author)
    return {"n_accepted_now": len(stored), "n_guarded": len(fovs) - len(open_ids)}


def _make_artifacts(project: Project, run_id: RunId, fovs: Sequence[FieldOfView], arguments: argparse.Namespace) -> int:
    known = project.classes.find(arguments.artifacts)
    if known is None:
        raise NotFound(f'There is no class "{arguments.artifacts}".', "Add one whose role is artifact.")
    rejected = project.suggestions.rejected(run_id, [fov.id for fov in fovs])
    return len(make_artifacts(project, rejected, known.id, author=arguments.author)[0])


def _count(project: Project, run_id: RunId, fovs: Sequence[FieldOfView]) -> dict[str, dict[str, float]]:
    """Threshold and counts by the name of each class."""
    counts = project.suggestions.counts_by_class(run_id, [fov.id for fov in fovs])
    shown = Counter(mark.class_id for fov in fovs for mark in list_counting(project, run_id, fov.id))
    thresholds = project.suggestions.thresholds(run_id)
    table = {}
    for known in project.classes.list():
        if known.id in thresholds:
            each = counts.get(known.id, SuggestionCounts())
            table[known.name] = {
                "threshold": round(thresholds[known.id], 4),
                "to_judge": shown[known.id],
                "open": each.n_open,
                "accepted": each.n_accepted,
                "rejected": each.n_rejected,
            }
    return table


def _print(facts: dict[str, object]) -> None:
    print_lines(f"suggestions of {facts['run']} on {facts['n_images']} images", "")
    classes = facts["classes"]
    assert isinstance(classes, dict)  # it was made above
    heads = ("threshold", "to_judge", "open", "accepted", "rejected")
    rows: list[list[Scalar]] = [[name, *(each[head] for head in heads)] for name, each in classes.items()]
    print_table(("class", "threshold", "to judge", "open", "accepted", "rejected"), rows)
    if "n_accepted_now" in facts:
        print_lines("", f"{facts['n_accepted_now']} suggestions were accepted and are annotations now")
        if facts["n_guarded"]:
            print_lines(f"{facts['n_guarded']} images are to be annotated without suggestions and were left out")
    if "n_artifacts" in facts:
        print_lines("", f"{facts['n_artifacts']} rejected suggestions were annotated as artifacts")
