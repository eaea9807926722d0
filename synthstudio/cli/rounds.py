"""The commands of rounds: one round of training, scoring and suggesting; and the learning curve of all."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from synthstudio.cli.arguments import add_project
from synthstudio.cli.plan_commands import Outlook, PlanCommand
from synthstudio.cli.render import Scalar, print_json, print_lines, print_table
from synthstudio.client.experiment_table import ALL_CLASSES
from synthstudio.client.plan_status import status_of
from synthstudio.client.plans import was_cancelled
from synthstudio.client.round_curve import (
    curve_of,
    known_measures,
    outlook_words,
    rounds_csv,
    rounds_json,
    score_of,
    score_words,
)
from synthstudio.client.round_suggestions import RoundScores, score_round_suggestions
from synthstudio.client.round_times import estimate_round
from synthstudio.client.rounds import KIND, RoundPlan, RoundState, next_round, read_rounds, stored_round
from synthstudio.core.imaging import write_bytes_atomically
from synthstudio.domain.errors import UserError
from synthstudio.project import Project
from synthstudio.settings.round import RoundSettings

TABLE = "rounds"


def add_arguments(command: str, parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of one of the commands."""
    add_project(parser)
    if command == TABLE:
        parser.add_argument("--csv", metavar="FILE", type=Path, help="write all scores as CSV, class by class")
        return
    _RUN.add_arguments(parser)


def execute(command: str, arguments: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    if command == TABLE:
        return _show_rounds(arguments)
    return _RUN.execute(arguments)


def _stored(project: Project, name: str) -> RoundPlan:
    return RoundPlan(stored_round(project, name))


def _show_rounds(arguments: argparse.Namespace) -> int:
    project = Project.open(arguments.project)
    try:
        rounds = read_rounds(project)
        if not rounds:
            raise UserError(f"There is no round in {arguments.project}.", "Start one with: synthstudio round PROJECT.")
        if arguments.csv is not None:
            write_bytes_atomically(arguments.csv, rounds_csv(rounds))
        newest = rounds[-1]
        status = status_of(
            n_done=newest.n_done,
            n_planned=newest.n_jobs,
            has_failed=bool(newest.trouble),
            was_cancelled=was_cancelled(project, (newest.name,)),
        )
        _tell(project, rounds, status=status, name=newest.name, is_json=arguments.json)
    finally:
        project.close()
    return 0


def _outlook(project: Project, plan: RoundPlan, *, jobs: str) -> Outlook:
    n_annotations = project.rounds.n_annotations()
    titles = [stage.title for trial in plan.lay_out(project) for stage in trial.stages]
    lines = (f"{plan.name}: {n_annotations} annotations to learn from; {jobs}", *titles)
    return Outlook({"round": plan.name, "annotations": n_annotations}, lines, estimate_round(project, plan))


def _tell_found(project: Project, plan: RoundPlan, *, status: str, is_json: bool) -> None:
    _tell(project, read_rounds(project), status=status, name=plan.name, is_json=is_json)


def _tell(project: Project, rounds: tuple[RoundState, ...], *, status: str, name: str, is_json: bool) -> None:
    suggested = score_round_suggestions(project, rounds)
    if is_json:
        print_json({"status": status, "round": name, **rounds_json(rounds, suggested)})
        return
    measures = known_measures(rounds)[:3]
    rows: list[list[Scalar]] = [
        [
            each.name if each.is_comparable else f"{each.name} (other test images)",
            each.record.stock.n_annotations,
            each.record.stock.n_complete,
            each.record.stock.n_actions,
            f"{each.record.stock.expert_s / 60:.1f}",
            *(score_words(score_of(each, measure.key, ALL_CLASSES)) for measure in measures),
        ]
        for each in rounds
    ]
    columns = ("round", "annotations", "complete images", "actions", "expert minutes")
    print_lines(f"{name}: {status}")
    print_table((*columns, *(measure.title for measure in measures)), rows)
    if measures:
        print_lines(outlook_words(curve_of(rounds, measures[0].key)))
    _print_suggestions(rounds, suggested)
    print_lines(*(f"failed: {each.trouble}" for each in rounds if each.trouble))


def _print_suggestions(rounds: Sequence[RoundState], suggested: RoundScores) -> None:
    """What became of the suggestions of each round, and what seeing them did in the newest."""
    found = [(each.name, suggested[each.name]) for each in rounds if each.name in suggested]
    if not found:
        return
    rows: list[list[Scalar]] = [
        [
            name,
            side_name,
            side.n_fovs,
            score_words(side.precision),
            score_words(side.recall),
        ]
        for name, scores in found
        for side_name, side in (("seen", scores.seen), ("not seen", scores.unseen))
        if side.n_fovs
    ]
    print_lines("")
    print_table(("round", "suggestions", "images done since", "precision", "recall"), rows)
    print_lines(found[-1][1].words)


_RUN = PlanCommand(
    kind=KIND,
    settings=RoundSettings,
    planned=next_round,
    stored=_stored,
    outlook=_outlook,
    tell=_tell_found,
)
