"""Where everything stands: the index of each field in the page's array messages, one class per message.

The format is JSPB: a message is an array, field number N of the proto is index N-1, unset fields are null or cut off.
A position that the page moves is a one-line change here. Only positions that the package reads or writes are listed;
the enumerations that go with them live beside the code that gives them meaning.
"""

from enum import IntEnum


class Request(IntEnum):
    """GenerateContent's request, the root array."""

    MODEL = 0
    CONTENTS = 1
    CONFIG = 3
    PROOF = 4
    SYSTEM = 5
    TOOLS = 6
    TOOL_CONFIG = 13


class Config(IntEnum):
    """The generation config of a request."""

    STOP = 1
    MAX_TOKENS = 3
    TEMPERATURE = 4
    TOP_P = 5
    TOP_K = 6
    RESPONSE_MIME = 7
    RESPONSE_SCHEMA = 8
    THINKING = 16
    MEDIA_RESOLUTION = 17
    SEED = 18


class ThinkingConfig(IntEnum):
    """The thinking config inside the generation config."""

    INCLUDE = 0
    BUDGET = 1
    LEVEL = 3


class Tool(IntEnum):
    """One entry of a request's tools; the kind of tool is which index is set."""

    CODE_EXECUTION = 0
    FUNCTIONS = 1
    GOOGLE_SEARCH = 3
    URL_CONTEXT = 7
    GOOGLE_MAPS = 10


class ToolConfig(IntEnum):
    """What goes with the tools of a request."""

    RETRIEVAL = 0
    SERVER_SIDE_CALLS = 2


class Content(IntEnum):
    """A turn, in requests and answers alike."""

    PARTS = 0
    ROLE = 1


class Part(IntEnum):
    """A part of a turn; its kind is which index is set, never its length."""

    TEXT = 1
    INLINE = 2
    DRIVE_FILE = 5
    EXTERNAL = 6
    CODE = 7
    CODE_RESULT = 8
    CALL = 10
    THOUGHT = 12
    SIGNATURE = 14


class Inline(IntEnum):
    """Inline data."""

    MIME = 0
    BASE64 = 1


class Code(IntEnum):
    """Executable code, and the result of it."""

    KIND = 0
    TEXT = 1


class Call(IntEnum):
    """A function call."""

    NAME = 0
    ARGUMENTS = 1
    ID = 2


class Value(IntEnum):
    """`google.protobuf.Value`; which index is set is the JSON type."""

    NULL = 0
    NUMBER = 1
    STRING = 2
    BOOL = 3
    STRUCT = 4
    LIST = 5


class Frame(IntEnum):
    """One message of an answer's stream."""

    CANDIDATES = 0
    FEEDBACK = 1
    USAGE = 2
    EVENT_ID = 3
    RESPONSE_ID = 7


class Candidate(IntEnum):
    """A candidate of a frame."""

    CONTENT = 0
    FINISH_REASON = 1
    FINISH_MESSAGE = 3
    CITATIONS = 6
    GROUNDING = 7


class Feedback(IntEnum):
    """What a frame says of a prompt that was refused."""

    REASON = 0


class UsageCounts(IntEnum):
    """Token counts of a frame, running totals."""

    PROMPT = 0
    CANDIDATES = 1
    TOTAL = 2
    CACHED = 3
    TOOL_PROMPT = 7
    THOUGHTS = 9


class Source(IntEnum):
    """One source of the citation metadata."""

    START = 0
    END = 1
    URI = 2
    TITLE = 3


class Grounding(IntEnum):
    """The grounding metadata."""

    CHUNKS = 1
    SUPPORTS = 2


class WebChunk(IntEnum):
    """The source inside a grounding chunk, whichever of web, retrieved or maps it is."""

    URI = 0
    TITLE = 1


class Support(IntEnum):
    """A passage and the chunks that support it."""

    SEGMENT = 0
    CHUNKS = 1


class Segment(IntEnum):
    """The passage of a support."""

    START = 1
    END = 2
    TEXT = 3


class StatusField(IntEnum):
    """`google.rpc.Status`."""

    CODE = 0
    MESSAGE = 1
    DETAILS = 2


class ErrorInfo(IntEnum):
    """`google.rpc.ErrorInfo`."""

    REASON = 0
    DOMAIN = 1
    METADATA = 2


class QuotaViolation(IntEnum):
    """A violation of `google.rpc.QuotaFailure`."""

    METRIC = 3
    ID = 4


class ModelRow(IntEnum):
    """One row of ListModels."""

    NAME = 0
    DISPLAY_NAME = 3
    DESCRIPTION = 4
    INPUT_LIMIT = 5
    OUTPUT_LIMIT = 6
    METHODS = 7
    TEMPERATURE = 8
    TOP_P = 9
    TOP_K = 10
    ALIASES = 56
    CAPABILITIES = 64
    THINKING = 71


class Alias(IntEnum):
    """Another name of a row's model."""

    NAME = 0


class ModelThinking(IntEnum):
    """A model's thinking defaults: the first five for budget models, the last two for level models."""

    DEFAULT_BUDGET = 0
    MAX_BUDGET = 1
    MIN_BUDGET = 2
    CAN_TURN_OFF = 3
    OFF_BY_DEFAULT = 4
    DEFAULT_LEVEL = 5
    LEVELS = 6
