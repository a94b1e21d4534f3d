"""Files that go with a prompt: what the server knows of each, wherever its bytes came by."""

import base64
import binascii
import hashlib
import math
from typing import Final

from attrs import frozen

from studiogate_simulator.jspb import Json, at
from studiogate_simulator.status import INVALID_ARGUMENT, RpcFailure

_IMAGE_TOKENS: Final = 258
_BYTES_PER_TOKEN: Final = 1024
_MODALITIES: Final = {"image": 2, "video": 3, "audio": 4}
_TEXT: Final = 1


@frozen(kw_only=True)
class ReceivedFile:
    """A file that came with a request, or to Drive before it."""

    name: str | None
    """Display name, when one was sent."""
    mime: str
    """MIME type as sent."""
    size: int
    """Size of the decoded data, in bytes."""
    sha256: str
    """Hash of the decoded data, lowercase hex."""

    @property
    def tokens(self) -> int:
        """What it costs, the simulator's way of counting: an image the same always, else by size."""
        if self.modality == _MODALITIES["image"]:
            return _IMAGE_TOKENS
        return math.ceil(self.size / _BYTES_PER_TOKEN)

    @property
    def modality(self) -> int:
        """The wire's number for what its tokens are counted under."""
        return _MODALITIES.get(self.mime.partition("/")[0], _TEXT)


def read_inline(inline: Json) -> ReceivedFile:
    """Read inline data, `[mime, base64, name?]`; raises RpcFailure (invalid argument)."""
    mime, encoded, name = at(inline, 0), at(inline, 1), at(inline, 2)
    try:
        data = base64.b64decode(encoded if isinstance(encoded, str) else "", validate=True)
    except binascii.Error:
        raise RpcFailure(INVALID_ARGUMENT, "Base64 decoding failed for inline data.") from None
    return ReceivedFile(
        name=name if isinstance(name, str) else None,
        mime=mime if isinstance(mime, str) else "",
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )
