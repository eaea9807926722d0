"""The models of a project that somebody else has trained: `models/NAME/model.json`, and the files or where they lie."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import platformdirs

from synthstudio.core.imaging import translate_os_error, write_bytes_atomically
from synthstudio.core.models.fingerprints import Known, file_path, find_changes, hash_files, hash_of_files
from synthstudio.core.models.recognition import Found, recognise_model
from synthstudio.domain.errors import NotFound, ProjectIsReadOnly, UserError
from synthstudio.domain.models import LocalModel, ModelFile, ModelKind
from synthstudio.domain.os_errors import translate_named_error
from synthstudio.domain.progress import Tick, no_tick, part_of
from synthstudio.domain.records import Changes, changes
from synthstudio.project.clock import now
from synthstudio.project.files import stored_path

CARD = "model.json"
FILES = "files"
"""Folder of copied files, beside the card."""
FORMAT = 1
_NAME = re.compile(r"\w[\w.+-]{0,63}")
_HIDDEN = re.compile(r"\.\d+-[0-9a-f]{16}")
_SPARE_BYTES = 200_000_000
"""Left free on the disk when a model is copied."""
_MAX_REMEMBERED = 2000


class Models:
    """The local models of a project; plain files, so that they need no migration and can be copied by hand.

    Args:
        folder: Of the project.
        read_only_reason: Why nothing may be changed; empty where it may.
    """

    def __init__(self, folder: Path, *, read_only_reason: str = "") -> None:
        self._folder = folder / "models"
        self._read_only_reason = read_only_reason

    def list(self, *kinds: ModelKind) -> list[LocalModel]:
        """Return the models (of these kinds) by name; those with a damaged card are left out, see `damaged`.

        Raises:
            UserError: The folder of the models cannot be read.
        """
        found = [model for name in self._names() if (model := self._try_read(name)) is not None]
        return [each for each in found if not kinds or each.kind in kinds]

    def damaged(self) -> Sequence[str]:
        """Names of models whose card cannot be read. Raises UserError where the folder of the models cannot be read."""
        return [name for name in self._names() if self._try_read(name) is None]

    def get(self, name: str) -> LocalModel:
        """Return the model of this name.

        Raises:
            NotFound: There is none; those that exist are named.
            UserError: Its card is damaged.
        """
        if not _NAME.fullmatch(name) or not (self._folder / name / CARD).is_file():
            known = ", ".join(self._names()) or "none yet"
            raise NotFound(f"There is no model {name} in this project.", f"Models of this project: {known}.")
        return self._read(name)

    def locate(self, reference: str, *kinds: ModelKind, tick: Tick = no_tick) -> LocalModel:
        """Return the model that a setting names: by its name in this project, or by a path.

        Args:
            reference: Name, or path of a folder or file.
            kinds: What it has to be; empty takes any.
            tick: Counts bytes where something has to be hashed.

        Raises:
            NotFound: There is no such model.
            UserError: It is of another kind, or its files are missing or not those that were brought in.
        """
        model = self._named(reference, tick) if self._is_name(reference) else self._at_path(reference, tick)
        if kinds and model.kind not in kinds:
            wanted = " or ".join(each.words for each in kinds)
            raise UserError(
                f"The model {reference} is a {model.kind.words} ({model.architecture}), not a {wanted}.",
                self._hint(kinds),
            )
        return model

    def find_weights(self, reference: str) -> Path | None:
        """Return the file of weights that a setting names, by a model of this project or by its path; None for "".

        A path is returned as it is: it may be a checkpoint of a run, which only its reader can judge.

        Raises:
            UserError: The model is no single file of weights, or has changed.
        """
        if not reference:
            return None
        if not self._is_name(reference):
            return Path(reference).expanduser()
        return self.locate(reference, ModelKind.BACKBONE, ModelKind.FEATURES).path

    def add(self, path: Path, *, name: str = "", copies: bool = False, tick: Tick = no_tick) -> LocalModel:
        """Bring a model in.

        Args:
            path: A diffusers folder, or a .safetensors file.
            name: Its name in the project; empty takes that of the folder or file.
            copies: Copy its files into the project; else they are used where they lie.
            tick: Counts shares of the work.

        Raises:
            UserError: It is no model that is used here, the name is taken, or the disk is too small.
        """
        self._check_writable()
        found = recognise_model(path)
        name = self._free_name(name or default_name(found.path), is_given=bool(name))
        files = hash_files(found, part_of(tick, 0.0, 0.5 if copies else 1.0), known=_remembered())
        model = _model(found, name, files, is_in_place=not copies)
        self._sweep()
        staging = self._hidden_folder()
        try:
            staging.mkdir(parents=True)
            if copies:
                _check_space(self._folder, model)
                model = _copied(model, staging / FILES, part_of(tick, 0.5, 1.0))
            write_bytes_atomically(staging / CARD, _to_json(model, self._folder.parent))
            staging.replace(self._folder / name)
        except OSError as error:
            raise translate_os_error(error, self._folder / name) from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return self._read(name)

    def remove(self, name: str) -> Changes:
        """Forget a model; files that were copied into the project are deleted, those elsewhere are left alone.

        Raises:
            NotFound: There is no such model.
            UserError: It cannot be removed.
        """
        self._check_writable()
        if name not in self.damaged():
            self.get(name)
        leaving = self._hidden_folder()
        try:
            # First out of sight as a whole: a removal that is interrupted leaves no half model.
            (self._folder / name).replace(leaving)
            shutil.rmtree(leaving)
        except OSError as error:
            raise translate_os_error(error, self._folder / name) from error
        return changes("models")

    def check(self, name: str, tick: Tick = no_tick) -> Sequence[str]:
        """Hash all files of a model again; return what is wrong, one sentence each.

        Raises:
            NotFound: There is no such model.
        """
        if name not in self._names():
            self.get(name)  # which names those that are there
        try:
            model = self._read(name)
        except UserError as error:
            return [str(error)]
        problems = find_changes(model, tick, is_thorough=True)
        if not problems:
            try:
                recognise_model(model.path)
            except UserError as error:
                problems.append(str(error))
        return problems

    def _is_name(self, reference: str) -> bool:
        return bool(_NAME.fullmatch(reference)) and (self._folder / reference / CARD).is_file()

    def _named(self, name: str, tick: Tick) -> LocalModel:
        model = self.get(name)
        problems = find_changes(model, tick, is_thorough=False, known=_remembered())
        if problems:
            raise UserError(
                f"The model {name} is not as it was brought in: {problems[0]}",
                "Put its files back, or remove it and bring it in again.",
            )
        _remember(model)
        return model

    def _at_path(self, reference: str, tick: Tick) -> LocalModel:
        path = Path(reference).expanduser()
        if not reference or not path.exists():
            raise NotFound(
                f"There is no model {reference} in this project, and nothing at that path."
                if reference
                else "No model is named.",
                self._hint(()),
            )
        found = recognise_model(path)
        files = hash_files(found, tick, known=_remembered())
        model = _model(found, str(found.path), files, is_in_place=True)
        _remember(model)
        return model

    def _hint(self, kinds: Sequence[ModelKind]) -> str:
        known = [each.name for each in self.list(*kinds)]
        if known:
            return f"Models of this project: {', '.join(known)}."
        return "Bring one in first: synthstudio models add PROJECT PATH."

    def _names(self) -> Sequence[str]:
        try:
            # No glob: it takes a folder that may not be read for an empty one.
            names = [each.name for each in self._folder.iterdir() if not each.name.startswith(".")]
            return sorted(name for name in names if (self._folder / name / CARD).exists())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise translate_named_error(error) or translate_os_error(error, self._folder) from error

    def _try_read(self, name: str) -> LocalModel | None:
        try:
            return self._read(name)
        except UserError:
            return None

    def _read(self, name: str) -> LocalModel:
        path = self._folder / name / CARD
        try:
            return _from_json(path.read_bytes(), name=name, folder=self._folder / name)
        except OSError as error:
            raise translate_os_error(error, path) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(
                f"The card {path} of a model is damaged ({error}).", "Remove the model and bring it in again."
            ) from error

    def _hidden_folder(self) -> Path:
        """A name for what is not, or no longer, a model of the project; it says which process it belongs to."""
        return self._folder / f".{os.getpid()}-{secrets.token_hex(8)}"

    def _sweep(self) -> None:
        """Remove what a process left that was killed while it copied: only one process at a time writes here."""
        for folder in self._folder.glob(".*-*"):
            if _HIDDEN.fullmatch(folder.name) and not folder.name.startswith(f".{os.getpid()}-"):
                shutil.rmtree(folder, ignore_errors=True)

    def _check_writable(self) -> None:
        if self._read_only_reason:
            raise ProjectIsReadOnly("The project cannot be changed.", self._read_only_reason)

    def _free_name(self, name: str, *, is_given: bool) -> str:
        if not _NAME.fullmatch(name):
            raise UserError(
                f"{name!r} cannot name a model.", "Use letters, digits, - _ . and +, at most 64 of them and no spaces."
            )
        if not (self._folder / name).exists():
            return name
        if is_given:
            raise UserError(f"There is already a model {name} in this project.", "Choose another name, or remove it.")
        number = 2
        while (self._folder / f"{name}-{number}").exists():
            number += 1
        return f"{name}-{number}"


def default_name(path: Path) -> str:
    """A name for a model after its folder or file."""
    stem = path.name if path.is_dir() else path.stem
    if stem in ("model", "diffusion_pytorch_model", "pytorch_model") and path.parent.name:
        stem = path.parent.name
    return re.sub(r"[^\w.+-]+", "-", stem).strip("-.+")[:64] or "model"


def _model(found: Found, name: str, files: tuple[ModelFile, ...], *, is_in_place: bool) -> LocalModel:
    return LocalModel(
        name=name,
        kind=found.what.kind,
        path=found.path,
        architecture=found.what.architecture,
        sha256=hash_of_files(files),
        licence=found.licence,
        facts=found.what.facts,
        files=files,
        is_in_place=is_in_place,
        added_at=now(),
    )


def _check_space(folder: Path, model: LocalModel) -> None:
    free = shutil.disk_usage(folder).free
    if free < model.n_bytes + _SPARE_BYTES:
        raise UserError(
            f"The disk is too full to copy {model.name}: it has {model.n_bytes / 1e9:.1f} GB,"
            f" {free / 1e9:.1f} GB are free.",
            "Free some space, or use the model where it lies.",
        )


def _copied(model: LocalModel, target: Path, tick: Tick) -> LocalModel:
    """Copy the files of a model; return it as it will lie in the project."""
    files: list[ModelFile] = []
    done = 0
    for each in model.files:
        copy = target / each.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file_path(model, each), copy)
        with copy.open("rb+") as handle:
            os.fsync(handle.fileno())
        files.append(replace(each, mtime_ns=copy.stat().st_mtime_ns))
        done += each.n_bytes
        tick(done, model.n_bytes)
    is_folder = model.path.is_dir()
    return replace(model, path=target if is_folder else target / model.path.name, files=tuple(files))


def _to_json(model: LocalModel, project: Path) -> bytes:
    facts = asdict(model)
    del facts["name"]
    facts |= {"format": FORMAT, "kind": model.kind.value, "facts": dict(model.facts)}
    # Copies move with the project: of their path only the last part is kept, nothing of a folder.
    copied = "" if model.path.name == FILES else model.path.name
    facts["path"] = stored_path(project, model.path) if model.is_in_place else copied
    return json.dumps(facts, indent=1, ensure_ascii=False).encode()


def _from_json(data: bytes, *, name: str, folder: Path) -> LocalModel:
    """Raises ValueError, KeyError or TypeError where it is no card."""
    facts = json.loads(data)
    if facts["format"] != FORMAT:
        raise ValueError(f"its format is {facts['format']}")
    is_in_place = bool(facts["is_in_place"])
    return LocalModel(
        name=name,
        kind=ModelKind(facts["kind"]),
        path=(folder.parents[1] / facts["path"]).resolve() if is_in_place else folder / FILES / facts["path"],
        architecture=str(facts["architecture"]),
        sha256=str(facts["sha256"]),
        licence=str(facts["licence"]),
        facts=tuple((str(key), str(value)) for key, value in facts["facts"].items()),
        files=tuple(ModelFile(**each) for each in facts["files"]),
        is_in_place=is_in_place,
        added_at=str(facts["added_at"]),
    )


def _memory_path() -> Path:
    return platformdirs.user_cache_path("synthstudio", appauthor=False) / "model-hashes.json"


def _remembered() -> Known:
    """Hashes of files that were named by their path before; nothing where that cannot be read."""
    try:
        rows = json.loads(_memory_path().read_bytes())
        return {(str(path), int(size), int(mtime)): str(digest) for path, size, mtime, digest in rows}
    except (OSError, ValueError, TypeError):
        return {}


def _remember(model: LocalModel) -> None:
    """Keep the hashes of files as they are now, so that gigabytes are not hashed at every use, also where a project was
    copied and all its times are new; a cache, so a failure to write is no error."""
    known = dict(_remembered())
    new: dict[tuple[str, int, int], str] = {}
    with contextlib.suppress(OSError):
        for each in model.files:
            path = file_path(model, each)
            new[str(path), each.n_bytes, path.stat().st_mtime_ns] = each.sha256
    if new.items() <= known.items():
        return
    rows = [[*key, digest] for key, digest in (known | new).items()][-_MAX_REMEMBERED:]
    with contextlib.suppress(OSError, UserError):
        _memory_path().parent.mkdir(parents=True, exist_ok=True)
        write_bytes_atomically(_memory_path(), json.dumps(rows).encode())
