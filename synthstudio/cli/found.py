"""The findings of a quality check as text for a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from synthstudio.cli.render import Scalar, print_lines, print_table
from synthstudio.core.review.findings import CHECKS, Finding
from synthstudio.protocol.results import QualityResult
from synthstudio.settings.quality import CHECK_NAMES, CheckName, Severity

MOST_SHOWN = 5
"""Findings of one check; the others are in the file."""
_MOST_NAMES = 4


def print_findings(result: QualityResult, folder: Path, *, n_unread: int = 0) -> None:
    """Write a result to standard output.

    Args:
        result: Of the check.
        folder: Of its run.
        n_unread: Problems that there were while a data set of another program was read: it is not sound then.
    """
    what = f"set {result.set}" if result.set else "project"
    seen = f"{result.n_images} images ({result.n_reused} seen before), {result.n_annotations} annotations"
    print_lines(f"{what}: {seen}, {len(result.sets)} synthetic sets in {result.seconds:.1f} s", "")
    rows: list[list[Scalar]] = [
        [name, CHECKS[name].title, CHECKS[name].severity, result.n_by_check[name]]
        for name in CHECK_NAMES
        if result.n_by_check.get(name)
    ]
    if rows:
        print_table(("check", "what it means", "usually", "found"), rows)
    for name in CHECK_NAMES:
        _print_check(name, [each for each in result.findings if each.check == name], n=result.n_by_check.get(name, 0))
    print_lines("", *(f"note: {text}" for text in result.notes))
    counts = ", ".join(f"{_count(result.n_by_severity.get(each, 0), each)}" for each in reversed(get_args(Severity)))
    verdict = f"{'sound' if result.is_sound and not n_unread else 'not sound'} (fails on {result.fail_on})"
    if n_unread:
        problems = f"{n_unread:,} problem{'' if n_unread == 1 else 's'} while reading"
        verdict = f"{verdict}: {problems}: what they name was left out and not checked"
    print_lines(f"{verdict}{';' if n_unread else ':'} {counts}")
    print_lines(f"all findings: {folder / result.file}")


def _print_check(name: CheckName, findings: list[Finding], *, n: int) -> None:
    if not findings:
        return
    print_lines("", f"{CHECKS[name].title} ({name})")
    for each in findings[:MOST_SHOWN]:
        print_lines(f"  {each.severity}: {each.reason}{_places(each)}")
    if n > MOST_SHOWN:
        print_lines(f"  ... and {n - MOST_SHOWN} more")
    print_lines(f"  -> {CHECKS[name].remedy}")


def _places(finding: Finding) -> str:
    names = [each.name for each in finding.images[:_MOST_NAMES] if each.name not in finding.reason]
    if not names:
        return ""
    more = f" and {finding.n_images - len(names)} more" if finding.n_images > len(names) else ""
    return f" [{', '.join(names)}{more}{_marks(finding)}]"


def _marks(finding: Finding) -> str:
    """Which marks, and where they lie; results of earlier versions do not tell where."""
    if not finding.places:
        return f", annotation {', '.join(map(str, finding.annotations))}" if finding.annotations else ""
    told = (f"annotation {each.annotation} {each.words}" if each.annotation else each.words for each in finding.places)
    return f", {', '.join(told)}"


def _count(n: int, severity: str) -> str:
    return f"{n} {severity}{'' if n == 1 else 's'}"
