"""The catalogue: which models this gateway offers, and which of them answers for an id.

    list_models() of the plugins  +  [[models]] of plugins.toml  -  excluded_models.txt

Of equal ids the earlier plugin's stands, and the operator's before any plugin's. An id may be an *alias*, another name
of a model: the operator's lead to ids of the operator's or of plugins, and on to a model; a plugin's (`Model.target`)
lead to a model of the plugins at once, so nothing the operator renames can turn them in a circle. What leads through
an excluded id is not offered.

While no plugin lists any model, because its browser hasn't started for example, every id but an excluded one is taken
on trust: the backend is the one to say why it can't answer. So is an id that nobody lists where a plugin takes such
(`takes_model`): a service behind it may have models that it doesn't list here.
"""

import difflib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import attrs

from studiogate.chain import told
from studiogate.config import MODELS_TABLES, Config
from studiogate.errors import ConfigurationError, ModelNotFound, NotFound
from studiogate.listfile import Watched, read_lines
from studiogate.models import InjectedModel, Model, bare_id
from studiogate.plugins import PluginHost
from studiogate.strict import shown_name

log = logging.getLogger(__name__)

_NEAREST = 3
_NEAR = 0.5
"""How alike two ids must be, 0 to 1, for one to be suggested for the other."""
_SEARCHED = 100
"""Characters of an unknown id that are compared; clients send anything."""


@attrs.frozen(kw_only=True)
class Choice:
    """Say who answers a request."""

    name: str
    """The id that the client asked by and is answered under; empty where it named none and none is known."""
    model: Model | None
    """The model that answers, never an alias; None leaves it to the backend."""


class Catalogue:
    """Know the models of one configuration. Lists and exclusions are looked at anew each time."""

    def __init__(self, config: Config, plugins: PluginHost) -> None:
        """Read `[[models]]` and the file of excluded ids.

        :raises ConfigurationError: one of them is wrong, or aliases go in a circle.
        """
        self._plugins = plugins
        self._injected = {model.id: model for model in config.injected_models}
        _refuse_circles(config.path.name, self._injected)
        self._default = bare_id(config.gateway.default_model or "") or None
        self._file = Watched(config.gateway.excluded_models, _read_ids)
        self._excluded = self._file.current

    @property
    def models(self) -> tuple[Model, ...]:
        """Return what is offered now: the plugins' models in their order, then those that only the operator adds."""
        return tuple(self._view().offered())

    @property
    def default(self) -> str | None:
        """Return the id that requests without one get, whether or not it is available; None while there is none."""
        return self._default or next((model.id for model in self._view().offered()), None)

    def find(self, name: str) -> Model:
        """Return a model by its id, with or without `models/`.

        :raises NotFound: it isn't offered; names the nearest that are.
        """
        view, wanted = self._view(), bare_id(name)
        model = view.find(wanted)
        if model is None:
            message = f"{view.why_not(wanted)}{view.nearest(wanted)}"
            raise NotFound(message, param="model", code=ModelNotFound.default_code)
        return model

    def choose(self, name: str | None) -> Choice:
        """Return who answers a request for a model; the default for one that names none.

        :raises ModelNotFound: it isn't offered; names the nearest that are.
        """
        view, wanted = self._view(), bare_id(name or "")
        asked = wanted or self._default
        if asked is None:
            return view.first()
        model = view.answering(asked)
        if model is None:
            whose = "" if wanted else "The request names no model, and [gateway] default_model can't be had. "
            raise ModelNotFound(f"{whose}{view.why_not(asked)}{view.nearest(asked)}", param="model")
        return Choice(name=asked, model=model)

    def nearest(self, name: str) -> str:
        """Return a sentence that helps whoever asked for a model that nobody has to find the right id."""
        return self._view().nearest(bare_id(name))

    def _takes(self, name: str) -> bool:
        return any(told(hook, False, bool, model=name) for hook in self._plugins.implementations("takes_model"))

    def _view(self) -> "_View":
        listed: dict[str, Model] = {}
        for hook in self._plugins.implementations("list_models"):
            for name, model in told(hook, dict[str, Model](), _by_id).items():
                listed.setdefault(name, model)
        try:
            self._excluded = self._file.current
        except ConfigurationError as error:
            log.warning("%s What it said before holds.", error)
        return _View(listed=listed, injected=self._injected, excluded=self._excluded, takes=self._takes)


@attrs.frozen(kw_only=True)
class _View:
    """Hold what the catalogue is made of at one moment."""

    listed: Mapping[str, Model]
    """The plugins' models by id."""
    injected: Mapping[str, InjectedModel]
    """The operator's by id; no circles."""
    excluded: frozenset[str]
    takes: Callable[[str], bool]
    """Whether a plugin takes an id that nobody lists."""

    def offered(self) -> Iterator[Model]:
        """Yield every model as clients see it, in order."""
        for name in dict.fromkeys((*self.listed, *self.injected)):
            if (model := self.find(name)) is not None:
                yield model

    def find(self, name: str) -> Model | None:
        """Return a model as clients see it; None if it isn't offered, or if nobody lists it."""
        entry = self.injected.get(name)
        answering = self.answering(name) if entry or name in self.listed else None
        if answering is None:
            return None
        model = self.listed.get(name)
        if entry is None:
            return model
        if entry.target or model is None:
            model = answering if answering.id == name else answering.alias(name)
        return attrs.evolve(model, injected=True, display_name=entry.display_name or model.display_name)

    def answering(self, name: str) -> Model | None:
        """Return the model that answers for an id; None if that isn't available."""
        way = self._way(name)
        last = way[-1]
        if not self.excluded.isdisjoint(way):
            return None
        model = self.listed.get(last)
        if model is not None:
            return model if model.target is None else None
        injected = last in self.injected
        if self.listed and not injected and not self.takes(last):
            return None
        return Model(id=last, display_name=last, injected=injected, listed=injected)

    def first(self) -> Choice:
        """Return the first model on offer, or nobody while no plugin lists any.

        :raises ModelNotFound: all that are listed are excluded.
        """
        for model in self.offered():
            return Choice(name=model.id, model=self.answering(model.id))
        if self.listed:
            raise ModelNotFound("Every model that is listed is excluded on this gateway.", param="model")
        return Choice(name="", model=None)

    def why_not(self, name: str) -> str:
        """Say why an id isn't offered."""
        way = self._way(name)
        missing = next((each for each in way if each in self.excluded), way[-1])
        reason = "is excluded on this gateway" if missing in self.excluded else "is not available"
        if missing == name:
            return f"The model '{shown_name(name)}' {reason}."
        answers = f"it stands for '{shown_name(missing)}', which {reason}"
        return f"The model '{shown_name(name)}' is not available: {answers}."

    def nearest(self, name: str) -> str:
        """Return a sentence that helps to find the right id."""
        offered = [model.id for model in self.offered() if model.id != name]
        near = difflib.get_close_matches(name[:_SEARCHED], offered, n=_NEAREST, cutoff=_NEAR)
        hint = f" Nearest: {', '.join(near)}." if near else ""
        return f"{hint} GET /v1/models lists all."

    def _way(self, name: str) -> list[str]:
        """Return the ids that lead from `name` to what answers, both included."""
        way = [name]
        while (entry := self.injected.get(way[-1])) is not None and entry.target is not None:
            way.append(entry.target)
        model = self.listed.get(way[-1])
        if model is not None and model.target is not None:
            way.append(model.target)
        return way


def _by_id(models: Sequence[Model] | None) -> dict[str, Model]:
    """Return models by their ids; of equal ones the first stands."""
    found: dict[str, Model] = {}
    for model in models or ():
        if not isinstance(model, Model):  # pyright: ignore[reportUnnecessaryIsInstance] - a plugin may return anything
            raise TypeError(f"a list of models holds {type(model).__name__}")
        found.setdefault(model.id, model)
    return found


def _read_ids(path: Path) -> frozenset[str]:
    return frozenset(bare_id(line.text) for line in read_lines(path))


def _refuse_circles(file: str, injected: Mapping[str, InjectedModel]) -> None:
    for index, name in enumerate(injected):
        way = [name]
        while (entry := injected.get(way[-1])) is not None and entry.target is not None:
            way.append(entry.target)
            if entry.target in way[:-1]:
                raise ConfigurationError(
                    f"{file}: [{MODELS_TABLES}[{index}]] target: {' -> '.join(way)} goes in a circle. "
                    "It must lead to a model that a plugin lists, or to one without a target."
                )
