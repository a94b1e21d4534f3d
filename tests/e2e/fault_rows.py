"""What can go wrong, and what a gateway with all backends makes of it: the rows of docs/reliability.md.

Each row injects one fault into a request and says who answers it all the same, or what the client is told. The rows
are data; `fault_runs` plays them, for the tests and for `python -m scripts.faults`.
"""

import socket
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import httpx

from studiogate_studio.launch import installed_browsers
from tests.connect_proxy import connect_proxy
from tests.helper_backend.standin import CUT, HANG, Reply, answer, chunk, error, says, streams
from tests.helper_service import Fault

from .house import wait_until

if TYPE_CHECKING:
    from .fault_runs import Stage
    from .house import Simulator

TEXT = "All is well."
STREAM, HELPER, DOM = "stream_intercept", "helper_backend", "dom_scrape"
STREAM_FIRST = (STREAM, HELPER, DOM)
HELPER_FIRST = (HELPER, STREAM, DOM)
DOM_FIRST = (DOM, HELPER, STREAM)

QUOTA = [8, "You exceeded your current quota.", [["type.googleapis.com/google.rpc.RetryInfo", [[37]]]]]

WELL: Reply = streams(*says("All is ", "well."))
REFUSES: Reply = error(503, "Closed.")


@attrs.frozen(kw_only=True)
class Own:
    """What a row's own gateway is given."""

    tables: Mapping[str, Mapping[str, Any]]
    """More settings."""
    act: "Callable[[Stage], None] | None" = None
    """What is done from outside, in the row's moment."""


@attrs.frozen(kw_only=True)
class ReadsAlong:
    """How the guide's helper service, which reads along, fares in a row; it stands behind helper_backend then."""

    fault: Fault | None = None
    after: int = 0
    """Chunks that it tells before; the fault waits until the first was read."""
    status: int = 500
    """What it refuses with."""


@attrs.frozen(kw_only=True)
class Row:
    """One fault, and what comes of it."""

    fault: str
    """What goes wrong, as the table says it."""
    order: tuple[str, ...] = STREAM_FIRST
    """The backends in order."""
    scenario: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    """What the simulator answers this prompt with, besides the text."""
    posted: tuple[Mapping[str, Any], ...] = ()
    """Faults of the simulator's that are no part of an answer, such as the account's."""
    service: Reply = WELL
    """What the service behind helper_backend says."""
    reads_along: ReadsAlong | None = None
    """The guide's helper service in place of that; None for a row that has none."""
    own: "Callable[[Simulator], AbstractContextManager[Own]] | None" = None
    """What surrounds a gateway of the row's own; None where the one for its order will do."""
    act: "Callable[[Stage], None] | None" = None
    """What is done from outside."""
    moment: str = "before"
    """When: `before` the request, once its prompt was `submitted`, or once its answer has `begun`."""
    stream: bool = False
    """Whether the client streams."""
    by: str = ""
    """Who answers; empty for nobody."""
    status: int = 200
    """What the client gets."""
    failure: str = ""
    """The type of the error that a client gets, in place of an answer or in the middle of it."""
    submitted: int = 1
    """How often the prompt is submitted in a page."""
    afterwards: tuple[str, ...] = ()
    """Who may answer the next request, where that isn't only the first in order."""


def kill_browser(stage: "Stage") -> None:
    """End the gateway's browser as the system would."""
    stage.gateway.browser().kill()


def _at_a_load(name: str) -> "Callable[[Stage], None]":
    """Have the tab loaded anew with a fault of the simulator's, and go on when a tab is ready again."""

    def act(stage: "Stage") -> None:
        stage.simulator.fault(name, **({"times": 1} if name == "models_failing" else {"at": "load"}))
        stage.gateway.ask("Load anew.")
        wait_until(lambda: name in stage.simulator.faults(), f"{name} as a page is loaded")
        wait_until(lambda: stage.gateway.tabs_ready() == 1, "a tab that is ready")

    return act


@contextmanager
def _port_taken(_: "Simulator") -> Generator[Own]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield Own(tables={"stream_intercept": {"port": taken.getsockname()[1]}})


@contextmanager
def _proxy_between(simulator: "Simulator") -> Generator[Own]:
    with connect_proxy(instead=("127.0.0.1", simulator.port)) as proxy:
        yield Own(tables={"studio": {"upstream_proxy": f"http://127.0.0.1:{proxy.port}"}}, act=lambda _: proxy.die())


@contextmanager
def _alone(_: "Simulator") -> Generator[Own]:
    yield Own(tables={})


@contextmanager
def _patience(_: "Simulator") -> Generator[Own]:
    yield Own(tables={"gateway.timeouts.stream_intercept": {"first_event_s": 20.0}}, act=kill_browser)


@contextmanager
def _debugged(_: "Simulator") -> Generator[Own]:
    """Run a browser that closes a tab when it is told to from outside."""
    with tempfile.TemporaryDirectory(prefix="studiogate-browser-") as folder:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        browser = Path(folder) / "browser"
        browser.write_text(f'#!/bin/sh\nexec {installed_browsers()[0]} "$@" --remote-debugging-port={port}\n')
        browser.chmod(0o700)
        yield Own(tables={"studio": {"browser": str(browser)}}, act=lambda _: _close_tab(port))


def _close_tab(port: int) -> None:
    address = f"http://127.0.0.1:{port}/json"
    pages = [each["id"] for each in httpx.get(f"{address}/list").json() if each["url"].startswith("https://aistudio.")]
    for page in pages:
        httpx.get(f"{address}/close/{page}").raise_for_status()


WITH_PROXIES = (
    Row(fault="The proxy's port is taken", own=_port_taken, by=HELPER, submitted=0, afterwards=(HELPER,)),
    Row(
        fault="The network's proxy dies before the request",
        own=_proxy_between,
        by=HELPER,
        submitted=0,
        afterwards=(HELPER,),
    ),
    Row(
        fault="The network's proxy dies while the answer is awaited",
        own=_proxy_between,
        scenario={"hang_after_frames": 0},
        moment="submitted",
        by=HELPER,
        afterwards=(HELPER,),
    ),
)
ON_THE_WIRE = (
    Row(fault="The page's request is refused: 429, quota", scenario={"http_status": 429, "status": QUOTA}, by=HELPER),
    Row(
        fault="429, quota, and the service refuses too",
        scenario={"http_status": 429, "status": QUOTA},
        service=REFUSES,
        status=502,
        failure="upstream_error",
    ),
    Row(
        fault="The page's request is refused: 403, permission",
        scenario={"http_status": 403, "status": [7, "The caller does not have permission"]},
        by=HELPER,
    ),
    Row(
        fault="The page's request is refused: 500",
        scenario={"http_status": 500, "status": [13, "Internal."]},
        by=HELPER,
    ),
    Row(fault="The stream is cut before its first frame", scenario={"cut_after_frames": 0}, by=HELPER),
    Row(
        fault="The stream is cut after its first frame",
        scenario={"cut_after_frames": 1},
        stream=True,
        by=STREAM,
        failure="upstream_error",
    ),
    Row(fault="The stream hangs before its first frame", scenario={"hang_after_frames": 0}, by=HELPER),
    Row(
        fault="The stream hangs after its first frame",
        scenario={"hang_after_frames": 1},
        stream=True,
        by=STREAM,
        failure="timeout_error",
    ),
    Row(fault="The stream is garbage", scenario={"raw": "<html>not what you think</html>"}, by=HELPER),
    Row(
        fault="The stream ends with an error",
        scenario={"finish": 0, "status": [13, "Internal."]},
        stream=True,
        by=STREAM,
        failure="upstream_error",
    ),
)
AT_THE_HELPER = (
    Row(fault="The service refuses: 500", order=HELPER_FIRST, service=error(500), by=STREAM),
    Row(fault="The service wants another key: 401", order=HELPER_FIRST, service=error(401), by=STREAM),
    Row(fault="The service stalls before its first word", order=HELPER_FIRST, service=streams(HANG), by=STREAM),
    Row(
        fault="The service stalls in the middle",
        order=HELPER_FIRST,
        service=streams(chunk({"content": "All is "}), HANG),
        stream=True,
        by=HELPER,
        failure="timeout_error",
        submitted=0,
    ),
    Row(
        fault="The service answers with garbage",
        order=HELPER_FIRST,
        service=answer(200, b"<html>not what you think</html>", kind="text/html"),
        by=STREAM,
    ),
    Row(
        fault="The service breaks off in its first chunk",
        order=HELPER_FIRST,
        service=streams(chunk({"content": TEXT})[:40], CUT),
        by=STREAM,
    ),
    Row(
        fault="The service breaks off in its second chunk",
        order=HELPER_FIRST,
        service=streams(chunk({"content": "All is "}), chunk({"content": "well."})[:40], CUT),
        stream=True,
        by=HELPER,
        failure="upstream_error",
        submitted=0,
    ),
)


def _reading_along(
    words: str, fault: Fault | None, *, by: str = DOM, status: int = 500, failure: str = "", **more: Any
) -> Row:
    """Make the row of a fault of the guide's helper service; one that comes within its answer has a failure."""
    service = ReadsAlong(fault=fault, after=1 if failure else 0, status=status)
    act = _let_it_happen if failure else None
    moment, stream = ("begun", True) if failure else ("before", False)
    return Row(
        fault=f"The service that reads along {words}",
        order=HELPER_FIRST,
        reads_along=service,
        act=act,
        moment=moment,
        stream=stream,
        by=HELPER if failure else by,
        failure=failure,
        **more,
    )


def _let_it_happen(stage: "Stage") -> None:
    assert stage.reads_along is not None
    stage.reads_along.fault_let.set()


def _go_on_with_another(stage: "Stage") -> None:
    assert stage.reads_along is not None
    stage.reads_along.plant("Another answer, without an end. ", over=False)


WITH_WHO_READS_ALONG = (
    _reading_along("refuses: 500", Fault.REFUSE, by=STREAM),
    _reading_along("refuses the account's cookie: 401", Fault.REFUSE, status=401, by=STREAM),
    attrs.evolve(
        _reading_along("goes on with another answer", None, by=STREAM), act=_go_on_with_another, moment="before"
    ),
    _reading_along("doesn't answer at all", Fault.SILENT),
    _reading_along("stalls before its first word", Fault.STALL),
    _reading_along("answers with garbage", Fault.GARBAGE),
    _reading_along("breaks off in its first chunk", Fault.HALF),
    _reading_along("ends its stream before it says anything", Fault.EARLY),
    _reading_along("drops the connection", Fault.RESET),
    _reading_along("stalls in the middle", Fault.STALL, failure="timeout_error"),
    _reading_along("goes on with garbage", Fault.GARBAGE, failure="upstream_error"),
    _reading_along("breaks off in its second chunk", Fault.HALF, failure="upstream_error"),
    _reading_along("ends its stream in the middle", Fault.EARLY, failure="upstream_error"),
    _reading_along("drops the connection in the middle", Fault.RESET, failure="upstream_error"),
    Row(
        fault="The page goes to the sign-in form while the service reads along",
        order=HELPER_FIRST,
        reads_along=ReadsAlong(),
        scenario={"page": {"fault": "sign_in_redirect"}, "hang_after_frames": 0},
        status=503,
        failure="service_unavailable",
    ),
)
WITH_THE_BROWSER = (
    Row(fault="The browser is killed before the request", own=_patience, by=STREAM, afterwards=STREAM_FIRST),
    Row(
        fault="The browser is killed while the answer is awaited",
        scenario={"hang_after_frames": 0},
        act=kill_browser,
        afterwards=STREAM_FIRST,
        moment="submitted",
        by=HELPER,
    ),
    Row(
        fault="The browser is killed in the middle of the answer",
        scenario={"hang_after_frames": 1},
        act=kill_browser,
        afterwards=STREAM_FIRST,
        moment="begun",
        stream=True,
        by=STREAM,
        failure="upstream_error",
    ),
    Row(fault="The tab is closed before the request", own=_debugged, by=STREAM),
    Row(
        fault="The tab is closed while the answer is awaited",
        own=_debugged,
        scenario={"hang_after_frames": 0},
        moment="submitted",
        by=HELPER,
    ),
    Row(
        fault="The tab is closed in the middle of the answer",
        own=_debugged,
        scenario={"hang_after_frames": 1},
        moment="begun",
        stream=True,
        by=STREAM,
        failure="upstream_error",
    ),
)


def _page(words: str, fault: str, *, by: str = DOM, submitted: int = 1, **more: Any) -> Row:
    """Make the row of a fault in the page, met by who reads the page."""
    scenario = {"page": {"fault": fault, **more}, "chunk_delay_ms": 150}
    return Row(fault=words, order=DOM_FIRST, scenario=scenario, by=by, submitted=submitted)


def _over(words: str, fault: str, **more: Any) -> tuple[Row, Row]:
    """Make the rows of what lies over the page when a prompt was typed, met by both who use the page."""
    scenario = {"page": {"fault": fault, **more}}
    return (
        Row(fault=f"{words}, typing for the stream", scenario=scenario, by=STREAM),
        Row(fault=words, order=DOM_FIRST, scenario=scenario, by=DOM),
    )


OVER_THE_PAGE = (
    *_over("The cookie bar lies over Run", "cookie_bar"),
    *_over("The welcome covers the page", "welcome_dialog"),
    *_over("New terms are to be accepted", "terms_dialog"),
    *_over("The page tells that chats are saved now", "autosave_dialog"),
    *_over("The page asks for Drive", "drive_dialog"),
    *_over("The page asks to acknowledge copyright", "copyright_dialog"),
    *_over("The page tells what is new", "announcement_dialog"),
    *_over("A survey lies over New chat", "survey"),
    *_over("A menu was left open", "menu_backdrop"),
    *_over("A dialog left its backdrop", "modal_backdrop"),
    *_over("A tooltip lies over Run", "run_tooltip"),
    *_over("The composer is rendered anew, its text lost", "composer_recreated"),
    *_over("Run is pressed and nothing happens", "submit_ignored"),
)
IN_THE_PAGE = (
    Row(
        fault="The page goes to the sign-in form while the stream is awaited",
        scenario={"page": {"fault": "sign_in_redirect"}, "hang_after_frames": 0},
        by=HELPER,
        afterwards=STREAM_FIRST,
    ),
    _page("Run is never enabled", "run_never_enabled", by=HELPER, submitted=0),
    _page("No API key is selected", "no_api_key", by=HELPER, submitted=0),
    _page("Run wants to be paid for", "paid_dialog", by=HELPER, submitted=0),
    _page("The prompt is swallowed", "submit_swallowed", by=HELPER, submitted=0),
    _page("A toast warns during the answer", "toast_warning"),
    _page("A toast tells of an error during the answer", "toast_error"),
    _page("A snackbar says Saved during the answer", "snackbar_saved"),
    _page("A callout warns during the answer", "callout_warning"),
    _page("Hidden tooltips speak of errors", "hidden_tooltips"),
    _page("The announcer says too early that all is there", "stale_announcement"),
    _page("The answer has an alert in it", "alert_in_answer"),
    _page("The page reports an error to its host", "error_report"),
    _page("The turn shows an error", "model_error", by=HELPER),
    _page("The turn's text is an error", "error_as_text", by=HELPER),
    _page("The answer is shown as a footer only", "footer_only"),
    _page("The page wants a vote between two answers", "preference_vote"),
    _page("The spinner is stuck", "stuck_spinner"),
    _page("Stop goes while the text still grows", "stop_gone_early"),
    _page("The text is in the large container", "large_container"),
    _page("Turns out of view have no bodies", "virtual_scroll"),
    _page("The page hangs for seconds", "page_hangs", for_ms=2000),
    _page("The page goes to the sign-in form during the answer", "sign_in_redirect", by=HELPER),
)
HANDED_OVER = (
    Row(
        fault="The stream is silent for too long, the service refuses, the page answers",
        scenario={"text": ["", TEXT], "chunk_delay_ms": 5000},
        service=REFUSES,
        by=DOM,
    ),
    Row(
        fault="The stream is garbage, and the service refuses too",
        scenario={"raw": "<html>not what you think</html>"},
        service=REFUSES,
        status=502,
        failure="upstream_error",
    ),
)
WITH_THE_ACCOUNT = (
    Row(
        fault="The account is signed out",
        own=_alone,
        posted=({"name": "signed_out"},),
        by=HELPER,
        afterwards=STREAM_FIRST,
    ),
    Row(
        fault="The model is gone",
        posted=({"name": "model_gone"},),
        by=HELPER,
        afterwards=STREAM_FIRST,
    ),
    Row(
        fault="The model is gone, and the service has none such",
        posted=({"name": "model_gone"},),
        service=error(404, "The model doesn't exist.", "model_not_found"),
        status=422,
        failure="invalid_request_error",
        afterwards=STREAM_FIRST,
    ),
)
AT_A_LOAD = tuple(
    Row(fault=f"{what} as a page is loaded", order=DOM_FIRST, act=_at_a_load(name), by=DOM)
    for what, name in (
        ("The cookie bar is there", "cookie_bar"),
        ("New terms are there", "terms_dialog"),
        ("The list of models fails", "models_failing"),
        ("The region is not served", "region_page"),
        ("The page is forbidden", "forbidden_page"),
        ("The page is a server error", "load_error"),
    )
)
ROWS = (
    *WITH_PROXIES,
    *ON_THE_WIRE,
    *AT_THE_HELPER,
    *WITH_WHO_READS_ALONG,
    *HANDED_OVER,
    *OVER_THE_PAGE,
    *IN_THE_PAGE,
    *WITH_THE_BROWSER,
    *WITH_THE_ACCOUNT,
    *AT_A_LOAD,
)
