"""Dividing the samples of a project into train, validation and test."""

from __future__ import annotations

import argparse
from collections import Counter

from synthstudio.cli.arguments import WrongUse, add_project
from synthstudio.cli.jobs import open_to_write
from synthstudio.cli.render import print_json, print_table, print_warnings
from synthstudio.core.training.dividing import divide_samples
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Split
from synthstudio.project import Project


def add_arguments(command: str, parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `split`."""
    add_project(parser)
    parser.add_argument(
        "--val", metavar="X", type=float, default=0.15, help="share of the images [0 to 1; default 0.15]"
    )
    parser.add_argument(
        "--test", metavar="X", type=float, default=0.2, help="share of the images [0 to 1; default 0.2]"
    )
    parser.add_argument(
        "--from",
        dest="origin",
        choices=["none", *(each.value for each in Split)],
        default="none",
        help="divide only the samples that are in this split now; none: those in no split [default none]",
    )
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="another seed gives another division")
    parser.add_argument(
        "--move",
        metavar="FROM=TO",
        help="instead of dividing put all samples of one split into another, as in val=test",
    )


def execute(command: str, arguments: argparse.Namespace) -> int:
    """Divide, and show how many samples and images each split has."""
    project = open_to_write(arguments.project)
    try:
        if arguments.move:
            _move(project, arguments.move)
        else:
            _divide(project, arguments)
        counts = _counts(project)
        print_warnings(_nothing_to_train_on(counts))
        held_out = _held_out_guides(project)
    finally:
        project.close()
    said = "are in the test split: nothing trains on them."
    print_warnings([f"{count} images of the guide set {name} {said}" for name, count in held_out.items()])
    if arguments.json:
        print_json({"splits": counts, "guides_in_test": held_out})
    else:
        rows = [(name, count["samples"], count["images"]) for name, count in counts.items()]
        print_table(("split", "samples", "images"), rows)
    return 0


def _split(name: str) -> Split | None:
    if name == "none":
        return None
    try:
        return Split(name)
    except ValueError:
        raise WrongUse(f"{name!r} is not a split.", f"Splits are {', '.join(Split)} and none.") from None


def _move(project: Project, wish: str) -> None:
    source, sign, target = wish.partition("=")
    if not sign:
        raise WrongUse(f"{wish} does not say from where to where samples move.", "Write FROM=TO, as in val=test.")
    origin, aim = _split(source), _split(target)
    moved = [each.id for each in project.samples.list() if each.split is origin]
    if not moved:
        raise _no_sample_in(origin)
    with project.transaction(before="change of splits"):
        project.samples.set_split(moved, aim)


def _no_sample_in(split: Split | None) -> UserError:
    return UserError(
        f"No sample is in the {split} split." if split else "Every sample is in a split already.",
        "Choose with --from, or FROM of --move, a split that has samples.",
    )


def _nothing_to_train_on(counts: dict[str, dict[str, int]]) -> list[str]:
    """Why no training could begin: the train split is empty, though there are images."""
    if not counts or counts.get(str(Split.TRAIN), {"images": 0})["images"]:
        return []
    where = ", ".join(f"{count['images']} in {name}" for name, count in counts.items())
    return [f"The train split is empty, so that nothing can be trained: of the images are {where}."]


def _divide(project: Project, arguments: argparse.Namespace) -> None:
    origin = _split(arguments.origin)
    n_fovs = Counter(fov.sample_id for fov in project.fovs.list())
    sizes = {each.id: (each.name, n_fovs[each.id]) for each in project.samples.list() if each.split is origin}
    if not sizes:
        if not n_fovs:
            raise UserError(f"The project {project.name} has no images to divide.", "Import some first.")
        raise _no_sample_in(origin)
    division = divide_samples(sizes, val=arguments.val, test=arguments.test, seed=arguments.seed)
    with project.transaction(before="change of splits"):
        for split in Split:
            project.samples.set_split([each for each, part in division.items() if part is split], split)


def _held_out_guides(project: Project) -> dict[str, int]:
    """How many images of each guide set the test split has taken out of training."""
    test = {fov.id for fov in project.fovs.list(split=Split.TEST)}
    counts = {each.name: sum(image.fov_id in test for image in each.images) for each in project.guides.list()}
    return {name: count for name, count in counts.items() if count}


def _counts(project: Project) -> dict[str, dict[str, int]]:
    samples = Counter(each.split or "none" for each in project.samples.list())
    images = Counter(fov.split or "none" for fov in project.fovs.list())
    return {str(name): {"samples": samples[name], "images": images[name]} for name in (*Split, "none") if samples[name]}
