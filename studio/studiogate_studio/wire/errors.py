"""The wire format's one error."""

from collections.abc import Iterable, Iterator

from studiogate.errors import StudiogateError


class WireError(StudiogateError):
    """Bytes of the page's RPC that can't be read: says what was expected where, and quotes none of the content."""


def so_far[T](values: Iterable[T]) -> Iterator[T]:
    """Run through values at once; yield those that came before a `WireError`, then raise it.

    So what is known of a body does not depend on which of its bytes came together.
    """
    taken: list[T] = []
    try:
        for value in values:
            taken.append(value)  # noqa: PERF402 - `extend` doesn't say what it keeps when the values raise
    except WireError as error:
        return _then_raise(taken, error)
    return iter(taken)


def _then_raise[T](taken: list[T], error: WireError) -> Iterator[T]:
    yield from taken
    raise error
