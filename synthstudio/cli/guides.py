"""Guide sets: the few images with captions that a diffusion model is shown."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from synthstudio.cli.arguments import WrongUse, add_action
from synthstudio.cli.jobs import open_to_write
from synthstudio.cli.render import print_json, print_lines, print_table, print_warnings, shown_progress
from synthstudio.core.export.guides import write_guides
from synthstudio.core.review.guide_checks import GuideProblem, check_guides, look_at_guide
from synthstudio.domain.errors import NotFound
from synthstudio.domain.guides import NEW_GUIDE, GuideImage, GuideSet
from synthstudio.domain.ids import FovId
from synthstudio.project import Project
from synthstudio.project.guide_material import list_guide_crops
from synthstudio.project.guide_regions import crop_to_regions, list_region_guides

DEFAULT_MARGIN = 0.25
EXIT_OFF = 1
"""Of a check that has found an error."""
_CHANGING = ("new", "add", "crop", "remove")


def add_arguments(command: str, parser: argparse.ArgumentParser) -> None:
    """Declare the actions of `guides` with their arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    new = add_action(actions, "new", "make an empty guide set")
    new.add_argument("name", metavar="NAME", help="of the set")
    new.add_argument("--class-name", metavar="TEXT", required=True, help="what its images show, as captions say it")
    new.add_argument("--identifier", metavar="WORD", required=True, help="rare word that stands for what is learned")
    add = add_action(actions, "add", "add images, or squares around marked regions, to a guide set")
    add.add_argument("name", metavar="NAME", help="of the set")
    add.add_argument("--field", metavar="NAME", nargs="+", action="extend", help="fields of view, by name or id")
    add.add_argument(
        "--boxes-of", metavar="CLASS", nargs="*", help="squares around the regions of these classes, or all"
    )
    _add_margin(add)
    add.add_argument(
        "--count", metavar="N", type=int, help="add so many regions at most, of as many images as possible"
    )
    add.add_argument("--caption", metavar="TEXT", default="", help="caption of each of them")
    crop = add_action(actions, "crop", "crop the images of a guide set to the marked regions on them; captions stay")
    crop.add_argument("name", metavar="NAME", help="of the set")
    crop.add_argument("--boxes-of", metavar="CLASS", nargs="*", default=(), help="only regions of these classes")
    _add_margin(crop)
    remove = add_action(actions, "remove", "remove a guide set, or some of its images; the fields of view stay")
    remove.add_argument("name", metavar="NAME", help="of the set")
    remove.add_argument("--field", metavar="NAME", nargs="+", action="extend", help="only the guide images of these")
    add_action(actions, "list", "list the guide sets of a project")
    check = add_action(actions, "check", "say what is off with a guide set")
    check.add_argument("name", metavar="NAME", help="of the set")
    check.add_argument(
        "--side", metavar="PX", type=int, default=512, help="side that is learned from in px [default 512]"
    )
    export = add_action(actions, "export", "write the images of a guide set with a text file for each caption")
    export.add_argument("name", metavar="NAME", help="of the set")
    export.add_argument("out", metavar="OUT", type=Path, help="new or empty folder")
    export.add_argument("--side", metavar="PX", type=int, help="side of the images in px [default: as they are]")
    export.add_argument("--keep-names", action="store_true", help="keep file names, which may name a patient")


def _add_margin(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--margin",
        metavar="X",
        type=float,
        default=DEFAULT_MARGIN,
        help="surroundings of a region on each side, as a share of its longer side [0 to 2; default 0.25]",
    )


def execute(command: str, arguments: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    actions: dict[str, Callable[[Project, argparse.Namespace], int | None]] = {
        "new": _new,
        "add": _add,
        "crop": _crop,
        "remove": _remove,
        "list": _list,
        "check": _check,
        "export": _export,
    }
    is_changing = arguments.action in _CHANGING
    project = open_to_write(arguments.project) if is_changing else Project.open(arguments.project, read_only=True)
    try:
        return actions[arguments.action](project, arguments) or 0
    finally:
        project.close()


def _new(project: Project, arguments: argparse.Namespace) -> None:
    made, _ = project.guides.add(arguments.name, class_name=arguments.class_name, identifier=arguments.identifier)
    if arguments.json:
        print_json(_facts(made))
    else:
        print_lines(f'guide set {made.name}: "{made.subject}"')


def _add(project: Project, arguments: argparse.Namespace) -> None:
    if arguments.field is None and arguments.boxes_of is None:
        raise WrongUse("Nothing is named to be added.", "Name images with --field, or regions with --boxes-of CLASS.")
    _check_margin(arguments.margin)
    if arguments.count is not None and arguments.count < 1:
        raise WrongUse(f"A count of {arguments.count} is impossible.", "Give a number above 0.")
    fov_ids = _find_fovs(project, arguments.field) if arguments.field is not None else None
    if arguments.boxes_of is None:
        chosen = [GuideImage(NEW_GUIDE, fov_id, None, arguments.caption) for fov_id in fov_ids or ()]
    else:
        chosen = list_region_guides(
            project,
            arguments.boxes_of,
            margin=arguments.margin,
            count=arguments.count,
            fov_ids=fov_ids,
            caption=arguments.caption,
        )
    added, _ = project.guides.add_images(arguments.name, chosen)
    if arguments.json:
        print_json(_facts(project.guides.get(arguments.name)) | {"n_added": len(added)})
    else:
        there = f"; {len(chosen) - len(added)} were there already" if len(added) < len(chosen) else ""
        print_lines(f"{len(added)} guide images came into {arguments.name}{there}")


def _crop(project: Project, arguments: argparse.Namespace) -> None:
    _check_margin(arguments.margin)
    before = project.guides.get(arguments.name)
    after = crop_to_regions(project, before, arguments.boxes_of, margin=arguments.margin)
    project.guides.put(after)
    n_cropped = sum(a.box != b.box for a, b in zip(before.images, after.images, strict=True))
    if arguments.json:
        print_json(_facts(after) | {"n_cropped": n_cropped})
    else:
        print_lines(f"{n_cropped} of {len(after.images)} images of {after.name} are cropped anew")


def _remove(project: Project, arguments: argparse.Namespace) -> None:
    guide_set = project.guides.get(arguments.name)
    images = guide_set.images
    if arguments.field is None:
        project.guides.remove(guide_set.name)
    else:
        fov_ids = set(_find_fovs(project, arguments.field))
        images = tuple(each for each in images if each.fov_id in fov_ids)
        project.guides.remove_images([each.id for each in images])
    if arguments.json:
        print_json({"guide_set": guide_set.name, "n_removed": len(images), "is_gone": arguments.field is None})
    else:
        what = f"guide set {guide_set.name} with " if arguments.field is None else ""
        print_lines(f"{what}{len(images)} guide images removed")


def _check_margin(margin: float) -> None:
    if not 0 <= margin <= 2:
        raise WrongUse(f"A margin of {margin} is impossible.", "Give a share from 0 to 2.")


def _find_fovs(project: Project, names: Sequence[str]) -> list[FovId]:
    """Raises NotFound where there is no such field."""
    by_id = {str(fov.id): fov.id for fov in project.fovs.list()}
    found: list[FovId] = []
    for name in names:
        fov = project.fovs.find_named(name)
        if fov is None and name not in by_id:
            raise NotFound(
                f"There is no field of view {name} in this project.", "Name it as its image file, or by its id."
            )
        found.append(fov.id if fov is not None else by_id[name])
    return found


def _list(project: Project, arguments: argparse.Namespace) -> None:
    sets = project.guides.list()
    if arguments.json:
        print_json({"guide_sets": [_facts(each) for each in sets]})
    elif not sets:
        print_lines("There is no guide set yet; make one with: synthstudio guides new")
    else:
        columns = ("guide set", "images", "captions", "class name", "identifier")
        print_table(
            columns,
            [(each.name, len(each.images), _n_captions(each), each.class_name, each.identifier) for each in sets],
        )


def _check(project: Project, arguments: argparse.Namespace) -> int:
    guide_set = project.guides.get(arguments.name)
    crops = list_guide_crops(project, guide_set)
    names = [each.name for each in project.classes.list()]
    with shown_progress("Looking at guide images") as tick:
        looks = []
        for number, crop in enumerate(crops):
            tick(number, len(crops))
            looks.append(look_at_guide(crop.guide, crop.fov))
        found = check_guides(guide_set, looks, class_names=names, side=arguments.side, tick=tick)
    if arguments.json:
        print_json(_facts(guide_set) | {"problems": [_problem_facts(each) for each in found]})
    else:
        print_lines(*[f"{each.severity}: {each.message}" for each in found] or [f"{guide_set.name}: nothing is off"])
    return EXIT_OFF if any(each.severity == "error" for each in found) else 0


def _export(project: Project, arguments: argparse.Namespace) -> None:
    guide_set = project.guides.get(arguments.name)
    if not guide_set.images:
        raise NotFound(f"The guide set {guide_set.name} has no images.", "Add some first: synthstudio guides add.")
    missing = len(guide_set.images) - _n_captions(guide_set)
    guides = [(crop.guide, crop.fov) for crop in list_guide_crops(project, guide_set)]
    with shown_progress("Exporting") as tick:
        n = write_guides(guides, arguments.out, side=arguments.side, keep_names=arguments.keep_names, tick=tick)
    print_warnings([f"{missing} images have no caption: their text files are empty."] if missing else [])
    if arguments.json:
        print_json({"out": str(arguments.out.absolute()), "n_images": n, "n_captions": n - missing})
    else:
        print_lines(f"{n} images with {n - missing} captions in {arguments.out.absolute()}")


def _n_captions(guide_set: GuideSet) -> int:
    return sum(bool(each.caption) for each in guide_set.images)


def _facts(guide_set: GuideSet) -> dict[str, object]:
    return {
        "guide_set": guide_set.name,
        "class_name": guide_set.class_name,
        "identifier": guide_set.identifier,
        "n_images": len(guide_set.images),
        "n_captions": _n_captions(guide_set),
    }


def _problem_facts(problem: GuideProblem) -> dict[str, object]:
    return {
        "kind": problem.kind,
        "severity": problem.severity,
        "message": problem.message,
        "guides": list(problem.guides),
    }
