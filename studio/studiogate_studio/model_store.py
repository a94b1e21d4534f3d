"""The last list of models, kept between starts: it serves until the browser is ready to bring a new one.

One JSON file, `{"format": 1, "models": [...]}`. A file that can't be understood, damaged or of another version of
this package, counts as none: the next list replaces it.
"""

import logging
from pathlib import Path

import attrs
import msgspec
from cattrs.errors import BaseValidationError

from studiogate.models import Model
from studiogate.private_file import replace_file
from studiogate.strict import strict_converter

log = logging.getLogger(__name__)

FORMAT = 1
"""Raised when models are written in another way, so that older files are not misread."""

type Models = tuple[Model, ...]


@attrs.frozen(kw_only=True)
class _Content:
    format: int
    models: tuple[Model, ...]


_converter = strict_converter(forbid_extra_keys=True)


@attrs.define(eq=False)
class ModelStore:
    """Keep a list of models in a file, which only its owner can read and which changes in one step."""

    path: Path
    _kept: Models = attrs.field(default=(), init=False)
    """What the file holds, as far as is known."""

    def load(self) -> Models:
        """Return the models of the file; none where there is none, or one that can't be used, which is logged."""
        try:
            self._kept = _models(self.path.read_bytes())
        except FileNotFoundError:
            return ()
        except OSError as error:
            log.warning("the saved list of models can't be read: %s", error.strerror)
        except (ValueError, TypeError, RecursionError, BaseValidationError):
            # What is wrong with it helps nobody: it is replaced as soon as the page tells its models.
            log.warning("the saved list of models is damaged or of another version; it is ignored")
        return self._kept

    def save(self, models: Models) -> None:
        """Write the models, unless the file holds them already; a failure is logged and costs nothing but the file."""
        if models == self._kept:
            return
        content = _Content(format=FORMAT, models=models)
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.parent.chmod(0o700)
            replace_file(self.path, msgspec.json.encode(attrs.asdict(content)))
        except OSError as error:
            log.warning("the list of models can't be saved: %s", error.strerror)
        else:
            self._kept = models


def _models(data: bytes) -> Models:
    content = _converter.structure(msgspec.json.decode(data), _Content)
    if content.format != FORMAT:
        raise ValueError("is of another format")
    return content.models
