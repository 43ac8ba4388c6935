"""Just enough ctypes to drive an emulator library of each ABI group; independent of the product's binding."""

from __future__ import annotations

import ctypes as c
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NORMAL, WAITING, FINISH, ERROR = range(4)
GENERATE, HIDDEN, LOGITS = range(3)
GROUPS = {"1.1.4": "A", "1.2.0": "B", "1.2.3": "C", "1.3.0": "D"}

Fields = list[tuple[str, Any]]


def _struct(name: str, fields: Fields) -> type[c.Structure]:
    return type(name, (c.Structure,), {"_fields_": fields})


@dataclass(frozen=True)
class Perf:
    prefill_ms: float
    prefill_tokens: int
    generate_ms: float
    generate_tokens: int
    memory_mb: float


@dataclass(frozen=True)
class Event:
    state: int
    text: bytes | None
    token: int
    perf: Perf | None = None
    logits: tuple[int, int, bytes] | None = None
    hidden: tuple[int, int, bytes] | None = None


@dataclass(frozen=True)
class Picture:
    """Rows of all pictures, how many rows each has, and what is said about them."""

    rows: Sequence[float]
    n_tokens: int
    n: int = 1
    width: int = 0
    height: int = 0
    start: bytes | None = None
    end: bytes | None = None
    frames: int = 1


@dataclass
class Run:
    code: int
    events: list[Event] = field(default_factory=list)

    @property
    def tokens(self) -> list[int]:
        return [event.token for event in self.events if event.state in (NORMAL, WAITING)]

    @property
    def text(self) -> bytes:
        return b"".join(event.text or b"" for event in self.events)

    @property
    def states(self) -> list[int]:
        return [event.state for event in self.events]

    @property
    def perf(self) -> Perf:
        perf = self.events[-1].perf
        assert perf is not None
        return perf


class Layout:
    """The structs of one ABI group, written from the vendor's headers."""

    def __init__(self, group: str) -> None:
        self.group = group
        f, i, p, b = c.c_float, c.c_int32, c.c_char_p, c.c_bool
        extend: Fields = [("base_domain_id", i)]
        if group == "A":
            extend += [("reserved", c.c_uint8 * 112)]
        else:
            extend += [
                ("embed_flash", c.c_int8),
                ("enabled_cpus_num", c.c_int8),
                ("enabled_cpus_mask", c.c_uint32),
            ]
            extend += [("n_batch", c.c_uint8), ("use_cross_attn", c.c_int8), ("reserved", c.c_uint8 * 104)]
        sampling: Fields = [("top_k", i), ("top_p", f), ("temperature", f), ("repeat_penalty", f)]
        sampling += [("frequency_penalty", f), ("presence_penalty", f)]
        sampling += [("mirostat", i), ("mirostat_tau", f), ("mirostat_eta", f)]
        param: Fields = [("model_path", p), ("max_context_len", i), ("max_new_tokens", i), ("top_k", i)]
        param += [] if group == "A" else [("n_keep", i)]
        param += sampling[1:]
        param += [("skip_special_token", b)]
        param += [("ignore_eos_token", b)] if group == "D" else []
        param += [("is_async", b)]
        param += [] if group == "D" else [("img_start", p), ("img_end", p), ("img_content", p)]
        self.param = _struct("Param", [*param, ("extend", _struct("Extend", extend))])
        self.sampling = _struct("Sampling", sampling)
        tokens = _struct("Tokens", [("ids", c.c_void_p), ("n", c.c_size_t)])
        size = c.c_size_t
        if group == "D":
            tags: Fields = [("start", p), ("end", p), ("content", p), ("width", size), ("height", size)]
            image = _struct("Image", [("embed", c.c_void_p), ("n_tokens", size), ("n", size), *tags])
            frames: Fields = [("n_tokens", size), ("frames", size), ("n", size)]
            video = _struct("Video", [("embed", c.c_void_p), *frames, *tags])
            media: Fields = [("prompt", p), ("image", image), ("video", video)]
        else:
            media = [("prompt", p), ("embed", c.c_void_p), ("n_tokens", size)]
            media += [("n", size), ("width", size), ("height", size)] if group == "C" else []
        members: Fields = [("prompt", p), ("tokens", tokens), ("media", _struct("Media", media))]
        union = type("Union", (c.Union,), {"_fields_": [*members, ("room", c.c_uint8 * 192)]})
        head: Fields = [("role", p), ("enable_thinking", b)] if group in "CD" else []
        self.input = _struct("Input", [*head, ("type", i), ("value", union)])
        infer: Fields = [("mode", i), ("lora", c.c_void_p), ("prompt_cache", c.c_void_p)]
        infer += [("sampling", c.POINTER(self.sampling))] if group == "D" else []
        infer += [] if group == "A" else [("keep_history", c.c_int)]
        infer += [("max_new_tokens", i)] if group == "D" else []
        self.infer = _struct("Infer", infer)
        result: Fields = [
            ("text", p),
            ("token_id", i),
            ("hidden", c.c_void_p),
            ("hidden_size", i),
            ("hidden_n", i),
        ]
        result += [] if group == "A" else [("logits", c.c_void_p), ("vocab_size", i), ("num_tokens", i)]
        perf: Fields = [("prefill_ms", f), ("prefill_tokens", i), ("generate_ms", f), ("generate_tokens", i)]
        result += [*perf, ("memory_mb", f)] if group in "CD" else []
        self.result = _struct("Result", result)
        returns = c.c_int if group in "CD" else None
        self.callback = c.CFUNCTYPE(returns, c.POINTER(self.result), c.c_void_p, c.c_int)
        callbacks: Fields = [("result_callback", self.callback), ("result_userdata", c.c_void_p)]
        self.tokenize = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_char_p, i, c.POINTER(i), i)
        self.embed = c.CFUNCTYPE(c.c_int, c.c_void_p, c.POINTER(i), c.c_uint64, c.POINTER(f), c.c_uint64)
        callbacks += [("tokenize", self.tokenize), ("tokenize_userdata", c.c_void_p)]
        callbacks += [("embed", self.embed), ("embed_userdata", c.c_void_p)]
        self.callbacks = _struct("Callbacks", callbacks)

    def event(self, result: Any, state: int) -> Event:
        perf = logits = hidden = None
        if self.group in "CD" and state == FINISH:
            names = ("prefill_ms", "prefill_tokens", "generate_ms", "generate_tokens", "memory_mb")
            perf = Perf(*(getattr(result, name) for name in names))
        if self.group != "A" and result.logits:
            n = result.vocab_size * result.num_tokens * 4
            logits = (result.vocab_size, result.num_tokens, c.string_at(result.logits, n))
        if result.hidden:
            n = result.hidden_size * result.hidden_n * 4
            hidden = (result.hidden_size, result.hidden_n, c.string_at(result.hidden, n))
        return Event(state, result.text, result.token_id, perf, logits, hidden)


class Library:
    def __init__(self, path: Path, version: str) -> None:
        self.path = path
        self.version = version
        self.layout = Layout(GROUPS[version])
        self.c = c.CDLL(str(path))
        self.c.rkllm_createDefaultParam.restype = self.layout.param
        for name in ("destroy", "run", "run_async", "abort", "is_running"):
            getattr(self.c, f"rkllm_{name}").argtypes = {
                "run": [c.c_void_p, c.c_void_p, c.c_void_p, c.c_void_p],
                "run_async": [c.c_void_p, c.c_void_p, c.c_void_p, c.c_void_p],
            }.get(name, [c.c_void_p])

    def open(self, model: Path | None, **params: Any) -> Model:
        return Model(self, model, **params)

    def default(self) -> Any:
        return self.c.rkllm_createDefaultParam()


class RefusedError(Exception):
    """rkllm_init returned -1."""


class Model:
    """One handle. ``on_event`` is called inside the callback and may return its result."""

    def __init__(
        self,
        library: Library,
        model: Path | None,
        *,
        tokenize: Callable[..., int] | None = None,
        embed: Callable[..., int] | None = None,
        **params: Any,
    ) -> None:
        self.library, self.c, self.layout = library, library.c, library.layout
        self.events: list[Event] = []
        self.on_event: Callable[[Event], int | None] = lambda event: None
        self.on_result: Callable[[Any], object] = lambda result: None
        self._callback = self.layout.callback(self._receive)
        self.userdata: list[int | None] = []
        param: Any = library.default()
        param.model_path = str(model).encode() if model else None
        param.max_context_len = 0
        for name, value in params.items():
            owner = param if hasattr(param, name) else param.extend
            assert hasattr(owner, name), name
            setattr(owner, name, value)
        self.handle = c.c_void_p(0xBAD)
        third: Any = self._callback
        if self.layout.group == "D":
            callbacks: Any = self.layout.callbacks(result_callback=self._callback, result_userdata=0x1234)
            self._others = (self.layout.tokenize(tokenize or 0), self.layout.embed(embed or 0))
            callbacks.tokenize, callbacks.embed = self._others
            third = c.byref(callbacks)
        if self.c.rkllm_init(c.byref(self.handle), c.byref(param), third) != 0:
            assert self.handle.value == 0xBAD, "a refused init must leave the handle untouched"
            raise RefusedError

    def __enter__(self) -> Model:
        return self

    def __exit__(self, *_: object) -> None:
        if self.handle:
            self.destroy()

    def destroy(self) -> int:
        handle, self.handle = self.handle, c.c_void_p()
        return int(self.c.rkllm_destroy(handle))

    def _receive(self, result: Any, userdata: int | None, state: int) -> int:
        event = self.layout.event(result.contents, state)
        self.events.append(event)
        self.userdata.append(userdata)
        self.on_result(result.contents)
        return self.on_event(event) or 0

    def request(
        self,
        prompt: str | bytes | Sequence[int],
        *,
        rows: Sequence[float] | None = None,
        image: Picture | None = None,
        video: Picture | None = None,
        lora: bytes | None = None,
        save: tuple[int, bytes | None] | None = None,
        role: bytes | None = b"user",
        thinking: bool = True,
        mode: int = GENERATE,
        history: bool = False,
        max_new_tokens: int = 0,
        sampling: dict[str, float] | None = None,
    ) -> tuple[Any, Any]:
        given: Any = self.layout.input()
        if self.layout.group in "CD":
            given.role, given.enable_thinking = role, thinking
        if rows is not None:
            assert isinstance(prompt, Sequence)
            values = (c.c_float * len(rows))(*rows)
            given.type, given.keep_alive = 2, values
            given.value.tokens.ids, given.value.tokens.n = c.addressof(values), len(prompt)
        elif image is not None or video is not None:
            assert isinstance(prompt, str)
            given.type, given.value.media.prompt = 3, prompt.encode()
            given.keep_alive = [self._media(given.value.media, "image", image)]
            given.keep_alive.append(self._media(given.value.media, "video", video))
        elif isinstance(prompt, str | bytes):
            given.value.prompt = prompt.encode() if isinstance(prompt, str) else prompt
        else:
            ids = (c.c_int32 * len(prompt))(*prompt)
            given.type = 1
            given.value.tokens.ids, given.value.tokens.n = c.addressof(ids), len(prompt)
            given.keep_alive = ids
        infer: Any = self.layout.infer(mode=mode)
        if lora is not None:
            given.lora = c.c_char_p(lora)
            infer.lora = c.addressof(given.lora)
        if save is not None:
            given.save = _struct("Save", [("save", c.c_int), ("path", c.c_char_p)])(*save)
            infer.prompt_cache = c.addressof(given.save)
        if self.layout.group != "A":
            infer.keep_history = int(history)
        if self.layout.group == "D":
            infer.max_new_tokens = max_new_tokens
            if sampling is not None:
                infer.sampling = c.pointer(self.layout.sampling(**sampling))
        return given, infer

    def _media(self, media: Any, kind: str, given: Picture | None) -> Any:
        if given is None:
            return None
        values = (c.c_float * len(given.rows))(*given.rows)
        into = getattr(media, kind, media)
        into.embed = c.addressof(values)
        for name in ("n_tokens", "n", "width", "height", "start", "end", "frames"):
            if hasattr(into, name):
                setattr(into, name, getattr(given, name))
        return values

    def run(self, prompt: str | bytes | Sequence[int], **options: Any) -> Run:
        self.events.clear()
        given, infer = self.request(prompt, **options)
        code = self.c.rkllm_run(self.handle, c.byref(given), c.byref(infer), None)
        return Run(code, list(self.events))

    def run_async(self, prompt: str | bytes | Sequence[int], **options: Any) -> int:
        self.events.clear()
        given, infer = self.request(prompt, **options)
        return int(self.c.rkllm_run_async(self.handle, c.byref(given), c.byref(infer), None))

    def cache_size(self) -> int:
        size = c.c_int(-1)
        assert self.c.rkllm_get_kv_cache_size(self.handle, c.byref(size)) == 0
        return size.value

    def abort(self) -> int:
        return int(self.c.rkllm_abort(self.handle))

    def is_running(self) -> int:
        return int(self.c.rkllm_is_running(self.handle))

    def set_chat_template(self, system: str, prefix: str, postfix: str) -> int:
        parts = [c.c_char_p(part.encode()) for part in (system, prefix, postfix)]
        return int(self.c.rkllm_set_chat_template(self.handle, *parts))

    def clear(self, keep_system: int = 0, span: tuple[int, int] | None = None) -> int:
        if self.layout.group == "B":
            return int(self.c.rkllm_clear_kv_cache(self.handle, keep_system))
        start, end = (c.byref(c.c_int(part)) for part in span) if span else (None, None)
        return int(self.c.rkllm_clear_kv_cache(self.handle, keep_system, start, end))

    def call(self, name: str, *arguments: Any) -> int:
        texts = [c.c_char_p(part.encode() if isinstance(part, str) else part) for part in arguments]
        return int(self.c[f"rkllm_{name}"](self.handle, *texts))

    def load_lora(self, path: Path, name: str, scale: float = 1.0) -> int:
        adapter: Any = _struct("Adapter", [("path", c.c_char_p), ("name", c.c_char_p), ("scale", c.c_float)])
        return int(self.c.rkllm_load_lora(self.handle, c.byref(adapter(str(path).encode(), name.encode(), scale))))
