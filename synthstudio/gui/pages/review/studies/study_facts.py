"""What the studies tab shows of a study, read off the GUI thread: never the truth before it is closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synthstudio.core.review.reading_shares import PickedShare
from synthstudio.core.review.relevance import RelevanceResult
from synthstudio.core.review.study_answers import StudyResult
from synthstudio.core.review.study_design import AnswerForm, StudyDesign, StudyKind
from synthstudio.core.review.turing import Figure, TuringResult
from synthstudio.domain.figures import figure_text, interval_text
from synthstudio.domain.palette import class_color
from synthstudio.gui.widgets.class_chips import color_icon
from synthstudio.gui.widgets.score_table import ScoreColumn, ScoreRow
from synthstudio.gui.widgets.sortable_table import TableCell, TableColumn, TableRow
from synthstudio.project import Project
from synthstudio.project.studies import ReadingStudy, StudyReader
from synthstudio.project.study_truth import read_result

KIND_WORDS = {StudyKind.TURING: "Turing test", StudyKind.RELEVANCE: "Relevance"}
STUDY_COLUMNS = (
    TableColumn("Study", is_number=False),
    TableColumn("State", is_number=False),
    TableColumn("Readers", "Who are through, of those who have begun"),
    TableColumn("Kind", is_number=False),
    TableColumn("Set", "The synthetic images that it asks about", is_number=False),
)
FIGURE_COLUMNS = (
    ScoreColumn("Mean", "Over the readers"),
    ScoreColumn("SD", "Standard deviation over the readers"),
    ScoreColumn("95 %", "Interval: readers and images drawn with replacement, both at once"),
)
TURING_READER_COLUMNS = (
    ScoreColumn("TPR", "Share of the real images that were picked as real, with Wilson's 95 % interval"),
    ScoreColumn("FPR", "Share of the synthetic images that were picked as real, with Wilson's 95 % interval"),
    ScoreColumn("Right", "Real images picked and synthetic ones not, of all that were answered"),
    ScoreColumn("p", "Two-sided binomial test of the right answers against guessing"),
    ScoreColumn("d'", "How far apart real and synthetic look, whatever the reader's liking for one answer"),
    ScoreColumn("AUC", "Area under the reader's ROC curve, where there are confidences"),
    ScoreColumn("κ", "Cohen's kappa of the reader with himself, over images that came twice"),
)
RECALL_COLUMNS = (
    ScoreColumn("Recall, real", "Share picked of the real images that show the condition"),
    ScoreColumn("Recall, synthetic", "Share picked of the synthetic images that were made to show it"),
    ScoreColumn("False, real", "Share picked of the real images that show another condition"),
    ScoreColumn("False, synthetic", "Share picked of the synthetic images of another condition"),
)


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """One study.

    Attributes:
        readers: How far they have come.
        result: Of a closed one; None while it goes on.
    """

    study: ReadingStudy
    readers: tuple[StudyReader, ...]
    result: StudyResult | None = None

    @property
    def row(self) -> TableRow:
        """Its row in the list."""
        study = self.study
        n_through = sum(reader.is_finished for reader in self.readers)
        state = "closed" if study.is_closed else "open"
        return TableRow(
            study.name,
            (
                TableCell(study.name, study.name),
                TableCell(state, state),
                TableCell(f"{n_through} of {len(self.readers)}", n_through),
                TableCell(KIND_WORDS[study.design.kind], study.design.kind.value),
                TableCell(study.set_name, study.set_name),
            ),
        )


def read_studies(project: Project) -> list[StudyFacts]:
    """Read all studies, newest first, without their results."""
    return [StudyFacts(study, tuple(project.studies.readers(study.name))) for study in reversed(project.studies.list())]


def read_study_result(project: Project, name: str) -> StudyResult:
    """Judge a closed study; seconds of work for one with many readers."""
    return read_result(project, name)


def design_words(design: StudyDesign) -> str:
    """What a reader will see, in a sentence."""
    repeats = f"{design.repeat_share:.0%} of it comes twice, unannounced"
    if design.kind is StudyKind.RELEVANCE:
        return (
            f"{design.n_questions} pages of {design.images_per_question} images: {design.n_real} real and"
            f" {design.n_synthetic} synthetic ones that show the condition, {design.n_others} that do not; {repeats}."
        )
    how = (
        "one at a time, each with a confidence"
        if design.form is AnswerForm.ONE
        else f"on pages of {design.page_size}, to be picked"
    )
    return f"{design.n_real} real and {design.n_synthetic} synthetic images, {how}; {repeats}."


def reader_rows(readers: Sequence[StudyReader]) -> list[ScoreRow]:
    """How far each reader has come."""
    return [ScoreRow(each.name, (f"{each.n_completed} of {each.n_pages}",)) for each in readers]


def turing_rows(result: TuringResult) -> list[ScoreRow]:
    """Figures over all readers."""
    rows = [_share_row("TPR", result.tpr), _share_row("FPR", result.fpr)]
    for name, tpr, fpr in result.by_class:
        rows += [_share_row(f"TPR, {name}", tpr), _share_row(f"FPR, {name}", fpr)]
    figures = (
        ("Accuracy", result.accuracy),
        ("d'", result.d_prime),
        ("Criterion", result.criterion),
        ("AUC", result.auc),
        ("κ with oneself", result.kappa),
    )
    return [*rows, *(_share_row(name, figure) for name, figure in figures if figure.mean is not None)]


def _share_row(name: str, found: PickedShare | Figure) -> ScoreRow:
    return ScoreRow(name, (number(found.mean), number(found.sd), interval_text(found.interval)))


def turing_reader_rows(result: TuringResult, names: dict[int, str]) -> list[ScoreRow]:
    """Figures of each reader."""
    tpr = {each.reader: each for each in result.tpr.by_reader}
    fpr = {each.reader: each for each in result.fpr.by_reader}
    rows = []
    for place, each in enumerate(result.readers):
        shares = [side.get(each.reader) for side in (tpr, fpr)]
        cells = [figure_text(share.share, share.interval, digits=2) if share is not None else "n/a" for share in shares]
        right = f"{each.n_right} of {each.n}"
        figures = (number(each.p_accuracy), number(each.d_prime), number(each.auc), number(each.kappa))
        name = names.get(each.reader, f"Reader {each.reader}")
        rows.append(ScoreRow(name, (*cells, right, *figures), color_icon(reader_color(place))))
    return rows


def reader_color(place: int) -> str:
    """Colour of a reader in tables and plots."""
    return class_color(place)


def recall_rows(result: RelevanceResult) -> list[ScoreRow]:
    """Figures of each condition, all of them together first."""
    return [
        ScoreRow(
            each.condition or "All conditions",
            tuple(
                figure_text(share.mean, share.interval, digits=2)
                for share in (each.real, each.synthetic, each.false_real, each.false_synthetic)
            ),
        )
        for each in (result.overall, *result.by_condition)
    ]


def summary_words(result: StudyResult) -> str:
    """What came out, in a sentence or two."""
    if isinstance(result, RelevanceResult):
        real, made = result.overall.real, result.overall.synthetic
        return (
            f"Readers recognised the condition on {percent(made.mean)} of the synthetic images that were made to show"
            f" it, and on {percent(real.mean)} of the real ones."
        )
    text = (
        f"Readers took {percent(result.tpr.mean)} of the real and {percent(result.fpr.mean)} of the synthetic images"
        " for real."
    )
    if result.p_guessing is None:
        return text
    chance = f"Were it all guessed, these would differ as much with p = {result.p_guessing:.4f}."
    return f"{text} {chance}"


def number(value: float | None) -> str:
    """A figure with two decimals; "n/a" where it is undefined."""
    return "n/a" if value is None else f"{value:.2f}"


def percent(value: float | None) -> str:
    """A share; "n/a" where it is undefined."""
    return "n/a" if value is None else f"{value:.0%}"
