"""Which conversations' states are worth a file, and which file is worth loading.

A KV cache holds one conversation. When another would push it out, its state can be written to a prompt-cache file
and loaded when it comes back, in place of reading all of it anew. That costs disk: about 115 kB per token for a model
of 1.7 billion parameters. So both costs are measured, and compared with what prefill costs here.
"""

from __future__ import annotations

import hashlib
import logging
import time
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from rkllm_providers.engine.kept_folder import KeptFolder, KeptState
from rkllm_providers.engine.ledger import CacheLedger, CacheUse, common_length
from rkllm_providers.models.observations import observe
from rkllm_providers.runtime.features import Feature, supports

logger = logging.getLogger(__name__)

# Shorter ones are read again sooner than they are looked for.
_LEAST_TOKENS: Final = 256
_LEAST_GAIN_TOKENS: Final = 64
# Of what is in danger, how much must be lost: a turn that was edited is no other conversation.
_LEAST_LOST: Final = 0.5
# How often a state is loaded before it is outdated: one of a conversation that came back before, and one of a
# conversation of which nothing is known.
_LOADS_AGAIN: Final = 4.0
_LOADS_FIRST: Final = 1.0
# Until a file tells: a model of 1.7 billion parameters (28 layers, 8 heads of 128, 16 bits, keys and values).
_TOKEN_BYTES: Final = 115_000
_TOLERANCE: Final = 4
_MOST_MISSES: Final = 2
_LEARNING: Final = 0.3


@dataclass(frozen=True, slots=True)
class KeptStateSettings:
    """Whether states of conversations are kept in files. ``auto`` keeps those that are worth it.

    ``folder`` is where (below ``XDG_CACHE_HOME`` if ``None``), ``max_bytes`` what all files of a model may take, and
    ``max_bytes_per_day`` what may be written in 24 hours, since cards wear; ``persist`` leaves the files to the next
    engine of the model. They hold what was said, as keys and values: the folder is open to its owner only.
    """

    mode: Literal["off", "auto"] = "off"
    folder: Path | None = None
    max_bytes: int = 2 << 30
    max_bytes_per_day: int = 8 << 30
    persist: bool = False


class KeepPlan(NamedTuple):
    """What to do before a run: keep the cache's state in a file, and load another state."""

    save_to: Path | None = None
    restore: KeptState | None = None


class KeptStates:
    """The kept states of one model. Belongs to the engine's thread."""

    def __init__(self, settings: KeptStateSettings, name: str, model: Path, ledger: CacheLedger, base: Path) -> None:
        """``base`` is the folder for all models' states."""
        self._settings = settings
        self._name = name
        self._model = model
        self._ledger = ledger
        self._base = base
        self._folder: KeptFolder | None = None
        self._is_on = False
        self._misses = 0
        self._prefill_seconds: float | None = None
        self._probed_rate: float | None = None
        self._write_rate: float | None = None
        self._read_rate: float | None = None
        self._token_bytes: float = _TOKEN_BYTES
        self._came_back = False

    @property
    def is_on(self) -> bool:
        """Whether states are kept at the moment."""
        return self._is_on

    @property
    def states(self) -> list[KeptState]:
        """What is kept."""
        return self._folder.states if self._folder is not None else []

    def open(self, version: str, identity: str) -> None:
        """A worker has loaded the model; ``identity`` is all that a state depends on."""
        self._came_back = False
        # Whether a state matched is told by the tokens that were computed, so they must be known.
        told = supports(version, Feature.PERF) and supports(version, Feature.PREFIX_REUSE)
        self._is_on = self._settings.mode == "auto" and told and self._misses < _MOST_MISSES
        if not self._is_on or self._folder is not None:
            return
        key = hashlib.sha256(f"{version}\n{identity}".encode()).hexdigest()[:24]
        try:
            self._folder = KeptFolder(self._base, key, persist=self._settings.persist)
        except OSError as error:
            self._switch_off(f"the folder {self._base} cannot be made ({error})", note=False)

    def close(self) -> None:
        """The engine ends."""
        folder, self._folder = self._folder, None
        self._is_on = False
        if folder is not None:
            folder.close()

    def forget(self) -> None:
        """Let go of everything in a forked child: the files are the parent's."""
        folder, self._folder = self._folder, None
        self._is_on = False
        if folder is not None:
            folder.disown()

    def plan(self, prompt: array[int]) -> KeepPlan:
        """What to do before a prompt is run."""
        folder, held = self._folder, self._ledger.held
        if not self._is_on or folder is None or self._prefill_seconds is None or not self._ledger.reuses_prefixes:
            return KeepPlan()
        ids = np.frombuffer(prompt, np.int32)
        common = 0 if held is None else common_length(ids, held)
        best = max(folder.states, key=lambda state: common_length(ids, state.tokens), default=None)
        restore = best if best is not None and self._is_worth_loading(best, ids, common) else None
        save_to = None
        if held is not None and self._is_worth_saving(len(held), len(held) - common) and self._make_room(len(held)):
            save_to = folder.new_path()
        if held is not None and common < len(held) * _LEAST_LOST:
            self._came_back = False  # of the next one nothing is known yet
        return KeepPlan(save_to, restore)

    def note_saved(self, path: Path, tokens: array[int], content: dict[str, Any]) -> None:
        """A run that was to write a file has ended."""
        n_bytes = content["saved_bytes"]
        if self._folder is None:
            return
        if content["error"] is None and not content["generated"]:
            path.unlink(missing_ok=True)  # it was cancelled; what the cache held then is not known
            return
        if content["error"] is not None or not n_bytes:
            path.unlink(missing_ok=True)
            # Models with linear attention have no state that could be saved; the library says so and goes on.
            self._switch_off("the runtime wrote no state of this model", note=True)
            return
        self._token_bytes = n_bytes / len(tokens)
        self._write_rate = _learn(self._write_rate, n_bytes / max(1e-3, content["decode_ms"] / 1000))
        ids = np.frombuffer(tokens, np.int32)
        state = KeptState(path, ids, n_bytes, came_back=self._came_back)
        for older in [
            older for older in self._folder.states if common_length(ids, older.tokens) == len(older.tokens)
        ]:
            state.came_back = state.came_back or older.came_back
            self._folder.remove(older)  # the same conversation, earlier
        self._folder.add(state)
        logger.info("%s: kept the state of %d tokens, %d bytes", self._name, len(tokens), n_bytes)

    def note_run(self, content: dict[str, Any]) -> None:
        """Learn from a run what prefill costs here."""
        computed = content["prefill_tokens"]
        if content["error"] is None and computed is not None and computed >= _LEAST_GAIN_TOKENS:
            self._prefill_seconds = _learn(self._prefill_seconds, content["prefill_ms"] / 1000 / computed)

    def note_restored(self, state: KeptState, use: CacheUse | None, expected: int, content: dict[str, Any]) -> None:
        """A run before which a state was to be loaded has ended; ``expected`` tokens of it should have been used."""
        if self._folder is None:
            return
        cached = use.cached_tokens if use is not None and content["restored"] else 0
        if cached is not None and cached + _TOLERANCE >= expected:
            self._misses = 0
            self._came_back = state.came_back = True
            state.used_at = time.time()
            if content["restore_ms"] > 0:
                self._read_rate = _learn(self._read_rate, state.n_bytes / (content["restore_ms"] / 1000))
            return
        self._folder.remove(state)
        self._misses += 1
        logger.info("%s: a kept state gave %s of %d tokens; it is deleted", self._name, cached, expected)
        if self._misses >= _MOST_MISSES:
            self._switch_off("loaded states were not used by the runtime", note=True)

    def _is_worth_saving(self, n_held: int, n_lost: int) -> bool:
        if n_lost < _LEAST_TOKENS or n_lost < n_held * _LEAST_LOST:
            return False
        held = self._ledger.held
        if held is not None and any(len(held) - common_length(held, s.tokens) < _LEAST_TOKENS for s in self.states):
            return False  # nearly all of it is kept already
        loads = _LOADS_AGAIN if self._came_back else _LOADS_FIRST
        size = n_held * self._token_bytes
        gain = loads * (n_lost * (self._prefill_seconds or 0.0) - self._load_seconds(size))
        return gain > size / self._rate_of_writing()

    def _is_worth_loading(self, state: KeptState, ids: np.ndarray[Any, np.dtype[np.int32]], common: int) -> bool:
        gained = common_length(ids, state.tokens) - common
        if gained < _LEAST_GAIN_TOKENS:
            return False
        return gained * (self._prefill_seconds or 0.0) > self._load_seconds(state.n_bytes)

    def _load_seconds(self, n_bytes: float) -> float:
        # Cards read at least as fast as they write.
        return n_bytes / (self._read_rate or self._rate_of_writing())

    def _rate_of_writing(self) -> float:
        if self._write_rate is not None:
            return self._write_rate
        if self._probed_rate is None and self._folder is not None:
            try:
                self._probed_rate = self._folder.probe_write_rate()
            except OSError as error:
                self._switch_off(f"nothing can be written to {self._base} ({error})", note=False)
        return self._probed_rate or 1.0

    def _make_room(self, n_tokens: int) -> bool:
        """Whether a state of so many tokens may be written; the least recently used ones go for it."""
        folder, settings = self._folder, self._settings
        size = int(n_tokens * self._token_bytes)
        if folder is None or not self._is_on or size > min(settings.max_bytes, folder.free_bytes):
            return False
        if folder.written_today + size > settings.max_bytes_per_day:
            return False
        for state in sorted(folder.states, key=lambda state: state.used_at):
            if folder.n_bytes + size <= settings.max_bytes:
                break
            folder.remove(state)
        return True

    def _switch_off(self, why: str, *, note: bool) -> None:
        self._is_on = False
        self._misses = _MOST_MISSES
        logger.warning("%s: states of conversations are not kept any more: %s.", self._name, why)
        if note:
            observe(self._model, "kept states", f"States of conversations are not kept: {why}.")
        for state in list(self.states):
            if self._folder is not None:
                self._folder.remove(state)


def _learn(old: float | None, new: float) -> float:
    return new if old is None else old + _LEARNING * (new - old)
