"""Whether the small preset of diffusion from scratch has learned real cells: read by who has seen real ones alone.

Imports BCCD, trains as a user would (`synthstudio run`) on the train part, and trains a reader on objects of two thirds
of the val part, of which the diffusion model has seen nothing. The reader names objects on images that were asked for;
beside that stand chance and what it reaches on real objects of the other third. Then the images are written as a set,
and composites are made of objects cut from it.

python -m tests.benchmarks.bench_patch_diffusion [--work FOLDER] [--recipe FILE] [--steps N] [--count 300] [--json FILE]
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

from synthstudio.core.annotations.voc import read_voc
from synthstudio.core.evaluation.quick_score import quick_score
from synthstudio.core.imaging import ImageArray, write_png
from synthstudio.core.synthesis.requests import RequestPlanner
from synthstudio.core.training.patch_diffusion_card import CARD_NAME, read_patch_card
from synthstudio.domain.maps import MapRequest
from synthstudio.engine.patch_artist import PatchArtist, open_patch_artist
from synthstudio.project import Project
from synthstudio.project.imports import apply_import
from synthstudio.project.region_crops import list_region_crops, read_region_crops
from synthstudio.project.request_material import read_request_material
from synthstudio.settings.generate import RequestSettings
from synthstudio.settings.recipe import read_recipe, recipe_text
from synthstudio.settings.resources import resource_path
from synthstudio.settings.train_patch_diffusion import TrainPatchDiffusionSettings
from tests.support.patch_reading import ObjectReading, cut_objects, read_objects, train_object_reader
from tests.support.shared_data import ROOT

PRESET = "recipes/train-patch-diffusion-cells-32.toml"
SEED = 99
Crop = tuple[ImageArray, MapRequest]


@dataclass(frozen=True, slots=True)
class Trained:
    """A model, and what its training took; no seconds where an earlier call has trained it."""

    folder: Path
    seconds: float
    cpu_seconds: float
    steps: int
    load: tuple[float, float]


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def build_project(folder: Path) -> None:
    """Import BCCD where that is not done yet."""
    if folder.exists():
        return
    project = Project.create(folder)
    apply_import(project, read_voc(ROOT / "bccd"), copy=False)
    project.close()


def train(project: Path, settings: TrainPatchDiffusionSettings, recipe: Path) -> Trained:
    """Train as a user does, from the command line."""
    recipe.write_text(recipe_text(settings), encoding="utf-8")
    began, cpu, load = time.perf_counter(), sum(os.times()[2:4]), os.getloadavg()[1]
    command = [sys.executable, "-m", "synthstudio", "run", str(project), str(recipe), "--json"]
    ended = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    folder = project / "runs" / json.loads(ended.stdout)["run"]
    seconds = time.perf_counter() - began
    spent = sum(os.times()[2:4]) - cpu
    return Trained(folder, seconds, spent, read_patch_card(folder).step, (load, os.getloadavg()[1]))


def read_held_out(project: Project, settings: TrainPatchDiffusionSettings) -> tuple[list[Crop], list[Crop]]:
    """Real crops of the val part, by whole images: two thirds to train the reader on, one third to test it on."""
    crops = list(read_region_crops(project, list_region_crops(project, settings, split="val").crops))
    fovs = sorted({crop.plan.fov_id for crop in crops})
    tested = set(fovs[::3])
    halves: tuple[list[Crop], list[Crop]] = ([], [])
    for crop in crops:
        halves[crop.plan.fov_id in tested].append((crop.image, crop.request))
    return halves


def generate(project: Project, artist: PatchArtist, count: int) -> list[Crop]:
    """Ask for each class equally often, in sizes as in the data, as the generate job does."""
    material = read_request_material(project, artist.card)
    planner = RequestPlanner(RequestSettings(), material, side=artist.card.side, seed=SEED)
    requests = [planner.plan(index) for index in range(count)]
    return [(artist.draw(each, seed=SEED, index=index), each) for index, each in enumerate(requests)]


def print_reading(title: str, reading: ObjectReading) -> None:
    say(f"\n{title}")
    say(f"  class       {reading.overall}   chance {1 / len(reading.by_class):.3f}")
    for name, share in reading.by_class.items():
        say(f"    {name:20} {share}")


def save_sheet(crops: list[Crop], path: Path, *, columns: int = 30, rows: int = 6) -> None:
    """The first images side by side."""
    shown = [image for image, _ in crops[: rows * columns]]
    shown += [np.zeros_like(shown[0])] * (-len(shown) % columns)
    lines = [np.hstack(shown[start : start + columns]) for start in range(0, len(shown), columns)]
    write_png(path, np.ascontiguousarray(np.vstack(lines)))


def composite(project: Path, trained: Trained, *, count: int, work: Path) -> str:
    """Write a set of images, and composites of what is on them; return what the program said of the latter."""
    common = [sys.executable, "-m", "synthstudio"]
    made = ["--set-name", "made", "--count", str(count), "--seed", str(SEED)]
    generated = ["generate", str(project), "--generator", "diffusion", "--run", trained.folder.name, *made]
    composed = ["compose", str(project), "--set-name", "composites", "--count", "20", "--generated-sets", "made"]
    for command in (generated, composed):
        ended = subprocess.run([*common, *command, "--json"], stdout=subprocess.PIPE, check=True, cwd=work)
    return ended.stdout.decode().strip()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, help="folder that is kept; a trained model in it is read again")
    parser.add_argument("--recipe", type=Path, default=resource_path(PRESET))
    parser.add_argument("--steps", type=int, help="fewer or more than the recipe has")
    parser.add_argument("--count", type=int, default=300, help="images that are read")
    parser.add_argument("--reader-steps", type=int, default=400)
    parser.add_argument("--without-composites", action="store_true")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    work = given.work or Path(tempfile.mkdtemp(prefix="patch-diffusion-"))
    work.mkdir(parents=True, exist_ok=True)
    settings = read_recipe(given.recipe)
    assert isinstance(settings, TrainPatchDiffusionSettings)
    if given.steps:
        steps = {"steps": given.steps, "sample_every": min(settings.optimization.sample_every, given.steps)}
        settings = settings.model_copy(update={"optimization": settings.optimization.model_copy(update=steps)})
    build_project(work / "bccd")
    trained = _find(work / "bccd") or train(work / "bccd", settings, work / "recipe.toml")
    say(
        f"{trained.steps} steps in {trained.seconds:.0f} s, {trained.cpu_seconds:.0f} s of processor, load"
        f" {trained.load[0]:.1f} before and {trained.load[1]:.1f} after: {trained.folder}"
    )
    found = _read(work, trained, settings, count=given.count, reader_steps=given.reader_steps)
    if not given.without_composites:
        say(f"\nComposites of generated objects: {composite(work / 'bccd', trained, count=60, work=work)}")
    if given.json:
        facts = {name: asdict(each) for name, each in found.items()}
        given.json.write_text(json.dumps({"training": asdict(trained), **facts}, default=str, indent=1))


def _find(project: Path) -> Trained | None:
    """A model of an earlier call."""
    folders = [each.parent for each in sorted((project / "runs").glob(f"*/{CARD_NAME}"))]
    return Trained(folders[-1], 0.0, 0.0, read_patch_card(folders[-1]).step, (0.0, 0.0)) if folders else None


def _read(
    work: Path, trained: Trained, settings: TrainPatchDiffusionSettings, *, count: int, reader_steps: int
) -> dict[str, ObjectReading]:
    """Train the reader, let it read, print."""
    project = Project.open(work / "bccd", read_only=True)
    artist = open_patch_artist(trained.folder, device="cpu", threads=torch.get_num_threads())
    names = artist.card.class_names
    learned, tested = read_held_out(project, settings)
    began = time.perf_counter()
    made = generate(project, artist, count)
    say(f"{count} images in {time.perf_counter() - began:.0f} s")
    project.close()
    reader = train_object_reader(cut_objects(learned, names), n_classes=len(names), steps=reader_steps)
    readings = {
        "real": read_objects(reader, cut_objects(tested, names), names),
        "generated": read_objects(reader, cut_objects(made, names), names),
    }
    print_reading("Real objects of other images: the reader's ceiling", readings["real"])
    print_reading("Generated objects", readings["generated"])
    real = [image for image, _ in tested]
    to_made = quick_score(real, [image for image, _ in made])
    to_real = quick_score(real, [image for image, _ in learned][:count])
    say(
        f"\nKernel distance to real crops, by the built-in descriptor: {to_made.kid:.4f}; of other real ones"
        f" {to_real.kid:.4f}"
    )
    save_sheet(made, work / "sheet.png")
    return readings


if __name__ == "__main__":
    main()
