"""The faults that can be had on demand: what each is called, where it happens, and what can be said of it.

Page faults happen in the page at a moment: `load` (a page is loaded), `typed` (a prompt was typed, before Run is
enabled), `submitted` (the turn was submitted, while its answer is generated) or `now` (in the pages that are open).
Wire faults change the answer to a GenerateContent. Account faults hold for every page until they are used up.
"""

from collections.abc import Callable, Mapping
from typing import Final, cast

from attrs import Factory, field, frozen, validators

from studiogate_simulator.jspb import Json

LOAD: Final = "load"
TYPED: Final = "typed"
SUBMITTED: Final = "submitted"
NOW: Final = "now"

PAGE: Final = "page"
WIRE: Final = "wire"
ACCOUNT: Final = "account"

_QUOTA: Final = "Failed to generate content: user has exceeded quota. Please try again later."
_INTERNAL: Final = "An internal error has occurred."


@frozen
class Fault:
    """One kind of fault."""

    name: str
    """How it is asked for."""
    description: str
    """What happens, in a sentence."""
    where: str = PAGE
    """`PAGE`, `WIRE` or `ACCOUNT`."""
    moments: tuple[str, ...] = ()
    """When a page fault can happen, the usual moment first; empty elsewhere."""
    parameters: Mapping[str, Json] = Factory(dict[str, Json])
    """What else can be said, with the usual values."""

    def row(self) -> dict[str, Json]:
        """Give it as JSON."""
        return {
            "name": self.name,
            "description": self.description,
            "where": self.where,
            "moments": list(self.moments),
            "parameters": dict(self.parameters),
        }


@frozen(kw_only=True)
class PlannedFault:
    """A fault that is to happen, posted as `{"fault": name, "at"?: moment, ...parameters}`."""

    fault: Fault
    """Which."""
    at: str = ""
    """The moment of a page fault; empty for others."""
    parameters: Mapping[str, Json] = Factory(dict[str, Json])
    """All its parameters."""
    times: int | None = field(default=None, validator=validators.optional(validators.ge(1)))
    """How many requests an account fault meets; None for all."""

    def number(self, name: str) -> float:
        """Give a parameter that is a number."""
        return cast("float", self.parameters[name])

    def row(self) -> dict[str, Json]:
        """Give it as JSON, as it is told to pages."""
        at: dict[str, Json] = {"at": self.at} if self.at else {}
        return {"fault": self.fault.name, **at, **self.parameters}


def _page(*moments: str, delays: bool = True) -> Callable[..., Fault]:
    """Make page faults of some moments; those that delay can be told to happen `after_ms` milliseconds later."""

    def make(name: str, description: str, after_ms: int = 0, **parameters: Json) -> Fault:
        late: dict[str, Json] = {"after_ms": after_ms} if delays else {}
        return Fault(name, description, PAGE, moments, {**late, **parameters})

    return make


def _wire(name: str, description: str, **parameters: Json) -> Fault:
    return Fault(name, description, WIRE, (), parameters)


def _account(name: str, description: str, **parameters: Json) -> Fault:
    return Fault(name, description, ACCOUNT, (), parameters)


_said = _page(SUBMITTED, LOAD, TYPED, NOW)
_over = _page(TYPED, LOAD, SUBMITTED, NOW)
_on_run = _page(TYPED, delays=False)
_in_turn = _page(SUBMITTED, delays=False)
_on_load = _page(LOAD, delays=False)

_ALL: Final = (
    # What the page says.
    _said("toast_error", "A toast says that something failed.", text=_QUOTA),
    _said("toast_warning", "A toast warns.", text="You are close to your rate limit."),
    _said("snackbar_saved", "A snackbar says that all is well.", text="Saved", for_ms=4000),
    _said("snackbar_error", "A snackbar says that something failed.", text=_QUOTA, for_ms=8000),
    _said("callout_error", "A callout over the composer says that something failed.", text=_QUOTA),
    _said("callout_warning", "A callout over the composer warns.", text=_QUOTA),
    _said("banner_error", "The banner at the top says that something is down.", text="AI Studio has an outage."),
    _said("banner_news", "The banner at the top announces something; nothing is wrong.", text="Meet our new model."),
    _said("alert_error", "An alert beside the chat says that something failed.", text=_QUOTA),
    _said("error_report", "The page reports an error to its own host, in an address with its words.", text=_QUOTA),
    _over("hidden_tooltips", "The hidden tooltips name more errors and paid keys; nothing is wrong."),
    _in_turn("stale_announcement", "The announcer says that a response is ready while it is generated."),
    # What lies over the page.
    _over("cookie_bar", "The cookie bar lies over Run until it is answered."),
    _over("welcome_dialog", "The welcome of a first sign-in covers the page."),
    _over("terms_dialog", "New terms of service are to be accepted; only that closes them."),
    _over("autosave_dialog", "The page tells that chats are saved by themselves now."),
    _over("drive_dialog", "The page asks for the right to use Drive."),
    _over("copyright_dialog", "The page asks to acknowledge copyright."),
    _over("announcement_dialog", "The page tells what is new."),
    _over("survey", "A survey's frame lies over New chat."),
    _over("menu_backdrop", "A menu was left open; its transparent backdrop covers the page."),
    _over("modal_backdrop", "A dialog has gone and left its backdrop."),
    _over("run_tooltip", "Run's tooltip lies over Run until the mouse is elsewhere."),
    # What happens to the composer.
    _page(TYPED, SUBMITTED, NOW)(
        "composer_recreated", "The composer is rendered anew, with its text if `keep_text`.", keep_text=False
    ),
    _page(TYPED, LOAD, NOW)("run_never_enabled", "Run stays disabled until the page is loaded anew."),
    _page(TYPED, LOAD, NOW)("no_api_key", "Run stays disabled, and a button says that no API key is selected."),
    _on_run("paid_dialog", "Run opens a dialog that wants a paid key instead of submitting, once."),
    _on_run("submit_ignored", "Run is pressed and nothing happens, once."),
    _on_run("submit_swallowed", "Run is pressed, the composer is emptied, and nothing is sent, once."),
    # What becomes of the turn. Of several of these in one turn the first happens.
    _in_turn("model_error", 'The turn shows "An internal error has occurred." and nothing of the answer.'),
    _in_turn("error_as_text", "The turn has other words than were said: an error as its text.", text=_INTERNAL),
    _in_turn("footer_only", "The answer came, and the turn shows only its footer."),
    _in_turn("preference_vote", "Two answers are shown to choose from; nothing can be run before the vote."),
    _in_turn("stuck_spinner", "The answer has ended; Stop stays until it is pressed, or for `for_ms`.", for_ms=None),
    _in_turn("stop_gone_early", "Stop goes; the last `parts` deltas are shown after it.", parts=2, delay_ms=400),
    _in_turn("large_container", "Texts are shown plainly, in one large container, until the page is loaded anew."),
    _in_turn("virtual_scroll", "Prompt and answer lie far from each other and from the view, and have no bodies."),
    _in_turn("alert_in_answer", "The answer has an alert in it; nothing is wrong.", text="Error: quota exceeded"),
    # What becomes of the page.
    _page(SUBMITTED, TYPED, LOAD, NOW)("page_hangs", "The page's script is busy and nothing reacts.", for_ms=5000),
    _page(LOAD, TYPED, SUBMITTED, NOW)("leave_question", "Leaving the page asks whether one really wants to."),
    _said("sign_in_redirect", "The open page goes to the sign-in page.", after_ms=300),
    _on_load("slow_hydration", "The page stays empty for long after its scripts run.", for_ms=5000),
    _on_load("region_page", "The page tells that the service is not available here."),
    _on_load("forbidden_page", "The page is a 403."),
    _on_load("load_error", "The page is a server error.", http_status=503),
    # What becomes of GenerateContent.
    _wire("rpc_429", "It is a 429: quota. The page shows toast and callout, and reports it.", retry_s=None),
    _wire("rpc_403", "It is a 403: permission. The page shows a toast."),
    _wire("rpc_500", "It is a 500. The page shows an error in the turn."),
    _wire("rpc_503", "It is a 503: overloaded. The page shows an error in the turn."),
    _wire("stream_cut_early", "Its stream is reset before the first frame."),
    _wire("stream_cut", "Its stream is reset after `frames` frames.", frames=1),
    _wire("stream_hang_early", "Its stream says nothing, not even the first frame."),
    _wire("stream_hang", "Its stream says nothing more after `frames` frames.", frames=1),
    _wire("stream_garbage", "Its body is HTML."),
    _wire("stream_error", "Its stream ends with an error of `code` instead of a finish reason.", code=13),
    _wire("empty_answer", "The answer has a finish reason and no text."),
    _wire("blocked_prompt", "The prompt is refused for what it says; no candidate comes.", reason=1),
    _wire("blocked_answer", "The answer ends with a finish reason of safety.", finish=3),
    # What becomes of the account.
    _account("signed_out", "It is signed out: pages lead to the sign-in page, RPCs are 401, until somebody signs in."),
    _account("model_gone", "A model isn't listed any more, and turns that name it are 404.", model="gemini-2.5-flash"),
    _account("models_failing", "ListModels fails.", http_status=500),
    _account("models_late", "ListModels takes long.", delay_ms=3000),
    _account("models_empty", "ListModels lists nothing."),
)

FAULTS: Final[Mapping[str, Fault]] = {fault.name: fault for fault in _ALL}
"""All faults by name."""


def read_planned(posted: Json) -> PlannedFault:
    """Read a fault that was posted; raises ValueError with what is wrong."""
    if not isinstance(posted, dict):
        raise ValueError('a fault is a JSON object with "fault": its name')  # noqa: TRY004 - of JSON, not of types
    name = posted.get("fault")
    fault = FAULTS.get(name) if isinstance(name, str) else None
    if fault is None:
        raise ValueError(f"fault must be one of {', '.join(FAULTS)}, not {name!r}")
    said = {key: value for key, value in posted.items() if key not in {"fault", "at", "times"}}
    for key, value in said.items():
        if key not in fault.parameters:
            raise ValueError(f"{fault.name} has no {key!r}; it has {', '.join(fault.parameters) or 'nothing to say'}")
        if not _alike(value, fault.parameters[key]):
            raise ValueError(f"{key} of {fault.name} must be like {fault.parameters[key]!r}, not {value!r}")
    return PlannedFault(
        fault=fault, at=_moment(fault, posted), parameters={**fault.parameters, **said}, times=_times(fault, posted)
    )


def _moment(fault: Fault, posted: dict[str, Json]) -> str:
    at = posted.get("at", fault.moments[0] if fault.moments else "")
    if not isinstance(at, str) or (at not in fault.moments and (at or fault.moments)):
        raise ValueError(f"at of {fault.name} must be {' or '.join(fault.moments) or 'left out'}, not {at!r}")
    return at


def _times(fault: Fault, posted: dict[str, Json]) -> int | None:
    times = posted.get("times")
    if times is None:
        return None
    if fault.where != ACCOUNT:
        raise ValueError("times of a fault is the scenario's")
    if not isinstance(times, int) or isinstance(times, bool) or times < 1:
        raise ValueError(f"times must be a number from 1, not {times!r}")
    return times


def _alike(value: Json, usual: Json) -> bool:
    """Tell whether a value is of the kind of the usual one; what is usually null is a number or null."""
    if usual is None:
        return value is None or _is_number(value)
    return _is_number(value) if _is_number(usual) else type(value) is type(usual)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
