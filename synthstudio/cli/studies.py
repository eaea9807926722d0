"""Reading studies: build one, send it to a reader, bring the answers back, judge them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType

from synthstudio.cli.arguments import WrongUse, add_action
from synthstudio.cli.jobs import open_to_write
from synthstudio.cli.render import Scalar, print_json, print_lines, print_table, print_warnings, shown_progress
from synthstudio.client.studies import build_study
from synthstudio.client.travelling_studies import FolderReading, import_answers, write_travelling
from synthstudio.core.review.reading_shares import PickedShare
from synthstudio.core.review.study_answers import StudyResult
from synthstudio.core.review.study_design import PRESETS, StudyDesign
from synthstudio.core.review.turing import Figure, TuringResult
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Split
from synthstudio.project import Project
from synthstudio.project.study_truth import read_result

_NUMBERS: Mapping[str, str] = MappingProxyType(
    {
        "n_real": "real images: in all, or on a page of a relevance study",
        "n_synthetic": "the same of synthetic images",
        "n_others": "images of other conditions on a page of a relevance study",
        "n_questions": "pages of a relevance study",
        "page_size": "images on a page of a Turing test",
        "n_readers": "readers that are planned",
        "side_px": "greatest side of the images",
    }
)


def add_arguments(command: str, parser: argparse.ArgumentParser) -> None:
    """Declare the actions of `study` with their arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    new = add_action(actions, "new", "choose the images, make them alike and record the study")
    new.add_argument("name", metavar="NAME", help="of the study")
    new.add_argument("--set", metavar="SET", required=True, help="synthetic set that is asked about")
    new.add_argument("--split", choices=[each.value for each in Split], default="test", help="of the real images")
    new.add_argument("--preset", choices=sorted(PRESETS), default="turing-published", help="design that is begun with")
    for name, text in _NUMBERS.items():
        new.add_argument(f"--{name.replace('_', '-')}", metavar="N", type=int, help=text)
    new.add_argument("--repeat-share", metavar="X", type=float, help="share that comes twice, unannounced [0.1 to 1]")
    write = add_action(actions, "write", "write the folder that a reader answers on another machine")
    write.add_argument("name", metavar="NAME", help="of the study")
    write.add_argument("folder", metavar="FOLDER", type=Path, help="new folder")
    write.add_argument("--reader", metavar="READER", required=True, help="name or initials of who will answer")
    bring = add_action(actions, "import", "bring the answers of a folder into the study")
    bring.add_argument("folder", metavar="FOLDER", type=Path, help="folder that came back")
    result = add_action(actions, "result", "show the result of a closed study, or the progress of an open one")
    result.add_argument("name", metavar="NAME", help="of the study")
    result.add_argument("--close", action="store_true", help="close the study first: no answer is taken after that")
    result.add_argument("--with-unfinished", action="store_true", help="close it though a reader has not finished")


def execute(command: str, arguments: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    do = {"new": _new, "write": _write, "import": _import, "result": _result}[arguments.action]
    is_reading = arguments.action == "result" and not arguments.close
    project = Project.open(arguments.project, read_only=True) if is_reading else open_to_write(arguments.project)
    try:
        do(project, arguments)
    finally:
        project.close()
    return 0


def _new(project: Project, arguments: argparse.Namespace) -> None:
    design = _design(arguments)
    with shown_progress("Making images alike") as tick:
        built = build_study(
            project, arguments.name, design, set_name=arguments.set, split=Split(arguments.split), tick=tick
        )
    print_warnings(built.notes)
    if arguments.json:
        print_json({"study": built.name, "n_images": built.n_images, "notes": list(built.notes)})
    else:
        print_lines(f"study {built.name}: {built.n_images} images")


def _design(arguments: argparse.Namespace) -> StudyDesign:
    """Raises WrongUse where the numbers do not fit together."""
    given = {name: getattr(arguments, name) for name in (*_NUMBERS, "repeat_share")}
    design = replace(PRESETS[arguments.preset], **{name: value for name, value in given.items() if value is not None})
    try:
        design.check()
    except UserError as error:
        raise WrongUse(error.message, error.hint) from error
    return design


def _write(project: Project, arguments: argparse.Namespace) -> None:
    write_travelling(project, arguments.name, arguments.reader, arguments.folder)
    if arguments.json:
        print_json({"study": arguments.name, "reader": arguments.reader, "folder": str(arguments.folder)})
    else:
        print_lines(f"{arguments.folder}: study {arguments.name} for {arguments.reader}")


def _import(project: Project, arguments: argparse.Namespace) -> None:
    reading = FolderReading(arguments.folder)
    import_answers(project, arguments.folder)
    _tell_progress(project, reading.name, as_json=arguments.json)


def _result(project: Project, arguments: argparse.Namespace) -> None:
    if arguments.close:
        project.studies.close(arguments.name, with_unfinished=arguments.with_unfinished)
    if not project.studies.get(arguments.name).is_closed:
        _tell_progress(project, arguments.name, as_json=arguments.json)
        return
    result = read_result(project, arguments.name)
    if arguments.json:
        print_json({"study": arguments.name, "closed": True, "result": asdict(result)})
    else:
        _print_result(result)


def _tell_progress(project: Project, name: str, *, as_json: bool) -> None:
    readers = project.studies.readers(name)
    if as_json:
        told = [{"reader": each.name, "pages": each.n_pages, "completed": each.n_completed} for each in readers]
        print_json({"study": name, "closed": project.studies.get(name).is_closed, "readers": told})
        return
    print_table(("reader", "pages", "completed"), [(each.name, each.n_pages, each.n_completed) for each in readers])


def _print_result(result: StudyResult) -> None:
    columns = ("", "mean", "sd", "from", "to")
    if not isinstance(result, TuringResult):
        rows = [
            (f"{each.condition or 'all conditions'}, {name}", *_figures(share))
            for each in (result.overall, *result.by_condition)
            for name, share in (
                ("real", each.real),
                ("synthetic", each.synthetic),
                ("false, real", each.false_real),
                ("false, synthetic", each.false_synthetic),
            )
        ]
        print_table(columns, rows, title="Share of images picked")
        return
    rows = [("TPR", *_figures(result.tpr)), ("FPR", *_figures(result.fpr))]
    for name, tpr, fpr in result.by_class:
        rows += [(f"TPR, {name}", *_figures(tpr)), (f"FPR, {name}", *_figures(fpr))]
    for name, figure in (("accuracy", result.accuracy), ("d'", result.d_prime), ("criterion", result.criterion)):
        rows.append((name, *_figures(figure)))
    rows += [("AUC", *_figures(result.auc)), ("kappa with oneself", *_figures(result.kappa))]
    print_table(columns, rows)
    if result.p_guessing is not None:
        print_lines(f"Were it all guessed, TPR and FPR would differ as much with p = {result.p_guessing:.4f}.")


def _figures(found: PickedShare | Figure) -> tuple[Scalar, Scalar, Scalar, Scalar]:
    low, high = found.interval or (None, None)
    return _rounded(found.mean), _rounded(found.sd), _rounded(low), _rounded(high)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
