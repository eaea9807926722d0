"""What is most like an image, among all of a project and its sets: a searchable image database."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from synthstudio.cli.arguments import RunEnded, WrongUse, add_project
from synthstudio.cli.jobs import open_to_write, run_job
from synthstudio.cli.render import Scalar, print_json, print_lines, print_table, print_warnings, shown_progress
from synthstudio.client.session import start_run
from synthstudio.core.evaluation.descriptor import DESCRIPTOR_NAME
from synthstudio.core.evaluation.feature_store import FeatureStore
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import CropSquare
from synthstudio.project import Project
from synthstudio.project.features import describe_and_keep, describe_missing, outside_picture, read_store, rows_of
from synthstudio.project.pictures import Picture
from synthstudio.project.similar_pictures import PictureSearch, SimilarPicture, list_everything
from synthstudio.protocol.messages import JobCancelled, JobFailed, JobFinished
from synthstudio.protocol.results import EmbedResult
from synthstudio.settings.embed import EmbedSettings

COUNT = 12


def add_arguments(command: str, parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `similar`."""
    add_project(parser)
    parser.add_argument("image", metavar="IMAGE", help="an image file, of the project or not, or the name of an image")
    parser.add_argument("--count", metavar="N", type=int, default=COUNT, help=f"so many are named [default {COUNT}]")
    parser.add_argument(
        "--window", metavar=("X", "Y", "SIDE"), nargs=3, type=int, help="only this square of the image, in px"
    )
    parser.add_argument(
        "--among", choices=("images", "objects"), help="what is searched [default images; objects with --window]"
    )
    parser.add_argument(
        "--set",
        metavar="NAME",
        action="append",
        dest="sets",
        help="search only this set; may be repeated [default: the project and all sets]",
    )
    parser.add_argument("--features", metavar="FILE", default="", help="local model or file of weights that describes")
    parser.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda or cuda:N [default auto]")


def execute(command: str, arguments: argparse.Namespace) -> int:
    """Search, after what is new has been described."""
    if arguments.count < 1:
        raise WrongUse("--count must be 1 or more.")
    if arguments.window and arguments.features:
        raise WrongUse("--window works with the built-in descriptor.", "Leave --features out, or cut the square out.")
    project = open_to_write(arguments.project) if arguments.features else Project.open(arguments.project)
    try:
        query = _query(project, arguments)
        sets = arguments.sets if arguments.sets is not None else [each.name for each in project.sets.list()]
        searched = sets if arguments.sets is not None else ["", *sets]
        has_objects = (arguments.among or ("objects" if arguments.window else "images")) == "objects"
        pictures = list_everything(project, searched, has_objects=has_objects)
        if not pictures:
            what = "marked objects" if has_objects else "images"
            raise UserError(f"There are no {what} to search.", "Search other sets, or import some first.")
        if arguments.features:
            store = _described_by_network(project, query, sets, arguments)
        else:
            store = _described(project, [*pictures, query])
        vector = rows_of(store, [query])
        search = PictureSearch(pictures, store)
        found = search.find(vector[0], count=arguments.count)
    finally:
        project.close()
    _print(found, n=len(search), features=store.name, arguments=arguments)
    return 0


def _query(project: Project, arguments: argparse.Namespace) -> Picture:
    path = Path(arguments.image).expanduser()
    fov = None if path.is_file() else project.fovs.find_named(arguments.image)
    if fov is None and not path.is_file():
        raise WrongUse(f"{arguments.image} is no file, and the project has no image of this name.")
    picture = Picture(fov) if fov is not None else outside_picture(path.absolute())
    if not arguments.window:
        return picture
    x, y, side = arguments.window
    own = picture.fov
    if min(x, y) < 0 or side < 1 or x + side > own.width or y + side > own.height:
        raise WrongUse(f"The window is not within the image of {own.width} x {own.height} px.")
    return dataclasses.replace(picture, window=CropSquare(x, y, side))


def _described(project: Project, pictures: list[Picture]) -> FeatureStore:
    store = read_store(project)
    with shown_progress("Describing what is new") as tick:
        if project.is_read_only:
            failed = describe_missing(pictures, store, tick=tick)
        else:
            failed = describe_and_keep(project, pictures, store, tick=tick)
    if pictures[-1].key not in store:
        raise UserError(failed[-1], "Choose another image.")
    print_warnings(failed)
    return store


def _described_by_network(
    project: Project, query: Picture, sets: list[str], arguments: argparse.Namespace
) -> FeatureStore:
    settings = EmbedSettings(
        sets=tuple(sets),
        n_most=100_000 if sets else 0,
        features=arguments.features,
        objects=arguments.among == "objects",
        layout="pca",
        files=(query.fov.path,),
    )
    run_id = start_run(project, settings)
    match run_job(project, run_id, device=arguments.device):
        case JobFailed(message=message, hint=hint):
            raise RunEnded(run_id, "failed", message=message, hint=hint)
        case JobCancelled():
            raise RunEnded(run_id, "cancelled", message="The search was cancelled.")
        case JobFinished(result=EmbedResult() as result):
            print_warnings(result.notes)
            store = read_store(project, sha256=result.features_sha256, name=result.features)
            if query.key not in store:  # its notes, just printed, say why
                raise UserError(f"{arguments.image} could not be described.", "Choose another image.")
            return store
    raise AssertionError("an embed job tells of features")


def _print(found: list[SimilarPicture], *, n: int, features: str, arguments: argparse.Namespace) -> None:
    if arguments.json:
        rows = [_entry(each) for each in found]
        print_json({"query": arguments.image, "features": features, "n_searched": n, "similar": rows})
        return
    print_lines(f"nearest of {n:,} by {features or DESCRIPTOR_NAME}:")
    lines: list[list[Scalar]] = []
    for number, each in enumerate(found):
        told = _entry(each)
        window = ", ".join(map(str, told["window"])) if isinstance(told["window"], list) else None
        place = f"set {told['set']}" if told["set"] else str(told["split"] or "no split")
        lines.append([number + 1, each.distance, str(told["name"]), str(told["sample"]), place, window])
    print_table(("rank", "distance", "image", "sample", "of", "x, y, side"), lines)


def _entry(found: SimilarPicture) -> dict[str, object]:
    picture, fov = found.picture, found.picture.fov
    window = picture.window
    return {
        "name": fov.name,
        "path": fov.path,
        "set": picture.set_name,
        "sample": "" if picture.set_name else fov.sample_name,
        "split": fov.split.value if fov.split is not None and not picture.set_name else None,
        "annotation": picture.mark.id if picture.mark is not None and not picture.set_name else None,
        "window": [window.x, window.y, window.side] if window is not None else None,
        "distance": round(found.distance, 6),
    }
