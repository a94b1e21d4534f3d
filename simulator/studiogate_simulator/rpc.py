"""The RPC host: CORS, sign-in, and the small calls; GenerateContent has a module of its own."""

from collections.abc import Callable
from typing import Final

from litestar.types import HTTPScope, Receive, Send

from studiogate_simulator import cors, http
from studiogate_simulator.account import is_signed_in, refreshed_cookies
from studiogate_simulator.account_faults import check_signed_in, list_models
from studiogate_simulator.drive import APP_FOLDER
from studiogate_simulator.generate import generate
from studiogate_simulator.hosts import SERVICE_PATH
from studiogate_simulator.http import Request
from studiogate_simulator.jspb import Json, at, decode, encode, items
from studiogate_simulator.simulation import Simulation
from studiogate_simulator.status import INVALID_ARGUMENT, NOT_FOUND, UNAUTHENTICATED, RpcFailure, unary
from studiogate_simulator.submission import count_by_modality
from studiogate_simulator.turns import now

_CONTENT_TYPE: Final = (b"content-type", b"application/json+protobuf; charset=UTF-8")
_STREAMING: Final = "GenerateContent"
_LIST_MODELS: Final = "ListModels"
_GUARD: Final = b")]}'\n"
"""Keeps an answer from being read as a script."""


async def serve_rpc(simulation: Simulation, scope: HTTPScope, receive: Receive, send: Send) -> None:
    """Answer one request to the RPC host."""
    request = await http.read_request(scope, receive)
    allowed = cors.allow(request)
    if request.method == "OPTIONS":
        await http.respond(send, 200, [*allowed, *cors.preflight(request)], b"")
        return
    headers = [*allowed, _CONTENT_TYPE, (b"x-content-type-options", b"nosniff"), (b"cache-control", b"private")]
    try:
        method = _method(request)
        if method != _STREAMING:
            check_signed_in(simulation.faults)
        headers += [(b"set-cookie", cookie.encode()) for cookie in refreshed_cookies()]
        if method == _STREAMING:
            await generate(simulation, request, headers, receive, send)
        else:
            body = encode(await _call(simulation, method, _arguments(request)))
            guard = _GUARD if method == _LIST_MODELS and simulation.page.models_guard else b""
            await http.respond(send, 200, headers, guard + body)
    except RpcFailure as failed:
        await http.respond(send, failed.status.http, headers, unary(failed.status))


def _method(request: Request) -> str:
    method = request.path.removeprefix(SERVICE_PATH)
    if request.method != "POST" or method not in {*_UNARY, _STREAMING, _LIST_MODELS}:
        raise RpcFailure(NOT_FOUND, f"Method not found: {request.path}")
    if not is_signed_in(request.headers):
        raise RpcFailure(UNAUTHENTICATED, "Request had invalid authentication credentials.")
    return method


def _arguments(request: Request) -> Json:
    try:
        return decode(request.body)
    except ValueError:
        raise RpcFailure(INVALID_ARGUMENT, "Invalid JSON payload received.") from None


async def _call(simulation: Simulation, method: str, arguments: Json) -> Json:
    if method == _LIST_MODELS:
        return await list_models(simulation.faults)
    return _UNARY[method](simulation, arguments)


def _count(simulation: Simulation, arguments: Json) -> Json:
    """Count `[model, contents]`, or the long form `[model, null, [model, contents, ..., system, tools]]`."""
    whole = at(arguments, 2)
    contents = items(at(whole, 1) if whole is not None else at(arguments, 1))
    counts = count_by_modality([*contents, at(whole, 5)], simulation.drive.find)
    total = sum(counts.values())
    return [total, [], [[[total], 1]], None, None, [[modality, count] for modality, count in counts.items()]]


def _preferences(_: Simulation, __: Json) -> Json:
    nanoseconds = round(now() * 1e9)
    return [2, [[str(nanoseconds // 10**9), nanoseconds % 10**9]]]


def _access_token(simulation: Simulation, _: Json) -> Json:
    return [simulation.drive.token]


def _always(answer: Json) -> Callable[[Simulation, Json], Json]:
    return lambda _, __: answer


_UNARY: Final[dict[str, Callable[[Simulation, Json], Json]]] = {
    "CountTokens": _count,
    "GenerateAccessToken": _access_token,
    "GetUserPreferences": _preferences,
    "GetLoggingContext": _always([0, "RUA", 1, None, None, 1, 4, 0]),
    "GetAppFolder": _always([APP_FOLDER]),
    "GetAiStudioBenefitTier": _always([]),
    "GetUserRestrictions": _always([]),
    "ListPromos": _always([]),
    "ListPrompts": _always([[]]),
}
