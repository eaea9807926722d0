"""A report of one synthetic set: how it was made, what its reviewers said, and samples of it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from synthstudio import __version__
from synthstudio.client.reporting.words import setting_words
from synthstudio.core.export.report.charts import Axis, BarSeries, bar_chart
from synthstudio.core.export.report.document import (
    Block,
    Cell,
    Charts,
    Document,
    Listing,
    Paragraph,
    Picture,
    Pictures,
    Section,
    Source,
    Table,
)
from synthstudio.core.export.report.pictures import shrink_picture
from synthstudio.core.export.report.svg import Svg
from synthstudio.core.review.verdict_agreement import agreement_words, measure_agreement
from synthstudio.core.review.verdict_counts import (
    GroupCount,
    Grouping,
    ImageFacts,
    count_outcomes,
    find_groupings,
)
from synthstudio.core.review.verdicts import Outcome, choose_usable, find_outcomes
from synthstudio.core.synthesis.set_header import SetHeader, read_set_header
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import SyntheticSet, Verdict
from synthstudio.project import Project
from synthstudio.project.set_facts import list_image_facts
from synthstudio.project.set_images import list_set_images, list_set_sources

N_SAMPLES = 12
"""Pictures of each outcome."""
N_PARTS = 3
MAX_GROUPS = 12
"""Groups that a chart has room for; the table has all."""
GROUPING_WORDS: Mapping[Grouping, str] = {
    "class": "Class",
    "prompt": "Prompt",
    "tone": "Tone",
    "generator": "Generator",
    "reason": "Reason",
}


def build_set_report(project: Project, name: str, *, tick: Tick = no_tick) -> Document:
    """Gather the report of a set; takes a second or more, so not for the thread of a window.

    Args:
        project: Where the set is; only read.
        name: Of the set.
        tick: Called between the parts.

    Raises:
        NotFound: There is no such set.
        UserError: Its files are missing or damaged.
    """
    known = project.sets.get(name)
    verdicts = project.verdicts.list(name)
    facts = list_image_facts(project, name)
    header = read_set_header(project.set_folder(name))
    tick(1, N_PARTS)
    made = (_origin_section(project, known, header), _counts_section(facts, verdicts), _reviewers_section(verdicts))
    tick(2, N_PARTS)
    samples = _samples_section(project, name, facts, verdicts)
    tick(N_PARTS, N_PARTS)
    moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    return Document(
        title=f"{project.name}: set {name}",
        subtitle=f"{known.n_images:,} synthetic images. SynthStudio {__version__}, {moment} UTC.",
        sections=(*made, samples, _settings_section(known, header)),
    )


def _origin_section(project: Project, known: SyntheticSet, header: SetHeader) -> Section:
    """What the set goes back to."""
    sources = frozenset().union(*list_set_sources(project, known.name).values())
    splits = Counter(fov.split.value if fov.split else "none" for fov in project.fovs.list() if fov.id in sources)
    rows: list[list[Cell]] = [
        ["Generator", known.generator.value],
        ["Images", f"{known.n_images:,}"],
        ["Size", " x ".join(str(each) for each in header.size) + " px" if header.size else "unknown"],
        ["Written (UTC)", known.created_at[:16].replace("T", " ")],
        ["Run", known.run_id or ""],
        ["Manifest (SHA-256)", known.manifest_sha256],
        ["State of the project (SHA-256)", known.project_state],
        ["Goes back to", ", ".join(f"{n:,} images of split {split}" for split, n in sorted(splits.items())) or "none"],
    ]
    versions = header.values.get("versions")
    if isinstance(versions, dict):
        rows.append(["Versions", ", ".join(f"{name} {version}" for name, version in versions.items())])
    return Section("Provenance", (Table.of(("", ""), rows),))


def _counts_section(facts: Sequence[ImageFacts], verdicts: Sequence[Verdict]) -> Section:
    """How many images fared how, in all and by what they show."""
    usable = choose_usable([image.index for image in facts], verdicts, "accepted")
    outcomes = find_outcomes(verdicts)
    counts = Counter(outcomes.get(image.index, Outcome.UNDECIDED) for image in facts)
    words = ", ".join(f"{counts[outcome]:,} {outcome}" for outcome in Outcome if counts[outcome])
    blocks: list[Block] = [
        Paragraph(f"{words}. Training and export take {len(usable.indices):,} of {len(facts):,} images.")
    ]
    for by in find_groupings(facts, verdicts):
        groups = count_outcomes(facts, verdicts, by=by)
        blocks.append(_counts_table(groups, by))
        if len(groups) <= MAX_GROUPS:
            blocks.append(Charts((_counts_chart(groups, by),)))
    return Section("Verdicts", tuple(blocks))


def _counts_table(groups: Sequence[GroupCount], by: Grouping) -> Table:
    shown = [outcome for outcome in Outcome if any(group.counts.get(outcome) for group in groups)]
    rows: list[list[Cell]] = [
        [group.name, group.n_images, *(group.counts.get(outcome, 0) for outcome in shown)] for group in groups
    ]
    return Table.of((GROUPING_WORDS[by], "Images", *shown), rows, f"By {GROUPING_WORDS[by].lower()}.")


def _counts_chart(groups: Sequence[GroupCount], by: Grouping) -> Svg:
    shown = [outcome for outcome in Outcome if any(group.counts.get(outcome) for group in groups)]
    series = [
        BarSeries(
            outcome,
            place,
            tuple(group.counts.get(outcome, 0) / group.n_images for group in groups),
            (None,) * len(groups),
        )
        for place, outcome in enumerate(shown)
    ]
    title = f"Share of the images, by {GROUPING_WORDS[by].lower()}"
    return bar_chart(title, [group.name for group in groups], series, axis=Axis("share"))


def _reviewers_section(verdicts: Sequence[Verdict]) -> Section:
    """Who has judged how many, how long it took, and how far they agree."""
    if not verdicts:
        return Section("Reviewers", (Paragraph("Nobody has judged this set yet."),))
    by_reviewer: dict[str, list[Verdict]] = defaultdict(list)
    for each in verdicts:
        by_reviewer[each.reviewer].append(each)
    rows: list[list[Cell]] = []
    for reviewer, given in sorted(by_reviewer.items()):
        kinds = Counter(each.kind.value for each in given)
        times = sorted(each.seconds for each in given)
        rows.append(
            [
                reviewer,
                len(given),
                sum(each.is_final for each in given),
                ", ".join(f"{n:,} {kind}" for kind, n in sorted(kinds.items())),
                f"{times[len(times) // 2]:.1f} s",
                f"{min(each.created_at for each in given)[:10]} to {max(each.created_at for each in given)[:10]}",
            ]
        )
    lines = agreement_words(measure_agreement(verdicts))
    columns = ("Reviewer", "Verdicts", "of them final", "", "Median time", "Days")
    return Section("Reviewers", (Table.of(columns, rows), *([Listing(lines)] if lines else [])))


def _samples_section(project: Project, name: str, facts: Sequence[ImageFacts], verdicts: Sequence[Verdict]) -> Section:
    """Pictures of each outcome, spread over the set; those that cannot be read are passed over."""
    outcomes = find_outcomes(verdicts)
    reasons = {each.index: each.reason for each in verdicts if each.reason}
    paths = {fov.id - 1: Path(fov.path) for fov in list_set_images(project, name)[0]}
    blocks: list[Block] = []
    for outcome in Outcome:
        chosen = [image for image in facts if outcomes.get(image.index, Outcome.UNDECIDED) is outcome]
        pictures: list[Picture] = []
        for place in range(min(N_SAMPLES, len(chosen))):
            image = chosen[place * len(chosen) // min(N_SAMPLES, len(chosen))]
            words = [f"Image {image.index}", ", ".join(image.labels), image.tone, reasons.get(image.index, "")]
            try:
                pictures.append(shrink_picture(paths[image.index], " · ".join(filter(None, words))))
            except UserError:
                continue  # verifying the set says what is wrong with it
        if pictures:
            blocks.append(Pictures(tuple(pictures), f"{outcome.capitalize()}: {len(chosen):,} images"))
    return Section("Samples", tuple(blocks))


def _settings_section(known: SyntheticSet, header: SetHeader) -> Section:
    """All settings of the job that wrote the set."""
    settings = header.values.get("settings") or json.loads(known.settings_json or "{}")
    lines = [f"{name} = {setting_words(value)}" for name, value in _flattened(settings)]
    return Section("Settings", (Source("\n".join(lines)),) if lines else ())


def _flattened(values: object, prefix: str = "") -> list[tuple[str, object]]:
    if not isinstance(values, dict):
        return [(prefix, values)]
    named = [(f"{prefix}.{name}" if prefix else str(name), value) for name, value in values.items()]
    return [pair for name, value in named for pair in _flattened(value, name)]
