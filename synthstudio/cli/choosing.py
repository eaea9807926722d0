"""What the arguments ask for. Imports nothing of the program: the window's start waits for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "demo": "build the demo project and go from clicks to class activation maps on it",
        "new": "make a new project",
        "classes": "show or change the object classes of a project",
        "import": "bring images and annotations into a project",
        "attributes": "give images their sample, split, tone and condition from a table",
        "split": "divide samples into train, validation and test",
        "export": "write a data set for other programs",
        "compose": "write a set of composited images",
        "generate": "write a set of images that a trained GAN makes on request",
        "train-classifier": "train the weakly supervised classifier",
        "search-recipes": "find out which way of compositing trains best",
        "train-detector": "train a detector that draws boxes",
        "train-gan": "train a GAN that makes images from semantic maps",
        "evaluate": "score a trained classifier on held-out images",
        "evaluate-detector": "score a trained detector on held-out images",
        "detect": "find objects on images with a trained detector",
        "experiment": "compare what is learnt from real images, synthetic ones and both",
        "experiment-table": "show what an experiment has found so far",
        "gan-study": "find out what each part of a GAN is good for, or search the weights of its losses",
        "gan-study-table": "show what a study of GANs has found so far",
        "measure": "measure how near synthetic images come to real ones: FID, KID, coverage, copies",
        "quality": "check images, annotations, splits and synthetic sets: is this data set sound?",
        "study": "ask readers whether images look real, or show a condition, and judge their answers",
        "compare": "compare two evaluated runs on the same images, with intervals",
        "report": "write scores, comparison and provenance of runs as one HTML file",
        "explain": "write class activation maps as pictures and arrays",
        "export-onnx": "write a trained classifier, detector or GAN as an ONNX file",
        "verify": "check database, files, hashes, and that sets can be made again",
        "run": "run any job from a recipe",
        "doctor": "show versions and devices, what is missing and the line that mends it",
    }
)
APP_FLAGS = frozenset({"--exit-after-paint"})
_HELP_FLAGS = frozenset({"-h", "--help", "--version"})


def asks_for_app(arguments: Sequence[str]) -> bool:
    """Tell whether the window is meant: no command, and if anything then a project folder."""
    if any(argument in _HELP_FLAGS for argument in arguments[:1]):
        return False
    words = [argument for argument in arguments if argument not in APP_FLAGS]
    if not words:
        return True
    # A word that is neither command nor folder is more likely a mistyped command than a project yet to come.
    return words[0] not in COMMANDS and not words[0].startswith("-") and _is_path(words[0])


def _is_path(word: str) -> bool:
    return any(mark in word for mark in "/\\.~") or Path(word).is_dir()
