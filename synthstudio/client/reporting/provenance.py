"""The parts of a report that say where its figures come from: data, settings, versions, seeds, time and device."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np

from synthstudio.client.reporting.runs import ReportedRun
from synthstudio.client.reporting.words import duration_words, setting_words
from synthstudio.core.export.report.charts import Axis, Curve, curve_chart, fitted_axis
from synthstudio.core.export.report.document import Block, Cell, Charts, Listing, Paragraph, Section, Source, Table
from synthstudio.core.imaging import sha256_of_file
from synthstudio.domain.records import FieldOfView, Split
from synthstudio.project import Project
from synthstudio.settings.differences import differing_names


def overview_section(runs: Sequence[ReportedRun]) -> Section:
    """One row for each run."""
    rows: list[list[Cell]] = []
    for run in runs:
        result = run.result
        rows.append(
            [
                run.letter,
                run.name,
                "detector" if run.is_detector else "classifier",
                len(run.card.train_fov_ids) or None if run.card is not None else None,
                run.card.seed if run.card is not None else "",
                run.card.step if run.card is not None else "",
                duration_words(result.seconds) if result is not None else run.run.status.value,
                result.device if result is not None else "",
                run.run.created_at[:16].replace("T", " "),
            ]
        )
    columns = ("Run", "Name", "Kind", "Images learned from", "Seed", "Best step", "Time", "Device", "Started (UTC)")
    remarks = [f"{run.letter}: {text}" for run in runs for text in _remarks(run)]
    return Section("Runs", (Table.of(columns, rows), *([Listing(tuple(remarks))] if remarks else [])))


def _remarks(run: ReportedRun) -> list[str]:
    evaluations = [each.result for each in (run.evaluation, run.detector_evaluation) if each is not None]
    return [
        *run.remarks,
        *(run.result.warnings if run.result is not None else ()),
        *(note for result in evaluations for note in result.notes),
    ]


def data_section(project: Project) -> Section:
    """Images, samples and annotations by split, and hashes that tell this state of them from any other."""
    fovs = project.fovs.list()
    classes = project.classes.list()
    counts = project.annotations.counts()
    rows: list[list[Cell]] = []
    for split in (*Split, None):
        here = [fov for fov in fovs if fov.split is split]
        if not here:
            continue
        marks = Counter[int]()
        for fov in here:
            marks.update({int(key): n for key, n in counts.get(fov.id, {}).items()})
        rows.append(
            [
                split.value if split is not None else "none",
                len({fov.sample_id for fov in here}),
                len(here),
                sum(fov.state.is_complete for fov in here),
                *(marks[int(each.id)] for each in classes),
                _hash_of(here)[:16],
            ]
        )
    columns = [
        "Split",
        "Samples",
        "Images",
        "exhaustively annotated",
        *(each.name for each in classes),
        "SHA-256 of the images",
    ]
    return Section(
        "Data",
        (
            Table.of(columns, rows, "Annotations by class. A sample (specimen or patient) is in one split alone."),
            Paragraph(f"State today of classes, training images and annotations (SHA-256): {project.training_state()}"),
        ),
    )


def _hash_of(fovs: Sequence[FieldOfView]) -> str:
    """Of the contents of the image files, whatever their names and order."""
    return hashlib.sha256("\n".join(sorted(fov.content_key for fov in fovs)).encode()).hexdigest()


def training_section(runs: Sequence[ReportedRun]) -> Section:
    """Curves of the loss and of the macro F1 on validation."""
    drawings = []
    for kind in (False, True):
        chosen = [run for run in runs if run.is_detector is kind]
        for name, title in (("loss/train", "Training loss"), ("f1/macro", "Macro F1 on validation")):
            curves = [_logged(run, name) for run in chosen]
            steps = [float(step) for curve in curves for step in curve.x]
            values = [float(value) for curve in curves for value in curve.y]
            if steps:
                y = Axis("F1") if name == "f1/macro" else fitted_axis("loss", values, from_zero=True)
                words = f"{title}, {'detectors' if kind else 'classifiers'}"
                drawings.append(curve_chart(words, curves, x=fitted_axis("step", steps, from_zero=True), y=y, side=300))
    return Section("Training", (Charts(tuple(drawings)),) if drawings else ())


def _logged(run: ReportedRun, name: str) -> Curve:
    logged = np.array(run.curves.get(name, []), np.float64).reshape(-1, 2)
    return Curve(run.label, run.place, logged[:, 0], logged[:, 1])


def _weights_hash(project: Project, run: ReportedRun) -> Cell:
    path = project.run_folder(run.run.id) / "checkpoints" / "best.safetensors"
    return sha256_of_file(path)[:16] if path.is_file() else None


def settings_section(runs: Sequence[ReportedRun]) -> Section:
    """Settings that differ side by side, then all settings of each run."""
    blocks: list[Block] = []
    for kind in (False, True):
        chosen = [run for run in runs if run.is_detector is kind]
        names = differing_names([run.settings for run in chosen])
        if len(chosen) > 1 and names:
            rows = [[name, *(setting_words(run.settings.get(name)) for run in chosen)] for name in names]
            blocks.append(Table.of(("Setting", *(run.letter for run in chosen)), rows, "Settings that differ."))
    for run in runs:
        lines = [f"{name} = {setting_words(value)}" for name, value in run.settings.items()]
        blocks.append(Source("\n".join(lines), f"{run.label}: all settings of run {run.run.id}"))
    return Section("Settings", tuple(blocks))


def models_section(project: Project, runs: Sequence[ReportedRun]) -> Section:
    """What each trained model is, and what it was made with."""
    rows: list[list[Cell]] = []
    for run in runs:
        card = run.card
        if card is None:
            continue
        rows.append(
            [
                run.letter,
                card.network,
                str(card.working_scale) if card.um_per_px or card.whole_px else f"{card.scale:g} of the original",
                f"{card.side} px",
                ", ".join(f"{each.name} {each.threshold:.3f}" for each in card.classes),
                card.threads,
                ", ".join(f"{name} {version}" for name, version in card.versions.items()),
                _weights_hash(project, run),
            ]
        )
    columns = (
        "Run",
        "Network",
        "Working scale",
        "Training images",
        "Thresholds",
        "Threads",
        "Versions",
        "Weights (SHA-256)",
    )
    if not rows:
        return Section("Models", ())
    words = "The same settings and seed give the same weights on the CPU with the same number of threads and versions."
    return Section("Models", (Table.of(columns, rows, words),))
