"""The HTTP side: routes, errors over HTTP, the granian server."""
