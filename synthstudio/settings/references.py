"""What settings name in a project: the run that a job reads, the sets that it reads and writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from synthstudio.settings.base import JobSettings

WRITING_KINDS = ("compose", "generate", "upscale")
"""Jobs that write a set, the one of their `set_name`."""
_GENERATORS = ("train-gan", "train-patch-diffusion", "train-diffusion")
RUN_KINDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "evaluate": ("train-classifier",),
        "explain": ("train-classifier",),
        "evaluate-detector": ("train-detector",),
        "detect": ("train-detector",),
        "suggest": ("train-classifier", "train-detector"),
        "export-onnx": ("train-classifier", "train-detector", "train-gan"),
        "generate": _GENERATORS,
        "measure": _GENERATORS,
        "upscale": ("train-upscaler",),
    }
)
"""Kind of a job -> kinds of the runs that its `run` may name."""

_ALWAYS_READ_A_RUN = frozenset({"evaluate", "explain", "evaluate-detector", "detect", "suggest", "export-onnx"})
"""Jobs that take the newest finished run where none is named; the others can do without."""


def kinds_needed(settings: JobSettings) -> tuple[str, ...]:
    """Kinds of training, of which one must be finished where a job names no run; empty where it needs none."""
    needs_one = settings.kind in _ALWAYS_READ_A_RUN and not run_read(settings)
    return RUN_KINDS[settings.kind] if needs_one else ()


def run_read(settings: JobSettings) -> str:
    """Id of the run that a job uses; empty where none is named."""
    return str(getattr(settings, "run", "")) if settings.kind in RUN_KINDS else ""


def set_written(settings: JobSettings) -> str:
    """Name of the set that a job writes; empty where it writes none."""
    return str(getattr(settings, "set_name", "")) if settings.kind in WRITING_KINDS else ""


def sets_read(settings: JobSettings) -> tuple[str, ...]:
    """Names of the sets that must be there when a job begins, each once."""
    named = [str(getattr(settings, "source_set", ""))]
    if settings.kind not in WRITING_KINDS and getattr(settings, "source", "stored-set") == "stored-set":
        named.append(str(getattr(settings, "set_name", "")))
    named += _generated_sets(settings.model_dump())
    return tuple(dict.fromkeys(name for name in named if name))


def _generated_sets(values: Mapping[str, object]) -> Iterator[str]:
    """Sets whose regions become patches, wherever the settings of patches stand."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _generated_sets(value)
        elif key == "generated_sets" and isinstance(value, tuple | list):
            yield from map(str, value)
