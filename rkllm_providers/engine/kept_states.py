"""Which conversations' states are worth a file, and which file is worth loading.

A KV cache holds one conversation. When another would push it out, its state can be written to a prompt-cache file
and loaded when it comes back, in place of reading all of it anew. That costs disk: about 115 kB per token for a model
of 1.7 billion parameters. So both costs are measured, and compared with what prefill costs here.
"""

from __future__ import annotations

import hashlib
import logging
import math
import time
from array import array
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rkllm_providers.engine.kept_folder import KeptFolder, KeptState, default_folder, file_stamp
from rkllm_providers.engine.ledger import CacheLedger, CacheUse, common_length
from rkllm_providers.engine.write_probe import WriteProbe
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
_PROBE_END_SECONDS: Final = 5.0


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

    def __init__(self, settings: KeptStateSettings, name: str, model: Path, ledger: CacheLedger) -> None:
        self._settings = settings
        self._name = name
        self._model = model
        self._ledger = ledger
        self._folder: KeptFolder | None = None
        self._key = ""
        self._is_on = False
        self._misses = 0
        self._prefill_seconds: float | None = None
        self._probe: WriteProbe | None = None
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
        """A worker has loaded the model; a state depends on its file, the runtime, and ``identity``."""
        self._came_back = False
        # Whether a state matched is told by the tokens that were computed, so they must be known.
        told = supports(version, Feature.PERF) and supports(version, Feature.PREFIX_REUSE)
        self._is_on = self._settings.mode == "auto" and told and self._misses < _MOST_MISSES
        if not self._is_on:
            return
        try:
            key = f"{self._model.absolute()}\n{file_stamp(self._model)}\n{version}\n{identity}"
            if key == self._key:
                return
            self.close()
            hashed = hashlib.sha256(key.encode()).hexdigest()[:24]
            self._folder = KeptFolder(
                self._settings.folder or default_folder(), hashed, persist=self._settings.persist
            )
            self._key, self._is_on = key, True
        except (OSError, RuntimeError) as error:  # the latter where nobody knows the user's home
            self._switch_off(f"their folder cannot be used ({error})", note=False)

    def close(self) -> None:
        """The engine ends."""
        folder, self._folder = self._folder, None
        self._is_on, self._key = False, ""
        probe, self._probe = self._probe, None
        if probe is not None and not probe.wait(_PROBE_END_SECONDS):
            logger.warning("%s: the disk of kept states does not answer; a file of 16 MiB may stay", self._name)
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
        folder = self._folder
        if not self._is_on or folder is None or self._prefill_seconds is None or not self._ledger.reuses_prefixes:
            return KeepPlan()
        try:
            return self._plan(folder, np.frombuffer(prompt, np.int32))
        except OSError as error:
            self._switch_off(f"their folder cannot be used ({error})", note=False)
            return KeepPlan()

    def _plan(self, folder: KeptFolder, ids: NDArray[np.int32]) -> KeepPlan:
        held = self._ledger.held
        common = 0 if held is None else common_length(ids, held)
        restore = self._best_for(folder, ids, common)
        save_to = None
        if held is not None and self._is_worth_saving(len(held), len(held) - common):
            save_to = folder.new_path() if self._make_room(folder, len(held), restore) else None
        if held is not None and common < len(held) * _LEAST_LOST:
            self._came_back = False  # of the next one nothing is known yet
        return KeepPlan(save_to, restore)

    def _best_for(self, folder: KeptFolder, ids: NDArray[np.int32], common: int) -> KeptState | None:
        """The state that wins most for a prompt, of those whose files are as they were written."""
        for state in sorted(folder.states, key=lambda state: -common_length(ids, state.tokens)):
            if not self._is_worth_loading(state, ids, common):
                break
            if state.is_whole:
                return state
            folder.remove(state)
        return None

    def note_saved(self, path: Path, tokens: array[int], content: dict[str, Any]) -> None:
        """A run that was to write a file has ended."""
        if self._folder is None:
            return
        try:
            self._take_in(self._folder, path, tokens, content)
        except OSError as error:
            self._switch_off(f"their folder cannot be used ({error})", note=False)

    def _take_in(self, folder: KeptFolder, path: Path, tokens: array[int], content: dict[str, Any]) -> None:
        n_bytes = content["saved_bytes"]
        if content["error"] is not None or not content["generated"] or not n_bytes:
            folder.drop(path, n_bytes or 0)
            if content["error"] is None and not content["generated"]:
                return  # it was cancelled; what the cache held then is not known
            path.parent.stat()  # a folder that is gone is no fault of the runtime's
            # Models with linear attention have no state that could be saved; the library says so and goes on.
            self._switch_off("the runtime wrote no state of this model", note=True)
            return
        self._token_bytes = n_bytes / len(tokens)
        self._write_rate = _learn(self._write_rate, n_bytes / max(1e-3, content["decode_ms"] / 1000))
        ids = np.frombuffer(tokens, np.int32)
        state = KeptState(path, ids, n_bytes, came_back=self._came_back)
        for older in [older for older in folder.states if common_length(ids, older.tokens) == len(older.tokens)]:
            state.came_back = state.came_back or older.came_back
            folder.remove(older)  # the same conversation, earlier
        folder.add(state)
        logger.info("%s: kept the state of %d tokens, %d bytes", self._name, len(tokens), n_bytes)

    def note_unsaved(self, path: Path) -> None:
        """The worker was lost while it wrote a file: the next attempt would cost a request too."""
        with suppress(OSError):
            path.unlink(missing_ok=True)
        self._switch_off("the worker was lost while one was written", note=True)

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
        logger.info("%s: a kept state gave %s of %d tokens; it is deleted", self._name, cached, expected)
        self._note_miss(state, "loaded states were not used by the runtime")

    def note_failed(self, state: KeptState) -> None:
        """A run before which a state was to be loaded has failed."""
        logger.info("%s: a run with a kept state failed; the state is deleted", self._name)
        self._note_miss(state, "runs with loaded states failed")

    def _note_miss(self, state: KeptState, why: str) -> None:
        self._misses += 1
        try:
            if self._folder is not None:
                self._folder.remove(state)
        except OSError as error:
            self._switch_off(f"their folder cannot be used ({error})", note=False)
        if self._is_on and self._misses >= _MOST_MISSES:
            self._switch_off(why, note=True)

    def _is_worth_saving(self, n_held: int, n_lost: int) -> bool:
        if n_lost < _LEAST_TOKENS or n_lost < n_held * _LEAST_LOST:
            return False
        held = self._ledger.held
        if held is not None and any(len(held) - common_length(held, s.tokens) < _LEAST_TOKENS for s in self.states):
            return False  # nearly all of it is kept already
        loads = _LOADS_AGAIN if self._came_back else _LOADS_FIRST
        size = n_held * self._token_bytes
        rate = self._rate_of_writing()
        if rate is None:
            return False
        gain = loads * (n_lost * (self._prefill_seconds or 0.0) - self._load_seconds(size))
        return gain > size / rate

    def _is_worth_loading(self, state: KeptState, ids: NDArray[np.int32], common: int) -> bool:
        gained = common_length(ids, state.tokens) - common
        if gained < _LEAST_GAIN_TOKENS:
            return False
        return gained * (self._prefill_seconds or 0.0) > self._load_seconds(state.n_bytes)

    def _load_seconds(self, n_bytes: float) -> float:
        # Cards read at least as fast as they write.
        rate = self._read_rate or self._rate_of_writing()
        return n_bytes / rate if rate else math.inf

    def _rate_of_writing(self) -> float | None:
        if self._write_rate is not None or self._folder is None:
            return self._write_rate
        if self._probe is None:  # first here, as cards wear out by being measured too
            self._probe = WriteProbe(self._folder.probe_write_rate)
        return self._probe.rate()

    def _make_room(self, folder: KeptFolder, n_tokens: int, needed: KeptState | None) -> bool:
        """Whether a state of so many tokens may be written; the least recently used ones go for it.

        The one that is ``needed`` stays: it is loaded after that.
        """
        settings = self._settings
        size = int(n_tokens * self._token_bytes)
        most = settings.max_bytes - (needed.n_bytes if needed is not None else 0)
        if size > min(most, folder.free_bytes) or folder.written_today + size > settings.max_bytes_per_day:
            return False
        for state in sorted(folder.states, key=lambda state: state.used_at):
            if folder.n_bytes + size <= settings.max_bytes:
                break
            if state is not needed:
                folder.remove(state)
        return True

    def _switch_off(self, why: str, *, note: bool) -> None:
        self._is_on = False
        self._misses = _MOST_MISSES
        logger.warning("%s: states of conversations are not kept any more: %s.", self._name, why)
        if note:
            observe(self._model, "kept states", f"States of conversations are not kept: {why}.")
        if self._folder is not None:
            self._folder.empty()


def _learn(old: float | None, new: float) -> float:
    return new if old is None else old + _LEARNING * (new - old)
