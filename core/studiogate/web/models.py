"""`GET /v1/models` and `GET /v1/models/{id}`."""

from typing import Any

from litestar import get
from litestar.datastructures import State
from litestar.params import FromPath

from studiogate.gateway import Gateway
from studiogate.openai.models import model_list, model_object


@get("/v1/models")
async def list_models(state: State) -> dict[str, Any]:
    """List the models that can be asked now."""
    gateway: Gateway = state.gateway
    return model_list(gateway.catalogue.models, created=gateway.created)


@get("/v1/models/{model_id:path}")
async def show_model(state: State, model_id: FromPath[str]) -> dict[str, Any]:
    """Describe one model; its id may hold slashes, as in `models/gemini-2.5-pro`."""
    gateway: Gateway = state.gateway
    return model_object(gateway.catalogue.find(model_id.removeprefix("/")), created=gateway.created)
