"""Which fields to annotate next, and the anchoring guard."""

from __future__ import annotations

import argparse

from synthstudio.cli.arguments import WrongUse, add_project
from synthstudio.cli.jobs import open_to_write
from synthstudio.cli.render import Scalar, print_json, print_lines, print_table, shown_progress
from synthstudio.client.round_suggestions import suggestions_json
from synthstudio.core.suggestions.outcomes import OutcomeFigures, Rate, SuggestionScores, score_outcomes
from synthstudio.core.suggestions.ranking import RANDOM_SHARE, RankingRules
from synthstudio.domain.guard import Guard
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import Split
from synthstudio.domain.suggestions import SUGGESTING_KINDS
from synthstudio.project import Project
from synthstudio.project.guard import read_guard, write_guard
from synthstudio.project.next_fields import LEARNED_FROM, NextField, NextFields, rank_project
from synthstudio.project.suggestion_outcomes import OutcomeReader

_NO_SPLIT = "none"
_MOST_MODELS = 2


def add_arguments(command: str, parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `next` and `guard`."""
    add_project(parser)
    if command == "guard":
        parser.add_argument(
            "--share", metavar="X", type=float, help="set the share of the images that is guarded [0 to 1]"
        )
        parser.add_argument("--seed", metavar="N", type=int, help="another seed guards other images")
        parser.add_argument("--run", metavar="ID", help="score the suggestions of this model alone")
        return
    parser.add_argument("--count", metavar="N", type=int, default=10, help="how many images [1 or more; default 10]")
    parser.add_argument(
        "--run",
        metavar="ID",
        action="append",
        help="model whose suggestions are read; a second one is compared with it [default: the two that searched last]",
    )
    parser.add_argument(
        "--random",
        metavar="X",
        type=float,
        default=RANDOM_SHARE,
        help=f"share of the images that is picked by lot [0 to 1; default {RANDOM_SHARE:g}]",
    )
    parser.add_argument(
        "--split",
        choices=[*(each.value for each in Split), _NO_SPLIT],
        help="images of this split alone [default: train, and images in no split]",
    )
    parser.add_argument("--no-novelty", action="store_true", help="do not look how unlike the annotated ones they are")


def execute(command: str, arguments: argparse.Namespace) -> int:
    """Rank, or show and set the guard."""
    return _guard(arguments) if command == "guard" else _next(arguments)


def _next(arguments: argparse.Namespace) -> int:
    if arguments.count < 1:
        raise WrongUse(f"{arguments.count} images cannot be chosen.", "Give 1 or more.")
    if not 0.0 <= arguments.random <= 1.0:
        raise WrongUse(f"{arguments.random:g} is no share of the images.", "Give a number from 0 to 1.")
    if arguments.run and len(arguments.run) > _MOST_MODELS:
        raise WrongUse("More than two models were named.", "Name the one that suggests, and one to compare it with.")
    project = Project.open(arguments.project)  # features that are computed are kept, where it may be written
    try:
        models = (
            [project.runs.find_named(each, kinds=SUGGESTING_KINDS).id for each in arguments.run]
            if arguments.run
            else None
        )
        splits = LEARNED_FROM if arguments.split is None else (_split(arguments.split),)
        with shown_progress("Looking at the images") as tick:
            found = rank_project(
                project,
                count=arguments.count,
                run_ids=models,
                rules=RankingRules(random_share=arguments.random),
                splits=splits,
                uses_features=not arguments.no_novelty,
                tick=tick,
            )
    finally:
        project.close()
    if arguments.json:
        print_json(_next_to_json(found))
    else:
        _print_next(found)
    return 0


def _split(name: str) -> Split | None:
    return None if name == _NO_SPLIT else Split(name)


def _next_to_json(found: NextFields) -> dict[str, object]:
    return {
        "runs": list(found.run_ids),
        "n_candidates": found.n_candidates,
        "n_searched": found.n_searched,
        "fields": [_field_to_json(place, each) for place, each in enumerate(found.fields, start=1)],
    }


def _field_to_json(place: int, each: NextField) -> dict[str, object]:
    return {
        "rank": place,
        "field": each.fov.name,
        "sample": each.fov.sample_name,
        "split": each.fov.split.value if each.fov.split else None,
        "worth": round(each.pick.worth, 4),
        "is_random": each.pick.is_random,
        "without_suggestions": each.is_guarded,
        "reasons": list(each.pick.reasons),
        "standings": {name.value: round(value, 4) for name, value in each.pick.standings.items()},
        "regions": [
            {
                "box": [region.box.x0, region.box.y0, region.box.x1, region.box.y1],
                "n_doubtful": region.n_doubtful,
                "n_differing": region.n_differing,
            }
            for region in each.regions
        ],
    }


def _print_next(found: NextFields) -> None:
    if not found.n_candidates:
        print_lines("No image is left to annotate; choose others with --split.")
        return
    models = " and ".join(found.run_ids) or "no model"
    print_lines(
        f"{found.n_candidates} images are not done; {found.n_searched} of them were searched by {models}",
        "",
    )
    rows: list[list[Scalar]] = [
        [
            place,
            each.fov.name,
            each.fov.sample_name,
            each.pick.worth,
            "; ".join((*each.pick.reasons, *(["annotate without suggestions"] if each.is_guarded else []))),
        ]
        for place, each in enumerate(found.fields, start=1)
    ]
    if rows:
        print_table(("", "field", "sample", "worth", "why"), rows)


def _guard(arguments: argparse.Namespace) -> int:
    sets = arguments.share is not None or arguments.seed is not None
    project = open_to_write(arguments.project) if sets else Project.open(arguments.project, read_only=True)
    try:
        guard = read_guard(project)
        if sets:
            guard = Guard(
                guard.share if arguments.share is None else arguments.share,
                guard.seed if arguments.seed is None else arguments.seed,
            )
            write_guard(project, guard)
        fovs = project.fovs.list()
        n_held, n_hidden = sum(guard.holds(fov) for fov in fovs), sum(guard.hides(fov) for fov in fovs)
        models = (
            [project.runs.find_named(arguments.run, kinds=SUGGESTING_KINDS).id]
            if arguments.run
            else project.suggestions.runs()
        )
        reader = OutcomeReader(project)
        scores = {run_id: score_outcomes(reader.read(run_id)) for run_id in models}
    finally:
        project.close()
    if arguments.json:
        told = {run_id: suggestions_json(each) for run_id, each in scores.items()}
        print_json(
            {"share": guard.share, "seed": guard.seed, "n_guarded": n_held, "n_hidden": n_hidden, "models": told}
        )
        return 0
    print_lines(
        f"guarded: {guard.share:g} of the images, {n_held} of {len(fovs)}; {n_hidden} of these are still to be done"
    )
    for run_id, each in scores.items():
        _print_scores(run_id, each)
    return 0


def _print_scores(run_id: RunId, scores: SuggestionScores) -> None:
    print_lines("", f"suggestions of {run_id}, against what was annotated after them")
    sides = (("seen", scores.seen), ("seen, by lot", scores.by_lot), ("not seen", scores.unseen))
    rows = [_figures_row(name, figures) for name, figures in sides if figures.n_fovs]
    if rows:
        heads = ("images", "samples", "precision", "95 %", "recall", "95 %", "suggested", "annotated", "95 %")
        print_table(("suggestions", *heads), rows)
    print_lines(scores.words)


def _figures_row(name: str, each: OutcomeFigures) -> list[Scalar]:
    rates = (*_cells(each.precision), *_cells(each.recall), each.suggested.value, *_cells(each.left))
    return [name, each.n_fovs, each.n_groups, *rates]


def _cells(rate: Rate) -> tuple[Scalar, Scalar]:
    return rate.value, f"{rate.ci95[0]:.3f} to {rate.ci95[1]:.3f}" if rate.ci95 is not None else None
