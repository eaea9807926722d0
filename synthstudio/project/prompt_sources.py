"""What can be asked for images by prompts in a project: fine-tuned diffusion models, and local ones as they are."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from synthstudio.core.imaging import sha256_of_file
from synthstudio.core.synthesis.origins import PromptOrigin
from synthstudio.core.synthesis.prompt_requests import parse_place
from synthstudio.core.training.diffusion_card import DiffusionCard, find_checkpoint, read_diffusion_card
from synthstudio.domain.errors import NotFound, UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.models import LocalModel, ModelKind
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import FieldOfView, Split
from synthstudio.project.project import Project


@dataclass(frozen=True, slots=True)
class PromptSource:
    """A model that makes images from prompts.

    Attributes:
        origin: What stands behind its images.
        base: The local model: that was trained further, or itself.
        folder: Of the run; None for a local model as it is.
        card: Of the run; None likewise.
    """

    origin: PromptOrigin
    base: LocalModel
    folder: Path | None
    card: DiffusionCard | None

    @property
    def prompts(self) -> tuple[str, ...]:
        """Prompts that it knows: the captions of its guide images."""
        return self.card.captions if self.card is not None else ()


def open_prompt_source(
    project: Project,
    *,
    run: RunId | None = None,
    model: str = "",
    step: int = 0,
    class_name: str = "",
    tick: Tick = no_tick,
) -> PromptSource:
    """Find a model and hash what makes its images.

    Args:
        project: Where it is.
        run: Id of its training.
        model: Name or path of a local model to be asked as it is, where no run is named.
        step: Of the checkpoint; 0 for the newest.
        class_name: What the images are labelled with; that of the training where it is empty.
        tick: Counts what of a local model has to be hashed.

    Raises:
        NotFound: There is no such run or model.
        UserError: It cannot make images, or its base model is not the one that it was trained on.
    """
    if run is None:
        base = project.models.locate(model, ModelKind.STABLE_DIFFUSION, tick=tick)
        return PromptSource(PromptOrigin("", base.name, base.sha256, base.sha256, 0, class_name), base, None, None)
    folder = project.run_folder(run)
    card = read_diffusion_card(folder)
    base = project.models.locate(card.base_model, ModelKind.STABLE_DIFFUSION, tick=tick)
    if base.sha256 != card.base_sha256:
        raise UserError(
            f"The model {card.base_model} is not the one that the run {run} was trained on.",
            "Bring that model in again, under the same name.",
        )
    found, checkpoint = find_checkpoint(folder, card, step=step)
    origin = PromptOrigin(
        run=run,
        model=base.name,
        model_sha256=base.sha256,
        weights_sha256=hash_checkpoint(checkpoint),
        step=found,
        class_name=class_name or card.class_name,
        source_fovs=tuple(sorted(card.train_fov_ids)),
    )
    return PromptSource(origin, base, folder, card)


def hash_checkpoint(folder: Path) -> str:
    """SHA-256 of the names and hashes of all files of a checkpoint. Raises UserError where one cannot be read."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    entries = [f"{path.relative_to(folder).as_posix()} {sha256_of_file(path)}\n" for path in files]
    return hashlib.sha256("".join(entries).encode()).hexdigest()


def find_places(project: Project, places: Sequence[str]) -> dict[str, FieldOfView]:
    """The FOVs that places name.

    Raises:
        NotFound: There is none of a name.
        UserError: One belongs to the test split, of which nothing may be trained on.
    """
    found = {}
    for text in places:
        name = parse_place(text).name
        fov = project.fovs.find_named(name)
        if fov is None:
            raise NotFound(
                f"There is no image {name} in this project.",
                "Write a place as NAME, or NAME @ left, top, right, bottom.",
            )
        if fov.split is Split.TEST:
            raise UserError(
                f"{name} belongs to the test split, of which nothing may go into images that are trained on.",
                "Choose an image of another split.",
            )
        found[name] = fov
    return found


def check_class(project: Project, class_name: str) -> None:
    """Make sure that images can be labelled. Raises NotFound for no such class, UserError where none is named."""
    if not class_name:
        raise UserError(
            "The model was not trained in this project, so it is not known what its images show.",
            "Name the class that they are to be labelled with.",
        )
    known = [each.name for each in project.classes.list()]
    if class_name not in known:
        raise NotFound(
            f"The project has no class {class_name} to label the images with.",
            f"Add it, or choose one of: {', '.join(known) or 'there is none yet'}.",
        )
