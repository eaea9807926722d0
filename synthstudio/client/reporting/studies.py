"""A report of one closed reading study: its design, and what came out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from synthstudio import __version__
from synthstudio.client.reporting.words import with_interval
from synthstudio.core.export.report.charts import Axis, BarSeries, Curve, bar_chart, curve_chart
from synthstudio.core.export.report.document import Block, Cell, Charts, Document, Listing, Paragraph, Section, Table
from synthstudio.core.export.report.svg import Svg
from synthstudio.core.review.reading_shares import PickedShare
from synthstudio.core.review.relevance import RelevanceResult
from synthstudio.core.review.study_design import StudyKind
from synthstudio.core.review.turing import Figure, TuringResult
from synthstudio.project import Project
from synthstudio.project.studies import ReadingStudy, StudyReader
from synthstudio.project.study_truth import read_result


def build_study_report(project: Project, name: str) -> Document:
    """Gather the report of a reading study; seconds of work where there are many readers.

    Raises:
        NotFound: There is no such study.
        UserError: It is not closed.
    """
    study, result = project.studies.get(name), read_result(project, name)
    readers = project.studies.readers(name)
    body = (
        _turing_sections(result, readers) if isinstance(result, TuringResult) else _relevance_sections(result, readers)
    )
    moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    return Document(
        title=f"{project.name}: reading study {name}",
        subtitle=f"{len(readers)} readers on the set {study.set_name}. SynthStudio {__version__}, {moment} UTC.",
        sections=(_design_section(study), *body),
    )


def _design_section(study: ReadingStudy) -> Section:
    design = study.design
    is_turing = design.kind is StudyKind.TURING
    rows: list[list[Cell]] = [
        ["Kind", "Turing test" if is_turing else "relevance"],
        ["Question", design.question("the condition")],
        ["Real images" if is_turing else "Real images on a page", str(design.n_real)],
        ["Synthetic images" if is_turing else "Synthetic images on a page", str(design.n_synthetic)],
        ["Images of other conditions on a page", str(design.n_others)],
        ["Images on a page", str(design.page_size)] if is_turing else ["Pages", str(design.n_questions)],
        ["Come twice, unannounced", f"{design.repeat_share:.0%}"],
        ["Images as shown", f"{design.side_px} px, JPEG quality {design.quality}"],
        ["Built, closed (UTC)", f"{study.created_at[:16]}, {study.closed_at[:16]}".replace("T", " ")],
        ["Commitment to the truth (SHA-256)", study.commitment],
    ]
    if is_turing:  # asks for no condition
        rows = [row for row in rows if not str(row[0]).startswith("Images of other")]
    notes = [Listing(study.notes)] if study.notes else []
    return Section("Design", (Table.of(("", ""), rows), *notes))


def _turing_sections(result: TuringResult, readers: Sequence[StudyReader]) -> tuple[Section, ...]:
    shares = [("TPR", result.tpr), ("FPR", result.fpr)]
    for name, tpr, fpr in result.by_class:
        shares += [(f"TPR, {name}", tpr), (f"FPR, {name}", fpr)]
    figures: list[tuple[str, PickedShare | Figure]] = [
        *shares,
        ("accuracy", result.accuracy),
        ("d'", result.d_prime),
        ("criterion", result.criterion),
        ("AUC", result.auc),
        ("kappa with oneself", result.kappa),
    ]
    rows: list[list[Cell]] = [
        [name, with_interval(each.mean, each.interval), each.sd] for name, each in figures if each.mean is not None
    ]
    words = "TPR: share of the real images taken for real; FPR: of the synthetic ones. Readers and images resampled."
    blocks: list[Block] = [Table.of(("", "Mean (95 %)", "SD over readers"), rows, words)]
    if result.p_guessing is not None:
        text = f"Were it all guessed, TPR and FPR would differ as much with p = {result.p_guessing:.4f} (permutation)."
        blocks.append(Paragraph(text))
    blocks.append(Charts((_share_chart(result), _roc_chart(result, readers))))
    return Section("Result", tuple(blocks)), Section("Readers", (_reader_table(result, readers),))


def _share_chart(result: TuringResult) -> Svg:
    groups = [("all", result.tpr, result.fpr), *result.by_class]
    series = [
        _bars("real", 0, [tpr for _, tpr, _ in groups]),
        _bars("synthetic", 1, [fpr for _, _, fpr in groups]),
    ]
    return bar_chart("Share taken for real", [name for name, _, _ in groups], series, axis=Axis("share"))


def _bars(name: str, place: int, shares: Sequence[PickedShare]) -> BarSeries:
    return BarSeries(name, place, tuple(each.mean for each in shares), tuple(each.interval for each in shares))


def _roc_chart(result: TuringResult, readers: Sequence[StudyReader]) -> Svg:
    names = {each.number: each.name for each in readers}
    tpr = {each.reader: each.share for each in result.tpr.by_reader}
    fpr = {each.reader: each.share for each in result.fpr.by_reader}
    curves = []
    for place, each in enumerate(result.readers):
        x = each.roc.fpr if each.roc is not None else (fpr.get(each.reader),)
        y = each.roc.tpr if each.roc is not None else (tpr.get(each.reader),)
        if None not in (*x, *y):
            curves.append(Curve(names[each.reader], place, np.array(x, np.float64), np.array(y, np.float64)))
    axes = Axis("FPR: synthetic taken for real"), Axis("TPR: real taken for real")
    return curve_chart("Readers", curves, x=axes[0], y=axes[1], has_diagonal=True)


def _reader_table(result: TuringResult, readers: Sequence[StudyReader]) -> Table:
    names = {each.number: each.name for each in readers}
    tpr = {each.reader: each for each in result.tpr.by_reader}
    fpr = {each.reader: each for each in result.fpr.by_reader}
    rows: list[list[Cell]] = []
    for each in result.readers:
        picked, wrongly = tpr.get(each.reader), fpr.get(each.reader)
        rows.append(
            [
                names[each.reader],
                with_interval(picked.share, picked.interval) if picked is not None else None,
                with_interval(wrongly.share, wrongly.interval) if wrongly is not None else None,
                f"{each.n_right} of {each.n}",
                _p_words(each.p_accuracy),
                each.d_prime,
                each.criterion,
                each.auc,
                each.kappa,
            ]
        )
    columns = ("Reader", "TPR", "FPR", "Right", "p", "d'", "Criterion", "AUC", "Kappa with oneself")
    return Table.of(columns, rows, "Wilson intervals; p: binomial test of the right answers against one half.")


def _p_words(p: float | None) -> Cell:
    return "< 0.001" if p is not None and p < 0.001 else p


def _relevance_sections(result: RelevanceResult, readers: Sequence[StudyReader]) -> tuple[Section, ...]:
    shown = (result.overall, *result.by_condition)
    rows: list[list[Cell]] = [
        [
            each.condition or "all conditions",
            *(
                with_interval(share.mean, share.interval)
                for share in (each.real, each.synthetic, each.false_real, each.false_synthetic)
            ),
        ]
        for each in shown
    ]
    columns = ("Condition", "Recall, real", "Recall, synthetic", "False, real", "False, synthetic")
    series = [
        _bars("real", 0, [each.real for each in shown]),
        _bars("synthetic", 1, [each.synthetic for each in shown]),
    ]
    chart = bar_chart("Recall", [each.condition or "all" for each in shown], series, axis=Axis("share"))
    names = {each.number: each.name for each in readers}
    kappas: list[list[Cell]] = [[names[number], kappa] for number, kappa in result.kappas]
    return (
        Section("Result", (Table.of(columns, rows, "Share of images picked, mean over readers."), Charts((chart,)))),
        Section("Readers", (Table.of(("Reader", "Kappa with oneself"), kappas),)),
    )
