"""What a run may not have: more time than its limits, and sampling its runtime cannot change."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Final

from rkllm_providers.chat.prompt_types import PicturePrompt, TextPrompt
from rkllm_providers.chat.types import Sampling
from rkllm_providers.engine.load_plan import LoadPlan
from rkllm_providers.engine.run import EngineLimits, PromptFormChanged, Run, RunRequest, RunState, RuntimeInfo
from rkllm_providers.errors import ContextLengthExceeded, InvalidRequest, RequestTimeout
from rkllm_providers.models import PromptForm
from rkllm_providers.models.sampling_bounds import SAMPLING_BOUNDS

LEAST_CHUNK: Final = 32


def check_sampling(sampling: Sampling) -> None:
    """Refuse values no sampler can work with.

    Raises:
        InvalidRequest: One is out of bounds.
    """
    for name, (least, most) in SAMPLING_BOUNDS.items():
        value = getattr(sampling, name)
        if value is not None and not least <= value <= most:
            raise InvalidRequest(f"{name} is {value}; it must be between {least} and {most}.", name)


def parse_chunk(value: str | int | None) -> int | None:
    """The tokens of a piece that prompts are read in; ``"off"`` and ``None`` are one piece.

    Raises:
        InvalidRequest: It is no number of tokens that makes sense.
    """
    if value is None or value == "off":
        return None
    try:
        tokens = int(value)
    except ValueError:
        tokens = 0
    if tokens < LEAST_CHUNK:
        raise InvalidRequest(
            f"prefill_chunk is {value!r}; it must be 'off' or at least {LEAST_CHUNK} tokens, since each piece costs "
            f"about one decode.",
            "prefill_chunk",
        )
    return tokens


def room_of(request: RunRequest, plan: LoadPlan, info: RuntimeInfo | None) -> int | None:
    """The most tokens a run may give, as the model was really loaded; ``None`` if only its worker can tell.

    Raises:
        PromptFormChanged: The prompt was rendered before the load showed that another form is needed.
        ContextLengthExceeded: The prompt does not fit the window that the model was loaded with.
    """
    prompt = request.prompt
    is_text = isinstance(prompt, TextPrompt)
    if request.plain:
        # No template is in play: ids are refused only where loading showed that they mean something else.
        unfit = not is_text and plan.form is not plan.spec.form
    elif isinstance(prompt, PicturePrompt):
        unfit = prompt.form is not plan.form
    else:
        unfit = is_text is (plan.form is PromptForm.TOKENS)
    if unfit:
        raise PromptFormChanged(f"{plan.spec.name} takes its prompts as {plan.form.value}.")
    if isinstance(prompt, TextPrompt):
        return request.max_tokens
    room = plan.context_length - len(prompt)
    if request.rows is None and info is not None and not info.per_run_sampling:
        # These runtimes are stopped by an abort, which may come one token late.
        room -= 1
    if room < 1:
        raise ContextLengthExceeded(len(prompt), plan.context_length)
    return room if request.max_tokens is None else min(room, request.max_tokens)


def deadline_of(run: Run, limits: EngineLimits, ready_at: float | None, heard_at: float = 0.0) -> float:
    """The monotonic time at which a run's time is over.

    ``ready_at`` is when the model was loaded, ``None`` before. The wait in the queue counts from then.
    ``heard_at`` is when the worker last sent something.
    """
    request = run.request
    waits_for_first = run.state is RunState.QUEUED or heard_at <= run.ordered_at
    if run.state is not RunState.QUEUED:
        quiet = run.ordered_at + limits.first_token_seconds if waits_for_first else heard_at + limits.token_seconds
        deadline = min(run.started_at + limits.run_seconds, quiet)
    elif ready_at is None:
        deadline = math.inf
    else:
        deadline = max(run.queued_at, ready_at) + _queue_seconds(run, limits)
    if request.first_token_timeout is not None and waits_for_first:
        deadline = min(deadline, run.submitted_at + request.first_token_timeout)
    if request.timeout is not None:
        deadline = min(deadline, run.submitted_at + request.timeout)
    return deadline


def own_deadline(run: Run) -> float | None:
    """The monotonic time at which the time that its caller gave a run is over; ``None`` if nobody waits for that."""
    timeout = run.request.timeout
    return None if timeout is None or run.cancelled else run.submitted_at + timeout


def timeout_of(run: Run, limits: EngineLimits, name: str, heard_at: float, now: float) -> RequestTimeout:
    """What the caller of a run whose time is over is told."""
    queued = run.state is RunState.QUEUED
    request = run.request
    if request.timeout is None or now < run.submitted_at + request.timeout:
        first = request.first_token_timeout
        if heard_at <= run.ordered_at and first is not None and now >= run.submitted_at + first:
            return RequestTimeout(
                f"{name} gave no first token within {first:.1f} s"
                f"{', most of it in the queue' if queued else ''}. Shorten the prompt, or allow a longer time.",
                "first token",
                first,
            )
        if not queued and now < run.started_at + limits.run_seconds:
            return _silence(run, limits, name, heard_at)
    limit = _queue_seconds(run, limits) if queued else limits.run_seconds
    if run.request.timeout is not None:
        limit = min(limit, run.request.timeout)
    if queued:
        return RequestTimeout(
            f"The request waited {limit:.1f} s in the queue of {name} without being started. "
            f"Try again later, or allow a longer time.",
            "queue",
            limit,
        )
    return RequestTimeout(
        f"The request to {name} was not complete after {limit:.1f} s and was aborted. "
        f"Ask for fewer tokens, or allow a longer time.",
        "run",
        limit,
    )


def _queue_seconds(run: Run, limits: EngineLimits) -> float:
    """How long a run may wait for its turn; bulk work has a longer queue, and waits for everybody else's."""
    return limits.bulk_queue_seconds if run.request.priority == "bulk" else limits.queue_seconds


def _silence(run: Run, limits: EngineLimits, name: str, heard_at: float) -> RequestTimeout:
    if heard_at <= run.ordered_at:
        return RequestTimeout(
            f"{name} gave no first token within {limits.first_token_seconds:.0f} s of its start and was aborted. "
            f"Shorten the prompt, or raise the limit.",
            "first token",
            limits.first_token_seconds,
        )
    return RequestTimeout(
        f"{name} gave no further token for {limits.token_seconds:.0f} s and was aborted: the library hangs, or the "
        f"board is too busy.",
        "token",
        limits.token_seconds,
    )


def sampling_warnings(wanted: Sampling, loaded: Sampling, info: RuntimeInfo | None) -> tuple[str, ...]:
    """What to tell a caller whose sampling is not what the model was loaded with."""
    if info is None or info.per_run_sampling or wanted == loaded:
        return ()
    values = asdict(loaded)
    missed = [name for name, value in asdict(wanted).items() if value not in (None, values[name])]
    imposed = [f"{name} {value}" for name, value in values.items() if value is not None and name not in missed]
    parts = [f"not applied: {', '.join(missed)}"] if missed else []
    parts += [f"in force since loading: {', '.join(imposed)}"] if imposed else []
    if not parts:
        return ()
    return (
        f"Runtime {info.version} takes sampling parameters only when it loads a model, and the first request "
        f"for it set them; {'; '.join(parts)}. Runtime 1.3.0 takes them per request.",
    )
