"""What `studiogate plugins new` makes: a package of a plugin that works, with tests that pass.

The texts are in `new_plugin/`, `$name` and the like to be filled in.
"""

import importlib.metadata
import keyword
import re
from importlib.resources import files
from pathlib import Path
from string import Template

import attrs

from studiogate import hookspecs
from studiogate.config import RESERVED
from studiogate.errors import ConfigurationError
from studiogate.plugins import installed_plugins

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST = 40
"""Characters of a name."""


@attrs.frozen(kw_only=True)
class Kind:
    """Say what a new plugin of one kind is for."""

    summary: str
    configuration: str
    usage: str
    """As everything here, with `$name` and the like."""


KINDS = {
    "backend": Kind(
        summary="A backend that answers by itself: the model $name-1 says what it was asked.",
        configuration='```toml\n[$name]\n# greeting = "You said: "   # what every answer begins with\n```',
        usage="Ask for the model `$name-1`.",
    ),
    "tools": Kind(
        summary="A tool that the gateway runs itself: it counts words.",
        configuration="There is nothing to configure.",
        usage='A request with `"tools": [{"type": "$name"}]` lets the model call it.',
    ),
    "attachments": Kind(
        summary="Attachments from references of a new kind: $name:some text.",
        configuration="There is nothing to configure.",
        usage="List it before or after `attachments`. A reference such as `$name:Some text` becomes a text file.",
    ),
    "params": Kind(
        summary="A limit to the temperature of all requests.",
        configuration="```toml\n[$name]\n# max_temperature = 1.0   # the highest that any backend gets, 0 to 2\n```",
        usage="What was lowered is told in the response's header `x-studiogate-ignored`.",
    ),
}


def new_plugin(name: str, kind: str, parent: Path) -> Path:
    """Write the package of a new plugin and return its folder.

    :param kind: one of `KINDS`.
    :param parent: the folder in which it gets one of its own.
    :raises ConfigurationError: the name can't be used, or there is something in the folder's place.
    """
    _check_name(name)
    words = _words(name, kind)
    folder = parent / words["distribution"]
    try:
        folder.mkdir()
        for path, text in _texts(kind, words["package"]).items():
            target = folder / path
            target.parent.mkdir(exist_ok=True)
            target.write_text(Template(text).substitute(words), encoding="utf-8")
    except FileExistsError:
        raise ConfigurationError(f"{folder.name}: is there already, and is left as it is.") from None
    except OSError as error:
        raise ConfigurationError(f"{folder.name}: can't be written: {error.strerror}.") from None
    return folder


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise ConfigurationError(
            f"NAME: must be small letters, digits and single underscores, at most {_LONGEST}, such as my_backend."
        )
    if name.partition("_")[0] == hookspecs.PROJECT:
        raise ConfigurationError(f"NAME: leave out {hookspecs.PROJECT}; the distribution gets it in front.")
    if name in RESERVED or keyword.iskeyword(name):
        raise ConfigurationError(f"NAME: '{name}' can't be the name of a plugin and its table.")
    if name in installed_plugins():
        raise ConfigurationError(f"NAME: a plugin '{name}' is installed; two of one name can't be.")


def _words(name: str, kind: str) -> dict[str, str]:
    """Return what the texts are filled in with."""
    camel = "".join(part.capitalize() for part in name.split("_"))
    major, minor, *_ = (int(part) for part in importlib.metadata.version("studiogate").split(".")[:2])
    words = {
        "name": name,
        "package": f"studiogate_{name}",
        "distribution": f"studiogate-{name.replace('_', '-')}",
        "class_name": f"{camel}{kind.capitalize()}",
        "settings_name": f"{camel}Settings",
        "api": hookspecs.API_VERSION,
        "least": f"{major}.{minor}",
        # Before 1.0 a minor version may change anything.
        "next": f"{major}.{minor + 1}" if major == 0 else str(major + 1),
    }
    told = attrs.asdict(KINDS[kind])
    return words | {key: Template(text).substitute(words) for key, text in told.items()}


def _texts(kind: str, package: str) -> dict[str, str]:
    """Return the unfilled text of each file, by its path in the package's folder."""
    there = files("studiogate") / "new_plugin"
    sources = {
        "pyproject.toml": "pyproject.toml.txt",
        "README.md": "README.md.txt",
        f"{package}/__init__.py": f"{kind}.py.txt",
        f"tests/test_{kind}.py": f"test_{kind}.py.txt",
    }
    texts = {path: (there / source).read_text(encoding="utf-8") for path, source in sources.items()}
    return {**texts, f"{package}/py.typed": ""}
