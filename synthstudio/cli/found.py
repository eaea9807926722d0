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


def print_findings(result: QualityResult, folder: Path) -> None:
    """Write a result to standard output; `folder` is the run's."""
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
    print_lines(f"{'sound' if result.is_sound else 'not sound'} (fails on {result.fail_on}): {counts}")
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
    marks = f", annotation {', '.join(map(str, finding.annotations))}" if finding.annotations else ""
    return f" [{', '.join(names)}{more}{marks}]"


def _count(n: int, severity: str) -> str:
    return f"{n} {severity}{'' if n == 1 else 's'}"
