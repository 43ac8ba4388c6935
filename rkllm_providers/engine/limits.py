"""The time limits of a run: when one passes, and what its caller is told."""

from __future__ import annotations

import math

from rkllm_providers.engine.run import EngineLimits, Run, RunState
from rkllm_providers.errors import RequestTimeout


def deadline_of(run: Run, limits: EngineLimits, ready_at: float | None) -> float:
    """The monotonic time at which a run's time is over.

    ``ready_at`` is when the model was loaded, ``None`` before. The wait in the queue counts from then.
    """
    if run.state is not RunState.QUEUED:
        deadline = run.started_at + limits.run_seconds
    elif ready_at is None:
        deadline = math.inf
    else:
        deadline = max(run.submitted_at, ready_at) + limits.queue_seconds
    if run.request.timeout is not None:
        deadline = min(deadline, run.submitted_at + run.request.timeout)
    return deadline


def timeout_of(run: Run, limits: EngineLimits, name: str) -> RequestTimeout:
    """What the caller of a run whose time is over is told."""
    queued = run.state is RunState.QUEUED
    limit = limits.queue_seconds if queued else limits.run_seconds
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
