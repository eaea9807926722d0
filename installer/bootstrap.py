#!/usr/bin/env python3
"""Sets SynthStudio up from a fresh checkout, then starts it or runs its tests.

    python3 installer/bootstrap.py          set up, then open the demo project (without a display: headless demo)
    python3 installer/bootstrap.py test     set up, then run linters, type checker, import contracts and all tests

Everything goes into `.venv` beside this checkout's pyproject.toml. Each step is recorded only once it has succeeded:
an interrupted set-up continues where it stopped, and a repeated one has nothing to do. Standard library only.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
MINIMUM_PYTHON = (3, 11)
# What PySide6's xcb and offscreen platforms load from the system, by Debian package.
QT_PACKAGES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}
FONT_PACKAGE = "fonts-dejavu-core"


def say(text: str) -> None:
    """Tell what happens, at once, also through a pipe."""
    print(f"[set-up] {text}", flush=True)


def run(*command: str | Path, env: dict[str, str] | None = None) -> int:
    """Run a command that the reader of the log can repeat; return its exit status."""
    say("$ " + " ".join(str(part) for part in command))
    return subprocess.run([str(part) for part in command], cwd=ROOT, env=env, check=False).returncode


def fail(text: str) -> None:
    """End with one sentence that says what to do."""
    say(text)
    sys.exit(1)


def check_python() -> None:
    """Refuse a Python that is too old."""
    if sys.version_info < MINIMUM_PYTHON:
        wanted = ".".join(str(part) for part in MINIMUM_PYTHON)
        fail(f"Python {wanted} or newer is needed, this is {sys.version.split()[0]}. Start this file with a newer one.")


def missing_qt_packages() -> list[str]:
    """Debian packages whose library the linker does not know."""
    if not sys.platform.startswith("linux"):
        return []
    ldconfig = shutil.which("ldconfig", path=os.environ.get("PATH", "") + ":/sbin:/usr/sbin")
    if ldconfig is None:
        return []
    known = subprocess.run([ldconfig, "-p"], capture_output=True, text=True, check=False).stdout
    missing = [package for library, package in QT_PACKAGES.items() if library not in known]
    if not any(Path(folder).is_dir() for folder in ("/usr/share/fonts", "/usr/local/share/fonts")):
        missing.append(FONT_PACKAGE)
    return missing


def install_qt_packages() -> None:
    """Install the system libraries of Qt where this may be done; otherwise print the exact line."""
    missing = missing_qt_packages()
    if not missing:
        say("System libraries for Qt: present.")
        return
    line = "apt-get install -y --no-install-recommends " + " ".join(missing)
    if shutil.which("apt-get") is None:
        say(f"Qt needs these libraries (names of the Debian packages): {' '.join(missing)}. Install your system's.")
        return
    if os.geteuid() != 0:
        say(f"Qt needs some system libraries. Please run:\n    sudo {line}")
        return
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get", "update", "-q", env=env)
    if run(*line.split(), env=env) != 0:
        say(f"The system libraries could not be installed; the window may not start. To try again:\n    {line}")


def venv_python() -> Path:
    """Path of the environment's interpreter."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def make_environment() -> None:
    """Create the environment; one that a killed set-up left half-made is made anew."""
    python = venv_python()
    works = (
        python.exists()
        and subprocess.run([str(python), "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
    )
    if works:
        say(f"Environment: {VENV}")
        return
    if VENV.exists():
        say("The environment is incomplete; making it anew.")
        shutil.rmtree(VENV)
    say(f"Making the environment {VENV}")
    if run(sys.executable, "-m", "venv", VENV) != 0:
        fail("The environment could not be made. On Debian and Ubuntu: apt-get install python3-venv")


def install(extra: str) -> None:
    """Install the project with its dependencies, unless this very pyproject.toml has been installed already."""
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + str(ROOT).encode()).hexdigest()
    marks = [VENV / f".installed-{name}" for name in (("dev",) if extra else ("dev", "app"))]
    if any(mark.exists() and mark.read_text() == wanted for mark in marks):
        say("Packages: up to date.")
        return
    say("Installing packages; PyTorch with CUDA is several GB, this takes some minutes the first time.")
    started = time.monotonic()
    target = f"{ROOT}[{extra}]" if extra else str(ROOT)
    if run(venv_python(), "-m", "pip", "install", "--disable-pip-version-check", "-q", "-e", target) != 0:
        fail("The packages could not be installed; see the lines above. Check the network and the disk, and run again.")
    run(venv_python(), "-m", "compileall", "-q", ROOT / "synthstudio")  # else the first start takes half as long again
    marks[-1 if not extra else 0].write_text(wanted)
    say(f"Packages installed in {time.monotonic() - started:.0f} s.")


def has_display() -> bool:
    """Tell whether a window can be shown."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def start() -> int:
    """Open the demo project, or run the headless demo where there is no display."""
    if has_display():
        return run(venv_python(), "-m", "synthstudio", "demo")
    say("There is no display: running the demo without a window.")
    return run(venv_python(), "-m", "synthstudio", "demo", "--headless")


def test() -> int:
    """Run all checks; all are run even when one fails, so that one log tells everything."""
    python = venv_python()
    tools = python.parent
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONUTF8": "1"}
    checks: list[tuple[str, list[str | Path]]] = [
        ("format", [python, "-m", "ruff", "format", "--check", "."]),
        ("lint", [python, "-m", "ruff", "check", "."]),
        ("types", [python, "-m", "mypy"]),
        ("layers", [tools / "lint-imports", "--no-cache"]),
        # Two at a time: many wait for a window or for an engine. Files stay whole, with the fixtures that they share.
        ("tests", [python, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "--durations=15"]),
    ]
    failed = []
    for name, command in checks:
        started = time.monotonic()
        if run(*command, env=env) != 0:
            failed.append(name)
        say(f"{name}: {'FAILED' if name in failed else 'ok'} in {time.monotonic() - started:.0f} s")
    say(f"FAILED: {', '.join(failed)}" if failed else "All checks passed.")
    return 1 if failed else 0


def main() -> int:
    """Parse the one word there is, set up, and go."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["start", "test", "install"], default="start")
    what = parser.parse_args().what
    check_python()
    install_qt_packages()
    make_environment()
    install("dev" if what == "test" else "")
    if what == "install":
        say(f"Ready: {venv_python()} -m synthstudio")
        return 0
    return test() if what == "test" else start()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        say("Interrupted. Run the same command again to continue.")
        sys.exit(130)
