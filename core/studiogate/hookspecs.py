"""The contract between the gateway and its plugins.

Implementations run in the order of plugins.toml, never of registration or `tryfirst`; hook wrappers are refused at
load. An implementation may leave out arguments it doesn't need. docs/hooks.md has a section for each hook.
"""

# A specification has no body, whatever it promises to return.
# pyright: reportReturnType=false
# mypy: disable-error-code="empty-body"

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

from studiogate.attachments import Attachment, AttachmentRef
from studiogate.chat import ChatRequest
from studiogate.checks import Check
from studiogate.events import Event
from studiogate.health import Health
from studiogate.metrics import Metric
from studiogate.models import Model
from studiogate.params import Params
from studiogate.tools import ToolPlan, ToolSpec

if TYPE_CHECKING:
    import rich_click as click

    from studiogate.exchange import Exchange
    from studiogate.gateway import Gateway

PROJECT = "studiogate"

API_VERSION = "1.0"
"""Version of this contract, as `major.minor`: the minor grows when something is added, the major when what was there
changes. A plugin names the least it needs as `api_version`; it fits where the major is the same and the minor no less.
"""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
async def resolve_attachments(
    refs: Sequence[AttachmentRef], workdir: Path
) -> Mapping[AttachmentRef, Attachment] | None:
    """Turn references into local files.

    Called once per exchange that has attachments, before it queues.

    :param refs: every reference no earlier plugin took, in order, at least one.
    :param workdir: a folder (0700) of this exchange, removed when it ends; files go here.
    :return: the references this plugin took, each with its file, which several may share; None or empty for none.
        References nobody takes are a 400.
    :raises InvalidRequest: a reference that is this plugin's can't be read.
    :raises TooLarge: a file is over its limit.
    """


@hookspec
async def map_tools(
    tools: Sequence[ToolSpec], choice: Any, request: ChatRequest, stack: AsyncExitStack
) -> ToolPlan | None:
    """Plan the tools of an exchange.

    Called once per exchange, before it queues, also when the request has no tools (a plugin may add some).

    :param tools: every tool no earlier plugin took, in the client's order.
    :param choice: the request's `tool_choice`: auto, none, required, an object naming a function, or None.
    :param request: the whole request. Read only.
    :param stack: closed when the exchange ends, for what the plan's executors need as long as that.
    :return: this plugin's part, `taken` naming the tools it answers for; None for no part. Functions nobody takes are
        declared to the model; other tools nobody takes are a 400.
    :raises InvalidRequest: a tool that is this plugin's is wrong.
    """


@hookspec
def apply_params(params: Params, model: Model | None, backend: str) -> Params | None:
    """Fit the client's parameters to a backend and a model: defaults, limits, what can't be honoured.

    Called for each attempt; sync and pure. Plugins that are no backend go first, in order; the attempted backend's own
    implementation goes last; those of other backends are not called.

    :param params: as the client sent them, `[defaults]` filled in, or as the implementation before returned them.
    :param model: the model that answers, never an alias, bare of limits where no plugin lists it; None where the client
        named none and no plugin lists any.
    :param backend: the name of the backend about to be tried.
    :return: the changed parameters; None to leave them. What can't be honoured is dropped with a reason (`drop`), what
        is honoured otherwise than asked is noted with one (`note`).
    :raises InvalidRequest: a value no backend could take.
    """


@hookspec
def fetch_response(exchange: "Exchange") -> AsyncGenerator[Event]:
    """Answer: the hook that makes a plugin a backend. An async generator of events.

    Called for one exchange at a time per slot, in the order of plugins.toml, until a backend yields its first event.
    The gateway closes the generator when the exchange ends, however it ends (`GeneratorExit` or `CancelledError` at the
    current `yield` or `await`): stop the upstream in `finally`. Whatever must outlive this backend's turn, such as a
    tab that the next backend may read on, goes on `exchange.round_stack`.

    :param exchange: the request and all that belongs to it; `exchange.params` are this backend's.
    :return: yields events; `Finish` is required.
    :raises Declined: before the first event: not for this backend; the next one tries.
    :raises Unavailable: before the first event: cannot now; the next one tries. After it, it ends the answer with a
    502.
    :raises ClientError: final, at any time, goes to the client as it is.
    """


@hookspec
def lifespan(gateway: "Gateway") -> AbstractAsyncContextManager[None]:
    """Return the context in which this plugin lives: entered in order at start, left in reverse at the end.

    The gateway serves when all are entered; long work (a browser's start) belongs in a task of its own.

    :param gateway: the gateway, with `plugin(kind)` to reach the plugins this one requires.
    :raises ConfigurationError: this plugin can't start; stops the start.
    """


@hookspec
def capacity() -> int | None:
    """Return how many exchanges this plugin can carry at once; None for no say.

    Called at start. The queue has as many slots as the first plugin in order that says.
    """


@hookspec
def list_models() -> Sequence[Model] | None:
    """Return the models this plugin offers now; None or empty while it knows none.

    Called often; answers from memory. Of equal ids the first plugin's stands. A model with `target` is another name of
    a model that some plugin lists; exchanges carry that one.
    """


@hookspec
def takes_model(model: str) -> bool | None:
    """Say whether this backend may answer for a model that no plugin lists; None or False leaves it unknown.

    Called for requests for such a model; answers from memory. Where nobody takes it, it is a 422 at once.

    :param model: the id, without `models/`; never one that the operator excludes.
    """


@hookspec
def health() -> Health | None:
    """Return how this plugin fares, for `/health`; None for nothing to say. Called often; answers from memory.

    A backend counts as ready when neither it nor a plugin it requires says otherwise, the gateway when a backend is.
    """


@hookspec
def metrics() -> Sequence[Metric] | None:
    """Return what this plugin tells of itself in numbers, for `/metrics`; None for nothing. Called at each scrape.

    Answers from memory. What hooks take and how attempts end is counted by the gateway itself.
    """


@hookspec
def check() -> Sequence[Check] | None:
    """Look at what this plugin needs of the machine, for `studiogate check`; None for nothing to say.

    Called in a process that doesn't serve, before any `lifespan`; starts and changes nothing, and may take seconds.
    """


@hookspec
def register_cli(group: "click.RichGroup") -> None:
    """Add commands to the `studiogate` command line. Called before any `lifespan`, in a process that may not serve.

    :param group: the top group. Commands named like one of the gateway's own are refused.
    """
