"""Loading a model, in the worker: the library, the model in it, and whether both count tokens alike."""

from __future__ import annotations

import traceback
from dataclasses import replace
from typing import Any, Final

from rkllm_providers.engine.picture_encoder import PictureEncoder, encoder_plan
from rkllm_providers.engine.picture_runs import PictureRuns
from rkllm_providers.engine.text_runs import PromptCounter, TextRuns
from rkllm_providers.errors import GenerationError, RKLLMError
from rkllm_providers.runtime import (
    Feature,
    InitParams,
    Markers,
    ModelHandle,
    PromptInput,
    RuntimeLibrary,
    SamplingParams,
)

_CHECK_MARGIN: Final = 8


class TokenizerMismatch(RKLLMError):
    """The library counts another number of tokens than the tokenizer that prompts were to be made with."""


class NotAlone(RKLLMError):
    """The runtime, of this version, takes one model at a time, and another one is loaded."""

    def __init__(self, version: str) -> None:
        super().__init__(f"Runtime {version} takes one model at a time.")
        self.version = version


def load(order: dict[str, Any]) -> ModelHandle:
    """Load a model as it was ordered.

    Raises:
        RKLLMError: It cannot be loaded, or not as ordered.
    """
    path, version = order["library"], order["version"]
    if order["emulated"]:
        from rkllm_providers.emulator import build_library

        path = str(build_library(version) if version else build_library())
        version = None
    library = RuntimeLibrary.open(path, version)
    several = library.supports(Feature.SEVERAL_INSTANCES)
    if order["beside_others"] and not several:
        raise NotAlone(library.version)
    # Runtimes without sampling per run sample every request as the first one asked.
    per_run = library.supports(Feature.SAMPLING_PER_RUN)
    handle = ModelHandle(
        library,
        InitParams(
            model_path=order["model"],
            max_context_len=order["context_length"],
            sampling=SamplingParams() if per_run else sampling_params(order["sampling"]),
            skip_special_token=order["skip_special_tokens"],
            # Other domains than the first crashed in runtimes that take one model only.
            base_domain_id=order["base_domain_id"] if several or _places_pictures(order, library) else None,
            # Runtimes before 1.3.0 take the markers around pictures here, and nowhere else.
            markers=None if order["vision"] is None else _markers(order["vision"]),
        ),
    )
    if order["raw"] and library.supports(Feature.CHAT_TEMPLATE):
        handle.set_chat_template("", "", "")
    return handle


def picture_runs(handle: ModelHandle, texts: TextRuns, order: dict[str, Any]) -> PictureRuns | None:
    """What runs pictures, where the model has a vision encoder, which is loaded if the order says so.

    Raises:
        RKLLMError: The encoder cannot be loaded.
    """
    if order["vision"] is None:
        return None
    from rkllm_providers.vision import PictureLimits

    plan = encoder_plan(order["vision"])
    encoder = PictureEncoder(plan, PictureLimits(**order["picture_limits"]), order["picture_cache"])
    if order["load_encoder"]:
        encoder.load()
    return PictureRuns(handle, texts, plan, encoder, order["context_length"])


def _markers(vision: dict[str, Any]) -> Markers:
    return Markers(vision["start"], vision["end"], vision["content"])


def _places_pictures(order: dict[str, Any], library: RuntimeLibrary) -> bool:
    """Whether the model must leave the first memory domain to its encoder; 1.1.0 crashed in any other (issue 99)."""
    return order["vision"] is not None and library.version != "1.1.0"


def sampling_params(wanted: dict[str, Any]) -> SamplingParams:
    """The sampling an order asks for, in the library's terms."""
    params = SamplingParams(**wanted)
    if params.temperature == 0:
        # What the sampler makes of a temperature of 0 is not settled; the likeliest token alone is.
        params = replace(params, top_k=1, temperature=1.0)
    return params


def check_tokenizer(handle: ModelHandle, order: dict[str, Any]) -> bool:
    """Have the library count a text; whether it could be asked.

    Raises:
        TokenizerMismatch: It counts another number of tokens.
    """
    fits = order["check_tokens"] + _CHECK_MARGIN <= order["context_length"]
    if order["check_text"] is None or not fits or not handle.library.supports(Feature.KV_CACHE_SIZE):
        return False
    # Without a template of its own, which does not concern token input, it counts the text alone.
    handle.set_chat_template("", "", "")
    try:
        n_tokens, computed = PromptCounter(handle).count(PromptInput(order["check_text"]))
    except GenerationError:
        traceback.print_exc()  # into the log; a model that cannot be asked is not thereby broken
        return False
    handle.clear_kv_cache()
    # Nothing was in the cache, so all tokens were computed; its size may have the sampled one as well.
    n_tokens = computed or n_tokens
    # A beginning token may have been put before it.
    if n_tokens - order["check_tokens"] not in (0, 1):
        raise TokenizerMismatch(
            f"The library makes {n_tokens} tokens of a text that the model's tokenizer makes "
            f"{order['check_tokens']} of, so the tokenizer is another model's."
        )
    return True
