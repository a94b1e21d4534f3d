"""plugins.toml: read, checked, and turned into settings objects.

    plugins = ["stream_intercept"]     # order of the plugins; "./mine.py" is one in a file
    [gateway]                          # the gateway's own settings
    [defaults]                         # parameters of requests that leave them open
    [[models]]                         # models, or other names of models, that the operator adds
    [stream_intercept]                 # one table per plugin, checked by that plugin's settings class

A value comes from, strongest first: a command-line flag, the environment (`STUDIOGATE_<TABLE>_<KEY>`, and whatever
variables a field lists under the metadata key `env`), a `.env` beside the file, the file, the field's default. Relative
paths are relative to the file.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import attrs
import cattrs
from cattrs.errors import BaseValidationError

from studiogate.defaults import Defaults
from studiogate.environment import Variable, read_environment, value_of
from studiogate.errors import ConfigurationError
from studiogate.models import InjectedModel
from studiogate.settings import GatewaySettings
from studiogate.strict import problems, strict_converter

GATEWAY_TABLE = "gateway"
DEFAULTS_TABLE = "defaults"
MODELS_TABLES = "models"
RESERVED = ("plugins", GATEWAY_TABLE, DEFAULTS_TABLE, MODELS_TABLES)
"""Names at the top of the file that no plugin can have."""

type Table = Mapping[str, Any]


@attrs.frozen(kw_only=True)
class Config:
    """Hold a checked plugins.toml and the settings of every table asked for."""

    path: Path
    """The file, absolute."""
    plugins: tuple[str, ...]
    """Names in the operator's order, without repeats."""
    files: Mapping[str, Path] = attrs.field(factory=dict[str, Path])
    """Where the plugins are that the operator lists by file, absolute, by name."""
    tables: Mapping[str, Table]
    """The file's tables by name, unchecked until `settings` builds them."""
    model_tables: tuple[Table, ...] = ()
    """The `[[models]]` tables in order, unchecked until `injected_models` builds them."""
    flags: Mapping[str, Table] = attrs.field(factory=dict[str, Table])
    """Values from the command line, by table; stronger than everything else."""
    environ: Mapping[str, str] = attrs.field(factory=lambda: dict(os.environ), repr=False)
    """Environment variables, a `.env`'s included; an empty one is not set."""

    @property
    def gateway(self) -> GatewaySettings:
        """Return the `[gateway]` settings."""
        return self.settings(GATEWAY_TABLE, GatewaySettings)

    @property
    def defaults(self) -> Defaults:
        """Return the `[defaults]` settings."""
        return self.settings(DEFAULTS_TABLE, Defaults)

    @property
    def injected_models(self) -> tuple[InjectedModel, ...]:
        """Return the `[[models]]` tables.

        :raises ConfigurationError: one is wrong, or an id stands twice.
        """
        return tuple(self._injected_models())

    def _injected_models(self) -> Iterator[InjectedModel]:
        seen: set[str] = set()
        for index, table in enumerate(self.model_tables):
            name = f"{MODELS_TABLES}[{index}]"
            try:
                model = _converter(self.path.parent).structure(table, InjectedModel)
            except BaseValidationError as error:
                raise ConfigurationError(_explain(error, {"": self.path.name}, name, InjectedModel)) from None
            if model.id in seen:
                raise ConfigurationError(f"{self.path.name}: [{name}] id: '{model.id}' is listed more than once.")
            seen.add(model.id)
            yield model

    def settings[S](self, table: str, kind: type[S]) -> S:
        """Build the settings class `kind` from a table, the environment and flags.

        :raises ConfigurationError: a key is unknown or a value wrong; names file, key and what would be right.
        """
        values = _default_paths(kind)
        origin = {"": self.path.name}
        for source, found in self._sources(table, kind):
            values |= found
            origin |= dict.fromkeys(found, source)
        try:
            return _converter(self.path.parent).structure(values, kind)
        except BaseValidationError as error:
            raise ConfigurationError(_explain(error, origin, table, kind)) from None

    def check_tables(self, known: Iterable[str]) -> None:
        """Refuse tables that belong to no plugin; `known` are the names of installed ones.

        :raises ConfigurationError: names the table and the nearest right name.
        """
        names = [GATEWAY_TABLE, DEFAULTS_TABLE, *known]
        for table in self.tables:
            if table not in names:
                raise ConfigurationError(
                    f"{self.path.name}: [{table}]: no plugin has this name.{suggest(table, names)}"
                )

    def origin(self, table: str, kind: type, key: str) -> str | None:
        """Return where a setting's value comes from, in words such as `plugins.toml`; None for the default."""
        sources = [source for source, found in self._sources(table, kind) if key in found]
        return sources[-1] if sources else None

    def _sources(self, table: str, kind: type) -> Iterator[tuple[str, Table]]:
        """Yield where values of a table come from, the weakest first, with the values."""
        yield self.path.name, self.tables.get(table, {})
        yield from self._from_environment(table, kind)
        yield "command line", self.flags.get(table, {})

    def _from_environment(self, table: str, kind: type) -> Iterator[tuple[str, Table]]:
        for field in attrs.fields(attrs.resolve_types(kind)):
            own = f"STUDIOGATE_{table.upper()}_{field.name.upper()}"
            variables: tuple[str | Variable, ...] = (own, *field.metadata.get("env", ()))
            for variable in variables:
                name = variable if isinstance(variable, str) else variable.name
                text = self.environ.get(name)
                value = value_of(text, field.type, variable) if text else None
                if value is not None:
                    yield f"environment variable {name}", {field.name: value}
                    break


def load_config(path: Path, flags: Mapping[str, Table] | None = None) -> Config:
    """Read a plugins.toml.

    :param flags: values from the command line, by table and key.
    :raises ConfigurationError: missing, unreadable, not TOML, or of the wrong shape.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(
            f"{path.name}: there is no such file. Name one with --config; the least it needs is a line such as "
            'plugins = ["stream_intercept"].'
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{path.name}: can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path.name}: is not UTF-8 text.") from None
    except (ValueError, RecursionError) as error:  # tomllib lets some of int's and of deep nesting's through
        raise ConfigurationError(f"{path.name}: is not TOML: {error}.") from None
    plugins = document.pop("plugins", None)
    if not isinstance(plugins, list) or not all(isinstance(name, str) for name in cast("list[object]", plugins)):
        raise ConfigurationError(
            f'{path.name}: plugins: must be a list of names, such as plugins = ["stream_intercept"].'
        )
    files = _files(cast("list[str]", plugins), path.resolve())
    names = [name for name, _ in files]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ConfigurationError(f"{path.name}: plugins: {', '.join(repeated)} is listed more than once.")
    models = document.pop(MODELS_TABLES, [])
    if not isinstance(models, list) or not all(isinstance(model, dict) for model in cast("list[object]", models)):
        raise ConfigurationError(
            f"{path.name}: {MODELS_TABLES}: must be tables headed [[{MODELS_TABLES}]], each with an id."
        )
    for key, value in document.items():
        if not isinstance(value, dict):
            raise ConfigurationError(
                f"{path.name}: {key}: is no key of the file's top level; it holds plugins = [...] and tables. "
                "Does it belong under [gateway]?"
            )
    return Config(
        path=path.resolve(),
        plugins=tuple(names),
        files={name: file for name, file in files if file is not None},
        tables=document,
        model_tables=tuple(cast("list[Table]", models)),
        flags=flags or {},
        environ=read_environment(path.resolve().parent),
    )


def _files(listed: Iterable[str], config: Path) -> list[tuple[str, Path | None]]:
    """Return the name of each listed plugin with the file that it is in, None for one that is installed."""
    found: list[tuple[str, Path | None]] = []
    for entry in listed:
        path = Path(entry).expanduser()
        if not entry.endswith(".py") and "/" not in entry:
            found.append((entry, None))
        elif path.suffix != ".py" or not path.stem.isidentifier() or path.stem in RESERVED:
            raise ConfigurationError(
                f"{config.name}: plugins: {path.name}: a plugin in a file is named as its table is to be, such as "
                f"my_backend.py: letters, digits and underscores, and not {', '.join(RESERVED)}."
            )
        else:
            found.append((path.stem, config.parent / path))
    return found


def suggest(name: str, names: Iterable[str]) -> str:
    """Return ` Did you mean 'x'?` for the nearest of `names`, or what there is."""
    known = sorted(names)
    near = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean '{near[0]}'?" if near else f" There are: {', '.join(known) or 'none'}."


def _default_paths(kind: type) -> dict[str, Any]:
    """Return the defaults that are paths, so that they too become relative to the file."""
    return {field.name: field.default for field in attrs.fields(kind) if isinstance(field.default, Path)}


def _converter(base: Path) -> cattrs.Converter:
    converter = strict_converter(forbid_extra_keys=True)

    def structure_path(value: object, _: object) -> Path:
        if not isinstance(value, (str, Path)) or not str(value):
            raise TypeError("must be a path, as a string")
        return base / Path(value).expanduser()

    converter.register_structure_hook(Path, structure_path)
    return converter


def _explain(error: BaseException, origin: Mapping[str, str], table: str, kind: type) -> str:
    """Turn cattrs' error tree into one line per problem: where the value came from, table, key, what would be right.

    :param origin: where each key's value came from; under "" where a missing one belongs.
    """
    names = [field.name for field in attrs.fields(kind)]
    lines: list[str] = []
    for problem in problems(error):
        source = origin.get(re.split(r"[.\[]", problem.path)[0], origin[""])
        key = f" {problem.path}:" if problem.path else ""
        hint = suggest(problem.path, names) if problem.unknown_key == problem.path else ""
        lines.append(f"{source}: [{table}]{key} {problem.message}.{hint}")
    return "\n".join(lines)
