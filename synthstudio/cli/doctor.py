"""Versions and devices, what is missing and the line that mends it."""

from __future__ import annotations

import argparse
import ctypes.util
import importlib
import importlib.metadata
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from synthstudio import __version__
from synthstudio.cli.render import print_json, print_lines, print_table
from synthstudio.core.imaging import has_openslide
from synthstudio.core.models.needs import NEEDS, Need, models_for
from synthstudio.domain.models import LocalModel
from synthstudio.project import Project

_PACKAGES = (
    "numpy",
    "opencv-python-headless",
    "pydantic",
    "PySide6-Essentials",
    "pyqtgraph",
    "torch",
    "torchvision",
    "timm",
    "diffusers",
    "transformers",
    "peft",
    "accelerate",
)
_TORCH_PROBE = """
import json, torch
n = torch.cuda.device_count()
print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads(), "built_for_cuda": torch.version.cuda,
 "devices": [[torch.cuda.get_device_name(i), *torch.cuda.mem_get_info(i)] for i in range(n)],
 "mps": torch.backends.mps.is_available()}))
"""
_TORCH_TIMEOUT_S = 120
# What the window needs on Linux beside PySide6, and the Debian packages that bring it.
_QT_LIBRARIES = {
    "EGL": "libegl1",
    "GL": "libgl1",
    "xkbcommon": "libxkbcommon0",
    "xkbcommon-x11": "libxkbcommon-x11-0",
    "xcb-cursor": "libxcb-cursor0",
    "xcb-icccm": "libxcb-icccm4",
    "xcb-keysyms": "libxcb-keysyms1",
    "xcb-render-util": "libxcb-render-util0",
    "xcb-image": "libxcb-image0",
    "xcb-shape": "libxcb-shape0",
    "dbus-1": "libdbus-1-3",
    "fontconfig": "libfontconfig1",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report; `mend` is the line that mends it, or that brings what is not there but need not be."""

    what: str
    found: str
    ok: bool = True
    mend: str = ""


def add_arguments(command: str, parser: argparse.ArgumentParser) -> None:
    """Declare the project whose models are looked at."""
    parser.add_argument(
        "project", metavar="PROJECT", type=Path, nargs="?", help="also tell which models this project has, and lacks"
    )


def execute(command: str, arguments: argparse.Namespace) -> int:
    """Report; return 1 where something is missing that the program needs."""
    checks = [
        Check("SynthStudio", __version__),
        Check("Python", f"{platform.python_version()} ({sys.executable})"),
        Check("system", f"{platform.platform()}, {os.cpu_count()} processors"),
        *(_check_package(name) for name in _PACKAGES),
        *_check_torch(),
        *_check_qt(),
        *_check_image_readers(),
        _check_eight_bit(),
        *_check_models(arguments.project),
        _check_disk(),
    ]
    broken = [each for each in checks if not each.ok]
    if arguments.json:
        print_json({"ok": not broken, "checks": [asdict(each) for each in checks]})
    else:
        print_table(("", "what", "found"), [("ok" if each.ok else "!!", each.what, each.found) for each in checks])
        print_lines(*(f"to have {each.what}: {each.mend}" for each in checks if each.ok and each.mend))
        print_lines(*(f"to mend {each.what}: {each.mend}" for each in broken))
        print_lines("all is well" if not broken else f"{len(broken)} things are missing")
    return 1 if broken else 0


def _check_package(name: str) -> Check:
    try:
        return Check(name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Check(name, "missing", ok=False, mend=f"{sys.executable} -m pip install {name}")


def _check_torch() -> list[Check]:
    """Ask torch in a process of its own: a broken driver may crash it, and it is slow to load."""
    command = [sys.executable, "-P", "-c", _TORCH_PROBE]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TORCH_TIMEOUT_S, check=False)
        facts = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None
    except (subprocess.TimeoutExpired, ValueError, IndexError) as error:
        return [
            Check("torch runs", str(error), ok=False, mend=f"{sys.executable} -m pip install --force-reinstall torch")
        ]
    if facts is None:
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        return [Check("torch runs", last, ok=False, mend=f"{sys.executable} -m pip install --force-reinstall torch")]
    checks = [Check("torch runs", f"yes, on {facts['threads']} threads")]
    gibibyte = 2**30
    for name, free, total in facts["devices"]:
        checks.append(Check("GPU", f"{name}, {free / gibibyte:.1f} of {total / gibibyte:.1f} GiB free"))
    if facts["mps"]:
        checks.append(Check("GPU", "Apple Metal"))
    if not facts["devices"] and not facts["mps"]:
        checks.append(Check("GPU", "none that torch can use; trainings run on the processor" + _why_no_gpu(facts)))
    return checks


def _why_no_gpu(facts: dict[str, object]) -> str:
    if shutil.which("nvidia-smi") is None:
        return ""
    if facts["built_for_cuda"] is None:
        return "; an NVIDIA driver is present: install a CUDA build of torch (see pytorch.org)"
    return f"; an NVIDIA driver is present, but not one for CUDA {facts['built_for_cuda']}: update the driver"


def _check_qt() -> list[Check]:
    if not sys.platform.startswith("linux"):
        return []
    missing = [package for library, package in _QT_LIBRARIES.items() if ctypes.util.find_library(library) is None]
    if missing:
        line = f"sudo apt-get install {' '.join(missing)}"
        return [Check("libraries of the window", f"missing: {', '.join(missing)}", ok=False, mend=line)]
    has_display = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return [
        Check("libraries of the window", "complete"),
        Check("display", "yes" if has_display else "none; the commands work without one"),
    ]


def _check_image_readers() -> list[Check]:
    """Codecs of compressed TIFFs, and the extra for whole slides, whose absence is no fault."""
    checks = [_check_package("tifffile"), _check_package("imagecodecs")]
    if not has_openslide():
        how = f'{sys.executable} -m pip install "synthstudio[slides]"'
        return [*checks, Check("OpenSlide", f"not installed: MIRAX, Hamamatsu and Zeiss slides need it ({how})")]
    try:
        openslide = importlib.import_module("openslide")
    except (ImportError, OSError) as error:
        mend = f"{sys.executable} -m pip install --force-reinstall openslide-python openslide-bin"
        return [*checks, Check("OpenSlide", f"does not load: {error}", ok=False, mend=mend)]
    return [*checks, Check("OpenSlide", str(openslide.__library_version__))]


def _check_eight_bit() -> Check:
    """The optimiser that needs a quarter of the memory: wanted by some, needed by none."""
    try:
        return Check("8-bit optimiser", f"bitsandbytes {importlib.metadata.version('bitsandbytes')}")
    except importlib.metadata.PackageNotFoundError:
        how = f"{sys.executable} -m pip install bitsandbytes"
        return Check("8-bit optimiser", f"not installed: saves memory in fine-tuning on NVIDIA GPUs ({how})")


def _check_models(folder: Path | None) -> list[Check]:
    """What local models there are for each feature; that there are none is no fault of the program."""
    if folder is None:
        return [Check("local models", "name a project to see which it has: synthstudio doctor PROJECT")]
    project = Project.open(folder, read_only=True)
    try:
        models, damaged = project.models.list(), project.models.damaged()
    finally:
        project.close()
    checks = [_check_need(need, models, folder) for need in NEEDS]
    mend = f"synthstudio models remove {shlex.quote(str(folder))} NAME, then bring it in again"
    return [*checks, *(Check(f"model {each}", "its card is damaged", ok=False, mend=mend) for each in damaged)]


def _check_need(need: Need, models: Sequence[LocalModel], folder: Path) -> Check:
    """Whether there is a model for a feature; else where to get one, and what can be done without."""
    what = need.kinds[0].words
    if names := [each.name for each in models_for(need, models)]:
        return Check(what, f"{', '.join(names)}, for {need.feature}")
    get = (
        f"get {need.example}, then synthstudio models add {shlex.quote(str(folder))} PATH (without it: {need.without})"
    )
    return Check(what, f"none, for {need.feature}", mend=get)


def _check_disk() -> Check:
    free = shutil.disk_usage(".").free
    return Check("free space here", f"{free / 2**30:.1f} GiB")
