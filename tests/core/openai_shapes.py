"""OpenAI's published shapes of chat responses, strict: required fields, nullable ones, and nothing unknown.

Written from the reference of `POST /v1/chat/completions`, its stream, `GET /v1/models` and errors. The few fields that
studiogate adds are marked; a client that follows the reference skips them.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Shape(BaseModel):
    """An object without fields that nobody published, whose values are never converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Count = Annotated[int, Field(ge=0)]
FinishWord = Literal["stop", "length", "tool_calls", "content_filter", "function_call"]


class FunctionShape(Shape):
    """The function of a whole call."""

    name: str
    arguments: str


class CallShape(Shape):
    """A whole call."""

    id: Annotated[str, Field(min_length=1)]
    type: Literal["function"]
    function: FunctionShape


class UrlCitationShape(Shape):
    """Where a source is, and which characters of the content rest on it."""

    url: str
    title: str
    start_index: Count
    end_index: Count


class AnnotationShape(Shape):
    """A source of the answer."""

    type: Literal["url_citation"]
    url_citation: UrlCitationShape


class ImageUrlShape(Shape):
    """Studiogate's own: where a generated image is."""

    url: Annotated[str, Field(pattern="^data:")]


class ImageShape(Shape):
    """Studiogate's own: a generated image or piece of audio, as image models of other services give it."""

    type: Literal["image_url"]
    image_url: ImageUrlShape


class MessageShape(Shape):
    """The message of a choice."""

    role: Literal["assistant"]
    content: str | None
    refusal: str | None
    annotations: list[AnnotationShape] = []
    tool_calls: Annotated[list[CallShape], Field(min_length=1)] | None = None
    reasoning_content: str | None = None
    """Studiogate's own, as reasoning models of other services give it."""
    images: list[ImageShape] = []
    """Studiogate's own."""


class ChoiceShape(Shape):
    """The one choice."""

    index: Literal[0]
    message: MessageShape
    logprobs: None
    finish_reason: FinishWord


class PromptDetailsShape(Shape):
    """What the prompt's tokens were."""

    cached_tokens: Count
    audio_tokens: Count


class CompletionDetailsShape(Shape):
    """What the answer's tokens were."""

    reasoning_tokens: Count
    audio_tokens: Count
    accepted_prediction_tokens: Count
    rejected_prediction_tokens: Count


class UsageShape(Shape):
    """Token counts."""

    prompt_tokens: Count
    completion_tokens: Count
    total_tokens: Count
    prompt_tokens_details: PromptDetailsShape
    completion_tokens_details: CompletionDetailsShape


class CompletionShape(Shape):
    """`chat.completion`."""

    id: Annotated[str, Field(pattern="^chatcmpl-")]
    object: Literal["chat.completion"]
    created: Count
    model: str
    system_fingerprint: str
    choices: Annotated[list[ChoiceShape], Field(min_length=1, max_length=1)]
    usage: UsageShape


class FunctionDeltaShape(Shape):
    """A piece of a call's function."""

    name: str | None = None
    arguments: str | None = None


class CallDeltaShape(Shape):
    """A piece of a call."""

    index: Count
    id: str | None = None
    type: Literal["function"] | None = None
    function: FunctionDeltaShape


class DeltaShape(Shape):
    """What a chunk adds to the message."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    refusal: str | None = None
    tool_calls: Annotated[list[CallDeltaShape], Field(min_length=1)] | None = None
    annotations: list[AnnotationShape] = []
    """Not in the reference of chunks, but what OpenAI's search models stream."""
    reasoning_content: str | None = None
    """Studiogate's own."""
    images: list[ImageShape] = []
    """Studiogate's own."""


class ChunkChoiceShape(Shape):
    """The one choice of a chunk."""

    index: Literal[0]
    delta: DeltaShape
    logprobs: None
    finish_reason: FinishWord | None


class ChunkShape(Shape):
    """`chat.completion.chunk`; the one of usage has no choices."""

    id: Annotated[str, Field(pattern="^chatcmpl-")]
    object: Literal["chat.completion.chunk"]
    created: Count
    model: str
    system_fingerprint: str
    choices: Annotated[list[ChunkChoiceShape], Field(max_length=1)]
    usage: UsageShape | None = None


class ErrorDetailShape(Shape):
    """What is wrong."""

    message: Annotated[str, Field(min_length=1)]
    type: Annotated[str, Field(min_length=1)]
    param: str | None
    code: str | None


class ErrorShape(Shape):
    """The body of every error, and the data of one in a stream."""

    error: ErrorDetailShape
    detail: str
    """For clients of the older guide."""
