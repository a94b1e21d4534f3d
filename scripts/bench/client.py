"""An OpenAI client as thin as can be, so that its own time is not taken for the gateway's: http.client, one connection.

Run as a module it reads one answer in a process of its own and prints `{"<label>": seconds}` as JSON: when each
labelled piece (see `label`) was read, by the monotonic clock that all processes of a machine share.
"""

import http.client
import json
import re
import sys
import time
from collections.abc import Generator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 60.0
_LABEL = re.compile(rb"@(\d+)@")
_DATA = b"data: "
_DONE = b"data: [DONE]"


def label(number: int) -> str:
    """Return a text by which a piece of an answer is known on its whole way; nothing in it needs escaping."""
    return f"@{number}@"


def labels(data: bytes) -> list[int]:
    """Return the numbers of the labels that some bytes hold."""
    return [int(found) for found in _LABEL.findall(data)]


class Client:
    """Ask a gateway. Keeps its connection between calls, as the official client does."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_S)

    def close(self) -> None:
        """Close the connection; an answer that is being read ends with it."""
        self._connection.close()

    def call(self, prompt: str) -> dict[str, Any]:
        """Ask without streaming and return the body."""
        answer = self._post(prompt, stream=False)
        body: dict[str, Any] = json.loads(answer.read())
        return body

    def stream(self, prompt: str) -> Generator[bytes]:
        """Ask and yield every line of data that carries text, as soon as it was read; the end is read too."""
        answer = self._post(prompt, stream=True)
        with answer:
            while line := answer.readline():
                if line.startswith(_DATA) and not line.startswith(_DONE) and _has_text(line):
                    yield line

    def first_delta(self, prompt: str) -> tuple[float, float]:
        """Return when a call was sent and when its first text was read, in Unix seconds; reads to the end."""
        sent = time.time()
        lines = self.stream(prompt)
        with closing(lines):
            next(lines)
            read = time.time()
            for _ in lines:
                pass
        return sent, read

    def leave_after_first_delta(self, prompt: str) -> float:
        """Read an answer's first text, close the connection and return when, in Unix seconds."""
        answer = self._post(prompt, stream=True)
        while not _has_text(line := answer.readline()):
            if not line:
                raise EOFError("the answer ended before its first text")
        left = time.time()
        # The response shares the socket; both have to let go of it.
        answer.close()
        self._connection.close()
        return left

    def read_all(self, prompt: str, *, stream: bool) -> bytes:
        """Ask and read whatever comes, an error too, to its end."""
        return self._asked(prompt, stream=stream).read()

    def cancel(self, req_id: str) -> float:
        """Ask for a request's end and return when, in Unix seconds.

        :raises http.client.HTTPException: there was nothing to cancel.
        """
        if self._connection.sock is None:
            self._connection.connect()
        sent = time.time()
        self._connection.request("POST", f"/v1/cancel/{req_id}")
        self._checked(self._connection.getresponse()).read()
        return sent

    def _post(self, prompt: str, *, stream: bool) -> http.client.HTTPResponse:
        return self._checked(self._asked(prompt, stream=stream))

    def _asked(self, prompt: str, *, stream: bool) -> http.client.HTTPResponse:
        body = json.dumps({"messages": [{"role": "user", "content": prompt}], "stream": stream})
        self._connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
        return self._connection.getresponse()

    def _checked(self, answer: http.client.HTTPResponse) -> http.client.HTTPResponse:
        if answer.status != http.client.OK:
            raise http.client.HTTPException(f"HTTP {answer.status}: {answer.read(500)!r}")
        return answer


def _has_text(line: bytes) -> bool:
    """Tell whether a line carries text of the answer; parsing each would cost more than reading it."""
    return (b'"content":"' in line and b'"content":""' not in line) or b'"reasoning_content":"' in line


def main() -> None:
    """Read the answer to the prompt that is the second argument from the gateway at the first."""
    client = Client(sys.argv[1])
    read_at: dict[int, float] = {}
    for line in client.stream(sys.argv[2]):
        now = time.perf_counter()
        read_at |= dict.fromkeys(labels(line), now)
    client.close()
    json.dump(read_at, sys.stdout)


if __name__ == "__main__":
    main()
