"""OpenAI's chat API, both ways: JSON to `ChatRequest`, events to JSON and server-sent events."""
