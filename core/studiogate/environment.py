"""The environment: the process's variables and those of a `.env` file, and what their texts mean.

A field of a settings class names its variables under the metadata key `env`, strongest first, as plain names or, where
a text isn't simply the field's value, as a `Variable`. What a `.env` file says stays in the configuration: no process
that the gateway starts inherits it.
"""

import io
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import attrs
from dotenv import dotenv_values
from dotenv.parser import parse_stream

from studiogate.errors import ConfigurationError

DOTENV = ".env"


@attrs.frozen
class Variable:
    """Name an environment variable of a field whose text needs reading in a way of its own."""

    name: str
    read: Callable[[str], Any]
    """Turns the text, never empty, into the field's value; None for no say, so that the next variable is asked.
    Raises `ValueError` with what the text must be, such as `must be a whole number`."""


def read_environment(folder: Path, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables of the process and, weaker, those of a folder's `.env`; empty ones are not set.

    :param environ: the process's variables; those of this one when None.
    :raises ConfigurationError: there is a `.env` that can't be read.
    """
    own = os.environ if environ is None else environ
    return {name: text for source in (_dotenv(folder / DOTENV), own) for name, text in source.items() if text}


def value_of(text: str, kind: Any, variable: str | Variable) -> Any:
    """Read a variable's text as a field's type; texts of lists are split at commas.

    :raises ConfigurationError: names the variable and what would be right.
    """
    name = variable if isinstance(variable, str) else variable.name
    try:
        return _read_as(text, kind) if isinstance(variable, str) else variable.read(text)
    except ValueError as error:
        raise ConfigurationError(f"environment variable {name}: {error}, not {text!r}.") from None


def read_bool(text: str) -> bool:
    """Read `true`, `false`, `1` or `0`.

    :raises ValueError: it is something else.
    """
    known = {"true": True, "1": True, "false": False, "0": False}
    if (value := known.get(text.strip().lower())) is None:
        raise ValueError("must be true or false")
    return value


def read_int(text: str) -> int:
    """Read a whole number.

    :raises ValueError: it is none.
    """
    try:
        return int(text)
    except ValueError:
        raise ValueError("must be a whole number") from None


def read_float(text: str) -> float:
    """Read a number.

    :raises ValueError: it is none.
    """
    try:
        return float(text)
    except ValueError:
        raise ValueError("must be a number") from None


def read_milliseconds(text: str) -> float:
    """Read a number of milliseconds, as seconds.

    :raises ValueError: it is none.
    """
    return read_float(text) / 1000


def _read_as(text: str, kind: Any) -> Any:
    readers: dict[Any, Callable[[str], Any]] = {bool: read_bool, int: read_int, float: read_float}
    target = next((each for each in _members(kind) if each is not NoneType), str)
    if target in readers:
        return readers[target](text)
    if get_origin(target) in (tuple, list):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _members(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (UnionType, Union) else (kind,)


def _dotenv(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError):  # some call a virtual environment's folder so
        return {}
    except OSError as error:
        raise ConfigurationError(f"{path.name}: can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path.name}: is not UTF-8 text.") from None
    wrong = list(_wrong_lines(text))
    if wrong:
        raise ConfigurationError("\n".join(f"{path.name}: line {number}: must be NAME=value." for number in wrong))
    return {name: value for name, value in dotenv_values(stream=io.StringIO(text)).items() if value is not None}


def _wrong_lines(text: str) -> Iterator[int]:
    """Yield where a line can't be read, which python-dotenv would only warn of, or names a variable without a value."""
    for binding in parse_stream(io.StringIO(text)):
        if binding.error or (binding.key is not None and binding.value is None):
            # A binding begins with the blank lines before it.
            before = binding.original.string
            yield binding.original.line + before[: len(before) - len(before.lstrip())].count("\n")
