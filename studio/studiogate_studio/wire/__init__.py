"""The wire format of AI Studio's page RPC: pure functions and values from bytes to `studiogate.events` and back.

A tap feeds `ContentDecoder` and `AnswerDecoder` with what passes; `patch_request` rewrites a request on its way;
`read_models` and `read_status` read the other answers. `WireError` is the only error raised.
"""

from studiogate_studio.wire.answer import AnswerDecoder, Completed, Outcome, StreamFailed, Truncated
from studiogate_studio.wire.declarations import Declaration, declare
from studiogate_studio.wire.encoding import ContentDecoder
from studiogate_studio.wire.errors import WireError
from studiogate_studio.wire.frames import DEFAULT_LIMIT, FrameScanner
from studiogate_studio.wire.jspb import Json
from studiogate_studio.wire.model_list import ModelList, read_models
from studiogate_studio.wire.request import (
    JSON_MIME,
    MEDIA_RESOLUTIONS,
    THINKING_LEVELS,
    GenerateRequest,
    RequestPatch,
    Unset,
    normalise_newlines,
    patch_request,
    read_request,
)
from studiogate_studio.wire.schema import encode_schema
from studiogate_studio.wire.simplify import SimplifiedSchema, simplify_schema
from studiogate_studio.wire.status import Status, http_status, read_status, status_of
from studiogate_studio.wire.structs import decode_struct, decode_value, encode_struct, encode_value
from studiogate_studio.wire.tools import (
    SWITCHES,
    code_execution,
    functions,
    google_maps,
    google_search,
    url_context,
)

__all__ = [
    "DEFAULT_LIMIT",
    "JSON_MIME",
    "MEDIA_RESOLUTIONS",
    "SWITCHES",
    "THINKING_LEVELS",
    "AnswerDecoder",
    "Completed",
    "ContentDecoder",
    "Declaration",
    "FrameScanner",
    "GenerateRequest",
    "Json",
    "ModelList",
    "Outcome",
    "RequestPatch",
    "SimplifiedSchema",
    "Status",
    "StreamFailed",
    "Truncated",
    "Unset",
    "WireError",
    "code_execution",
    "declare",
    "decode_struct",
    "decode_value",
    "encode_schema",
    "encode_struct",
    "encode_value",
    "functions",
    "google_maps",
    "google_search",
    "http_status",
    "normalise_newlines",
    "patch_request",
    "read_models",
    "read_request",
    "read_status",
    "simplify_schema",
    "status_of",
    "url_context",
]
