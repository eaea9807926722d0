"""What each process may load, checked in fresh interpreters: `importlib` calls escape the import contracts."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGINE_ONLY = ("torch", "torchvision", "diffusers", "transformers", "accelerate", "timm", "onnxruntime", "safetensors")

PROBE = """
import importlib, json, pkgutil, sys
import synthstudio
for package in {packages!r}:
    module = importlib.import_module(package)
    for found in pkgutil.walk_packages(getattr(module, "__path__", []), package + "."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
print(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""


def loaded_modules(*packages: str) -> set[str]:
    """Import every module of these packages in a fresh interpreter; return the top-level names that it then holds."""
    output = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROBE.format(packages=packages)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return set(json.loads(output.splitlines()[-1]))


@pytest.mark.parametrize("package", ["domain", "settings", "core", "project", "protocol", "client", "cli", "gui"])
def test_that_no_process_but_the_engine_loads_a_learning_library(package: str) -> None:
    assert not loaded_modules(f"synthstudio.{package}") & set(ENGINE_ONLY)


def test_that_qt_is_loaded_by_the_window_alone() -> None:
    packages = [f"synthstudio.{name}" for name in ("core", "project", "protocol", "client", "cli", "engine")]
    assert not loaded_modules(*packages) & {"PySide6", "shiboken6", "pyqtgraph", "qtawesome"}


def test_that_the_engine_looks_a_job_up_only_when_it_is_asked_for() -> None:
    assert not loaded_modules("synthstudio.engine.runner", "synthstudio.engine.context") & set(ENGINE_ONLY)


def test_that_only_the_allowed_things_lie_at_the_top() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    if not tracked:
        pytest.skip("NOT A GIT CHECKOUT: the files at the top were not checked")
    top = {line.partition("/")[0] for line in tracked.splitlines()}
    allowed = {
        "synthstudio",
        "resources",
        "tests",
        "installer",
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
    }
    assert {name for name in top if not name.startswith(".")} <= allowed
