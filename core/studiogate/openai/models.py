"""From models to what `GET /v1/models` and `GET /v1/models/{id}` answer with."""

from collections.abc import Iterable
from typing import Any

import attrs

from studiogate.models import Model


def model_list(models: Iterable[Model], created: int) -> dict[str, Any]:
    """Return OpenAI's list object, each model with what the gateway knows of it besides.

    :param created: Unix time in seconds; OpenAI's clients want one, and no source gives any.
    """
    return {"object": "list", "data": [model_object(model, created) for model in models]}


def model_object(model: Model, created: int) -> dict[str, Any]:
    """Return OpenAI's model object, with limits, defaults and thinking abilities besides.

    :param created: Unix time in seconds.
    """
    # Whatever is shown here is listed.
    known = attrs.asdict(model, filter=attrs.filters.exclude("listed"))
    return {
        "id": known.pop("id"),
        "object": "model",
        "created": created,
        "owned_by": known.pop("owned_by"),
        **known,
    }
