"""The Litestar application: routes around a running gateway."""

from litestar import Litestar
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin

from studiogate.errors import ClientError
from studiogate.gateway import Gateway
from studiogate.keys import ApiKeys
from studiogate.log_stream import LogStream
from studiogate.web.chat import create_chat_completion
from studiogate.web.errors import on_bug, on_client_error, on_http_error
from studiogate.web.health import show_health
from studiogate.web.index import show_index
from studiogate.web.info import show_info
from studiogate.web.logs import stream_logs
from studiogate.web.metrics import show_metrics
from studiogate.web.models import list_models, show_model
from studiogate.web.openapi import show_openapi
from studiogate.web.origin import refuse_foreign_sites
from studiogate.web.queue import cancel_request, show_queue


class _Application(Litestar):
    """Litestar without what it brings for pydantic and attrs: no handler here takes or returns either."""

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        # It would import pydantic, 8 MB, wherever some other package has brought that.
        return [*plugins, MsgspecDIPlugin()]


def create_app(gateway: Gateway, keys: ApiKeys) -> Litestar:
    """Return the application of a gateway. Its lifespan is the caller's: the app neither starts nor stops anything."""
    return _Application(
        route_handlers=[
            create_chat_completion,
            list_models,
            show_model,
            show_queue,
            cancel_request,
            show_health,
            show_info,
            show_index,
            show_openapi,
            show_metrics,
            stream_logs,
        ],
        state=State({"gateway": gateway, "api_keys": keys, "log_stream": LogStream()}),
        exception_handlers={ClientError: on_client_error, HTTPException: on_http_error, Exception: on_bug},
        before_request=refuse_foreign_sites(gateway.settings),
        request_max_body_size=gateway.settings.max_body_bytes,
        # Its default sets the root logger to INFO for the whole process.
        logging_config=None,
        openapi_config=None,
    )
