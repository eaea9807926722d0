"""Comparing two runs on the same crops or images."""

from __future__ import annotations

import argparse
import dataclasses

from synthstudio.cli.arguments import WrongUse, add_project
from synthstudio.cli.render import Scalar, print_json, print_lines, print_table
from synthstudio.client.evaluations import compare_maps, compare_runs
from synthstudio.core.evaluation.comparison import Difference, RunComparison
from synthstudio.core.evaluation.map_comparison import MapComparison
from synthstudio.core.stats import MIN_RELIABLE_GROUPS
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import Split
from synthstudio.project import Project


def add_arguments(command: str, parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `compare`."""
    add_project(parser)
    parser.add_argument("first", metavar="RUN_A", help="id of a training run")
    parser.add_argument("second", metavar="RUN_B", help="id of the one that is held against it")
    parser.add_argument(
        "--split", choices=[each.value for each in Split], default=Split.TEST.value, help="images [default test]"
    )
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of the bootstrap, 0 or more [default 0]")


def execute(command: str, arguments: argparse.Namespace) -> int:
    """Compare, and show the differences with their intervals."""
    if arguments.seed < 0:
        raise WrongUse(f"The seed {arguments.seed} is impossible.", "Give 0 or more.")
    project = Project.open(arguments.project, read_only=True)
    try:
        first, second, split = RunId(arguments.first), RunId(arguments.second), Split(arguments.split)
        compared = compare_runs(project, first, second, split=split, seed=arguments.seed)
        maps = compare_maps(project, first, second, split=split, seed=arguments.seed)
    finally:
        project.close()
    if arguments.json:
        told = {"first": arguments.first, "second": arguments.second, "split": arguments.split} | _to_json(compared)
        print_json(told | {"localization": _maps_to_json(maps) if maps is not None else None})
    else:
        _print(first, second, compared, maps)
    return 0


def _to_json(compared: RunComparison) -> dict[str, object]:
    return {
        "n_groups": compared.n_groups,
        "interval_reliable": compared.is_reliable,
        "macro_f1": dataclasses.asdict(compared.macro_f1),
        "mean_ap": dataclasses.asdict(compared.mean_ap),
        "per_class": {
            each.name: {
                "f1": dataclasses.asdict(each.f1),
                "ap": dataclasses.asdict(each.ap),
                "only_first_right": each.n_only_first,
                "only_second_right": each.n_only_second,
            }
            for each in compared.per_class
        },
        "left_out": list(compared.left_out),
    }


def _maps_to_json(maps: MapComparison) -> dict[str, object]:
    return {
        "pointing_accuracy": dataclasses.asdict(maps.pointing),
        "per_class": {
            each.name: {
                "pointing_accuracy": dataclasses.asdict(each.pointing),
                "energy_in_box": dataclasses.asdict(each.energy),
            }
            for each in maps.per_class
        },
    }


def _print(first: str, second: str, compared: RunComparison, maps: MapComparison | None) -> None:
    print_lines(f"A: {first}", f"B: {second}", f"{compared.n_rows} crops or images of {compared.n_groups} samples")
    rows = [[*_cells(each.name, each.f1), each.n_only_first, each.n_only_second] for each in compared.per_class]
    heads = ("A", "B", "B - A", "95 %", "p")
    print_table(
        ("F1", *heads, "only A right", "only B right"), [*rows, [*_cells("macro", compared.macro_f1), None, None]]
    )
    precisions = [_cells(each.name, each.ap) for each in compared.per_class]
    print_lines("")
    print_table(("average precision", *heads), [*precisions, _cells("mean", compared.mean_ap)])
    if maps is not None:
        points = [_cells(each.name, each.pointing) for each in maps.per_class]
        print_lines("")
        print_table(("map points at it", *heads), [*points, _cells("all", maps.pointing)])
        print_lines("")
        print_table(("energy in boxes", *heads), [_cells(each.name, each.energy) for each in maps.per_class])
    _print_notes(compared)


def _print_notes(compared: RunComparison) -> None:
    if not compared.is_reliable:
        print_lines(
            f"note: interval unreliable: only {compared.n_groups} samples were resampled,"
            f" {MIN_RELIABLE_GROUPS} are needed."
        )
    if len(compared.per_class) > 1:
        print_lines("note: p is not corrected for the number of classes.")
    if compared.left_out:
        print_lines(f"note: left out, as one run alone knows them: {', '.join(compared.left_out)}")


def _cells(name: str, figure: Difference) -> list[Scalar]:
    interval = f"{figure.ci95[0]:+.3f} to {figure.ci95[1]:+.3f}" if figure.ci95 else ""
    return [name, figure.first, figure.second, figure.difference, interval, figure.p]
