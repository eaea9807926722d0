"""TOML files of the user's, read with the reason where that cannot be."""

from __future__ import annotations

import tomllib
from pathlib import Path

from synthstudio.domain.errors import UserError
from synthstudio.domain.os_errors import translate_os_error


def read_toml(path: Path) -> dict[str, object]:
    """Return what a TOML file holds.

    Raises:
        UserError: It cannot be read, or is no TOML; the line is named.
    """
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise translate_os_error(error, path) from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no text in UTF-8.", "Choose the recipe, or save it again as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path} is not valid TOML: {error}.", "Mend the line that is named.") from error
