"""Sets of images as if made from prompts, and a fine-tuned model that has a card alone: no diffusion library needed."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synthstudio.core.imaging import ImageArray
from synthstudio.core.synthesis.generated import GeneratedFacts, GeneratedImage, encode_generated, generated_header
from synthstudio.core.synthesis.manifest import SetFiles
from synthstudio.core.synthesis.origins import PromptOrigin
from synthstudio.core.synthesis.sets import unfinished_folder, write_image_files, write_made_set
from synthstudio.core.training.diffusion_card import DiffusionCard, checkpoint_folder, write_diffusion_card
from synthstudio.domain import records
from synthstudio.domain.ids import RunId, SetName
from synthstudio.domain.prompts import PromptRequest
from synthstudio.domain.records import RunStatus, Split, SyntheticSet
from synthstudio.project import Project
from synthstudio.project.runs import new_run_id
from synthstudio.settings.generate import GenerateSettings, PromptSettings

SIDE = 64
Draw = Callable[[int], ImageArray]


def add_tuned_card(
    project: Project, *, class_name: str, captions: Sequence[str], steps: Sequence[int] = (500,)
) -> RunId:
    """Enter a finished training that has left a card and empty checkpoints."""
    run_id = new_run_id("train-diffusion")
    folder = project.run_folder(run_id)
    folder.mkdir(parents=True)
    project.runs.add(run_id, kind="train-diffusion", title="DreamBooth on guides", settings_json="{}")
    card = DiffusionCard(
        method="dreambooth",
        base_model="tiny",
        base_sha256="0" * 64,
        prediction_type="epsilon",
        guide_set="guides",
        class_name=class_name,
        identifier="zxq",
        captions=tuple(captions),
        side=SIDE,
        has_text_encoder=True,
        steps=tuple(steps),
        train_fov_ids=tuple(fov.id for fov in project.fovs.list(split=Split.TRAIN)[:2]),
        seed=0,
        versions={},
        threads=1,
    )
    write_diffusion_card(folder, card)
    for step in steps:
        checkpoint_folder(folder, step).mkdir(parents=True)
    project.runs.set_ended(run_id, RunStatus.FINISHED)
    return run_id


@dataclass(frozen=True, slots=True)
class _Source:
    settings: GenerateSettings
    origin: PromptOrigin
    draw: Draw

    @property
    def files(self) -> SetFiles:
        return SetFiles()

    def begun_bytes(self, indices: range) -> bytes:
        return b"begun"

    def header_bytes(self, indices: range, *, manifest_sha256: str) -> bytes:
        facts = GeneratedFacts(
            files=self.files,
            side=SIDE,
            classes=(self.origin.class_name,),
            settings=self.settings.model_dump(mode="json"),
            project_state="",
            provider="nothing",
            versions={},
            generator=self.origin.generator,
            threads=1,
        )
        return generated_header(
            facts, {self.origin.key: self.origin.to_json()}, indices=indices, manifest_sha256=manifest_sha256
        )

    def iter_lines(self, folder: Path, indices: range, *, scratch: Path) -> Generator[list[str], None, None]:
        prompts = self.settings.prompts.prompts
        for index in indices:
            request = PromptRequest(prompts[index % len(prompts)], SIDE)
            made = encode_generated(
                GeneratedImage(self.draw(index), request, (0, index)), self.origin, self.files, index
            )
            write_image_files(folder, made)
            yield [made.line]


def noise(index: int) -> ImageArray:
    """`(SIDE, SIDE, 3)` uint8, another one for each image."""
    return np.random.default_rng(index).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)


def add_prompt_set(
    project: Project,
    name: str,
    *,
    run: str,
    class_name: str,
    prompts: Sequence[str],
    variants: int = 3,
    draw: Draw = noise,
    stop_after: int = 0,
) -> None:
    """Write a set and record it; with `stop_after` so many images alone, as a job leaves them while it runs."""
    wanted = PromptSettings(prompts=tuple(prompts), variants=variants)
    settings = GenerateSettings(generator="diffusion", run=run, set_name=name, prompts=wanted)
    learned = tuple(fov.id for fov in project.fovs.list(split=Split.TRAIN)[:2])
    source = _Source(settings, PromptOrigin(run, "tiny", "0" * 64, "1" * 64, 500, class_name, learned), draw)
    folder, count = project.set_folder(name), len(prompts) * variants
    if stop_after:
        summary_folder = unfinished_folder(folder)
        write_made_set(folder, source, range(stop_after))
        folder.rename(summary_folder)
        return
    summary = write_made_set(folder, source, range(count))
    project.sets.put(
        SyntheticSet(
            SetName(name),
            records.Generator.DIFFUSION,
            RunId(run),
            count,
            summary.sha256,
            settings.model_dump_json(),
            "",
            "",
        )
    )
