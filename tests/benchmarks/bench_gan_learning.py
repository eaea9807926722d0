"""Whether a GAN of the small preset has learned: condition, tone and place of its images, read by who knows them.

Builds the demo project of simulated skin, trains the GAN as a user would (`synthstudio run`), trains readers on real
simulated photographs of other patients, and lets them read images that the GAN makes for every condition in every
tone. Beside each figure stand chance and what the readers reach on real photographs.

python -m tests.benchmarks.bench_gan_learning [--work FOLDER] [--recipe FILE] [--steps N] [--per-pair 10] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from synthstudio.cli.demo_gan import PRESET
from synthstudio.client.demo import build_skin_demo
from synthstudio.core.fields.skin_simulator import MISSING, N_TONES
from synthstudio.core.imaging import write_png
from synthstudio.core.synthesis.semantic_maps import region_mask
from synthstudio.core.training.gan_card import CARD_NAME, read_gan_card
from synthstudio.domain.maps import MapRequest
from synthstudio.domain.records import Split
from synthstudio.engine.gan_drawing import GanArtist, open_gan
from synthstudio.project import Project
from synthstudio.settings.recipe import read_recipe, recipe_text
from synthstudio.settings.resources import resource_path
from synthstudio.settings.train_gan import TrainGanSettings
from tests.support.gan_reading import (
    CONDITIONS,
    Answers,
    Changes,
    Images,
    Reader,
    Share,
    build_reader_project,
    count,
    cut_crops,
    draw_requests,
    measure_changes,
    move_region,
    points_into_box,
    read,
    train_reader,
    truth_of,
)

N_READER_TRAIN, N_READER_TEST = 7, 3
SEED = 99


@dataclass(frozen=True, slots=True)
class Reading:
    """What the readers say of images whose truth is known.

    Attributes:
        near_tone: The tone was read right, or as one of its neighbours.
        per_condition: Share of each condition that was read right.
        missing: Of the pair of condition and tone that no training image showed; None where it is not among them.
    """

    condition: Share
    tone: Share
    near_tone: Share
    pointing: Share
    pointing_chance: float
    per_condition: dict[str, Share]
    missing: Share | None


@dataclass(frozen=True, slots=True)
class Trained:
    """A GAN, and what its training took; no seconds where an earlier call has trained it."""

    folder: Path
    seconds: float
    cpu_seconds: float
    steps: int


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def train(project: Path, settings: TrainGanSettings, recipe: Path) -> Trained:
    """Train as a user does, from the command line."""
    recipe.write_text(recipe_text(settings), encoding="utf-8")
    began, cpu = time.perf_counter(), sum(os.times()[2:4])
    command = [sys.executable, "-m", "synthstudio", "run", str(project), str(recipe), "--json"]
    ended = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    result = json.loads(ended.stdout)
    folder = project / "runs" / result["run"]
    seconds = time.perf_counter() - began
    return Trained(folder, seconds, sum(os.times()[2:4]) - cpu, read_gan_card(folder).step)


def judge(reader: Reader, images: list[Images], requests: list[MapRequest]) -> Reading:
    """Let the readers read images, and compare with what they should show."""
    answers: Answers = read(reader, images)
    conditions, tones = truth_of(requests)
    right, off = answers.conditions == conditions, np.abs(answers.tones - tones)
    is_missing = (conditions == CONDITIONS.index(MISSING[0])) & (tones == MISSING[1] - 1)
    return Reading(
        condition=count(right),
        tone=count(off == 0),
        near_tone=count(off <= 1),
        pointing=points_into_box(answers, requests),
        pointing_chance=float(np.mean([region_mask(each).mean() for each in requests])),
        per_condition={name: count(right[conditions == number]) for number, name in enumerate(CONDITIONS)},
        missing=count(right[is_missing]) if is_missing.any() else None,
    )


def print_reading(title: str, reading: Reading) -> None:
    say(f"\n{title}")
    say(f"  condition   {reading.condition}   chance {1 / len(CONDITIONS):.3f}")
    say(f"  tone        {reading.tone}   chance {1 / N_TONES:.3f}")
    say(f"  tone +- 1   {reading.near_tone}")
    say(f"  seen in box {reading.pointing}   chance {reading.pointing_chance:.3f}")
    for name, share in reading.per_condition.items():
        say(f"    {name:20} {share}")
    if reading.missing is not None:
        say(f"    {MISSING[0]} on tone {MISSING[1]}, which no training image shows: {reading.missing}")


def print_changes(changes: Changes) -> None:
    say(
        "\nWhat a box changes in the image, against the same map without it: such a map is in no training crop, so that"
    )
    say("what lies around changes too")
    say(f"  middle of the change in the box     {changes.center_in_box}   chance {changes.area:.3f}")
    say(f"  most of the change in the box       {changes.peak_in_box}   chance {changes.area:.3f}")
    say(f"  the same after the box was moved    {changes.followed}   chance {changes.area:.3f}")
    say(f"  share of the change inside the box  {changes.share_in_box:.3f}   chance {changes.area:.3f}")
    say(f"  mean change of a pixel in the box   {changes.strength:.1f} grey levels")


def save_sheet(artist: GanArtist, path: Path) -> None:
    """All conditions (down) in all tones (across), one box in the middle."""
    requests = draw_requests(artist.card.side, n_per_pair=1, seed=SEED + 1, known=artist.card.class_names)
    images = [artist.draw(each, seed=1, index=number) for number, each in enumerate(requests)]
    rows = [np.hstack(images[start : start + N_TONES]) for start in range(0, len(images), N_TONES)]
    write_png(path, np.ascontiguousarray(np.vstack(rows)))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, help="folder that is kept; a trained GAN in it is read again")
    parser.add_argument("--recipe", type=Path, default=resource_path(PRESET))
    parser.add_argument("--steps", type=int, help="fewer or more than the recipe has")
    parser.add_argument("--per-pair", type=int, default=10, help="images of each condition in each tone")
    parser.add_argument("--reader-steps", type=int, default=600)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    work = given.work or Path(tempfile.mkdtemp(prefix="gan-learning-"))
    work.mkdir(parents=True, exist_ok=True)
    settings = read_recipe(given.recipe)
    assert isinstance(settings, TrainGanSettings)
    if given.steps:
        steps = {"steps": given.steps, "sample_every": min(settings.optimization.sample_every, given.steps)}
        settings = settings.model_copy(update={"optimization": settings.optimization.model_copy(update=steps)})
    project = work / "skin"
    build_skin_demo(project).close()
    trained = _find(project) or train(project, settings, work / "recipe.toml")
    say(f"{trained.steps} steps in {trained.seconds:.0f} s, {trained.cpu_seconds:.0f} s of processor: {trained.folder}")
    readings, changes = _prove(work, trained, settings, per_pair=given.per_pair, reader_steps=given.reader_steps)
    if given.json:
        facts = {name: asdict(each) for name, each in readings.items()}
        found = {"training": asdict(trained), "changes": asdict(changes), **facts}
        given.json.write_text(json.dumps(found, default=str, indent=1), encoding="utf-8")


def _find(project: Path) -> Trained | None:
    """A GAN of an earlier call."""
    folders = [each.parent for each in sorted((project / "runs").glob(f"*/{CARD_NAME}"))]
    return Trained(folders[-1], 0.0, 0.0, read_gan_card(folders[-1]).step) if folders else None


def _prove(
    work: Path, trained: Trained, settings: TrainGanSettings, *, per_pair: int, reader_steps: int
) -> tuple[dict[str, Reading], Changes]:
    """Train the readers, read, print."""
    folder = work / "readers"
    is_new = not folder.exists()
    known = (
        build_reader_project(folder, n_train=N_READER_TRAIN, n_test=N_READER_TEST) if is_new else Project.open(folder)
    )
    reader = train_reader(cut_crops(known, settings.crops, Split.TRAIN), steps=reader_steps)
    # One crop of each photograph, so that the intervals count patients.
    real = [crop for crop in cut_crops(known, settings.crops, Split.TEST) if crop.plan.index == 0]
    known.close()
    artist = open_gan(trained.folder, scratch=work, device="cpu", threads=torch.get_num_threads())
    requests = draw_requests(artist.card.side, n_per_pair=per_pair, seed=SEED)
    moved = [move_region(each) for each in requests]
    readings = {
        "real": judge(reader, [each.image for each in real], [each.request for each in real]),
        "generated": judge(reader, [artist.draw(each, seed=SEED) for each in requests], requests),
        "moved": judge(reader, [artist.draw(each, seed=SEED) for each in moved], moved),
    }
    print_reading("Real photographs of other patients: the readers' ceiling", readings["real"])
    print_reading("Generated images", readings["generated"])
    print_reading("The same maps with each box moved to the other side", readings["moved"])
    changes = measure_changes(lambda request: artist.draw(request, seed=SEED), requests)
    print_changes(changes)
    save_sheet(artist, work / "sheet.png")
    say(f"\nAll conditions in all tones: {work / 'sheet.png'}")
    return readings, changes


if __name__ == "__main__":
    main()
