"""What the model reads of a tool's result."""

import json

from mcp.types import (
    AudioContent,
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)


def text_of(result: CallToolResult) -> str:
    """Return a result as text: its texts, and a word for each file, which no prompt can hold."""
    pieces: list[str] = []
    for block in result.content:
        match block:
            case TextContent():
                pieces.append(block.text)
            case ImageContent() | AudioContent():
                pieces.append(f"[{block.mimeType}, {len(block.data) * 3 // 4} bytes: can't be shown]")
            case ResourceLink():
                pieces.append(f"[{block.name}: {block.uri}]")
            case EmbeddedResource():
                inner = block.resource
                said = inner.text if isinstance(inner, TextResourceContents) else f"[{inner.uri}: can't be shown]"
                pieces.append(said)
    if not pieces and result.structuredContent is not None:
        return json.dumps(result.structuredContent, ensure_ascii=False)
    return "\n".join(pieces)
