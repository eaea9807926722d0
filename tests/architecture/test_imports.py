"""What each process may load, checked in fresh interpreters: `importlib` calls escape the import contracts."""

import ast
import json
import re
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


def test_that_the_plots_of_the_window_load_no_cuda() -> None:
    """pyqtgraph takes CUDA's bindings where it finds them, and torch brings them into every environment."""
    script = """
import sys
from synthstudio.gui.app import prepare_process
prepare_process()
import synthstudio.gui.widgets.curve_plot
print([name for name in sys.modules if name.startswith("cuda.")])
"""
    command = [sys.executable, "-W", "ignore", "-c", script]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert found.strip() == "[]"


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


SUGGESTION_MODULES = (
    "synthstudio.domain.suggestions",
    "synthstudio.project.suggestions",
    "synthstudio.project.suggestion_verdicts",
    "synthstudio.project.recorded_searches",
    "synthstudio.core.suggestions.searched",
)
CONSUMERS_OF_ANNOTATIONS = (
    "core/annotations",
    "core/explanation",
    "core/export",
    "core/fields",
    "core/patches",
    "core/review",
    "core/synthesis",
    "core/training",
    "client/reporting",
    "client/experiment",
    "engine/data",
    "engine/jobs",
    "gui/pages/generate",
    "gui/pages/review",
    "project/annotations",
    "project/fields",
    "project/gallery",
    "project/patches",
    "project/pictures",
    "project/region",
    "project/study",
)
"""Beginnings of paths, beside the suggest job: what trains, counts, exports, scores or shows annotations."""


def test_that_nothing_that_reads_annotations_can_read_suggestions() -> None:
    found = set()
    for path in sorted((ROOT / "synthstudio").rglob("*.py")):
        name = path.relative_to(ROOT / "synthstudio").as_posix()
        if not name.startswith(CONSUMERS_OF_ANNOTATIONS) or name == "engine/jobs/suggest.py":
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module in SUGGESTION_MODULES:
                found.add(name)
            if isinstance(node, ast.Attribute) and node.attr == "suggestions":
                found.add(name)
    assert not found


def test_that_rows_of_suggestions_are_read_in_few_places() -> None:
    """A count of annotations that joins the wrong table would be found by no import contract."""
    readers = {
        path.name
        for path in (ROOT / "synthstudio" / "project").glob("*.py")
        if re.search(r"(?:FROM|JOIN|INTO|UPDATE) suggestion\b", path.read_text(encoding="utf-8"))
    }
    assert readers <= {"suggestions.py", "classes.py", "rounds.py"}
