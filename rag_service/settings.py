"""The service's settings: from arguments, from the environment (``RKLLM_…``), and from a file (``config_file``)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, IPvAnyNetwork, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from rag_service.chat_desk import DeskSettings
from rag_service.fetch_limits import FetchLimits
from rag_service.grounding import GroundingSettings
from rag_service.openwebui.task_answers import TaskMode
from rag_service.openwebui.task_table import TaskKind
from rag_service.own_clock import ClockMode
from rag_service.retrieval.settings import RetrievalSettings
from rkllm_providers.engine import (
    FOREVER,
    Budget,
    EngineLimits,
    KeptStateSettings,
    parse_budget,
    parse_keep_alive,
    parse_size,
)
from rkllm_providers.engine.limits import parse_chunk
from rkllm_providers.models import default_models_dir
from rkllm_providers.runtime.abi import unsupported_version
from rkllm_providers.runtime.abi_tables import VERSIONS
from rkllm_providers.vision import PictureLimits

_PICTURES: Final = PictureLimits()
_RETRIEVAL: Final = RetrievalSettings()
_BODY_WITHOUT_PICTURE: Final = 16 * 1024 * 1024


def _listed(value: Any) -> Any:
    """The entries of a list that is written as one text, with commas."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _number_or_off(value: Any) -> Any:
    return None if isinstance(value, str) and value.strip().lower() == "off" else value


def _admitting_body(values: dict[str, Any]) -> int:
    """Bytes of a body with one picture of the largest size, in base64, and all that goes with it.

    ``values`` are the settings read before; a wrong one may be missing.
    """
    picture = int(values.get("picture_bytes", _PICTURES.max_bytes))
    return _BODY_WITHOUT_PICTURE + 4 * -(-picture // 3)


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


UserPath = Annotated[Path, AfterValidator(Path.expanduser)]
LogLevel = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)]


class ServiceSettings(BaseSettings):
    """Settings of one service. Every field is also an environment variable, e.g. ``RKLLM_PORT``."""

    model_config = SettingsConfigDict(
        env_prefix="RKLLM_", extra="forbid", protected_namespaces=(), populate_by_name=True
    )

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on.")
    api_key: SecretStr | None = Field(default=None, description="A key that clients must send.")
    api_keys_file: UserPath | None = Field(
        default=None, description="File with keys that clients must send: lines `name = key` or `name = sha256:HEX`."
    )
    allow_no_key: bool = Field(
        default=False, description="Serve without keys on an address that other machines can reach."
    )
    requests_per_minute: Annotated[int | None, BeforeValidator(_number_or_off)] = Field(
        default=None, ge=1, le=1_000_000, description="Requests per minute that each key may send, or `off`."
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)] = Field(
        default=(), description="Origins of web pages that may call the service, with commas between; `*` is all."
    )
    models_dir: Path = Field(default_factory=default_models_dir, description="Folder with .rkllm and .gguf files.")
    model: str | None = Field(
        default=None, description="Model that is loaded at start and answers requests that name none."
    )
    lib_path: str | None = Field(default=None, description="Path of librkllmrt.so, or of its folder.")
    rknn_lib_path: str | None = Field(
        default=None,
        validation_alias="RKNN_LIB_PATH",
        description="Path of librknnrt.so, which reads pictures, or of its folder.",
    )
    npu_lock: str | None = Field(
        default=None, description="File that says who owns the NPU; `off` lets several processes load models on it."
    )
    runtime_version: str | None = Field(
        default=None, description="Version of librkllmrt.so, where it cannot be told from the file."
    )
    context_length: int | None = Field(default=None, gt=0, description="Upper bound on every model's context window.")
    header_limit: int = Field(
        default=64 * 1024, ge=1024, description="Largest head of a request, in bytes: its address and headers."
    )
    header_seconds: float = Field(default=15.0, gt=0, description="Longest time a request's head may take to arrive.")
    body_seconds: float = Field(default=120.0, gt=0, description="Longest time a request's body may take to arrive.")
    connection_limit: int = Field(default=512, ge=1, description="Connections that may be open at once.")
    queue_limit: int = Field(default=64, ge=1, description="Requests that may wait per model.")
    queue_seconds: float = Field(default=300.0, gt=0, description="Longest wait in the queue.")
    run_seconds: float = Field(default=1800.0, gt=0, description="Longest time for one answer.")
    abort_seconds: float = Field(
        default=60.0,
        gt=0,
        description="Longest time an aborted run may take to end before its process is replaced; no less than the "
        "longest prefill, which cannot be cut short.",
    )
    load_seconds: float = Field(default=600.0, gt=0, description="Longest time to load a model.")
    memory_budget: Annotated[Budget, BeforeValidator(parse_budget)] = Field(
        default="auto",
        description="Memory for all models together: bytes, or with K, M or G; `auto` is what the machine has, `off` "
        "no bound.",
    )
    keep_alive: Annotated[float, BeforeValidator(parse_keep_alive)] = Field(
        default=FOREVER,
        description="How long a model stays loaded after its last request: seconds, or as `5m`; or `forever`.",
    )
    worker_memory_limit: Annotated[int | None, BeforeValidator(parse_size)] = Field(
        default=None,
        description="A worker whose resident memory is above this after a run is replaced: a size, or `off`.",
    )

    picture_model: str = Field(
        default="auto",
        min_length=1,
        description="Model for requests with pictures to one that takes none: its id, `auto` (one that is loaded, or "
        "the first that takes pictures), or `off`.",
    )
    picture_bytes: Annotated[int, BeforeValidator(parse_size)] = Field(
        default=_PICTURES.max_bytes, gt=0, description="Largest file of a picture."
    )
    body_limit: Annotated[int, BeforeValidator(parse_size)] = Field(
        default_factory=_admitting_body,
        ge=1024,
        description="Largest request body. The default admits one picture of `picture_bytes`, in base64 as requests "
        "have it.",
    )
    picture_pixels: int = Field(default=_PICTURES.max_pixels, gt=0, description="Most pixels of a picture.")
    picture_count: int = Field(
        default=_PICTURES.max_pictures, ge=1, description="Most pictures in a conversation, earlier turns included."
    )
    picture_urls: bool = Field(
        default=False,
        description="Fetch pictures whose web addresses are in a request, from where and as long as `web_loader_…` "
        "allows; otherwise they must be sent whole.",
    )
    picture_cache: Annotated[int, BeforeValidator(parse_size)] = Field(
        default=64 << 20,
        gt=0,
        description="Most bytes of encoded pictures that a model keeps, so that a follow-up encodes none again; one "
        "takes 1 to 7 MiB.",
    )
    load_encoder: bool = Field(
        default=False, description="Load a model's vision encoder with the model, and not with the first picture."
    )
    prefill_chunk: Annotated[int | None, BeforeValidator(parse_chunk)] = Field(
        default=None,
        description="Prompts are read in pieces of so many tokens, so that a chat need not wait until a task's long "
        "prompt is read; or `off`.",
    )
    kept_states: Literal["off", "auto"] = Field(
        default="off",
        description="Whether conversations' states are kept in files while others have the KV cache, where that is "
        "worth it.",
    )
    kept_states_dir: Path | None = Field(default=None, description="Folder for these files.")
    kept_states_size: Annotated[int, BeforeValidator(parse_size)] = Field(
        default=2 << 30, gt=0, description="Most bytes of such files per model."
    )
    kept_states_per_day: Annotated[int, BeforeValidator(parse_size)] = Field(
        default=8 << 30, gt=0, description="Most bytes of them written in 24 hours."
    )
    kept_states_persist: bool = Field(default=False, description="Leave them to the next start.")
    warm_prompt: Path | None = Field(
        default=None,
        description="File with a system message that the model loaded at start reads ahead.",
    )

    rag: bool = Field(default=True, description="Whether sources in chats are cleaned, ranked and trimmed.")
    rag_tokens: int = Field(default=1500, ge=0, description="Most tokens of sources in a prompt.")
    rag_seconds: float = Field(default=20.0, gt=0, description="Longest time to read the sources of a chat.")
    rag_floor: float = Field(
        default=_RETRIEVAL.floor,
        ge=0,
        le=1,
        description="Quality floor: web results of less relevance are left out.",
    )
    rag_passages: int = Field(
        default=_RETRIEVAL.candidates,
        gt=0,
        description="Max passages: so many of the best are chosen from for a prompt.",
    )
    rag_duplicates: float = Field(
        default=_RETRIEVAL.duplicate_share,
        ge=0,
        le=1,
        description="Dedupe similarity: passages that repeat so much of others are left out.",
    )
    rag_thinking_context: int = Field(
        default=8192,
        ge=0,
        description="Chats with sources are answered without thinking on models with a smaller window, unless asked.",
    )
    tasks: dict[TaskKind, TaskMode] = Field(
        default_factory=dict,
        description="What is done with Open WebUI's background tasks, by kind: `instant`, `model` or `decline`; "
        "as JSON.",
    )
    tool_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Share of the window for tools that are offered; above it they are left out.",
    )
    search_for_model: bool = Field(
        default=False, description="Call an offered search_web tool on the model's behalf."
    )

    lexical_embedding: bool = Field(
        default=False,
        description="Offer `lexical-1024` for embeddings: vectors of the words in a text, which take no model and "
        "know nothing of what words mean.",
    )
    openwebui_events: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="Whether streams carry Open WebUI's events of status and sources: `auto` where a header "
        "`X-OpenWebUI-…` shows that the client is Open WebUI, `on` for all clients, `off`.",
    )
    supply_clock: ClockMode = Field(
        default="off",
        description="Whether chats are told what `date` it is, or date and `time`, at the end of the newest turn; or "
        "`off`.",
    )
    web_loader: bool = Field(
        default=True, description="Whether clients may have web pages of the public internet loaded."
    )
    web_loader_networks: Annotated[tuple[IPvAnyNetwork, ...], NoDecode, BeforeValidator(_listed)] = Field(
        default=(),
        description="Networks of your own that pages may be loaded from too, e.g. `192.168.1.0/24`, with commas "
        "between.",
    )
    web_loader_seconds: float = Field(
        default=15.0, gt=0, le=120, description="Longest time to fetch a page, redirects included."
    )
    answer_cache_ttl: float = Field(
        default=0.0,
        ge=0,
        le=30 * 24 * 3600,
        description="Cache TTL: seconds for which an answer is kept for the same request in another chat; 0 is off.",
    )
    answer_cache_size: Annotated[int, BeforeValidator(parse_size)] = Field(
        default=16 << 20, gt=0, description="Cache size: most bytes of kept answers."
    )

    api_log_level: LogLevel = Field(
        default="info",
        description="What is logged: `debug`, `info`, `warning` or `error`. Only `debug` may hold text.",
    )
    log_format: Literal["text", "json"] = Field(default="text", description="Log lines for people, or JSON objects.")
    log_file: UserPath | None = Field(
        default=None, description="File that the log goes to as well; at 10 MB a new one is begun, three are kept."
    )

    @property
    def desk(self) -> DeskSettings:
        """How chats are dealt with before a model answers."""
        retrieval = RetrievalSettings(
            floor=self.rag_floor, duplicate_share=self.rag_duplicates, candidates=self.rag_passages
        )
        grounding = GroundingSettings(
            self.rag, self.rag_tokens, self.rag_seconds, self.rag_thinking_context, retrieval
        )
        return DeskSettings(
            grounding,
            self.tasks,
            self.tool_share,
            self.search_for_model,
            self.openwebui_events,
            self.supply_clock,
            self.answer_cache_ttl,
            self.answer_cache_size,
        )

    @property
    def fetch_limits(self) -> FetchLimits:
        """The limits of fetching pages for clients."""
        return FetchLimits(self.web_loader_seconds, allowed=self.web_loader_networks)

    @property
    def picture_limits(self) -> PictureLimits:
        """The limits of pictures in requests."""
        return PictureLimits(self.picture_bytes, self.picture_pixels, self.picture_count)

    @property
    def picture_fetching(self) -> FetchLimits | None:
        """The limits of fetching pictures for clients; ``None`` where that is not allowed."""
        if not self.picture_urls:
            return None
        return FetchLimits(self.web_loader_seconds, self.picture_bytes, self.web_loader_networks)

    @field_validator("runtime_version")
    @classmethod
    def _known_version(cls, version: str | None) -> str | None:
        # Otherwise the service starts, and every request for an NPU model fails.
        if version and version not in VERSIONS:
            raise ValueError(str(unsupported_version(version)))
        return version or None

    @property
    def engine_limits(self) -> EngineLimits:
        """The limits every engine of this service gets."""
        return EngineLimits(
            queue=self.queue_limit,
            queue_seconds=self.queue_seconds,
            load_seconds=self.load_seconds,
            run_seconds=self.run_seconds,
            abort_seconds=self.abort_seconds,
            keep_alive=self.keep_alive,
            worker_memory=self.worker_memory_limit,
            prefill_chunk=self.prefill_chunk,
            pictures=self.picture_limits,
            picture_cache=self.picture_cache,
            load_encoder=self.load_encoder,
            kept_states=KeptStateSettings(
                self.kept_states,
                self.kept_states_dir,
                self.kept_states_size,
                self.kept_states_per_day,
                self.kept_states_persist,
            ),
        )
