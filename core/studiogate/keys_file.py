"""Changes to the file of API keys: each in one step, so that a running gateway never reads half of one.

Comments and everything else in the file stay as they are. It becomes readable by its owner only.
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from studiogate.errors import ConfigurationError
from studiogate.keys import flaw, masked, read_keys
from studiogate.private_file import locked_folder, replace_file


def add_key(path: Path, key: str) -> None:
    """Append a key; makes the file, and a folder for it that is its owner's only, where they are missing.

    :raises ConfigurationError: the key can't be used or is there already, or the file can't be read or written.
    """
    if why := flaw(key):
        raise ConfigurationError(f"the key {why}.")
    with _changing(path):
        for line in read_keys(path):
            if line.text == key:
                raise ConfigurationError(f"{path.name}: line {line.number} holds this key already.")
        text = _text(path)
        end = "\n" if text and not text.endswith("\n") else ""
        replace_file(path, f"{text}{end}{key}\n".encode())


def remove_key(path: Path, which: str) -> str:
    """Remove a key from every line that holds it, and return it masked.

    :param which: the key, or what `keys list` shows of it: its number or its mask.
    :raises ConfigurationError: that is no key, or several; or the file can't be read or written.
    """
    if not path.exists():
        raise _no_such_key(path)
    with _changing(path):
        lines = read_keys(path)
        meant = {line.text for line in lines if which in (line.text, masked(line.text), str(line.number))}
        if not meant:
            raise _no_such_key(path)
        numbers = [line.number for line in lines if line.text in meant]
        if len(meant) > 1:
            raise ConfigurationError(
                f"{path.name}: that fits several keys, in lines {', '.join(map(str, numbers))}. "
                "Name one by the number of its line."
            )
        kept = [line for number, line in enumerate(_text(path).splitlines(keepends=True), 1) if number not in numbers]
        replace_file(path, "".join(kept).encode())
    return masked(meant.pop())


def _no_such_key(path: Path) -> ConfigurationError:
    return ConfigurationError(f"{path.name}: holds no such key. 'studiogate keys list' shows those it holds.")


def _text(path: Path) -> str:
    """Return the whole file, its ends of lines as they are; a missing one is empty."""
    return path.read_bytes().decode() if path.exists() else ""


@contextmanager
def _changing(path: Path) -> Generator[None]:
    """Let nobody else change the file meanwhile.

    :raises ConfigurationError: in place of whatever the system refuses.
    """
    try:
        with locked_folder(path):
            yield
    except OSError as error:
        raise ConfigurationError(f"{path.name}: can't be changed: {error.strerror}.") from None
