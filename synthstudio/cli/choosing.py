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
        "models": "bring in, list, check or remove models that were trained elsewhere",
        "guides": "make, fill, crop, check and export sets of guide images with captions",
        "attributes": "give images their sample, split, tone and condition from a table",
        "split": "divide samples into train, validation and test",
        "export": "write a data set for other programs",
        "compose": "write a set of composited images",
        "generate": "write a set of images that a trained GAN or a diffusion model makes on request",
        "join": "join the parts of a set that several machines have made",
        "train-classifier": "train the weakly supervised classifier",
        "search-recipes": "find out which way of compositing trains best",
        "train-detector": "train a detector that draws boxes",
        "train-gan": "train a GAN that makes images from semantic maps",
        "train-diffusion": "fine-tune a local Stable Diffusion on a guide set",
        "train-patch-diffusion": "train a diffusion model of patches from scratch, on boxes and their classes",
        "train-upscaler": "train a network that enlarges images, on pairs made from guide images",
        "upscale": "write the images of a set again, larger",
        "evaluate": "score a trained classifier on held-out images",
        "evaluate-detector": "score a trained detector on held-out images",
        "detect": "find objects on images with a trained detector",
        "suggest": "let a trained model suggest what to annotate",
        "suggestions": "show how far suggestions are judged; accept what reaches its threshold",
        "experiment": "compare what is learnt from real images, synthetic ones and both",
        "experiment-table": "show what an experiment has found so far",
        "round": "train on the annotations so far, score on the test images, suggest what is missing",
        "rounds": "show the learning curve of the rounds, and whether more clicks still pay",
        "gan-study": "find out what each part of a GAN is good for, or search the weights of its losses",
        "gan-study-table": "show what a study of GANs has found so far",
        "measure": "measure how near synthetic images come to real ones: FID, KID, coverage, copies",
        "embed": "describe images and objects by features, and lay them out on a map",
        "similar": "find what is most like an image, among all of a project and its sets",
        "quality": "check images, annotations, splits and synthetic sets: is this data set sound?",
        "describe": "measure light, contrast, colour and sharpness of images, for the charts",
        "study": "ask readers whether images look real, or show a condition, and judge their answers",
        "compare": "compare two evaluated runs on the same images, with intervals",
        "report": "write what is known of runs, of a set or of a reading study as one HTML file",
        "explain": "write class activation maps as pictures and arrays",
        "export-onnx": "write a trained classifier, detector or GAN as an ONNX file",
        "next": "say which images to annotate next, and why",
        "guard": "have a share of the images annotated without suggestions, and show what seeing them does",
        "verify": "check database, files, hashes, and that sets can be made again",
        "snapshots": "list the states of a project's database that were kept before large edits and while working",
        "restore": "go back to a snapshot; the present state is kept as one first",
        "run": "run any job from a recipe, or a batch of many",
        "batch": "show what a batch has done so far",
        "watch": "import images as they come to lie in a folder, and let a model suggest what to mark",
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
