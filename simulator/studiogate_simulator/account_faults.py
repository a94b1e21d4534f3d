"""Faults that lie with the account: who is signed in, and which models there are. They hold for every page."""

import asyncio

from studiogate_simulator.fault_board import FaultBoard
from studiogate_simulator.jspb import Json
from studiogate_simulator.models import MODELS
from studiogate_simulator.status import NOT_FOUND, UNAUTHENTICATED, RpcFailure, code_of


def check_signed_in(board: FaultBoard, *, counts: bool = False) -> None:
    """Raise RpcFailure while the account is signed out.

    :param counts: whether this is one of the times that were asked for; a page's many small calls are none.
    """
    if board.take_one("signed_out") if counts else board.holding("signed_out"):
        raise RpcFailure(UNAUTHENTICATED, "Request had invalid authentication credentials.")


def check_model(board: FaultBoard, model_id: str) -> None:
    """Raise RpcFailure if a model has gone."""
    if board.take_one("model_gone", model=model_id):
        raise RpcFailure(NOT_FOUND, f"models/{model_id} is not found for API version v1main")


async def list_models(board: FaultBoard) -> Json:
    """Build the answer to ListModels; raises RpcFailure if that fails."""
    if late := board.take_one("models_late"):
        await asyncio.sleep(late.number("delay_ms") / 1000)
    if failing := board.take_one("models_failing"):
        raise RpcFailure(code_of(int(failing.number("http_status"))), "Internal error encountered.")
    if board.take_one("models_empty"):
        return [[]]
    gone = [each.parameters["model"] for each in board.holding("model_gone")]
    return [[model.row() for model in MODELS if model.id not in gone]]
