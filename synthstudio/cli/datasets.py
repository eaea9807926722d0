"""Images and annotations in and out."""

from __future__ import annotations

import argparse
import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

from synthstudio.cli.arguments import WrongUse, add_project
from synthstudio.cli.jobs import open_to_write
from synthstudio.cli.render import print_json, print_lines, print_warnings, shown_progress
from synthstudio.core.annotations.guessing import guess_format
from synthstudio.core.annotations.mapping import count_marks, map_classes
from synthstudio.core.annotations.planning import ReadOptions
from synthstudio.core.annotations.readers import READERS
from synthstudio.core.export.datasets import ExportData, require_annotated
from synthstudio.core.export.writers import WRITERS
from synthstudio.core.fields.pages import PageChoice, parse_pages
from synthstudio.domain.errors import UserError
from synthstudio.domain.plans import ImportPlan, Problem
from synthstudio.domain.records import ReviewRule, Split
from synthstudio.project import Project
from synthstudio.project.imports import Existing, ImportOutcome, apply_import
from synthstudio.project.reviewed_sets import list_usable_images
from synthstudio.project.set_images import list_set_masks


def add_arguments(command: str, parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `import` and `export`."""
    add_project(parser)
    splits = [each.value for each in Split]
    if command == "export":
        parser.add_argument("out", metavar="OUT", type=Path, help="new or empty folder")
        parser.add_argument("--format", required=True, choices=sorted(WRITERS))
        chosen = parser.add_mutually_exclusive_group()
        chosen.add_argument("--split", choices=splits, help="only the images of this split")
        chosen.add_argument("--set", metavar="NAME", help="a synthetic set with its boxes instead of the real images")
        parser.add_argument(
            "--review",
            choices=get_args(ReviewRule),
            default="accepted",
            help="which images of a set that somebody has judged: only accepted ones, or all that are not rejected",
        )
        parser.add_argument("--keep-names", action="store_true", help="keep file names, which may name a patient")
        return
    parser.add_argument("path", metavar="PATH", type=Path, help="folder of the data set, or one file")
    parser.add_argument("--format", choices=sorted(READERS), help="how it is stored [default: told from its files]")
    parser.add_argument("--images", metavar="DIR", type=Path, help="folder of the images, where they lie elsewhere")
    parser.add_argument("--split", choices=splits, help="split of all that is read; wins over the data set's own")
    parser.add_argument(
        "--sample-from",
        metavar="REGEX",
        help=r"specimen or patient of an image: one group, searched in its path, as ^(patient\d+)_; folder; or stem",
    )
    parser.add_argument("--copy", action="store_true", help="copy the images into the project")
    parser.add_argument("--classes-fixed", action="store_true", help="leave out classes that the project does not have")
    parser.add_argument(
        "--labels-from-folder", action="store_true", help="imagefolder: the innermost folder is the class of the image"
    )
    parser.add_argument(
        "--pages",
        metavar="LIST",
        default="all",
        help="imagefolder: pages of a stack that become images of their own, from 1: all, 3, 1-10, 1-40:4, or a list"
        " with commas [default all]",
    )
    parser.add_argument(
        "--map",
        metavar="OLD=NEW",
        action="append",
        default=[],
        dest="class_map",
        help="give the class OLD of the data set the name NEW; OLD= leaves it out; may be repeated",
    )
    parser.add_argument(
        "--existing",
        choices=[each.value for each in Existing],
        default=Existing.MERGE.value,
        help="images that the project has already: add the marks that they lack, import them again, or leave them out"
        " [default merge]",
    )
    parser.add_argument("--um-per-px", metavar="X", type=float, help="pixel size in um, where the files do not tell")
    parser.add_argument(
        "--guides",
        metavar="NAME",
        help="captions: guide set that the images go into; made where there is none [default: name of the folder]",
    )
    parser.add_argument(
        "--class-name", metavar="TEXT", help="captions: what a new guide set shows, as its captions say"
    )
    parser.add_argument("--identifier", metavar="WORD", help="captions: rare word of a new guide set in its captions")


def execute(command: str, arguments: argparse.Namespace) -> int:
    """Import or export."""
    return _import(arguments) if command == "import" else _export(arguments)


def _import(arguments: argparse.Namespace) -> int:
    if arguments.um_per_px is not None and not 0 < arguments.um_per_px < math.inf:
        raise WrongUse(f"A pixel size of {arguments.um_per_px} um is impossible.", "Give a number above 0.")
    mapping, pages = _class_map(arguments.class_map), _pages(arguments.pages)
    is_guessed = arguments.format is None
    arguments.format = arguments.format or guess_format(arguments.path)
    guide_set = _guide_set(arguments)
    project = open_to_write(arguments.project)
    try:
        if is_guessed and arguments.path.exists():
            print_warnings([f"{arguments.path.name} is read as {arguments.format}; name another one with --format."])
        known = [each.name for each in project.classes.list()] if arguments.classes_fixed else None
        _check_new_names(mapping, known)
        options = ReadOptions(
            images=arguments.images.absolute() if arguments.images else None,
            split=Split(arguments.split) if arguments.split else None,
            sample_from=arguments.sample_from,
            known_classes=known,
            renamed_classes=mapping.keys(),
            labels_from_folder=arguments.labels_from_folder,
            pages=pages,
        )
        with shown_progress("Reading") as tick:
            plan = READERS[arguments.format](arguments.path.absolute(), options, tick=tick)
        if not plan.fovs:
            raise _nothing_imported(arguments.path, plan.problems)
        _check_old_names(mapping, plan)
        plan = _calibrated(map_classes(plan, mapping), arguments.um_per_px)
        is_new = bool(guide_set) and project.guides.find(guide_set) is None
        with shown_progress("Importing") as tick:
            outcome = apply_import(
                project,
                plan,
                copy=arguments.copy,
                existing=Existing(arguments.existing),
                guide_set=guide_set,
                tick=tick,
            )
        if is_new:
            made = project.guides.get(guide_set)
            class_name, identifier = arguments.class_name or "", arguments.identifier or ""
            project.guides.put(dataclasses.replace(made, class_name=class_name, identifier=identifier))
        _print_outcome(outcome, plan, guide_set=guide_set, as_json=arguments.json)
    finally:
        project.close()
    return 0


def _guide_set(arguments: argparse.Namespace) -> str:
    """Return the guide set that captioned images go into; empty for other formats. Raises WrongUse."""
    if arguments.format == "captions":
        return str(arguments.guides or arguments.path.absolute().name)
    given = [name for name in ("guides", "class_name", "identifier") if getattr(arguments, name)]
    if given:
        raise WrongUse(f"--{given[0].replace('_', '-')} goes with --format captions only.", "Leave it out.")
    return ""


def _pages(text: str) -> PageChoice:
    """Return the pages that `--pages` asks for. Raises WrongUse where it is not understood."""
    try:
        return parse_pages(text)
    except UserError as error:
        raise WrongUse(error.message, error.hint) from error


def _class_map(pairs: Sequence[str]) -> dict[str, str]:
    """Return the mapping that `--map OLD=NEW` arguments ask for. Raises WrongUse where one is none."""
    mapping: dict[str, str] = {}
    for pair in pairs:
        old, equals, new = (part.strip() for part in pair.partition("="))
        if not old or not equals:
            raise WrongUse(f"--map {pair} is not of the form OLD=NEW.", "Write --map OLD= to leave a class out.")
        if mapping.setdefault(old, new) != new:
            raise WrongUse(f"--map gives the class {old} two names, {mapping[old]} and {new}.", "Give it one.")
    return mapping


def _check_new_names(mapping: Mapping[str, str], known: Sequence[str] | None) -> None:
    unknown = [new for new in mapping.values() if new and known is not None and new not in known]
    if unknown:
        raise WrongUse(
            f"--map names the class {unknown[0]}, which the project does not have.",
            f"It has: {', '.join(known or ())}.",
        )


def _check_old_names(mapping: Mapping[str, str], plan: ImportPlan) -> None:
    unknown = [old for old in mapping if old not in plan.class_names]
    if unknown:
        found = ", ".join(plan.class_names) or "none"
        raise WrongUse(f"--map names the class {unknown[0]}, which the data set does not have.", f"It has: {found}.")


def _print_outcome(outcome: ImportOutcome, plan: ImportPlan, *, guide_set: str, as_json: bool) -> None:
    print_warnings([str(problem) for problem in outcome.problems])
    if as_json:
        print_json(
            {
                "n_images": outcome.n_fovs,
                "n_merged": outcome.n_merged,
                "n_annotations": outcome.n_annotations,
                "n_known": outcome.n_known,
                "classes": list(outcome.classes),
                "counts": count_marks(plan.fovs),
                "estimated_sizes": sorted(plan.estimated_sizes),
                "problems": [str(problem) for problem in outcome.problems],
            }
            | ({"guide_set": guide_set, "n_guides": outcome.n_guides} if guide_set else {})
        )
        return
    classes = ", ".join(outcome.classes) or "none"
    print_lines(f"{outcome.n_fovs} images with {outcome.n_annotations} annotations; classes: {classes}")
    if outcome.n_merged:
        print_lines(f"{outcome.n_merged} images were there already; {outcome.n_known} of their marks too")
    if guide_set:
        print_lines(f"{outcome.n_guides} guide images came into the guide set {guide_set}")
    if plan.estimated_sizes:
        names = ", ".join(sorted(plan.estimated_sizes))
        print_lines(f"sizes estimated from the images: {names}; look at them with: synthstudio classes")


def _calibrated(plan: ImportPlan, um_per_px: float | None) -> ImportPlan:
    """Give the images whose files tell no pixel size this one."""
    if um_per_px is None:
        return plan
    fovs = tuple(
        fov if fov.um_per_px is not None else dataclasses.replace(fov, um_per_px=um_per_px) for fov in plan.fovs
    )
    return dataclasses.replace(plan, fovs=fovs)


def _nothing_imported(path: Path, problems: Sequence[Problem]) -> UserError:
    if not problems:
        return UserError(f"Nothing was imported from {path}: it holds no images.", "Choose another folder.")
    print_warnings([str(problem) for problem in problems[1:]])
    first = str(problems[0]).rstrip(".")
    more = f" and {len(problems) - 1} more problems" if len(problems) > 1 else ""
    return UserError(
        f"Nothing was imported from {path}: {first}{more}.", "Mend or replace what is named, then import again."
    )


def _export(arguments: argparse.Namespace) -> int:
    project = Project.open(arguments.project, read_only=True)
    review: list[str] = []
    try:
        if arguments.set:
            (fovs, annotations), usable = list_usable_images(project, arguments.set, arguments.review)
            review = [usable.describe(arguments.set)] if usable.describe(arguments.set) else []
        else:
            fovs = project.fovs.list(split=Split(arguments.split) if arguments.split else None)
            annotations = project.annotations.by_fov()
        if not fovs:
            if arguments.set:
                raise UserError(" ".join(["Nothing is exported.", *review]), "Accept images of the set in Review.")
            where = f"in the {arguments.split} split of" if arguments.split else "in"
            raise UserError(f"There are no images {where} the project {project.name}.", "Import some first.")
        # Only folders by class have a place for labels of whole images.
        is_by_class = arguments.format == "imagefolder" and not arguments.set
        labels = {fov.id: project.fovs.image_labels(fov.id) for fov in fovs} if is_by_class else {}
        # And only COCO for the masks of a set.
        masks = list_set_masks(project, arguments.set) if arguments.set and arguments.format == "coco" else {}
        data = ExportData(fovs, annotations, project.classes.list(), arguments.keep_names, labels, masks)
        require_annotated(data)
        with shown_progress("Exporting") as tick:
            result = WRITERS[arguments.format](data, arguments.out, tick=tick)
    finally:
        project.close()
    left_out = [f"{result.n_left_out} images that nobody has annotated were left out."] if result.n_left_out else []
    print_warnings([*review, *left_out, *result.notes])
    if arguments.json:
        print_json(
            {
                "out": str(result.out),
                "format": arguments.format,
                "n_images": result.n_images,
                "n_annotations": result.n_annotations,
                "n_left_out": result.n_left_out,
                "notes": [*review, *result.notes],
            }
        )
    else:
        print_lines(f"{result.n_images} images with {result.n_annotations} annotations in {result.out}")
    return 0
