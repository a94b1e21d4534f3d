"""A local stand-in for Google AI Studio: its page, its RPC, and a control channel to script both."""

__all__: list[str] = []
