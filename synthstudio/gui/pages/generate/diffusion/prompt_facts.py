"""What a diffusion model can be asked for, and what its sets show of each prompt. No widgets but their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synthstudio.core.review.verdict_counts import GroupCount, ImageFacts, count_outcomes
from synthstudio.core.review.verdicts import Outcome
from synthstudio.core.training.diffusion_card import read_diffusion_card
from synthstudio.domain.ids import RunId
from synthstudio.domain.models import ModelKind
from synthstudio.domain.records import Role, Split
from synthstudio.gui.widgets.sortable_table import TableCell, TableColumn, TableRow
from synthstudio.project import Project
from synthstudio.project.prompt_images import PromptImages, list_prompt_images, list_prompt_sets
from synthstudio.settings.generate import GenerateSettings

Choice = tuple[str, str]
"""A value and the words for it."""
CAPTION_LETTERS = 70
USUAL_SIDE = 512
"""Of Stable Diffusion 1, where a model does not tell."""
COLUMNS = (
    TableColumn("Prompt", is_number=False, is_filling=True),
    TableColumn("Images", "Made so far, of those that are planned"),
    TableColumn("Kept", "Accepted by the reviewers"),
    TableColumn("Rejected", "Rejected by the reviewers"),
    TableColumn("Open", "Undecided, unsure, or judged differently"),
)


@dataclass(frozen=True, slots=True)
class PromptOffer:
    """What the form offers.

    Attributes:
        models: Local models that make images from words.
        checkpoints: Of the chosen training, the newest first.
        known: Prompts that it knows: the captions of its guide images.
        captions: These, and the captions of all guide sets.
        class_names: That images can be labelled with.
        has_places: There is a real picture to start from.
    """

    models: tuple[str, ...] = ()
    checkpoints: tuple[int, ...] = ()
    known: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    has_places: bool = False


def read_offer(project: Project, run_id: RunId | None) -> PromptOffer:
    """Read it from the project; `run_id` is the chosen training. Raises UserError where its card is damaged."""
    card = read_diffusion_card(project.run_folder(run_id)) if run_id is not None else None
    known = card.captions if card is not None else ()
    return PromptOffer(
        models=tuple(each.name for each in project.models.list(ModelKind.STABLE_DIFFUSION)),
        checkpoints=tuple(reversed(card.steps)) if card is not None else (),
        known=known,
        captions=tuple(dict.fromkeys(each for each in (*known, *_guide_captions(project)) if each)),
        class_names=tuple(each.name for each in project.classes.list() if each.role is Role.OBJECT),
        has_places=any(fov.split is not Split.TEST for fov in project.fovs.list()),
    )


def side_of(project: Project, settings: GenerateSettings) -> int:
    """Side in px of the images that a model makes where nothing else is asked for.

    Raises:
        NotFound: There is no such model.
        UserError: The card of the training is damaged.
    """
    if not settings.model:
        return read_diffusion_card(project.run_folder(RunId(settings.run))).side
    told = project.models.locate(settings.model, ModelKind.STABLE_DIFFUSION).fact("Images").split()
    return int(told[0]) if told and told[0].isdecimal() else USUAL_SIDE


def _guide_captions(project: Project) -> list[str]:
    return [image.caption for guide_set in project.guides.list() for image in guide_set.images]


def caption_choices(captions: Sequence[str]) -> list[Choice]:
    """Captions as a menu offers them: the long ones cut."""
    return [
        (each, each if len(each) <= CAPTION_LETTERS else f"{each[: CAPTION_LETTERS - 1].rstrip()}…")
        for each in captions
    ]


@dataclass(frozen=True, slots=True)
class PromptBook:
    """A set, and which others there are.

    Attributes:
        sets: Names of the sets made from prompts, newest first.
        name: Of the set that was read; empty where there is none.
        pictures: Its images.
        counts: By prompt, what their verdicts come to.
    """

    sets: tuple[str, ...]
    name: str
    pictures: PromptImages
    counts: tuple[GroupCount, ...]

    @property
    def n_images(self) -> int:
        return len(self.pictures.images)

    def outcome(self, *wanted: Outcome) -> int:
        """Images of all prompts that came to this."""
        return sum(each.counts.get(outcome, 0) for each in self.counts for outcome in wanted)


OPEN = (Outcome.UNDECIDED, Outcome.UNSURE, Outcome.DISAGREED)


def read_book(project: Project, name: str, *, writing: str = "") -> PromptBook:
    """Read a set, the newest where this one is gone.

    Args:
        project: Where the sets are.
        name: Of the wanted set.
        writing: Name of a set that is being written, which the project does not know yet.

    Raises:
        UserError: A set is damaged.
    """
    sets = list_prompt_sets(project)
    if writing and writing not in sets:
        sets.insert(0, writing)
    chosen = name if name in sets else (sets[0] if sets else "")
    pictures = list_prompt_images(project, chosen) if chosen else PromptImages((), is_complete=True)
    facts = [ImageFacts(each.index, (), "", each.prompt, "") for each in pictures.images]
    verdicts = project.verdicts.list(chosen) if pictures.is_complete and chosen else []
    return PromptBook(tuple(sets), chosen, pictures, tuple(count_outcomes(facts, verdicts, by="prompt")))


def rows_of(book: PromptBook, planned: Mapping[str, int]) -> list[TableRow]:
    """A row for each prompt; `planned` tells how many images of each are wanted while the set is written."""
    counts = {each.name: each for each in book.counts}
    rows = []
    for prompt in dict.fromkeys([*planned, *counts]):
        found = counts.get(prompt, GroupCount(prompt, {}))
        wanted = planned.get(prompt, found.n_images)
        made = f"{found.n_images:,} of {wanted:,}" if wanted > found.n_images else f"{found.n_images:,}"
        kept, rejected = (found.counts.get(each, 0) for each in (Outcome.ACCEPTED, Outcome.REJECTED))
        undecided = sum(found.counts.get(each, 0) for each in OPEN)
        cells = (
            TableCell(prompt, prompt, tip=prompt),
            TableCell(made, found.n_images),
            *(TableCell(f"{count:,}", count) for count in (kept, rejected, undecided)),
        )
        rows.append(TableRow(prompt, cells))
    return rows


def summary_of(book: PromptBook) -> str:
    """The whole set in a line."""
    if not book.n_images:
        return ""
    prompts = len(book.counts)
    made = f"{book.n_images:,} images of {prompts:,} prompt{'s' if prompts != 1 else ''}"
    kept, rejected = book.outcome(Outcome.ACCEPTED), book.outcome(Outcome.REJECTED)
    return f"{made}: {kept:,} kept, {rejected:,} rejected, {book.outcome(*OPEN):,} open"
