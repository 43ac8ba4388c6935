"""No token of one request ever appears in another, whoever asks and however requests end."""

from __future__ import annotations

import asyncio
import random
import subprocess
import threading
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from itertools import pairwise, product
from typing import Any, Final, Literal

import pytest

from rkllm_providers.chat import ChatEvent, ChatMessage, Finish, GenerateOptions, TextDelta
from rkllm_providers.emulator import Script, load_script
from rkllm_providers.engine import EngineLimits, ModelClient
from rkllm_providers.errors import ContextLengthExceeded, RequestTimeout
from tests.conftest import ABI_VERSIONS, OpenModel, WriteModel, needs_llama

pytestmark = needs_llama

REQUESTS: Final = 500
CLIENTS: Final = 8
ROUNDS: Final = 10
Kind = Literal["whole", "limit", "stop", "cancel", "late cancel", "time"]
KINDS: Final[tuple[Kind, ...]] = ("whole", "limit", "limit", "stop", "cancel", "late cancel", "time")
# Every part of an answer names its request.
NAMED: Final = 'rule "request {name}"\n  text "' + "".join(f" {{name}}:{n}" for n in range(ROUNDS)) + '"\nend\n'
SCRIPT: Final = f'word " la"\nrule "endless"\n  forever " la"\nend\n{NAMED}rule *\n  text "Hello there."\nend\n'


def ask(text: str) -> list[ChatMessage]:
    return [ChatMessage("user", text)]


def answer_to(name: str) -> str:
    return "".join(f" {name}:{n}" for n in range(ROUNDS))


@dataclass
class Request:
    """A request that ends in its own way, and what came of it."""

    name: str
    kind: Kind
    options: GenerateOptions
    patience: int
    """How many tokens, or for a task milliseconds, it takes before it gives up."""
    way: int
    events: list[ChatEvent] = field(default_factory=list)
    ended: Literal["", "done", "cancelled", "timeout"] = ""

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))

    def check(self, script: Script) -> None:
        whole = answer_to(self.name)
        assert whole.startswith(self.text), self
        assert self.ended, self
        if self.ended != "done":
            assert self.kind in ("cancel", "late cancel", "time"), self
            return
        finish = self.events[-1]
        assert isinstance(finish, Finish)
        ids = script.encode(whole)
        expected, reason = whole, "stop"
        if self.kind == "limit":
            limit = self.options.max_tokens or 0
            assert finish.usage.completion_tokens == min(limit, len(ids) + 1)
            expected = script.decode(ids[:limit]).decode()
            reason = "length" if limit <= len(ids) else "stop"
        elif self.kind == "stop":
            expected = whole.split(self.options.stop[0])[0]
        assert (self.text, finish.reason) == (expected, reason), self


def requests_of(seed: int) -> list[Request]:
    chance = random.Random(seed)
    made = []
    for number in range(REQUESTS):
        name, kind = f"n{number}", chance.choice(KINDS)
        options = GenerateOptions()
        if kind == "limit":
            options = GenerateOptions(max_tokens=chance.randint(1, 80))
        elif kind == "stop":
            # It begins within one token and ends within another, or is the name itself.
            options = GenerateOptions(stop=(f"{name[-1]}:{chance.randrange(ROUNDS)}",))
        elif kind == "time":
            options = GenerateOptions(timeout=chance.uniform(0.001, 0.08))
        patience = chance.randint(60, 75) if kind == "late cancel" else chance.randint(0, 70)
        made.append(Request(name, kind, options, patience, chance.randrange(3)))
    return made


def take(client: ModelClient, request: Request) -> None:
    """A request of a thread: cancelled by closing its stream, or by forgetting it."""
    stream = client.stream(ask(f"request {request.name}"), request.options)
    cancels = "cancel" in request.kind
    try:
        if cancels and not request.patience:
            return
        for event in stream:
            request.events.append(event)
            if cancels and len(request.events) >= request.patience and not isinstance(event, Finish):
                request.ended = "cancelled"
                break
        else:
            request.ended = "done"
    except RequestTimeout:
        request.ended = "timeout"
    finally:
        request.ended = request.ended or "cancelled"
        if request.way:
            stream.close()


async def take_in_loop(client: ModelClient, request: Request) -> None:
    """A request of a coroutine: cancelled by closing its stream or its answer, or with its task."""
    if "cancel" in request.kind and request.way == 0:
        task = asyncio.create_task(read(client, request))
        await asyncio.sleep(request.patience / 4000)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled() or task.result() is None
        request.ended = request.ended or "cancelled"
    elif "cancel" in request.kind and request.way == 1:
        answer = await client.aopen(ask(f"request {request.name}"), request.options)
        async for events in answer:
            request.events += events
            if len(request.events) >= request.patience:
                break
        answer.close()
        request.ended = "cancelled"
    else:
        await read(client, request)


async def read(client: ModelClient, request: Request) -> None:
    limit = request.patience if "cancel" in request.kind and request.way == 2 else None
    try:
        async with aclosing(client.astream(ask(f"request {request.name}"), request.options)) as stream:
            async for event in stream:
                request.events.append(event)
                if limit is not None and len(request.events) > limit:
                    request.ended = "cancelled"
                    return
        request.ended = "done"
    except RequestTimeout:
        request.ended = "timeout"


@pytest.mark.parametrize(("version", "pace"), [("1.3.0", ""), ("1.2.3", "decode_ms 0.1\n")])
def test_no_token_of_one_request_appears_in_another(
    open_model: OpenModel, write_model: WriteModel, version: str, pace: str
) -> None:
    """Runtimes of 1.2 are ended at ``max_tokens`` by an abort, those of 1.3 end by themselves."""
    path = write_model(pace + SCRIPT)
    client = open_model(path, version, limits=EngineLimits(abort_seconds=10))
    client.complete(ask("Hi!"))
    pid = client.engine.worker_pid
    requests = requests_of(7)

    threads = [threading.Thread(target=serve, args=(client, requests[n::CLIENTS])) for n in range(CLIENTS // 2)]
    for thread in threads:
        thread.start()
    asyncio.run(serve_in_loop(client, [requests[n::CLIENTS] for n in range(CLIENTS // 2, CLIENTS)]))
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)

    script = load_script(path)
    for request in requests:
        request.check(script)
    assert client.complete(ask("Hi!")).text == "Hello there."
    # Nothing of this costs a worker.
    assert client.engine.worker_pid == pid
    assert not client.engine.waiting
    assert {request.ended for request in requests} == {"done", "cancelled", "timeout"}


def serve(client: ModelClient, requests: Iterable[Request]) -> None:
    for request in requests:
        take(client, request)


async def serve_in_loop(client: ModelClient, requests: Iterable[Iterable[Request]]) -> None:
    async def one_after_another(mine: Iterable[Request]) -> None:
        for request in mine:
            await take_in_loop(client, request)

    await asyncio.gather(*map(one_after_another, requests))


@pytest.mark.parametrize("version", ABI_VERSIONS)
def test_a_cancel_at_the_very_end_does_not_meet_the_next_request(
    open_model: OpenModel, write_model: WriteModel, version: str
) -> None:
    """An abort that comes when its run has just ended must not end the next run, nor keep it waiting."""
    client = open_model(write_model(SCRIPT), version)
    n_deltas = len([*client.stream(ask("request n0"))]) - 1
    pid = client.engine.worker_pid
    for number in range(120):
        stream = client.stream(ask("request n0"))
        for _ in range(n_deltas - number % 4):
            assert isinstance(next(stream), TextDelta)
        stream.close()
        following = client.complete(ask(f"request m{number}"))
        assert (following.text, following.finish.reason) == (answer_to(f"m{number}"), "stop")
    assert client.engine.worker_pid == pid


@pytest.mark.parametrize("version", ABI_VERSIONS)
def test_what_a_limit_cut_off_does_not_begin_the_next_answer(
    open_model: OpenModel, write_model: WriteModel, version: str
) -> None:
    """The token after the last one allowed is nobody's."""
    path = write_model(SCRIPT)
    client, script = open_model(path, version), load_script(path)
    ids = script.encode(answer_to("n0"))
    for limit in [*range(1, 12), len(ids) - 1, len(ids), len(ids) + 1, len(ids) + 2]:
        cut = client.complete(ask("request n0"), GenerateOptions(max_tokens=limit))
        assert cut.text == script.decode(ids[:limit]).decode()
        assert cut.finish.usage.completion_tokens == min(limit, len(ids) + 1)
        assert client.complete(ask("request m0")).text == answer_to("m0")


def test_first_requests_of_many_threads_share_one_load(
    open_model: OpenModel, write_model: WriteModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many ask a model that is not loaded, one process is started for it."""
    starts: list[object] = []
    popen = subprocess.Popen

    def counted(*args: Any, **kwargs: Any) -> object:
        starts.append(args)
        return popen(*args, **kwargs)

    monkeypatch.setattr(subprocess, "Popen", counted)
    path = write_model(SCRIPT)
    texts: list[str] = []

    def one() -> None:
        texts.append(open_model(path).complete(ask("Hi!")).text)

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert texts == ["Hello there."] * 8
    assert len(starts) == 1


RECALL: Final = """
context 4096
words alpha beta gamma delta
rule "secret of {name} {rest}What is it?"
  text "It is {name}'s, {n_prompt} tokens."
end
rule "I like {colour}.<|im_end|>{rest}Which colour"
  text "You said {colour}, {n_prompt} tokens."
end
rule *
  text "Noted."
end
"""


@pytest.mark.parametrize("version", ABI_VERSIONS)
def test_chats_that_open_alike_stay_apart(open_model: OpenModel, write_model: WriteModel, version: str) -> None:
    """Each turn sees its own conversation whole, and nothing of another with the same beginning."""
    client = open_model(write_model(RECALL), version)
    opening = [ChatMessage("system", "Be brief. " * 20), *ask("Hello!")]
    chats = {}
    for name in ("ann", "bob", "eve"):
        chats[name] = [*opening, ChatMessage("assistant", client.complete(opening).text)]
    for name, chat in chats.items():
        chat.append(ChatMessage("user", f"The secret of {name} is a secret. "))
        chat.append(ChatMessage("assistant", client.complete(chat).text))
    for _ in range(3):
        for name, chat in chats.items():
            chat.append(ChatMessage("user", "What is it?"))
            result = client.complete(chat)
            n_prompt = client.count_tokens(chat)
            assert result.text == f"It is {name}'s, {n_prompt} tokens."
            assert result.finish.usage.prompt_tokens == n_prompt
            chat.append(ChatMessage("assistant", result.text))


@pytest.mark.parametrize("version", ABI_VERSIONS)
def test_an_edit_of_any_earlier_message_counts(open_model: OpenModel, write_model: WriteModel, version: str) -> None:
    """Whose message was edited makes no difference: the model reads the conversation as it is now."""
    client = open_model(write_model(RECALL), version)
    for colour, place in product(("red", "blue", "red", "green"), range(3)):
        chat = [ChatMessage("system", "Be kind."), *ask("Hello!"), ChatMessage("assistant", "Hello!"), *ask("Well?")]
        chat[place] = replace(chat[place], content=f"I like {colour}.")
        chat += [ChatMessage("assistant", "Fine."), *ask("Which colour was it?")]
        n_prompt = client.count_tokens(chat)
        assert client.complete(chat).text == f"You said {colour}, {n_prompt} tokens."


SPELLED: Final = "So it ends here: the end. And more of it, the END, the end again."
PIECES: Final = "".join(
    f'  piece "{SPELLED[begin:end]}"\n'
    for begin, end in pairwise([0, 3, 4, 9, 13, 17, 18, 20, 23, 30, 40, len(SPELLED)])
)


STOPS: Final = ("the end", "s here", " ", "S", ": the end. A", "the END", "never", ". And")


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("version", ABI_VERSIONS)
def test_no_part_of_a_stop_and_nothing_behind_it_is_delivered(
    open_model: OpenModel, write_model: WriteModel, version: str, asynchronous: bool
) -> None:
    """A stop is found wherever it is cut into tokens, before any of it is shown."""
    client = open_model(write_model(f"rule *\n{PIECES}end\n"), version)
    for stop in STOPS:
        options = GenerateOptions(stop=(stop,))
        events = asyncio.run(listed(client, options)) if asynchronous else [*client.stream(ask("Hi!"), options)]
        text = "".join(event.text for event in events if isinstance(event, TextDelta))
        assert text == SPELLED.split(stop)[0]
        assert isinstance(events[-1], Finish)
        assert events[-1].reason == "stop"


async def listed(client: ModelClient, options: GenerateOptions) -> list[ChatEvent]:
    return [event async for event in client.astream(ask("Hi!"), options)]


@pytest.mark.parametrize("version", ABI_VERSIONS)
def test_a_chat_that_grows_never_outgrows_the_window(
    open_model: OpenModel, write_model: WriteModel, version: str
) -> None:
    """Prompt and answer together stay within the window at every turn, and a turn too many is refused."""
    client = open_model(write_model("context 512\n" + SCRIPT), version)
    chat = ask("Hello!")
    with pytest.raises(ContextLengthExceeded) as refused:  # noqa: PT012 - some turn or other
        for _ in range(100):
            result = client.complete(chat, GenerateOptions(max_tokens=40))
            assert result.finish.usage.total_tokens <= 512
            chat += [ChatMessage("assistant", result.text), *ask("endless")]
    assert 10 < len(chat) < 60
    assert refused.value.n_ctx == 512
    assert refused.value.n_prompt_tokens == client.count_tokens(chat) >= 512
    whole = client.complete(chat[:-2])
    assert whole.finish.usage.total_tokens <= 512
    assert client.complete(ask("request m0")).text == answer_to("m0")
