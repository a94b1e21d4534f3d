"""An exchange's id, and the id of the completion that clients read in its body: the same digits, another prefix."""

_EXCHANGE = "req_"
_COMPLETION = "chatcmpl-"


def completion_id(exchange_id: str) -> str:
    """Return the `id` of an exchange's completion."""
    return _COMPLETION + exchange_id.removeprefix(_EXCHANGE)


def exchange_id(either: str) -> str:
    """Return the exchange's id for a completion's; any other text as it is."""
    return _EXCHANGE + either.removeprefix(_COMPLETION) if either.startswith(_COMPLETION) else either
