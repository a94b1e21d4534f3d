"""The models on offer: what ListModels tells the page, and what GenerateContent accepts."""

from typing import Final

from attrs import frozen

from studiogate_simulator.jspb import Json, at, items, message

CHAT: Final = 1
CODE_EXECUTION: Final = 9
FUNCTIONS: Final = 10
SEARCH: Final = 12
URL_CONTEXT: Final = 13
IMAGEN: Final = 19
THINKING: Final = 25
THINKING_BUDGET: Final = 35
MEDIA_RESOLUTION: Final = 43
THINKING_LEVEL: Final = 52

_TOOLS: Final = (CHAT, CODE_EXECUTION, FUNCTIONS, SEARCH, URL_CONTEXT)
_CHAT_METHODS: Final = ("generateContent", "countTokens", "createCachedContent", "batchGenerateContent")


@frozen(kw_only=True)
class Model:
    """One row of ListModels."""

    id: str
    """Id without `models/`."""
    version: str
    """Version as upstream words it."""
    title: str
    """Display name."""
    description: str
    """One sentence for the picker."""
    input_limit: int
    """Most input tokens."""
    output_limit: int
    """Most output tokens."""
    methods: tuple[str, ...] = _CHAT_METHODS
    """Supported API methods."""
    sampling: tuple[float, float, int] | None = (1, 0.95, 64)
    """Default temperature, top-p and top-k; None where sampling makes no sense."""
    capabilities: tuple[int, ...] = (*_TOOLS, THINKING, MEDIA_RESOLUTION)
    """Capability codes."""
    thinking: tuple[Json, ...] | None = None
    """Thinking defaults: `budget, max, min, can turn off, off by default`, or with the level and levels after them."""
    tags: tuple[int, ...] = ()
    """Secondary tags."""
    aliases: tuple[str, ...] = ()
    """Other ids that it answers to, without `models/`."""

    @property
    def generates(self) -> bool:
        """Whether GenerateContent accepts it."""
        return "generateContent" in self.methods

    @property
    def budgets(self) -> tuple[int, int]:
        """The least and the most tokens to think with; nothing for models without budgets."""
        match self.thinking:
            case (_, int(most), int(least), *_):
                return least, most
            case _:
                return 0, 0

    @property
    def can_turn_thinking_off(self) -> bool:
        """Whether no tokens to think with are allowed, also where the least is more."""
        return self.thinking is not None and bool(at(list(self.thinking), 3))

    @property
    def levels(self) -> list[int]:
        """The numbers of the thinking levels; empty for models without levels."""
        return [level for level in items(at(list(self.thinking or ()), 6)) if isinstance(level, int)]

    def row(self) -> list[Json]:
        """Build the ListModels row."""
        temperature, top_p, top_k = self.sampling or (None, None, None)
        return message(
            {
                0: f"models/{self.id}",
                2: self.version,
                3: self.title,
                4: self.description,
                5: self.input_limit,
                6: self.output_limit,
                7: list(self.methods),
                8: temperature,
                9: top_p,
                10: top_k,
                56: [[f"models/{alias}", 1] for alias in self.aliases] or None,
                64: list(self.capabilities),
                71: None if self.thinking is None else list(self.thinking),
                74: list(self.tags) or None,
            }
        )


MODELS: Final = (
    Model(
        id="gemini-3-pro-preview",
        version="3-pro-preview-11-2025",
        title="Gemini 3 Pro Preview",
        description="Most capable model, with state-of-the-art reasoning and multimodal understanding.",
        input_limit=1048576,
        output_limit=65536,
        capabilities=(*_TOOLS, THINKING, MEDIA_RESOLUTION, THINKING_LEVEL),
        thinking=(None, None, None, 0, None, 3, [1, 3]),
        tags=(11,),
    ),
    Model(
        id="gemini-3-flash-preview",
        version="3-flash-preview-12-2025",
        title="Gemini 3 Flash Preview",
        description="Frontier intelligence built for speed, with search and grounding.",
        input_limit=1048576,
        output_limit=65536,
        capabilities=(*_TOOLS, THINKING, MEDIA_RESOLUTION, THINKING_LEVEL),
        thinking=(None, None, None, 0, None, 3, [4, 1, 2, 3]),
        tags=(10, 11),
    ),
    Model(
        id="gemini-2.5-pro",
        version="2.5",
        title="Gemini 2.5 Pro",
        description="Advanced reasoning model for coding and complex problems.",
        input_limit=1048576,
        output_limit=65536,
        capabilities=(*_TOOLS, THINKING, THINKING_BUDGET, MEDIA_RESOLUTION),
        thinking=(8192, 32768, 128, 0),
    ),
    Model(
        id="gemini-2.5-flash",
        version="001",
        title="Gemini 2.5 Flash",
        description="Hybrid reasoning model with a one million token context window and thinking budgets.",
        input_limit=1048576,
        output_limit=65536,
        capabilities=(*_TOOLS, THINKING, THINKING_BUDGET, MEDIA_RESOLUTION),
        thinking=(8000, 24576, 0, 1),
        aliases=("gemini-flash-latest",),
    ),
    Model(
        id="gemini-2.5-flash-lite",
        version="001",
        title="Gemini 2.5 Flash-Lite",
        description="Smallest and most cost effective model, built for usage at scale.",
        input_limit=1048576,
        output_limit=65536,
        capabilities=(*_TOOLS, THINKING, THINKING_BUDGET, MEDIA_RESOLUTION),
        thinking=(8192, 24576, 512, 1, 1),
        aliases=("gemini-flash-lite-latest",),
    ),
    Model(
        id="gemini-3.5-flash",
        version="3.5-flash",
        title="Gemini 3.5 Flash",
        description="Fast model that chooses its own sampling.",
        input_limit=1048576,
        output_limit=65536,
        sampling=None,
        capabilities=(*_TOOLS, THINKING, MEDIA_RESOLUTION, THINKING_LEVEL),
        thinking=(None, None, None, 0, None, 3, [4, 1, 2, 3]),
        tags=(10,),
    ),
    Model(
        id="gemini-2.0-flash",
        version="2.0",
        title="Gemini 2.0 Flash",
        description="Workhorse of the second generation, without thoughts and without the search of the page.",
        input_limit=1048576,
        output_limit=8192,
        capabilities=(CHAT, CODE_EXECUTION, FUNCTIONS, MEDIA_RESOLUTION),
    ),
    Model(
        id="gemma-4-31b-it",
        version="001",
        title="Gemma 4 31B",
        description="Open model that thinks hard, or hardly.",
        input_limit=262144,
        output_limit=32768,
        methods=("generateContent", "countTokens"),
        capabilities=(*_TOOLS, THINKING, THINKING_LEVEL),
        thinking=(None, None, None, 0, None, 4, [4, 3]),
    ),
    Model(
        id="gemma-3-27b-it",
        version="001",
        title="Gemma 3 27B",
        description="Open model for text and image understanding.",
        input_limit=131072,
        output_limit=8192,
        methods=("generateContent", "countTokens"),
        capabilities=(CHAT,),
    ),
    Model(
        id="imagen-4.0-generate-001",
        version="001",
        title="Imagen 4",
        description="Vertex-served Imagen 4.0 model.",
        input_limit=480,
        output_limit=8192,
        methods=("predict",),
        sampling=None,
        capabilities=(IMAGEN,),
    ),
    Model(
        id="text-embedding-004",
        version="004",
        title="Text Embedding 004",
        description="Obtain a distributed representation of a text.",
        input_limit=2048,
        output_limit=1,
        methods=("embedContent",),
        sampling=None,
        capabilities=(),
    ),
)


def find_model(model_id: str) -> Model | None:
    """Find a model by its id or an alias, without `models/`."""
    return next((model for model in MODELS if model_id in (model.id, *model.aliases)), None)
