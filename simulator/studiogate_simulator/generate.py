"""GenerateContent: check a turn, log it, and play its answer onto the network."""

import asyncio
from contextlib import suppress

from litestar.types import Receive, Send

from studiogate_simulator import http
from studiogate_simulator.account_faults import check_model, check_signed_in
from studiogate_simulator.body import Cutter, Gzip, Identity, offers_gzip
from studiogate_simulator.faults import ACCOUNT, WIRE
from studiogate_simulator.http import Header, Request
from studiogate_simulator.jspb import Json, at, decode
from studiogate_simulator.limits import check_config
from studiogate_simulator.models import Model, find_model
from studiogate_simulator.scenarios import Scenario
from studiogate_simulator.script import Ending, Script, compose, failure
from studiogate_simulator.simulation import Simulation
from studiogate_simulator.status import INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED, RpcFailure
from studiogate_simulator.submission import Submission, read_submission
from studiogate_simulator.tool_checks import check_tools
from studiogate_simulator.turns import TurnRecord, now
from studiogate_simulator.visits import VISIT_HEADER
from studiogate_simulator.wire_faults import afflict


async def generate(
    simulation: Simulation, request: Request, headers: list[Header], receive: Receive, send: Send
) -> None:
    """Answer one GenerateContent call; raises RpcFailure only for requests that are no turn at all."""
    received_at = now()
    try:
        message = decode(request.body)
    except ValueError:
        raise RpcFailure(INVALID_ARGUMENT, "Invalid JSON payload received.") from None
    submission = read_submission(message, simulation.drive.find)
    page = request.headers.get(VISIT_HEADER, "")
    record = simulation.turns.add(submission, received_at, generation=simulation.visits.generation(page))
    try:
        model = _admitted(simulation, message, submission)
        scenario = _chosen(simulation, submission, page)
    except RpcFailure as refused:
        script = failure(refused.status)
    else:
        script = compose(scenario, submission, model)
    record.status = script.http_status
    await _play_until_gone(simulation, script, record, _Wire(request, headers, send), receive)


def _admitted(simulation: Simulation, message: Json, submission: Submission) -> Model:
    _check_account(simulation, submission)
    # Upstream has one text for a bad proof and every other lack of permission.
    if not simulation.proofs.accept(at(message, 4), at(message, 1)):
        raise RpcFailure(PERMISSION_DENIED, "The caller does not have permission")
    model = find_model(submission.model)
    if model is None:
        raise RpcFailure(NOT_FOUND, f"models/{submission.model} is not found for API version v1main")
    if not model.generates:
        raise RpcFailure(NOT_FOUND, f"models/{submission.model} is not supported for generateContent.")
    check_config(submission.config, model)
    check_tools(submission, model)
    return model


def _check_account(simulation: Simulation, submission: Submission) -> None:
    check_signed_in(simulation.faults, counts=True)
    check_model(simulation.faults, submission.model)


def _chosen(simulation: Simulation, submission: Submission, page: str) -> Scenario | None:
    """Choose the scenario, with the faults that happen in it; raises RpcFailure if the account is at fault."""
    board = simulation.faults
    scenario = simulation.scenarios.take(submission.asked, page)
    faults = board.take(WIRE, text=submission.asked)
    if scenario and scenario.page and scenario.page.fault.where == ACCOUNT:
        board.add(scenario.page)
    if scenario and scenario.page and scenario.page.fault.where == WIRE:
        board.happened(scenario.page, submission.prompt)
        faults.append(scenario.page)
    _check_account(simulation, submission)
    for planned in faults:
        scenario = afflict(scenario, planned)
    return scenario


class _Wire:
    """Sends encoded messages in the writes that a script asks for."""

    def __init__(self, request: Request, headers: list[Header], send: Send) -> None:
        self._gzip = offers_gzip(request.headers.get("accept-encoding", ""))
        self._coder: Gzip | Identity = Gzip() if self._gzip else Identity()
        self._headers = headers
        self._send = send
        self._cutter = Cutter(None)

    async def open(self, script: Script) -> None:
        encoding: list[Header] = [(b"content-encoding", b"gzip")] if self._gzip else []
        self._cutter = Cutter(script.write_bytes)
        await http.start(self._send, script.http_status, [*self._headers, *encoding])

    async def push(self, message: bytes) -> None:
        await self._write(self._cutter.push(self._coder.push(message)))

    async def flush(self) -> None:
        await self._write(self._cutter.finish())

    async def close(self, message: bytes) -> None:
        await self._write([*self._cutter.push(self._coder.finish(message)), *self._cutter.finish()])
        await http.write(self._send, b"", more=False)

    async def _write(self, pieces: list[bytes]) -> None:
        for piece in pieces:
            await http.write(self._send, piece, more=True)
            # Without a turn of the loop the server would join the pieces into one network write.
            await asyncio.sleep(0)


async def _play_until_gone(
    simulation: Simulation, script: Script, record: TurnRecord, wire: _Wire, receive: Receive
) -> None:
    playing = asyncio.create_task(_play(script, record, wire))
    gone = asyncio.create_task(_gone(receive))
    closing = asyncio.create_task(simulation.closing.wait())
    try:
        await asyncio.wait((playing, gone, closing), return_when=asyncio.FIRST_COMPLETED)
        if gone.done() and not playing.done():
            record.aborted_at = now()
    finally:
        for task in (playing, gone, closing):
            task.cancel()
        with suppress(asyncio.CancelledError):
            await playing
    # Returning without a last piece makes the server reset the stream.


async def _play(script: Script, record: TurnRecord, wire: _Wire) -> None:
    await wire.open(script)
    for index, message in enumerate(script.frames):
        if index:
            await asyncio.sleep(script.delay_s)
        await wire.push(message)
        record.frame_times.append(now())
        record.first_byte_at = record.first_byte_at or record.frame_times[0]
    if script.ending is Ending.WHOLE:
        await wire.close(script.tail)
        record.finished_at = now()
        record.first_byte_at = record.first_byte_at or record.finished_at
        return
    if script.ending is Ending.CUT and not script.frames:
        # A body without a single byte would end well when it is left.
        await wire.push(b"[[")
    await wire.flush()
    if script.ending is Ending.HANG:
        await asyncio.Event().wait()
    # A reset overtakes data that is still under way; give the last frame the time that a next one would take.
    await asyncio.sleep(script.delay_s)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
