"""An OpenAI-compatible service that answers at once and costs next to nothing, so that what asks it can be measured.

Run as a module it prints its address, and serves until it is ended.
"""

import asyncio
import json

_CHOICE = {"index": 0, "message": {"role": "assistant", "content": "Short and sweet."}, "finish_reason": "stop"}
_USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
_BODY = json.dumps(
    {"id": "1", "object": "chat.completion", "model": "m", "choices": [_CHOICE], "usage": _USAGE}
).encode()
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(_BODY), _BODY)


class Answering(asyncio.Protocol):
    """Answer every request of a connection; a request is what ends with the bytes that its head announces."""

    def __init__(self) -> None:
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole."""
        self._rest += data
        while (size := _size(self._rest)) is not None and len(self._rest) >= size:
            self._rest = self._rest[size:]
            if isinstance(self._transport, asyncio.WriteTransport):
                self._transport.write(_ANSWER)


def _size(data: bytes) -> int | None:
    """Return the bytes of the request that data begins with; None while its head isn't whole."""
    head, end, _ = data.partition(b"\r\n\r\n")
    if not end:
        return None
    lines = head.lower().split(b"\r\n")
    length = next((int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:")), 0)
    return len(head) + len(end) + length


async def main() -> None:
    """Serve."""
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
