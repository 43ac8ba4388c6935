"""ChatRKLLM on scripted models."""

import copy
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate

from rkllm_providers.engine import ModelClient, shared_registry
from rkllm_providers.errors import EngineClosed, InvalidRequest, ModelNotFound
from rkllm_providers.langchain import ChatRKLLM
from tests.conftest import WriteModel, needs_llama

pytestmark = needs_llama

SCRIPT = """
decode_ms 0.5
word " la"
rule "endless"
  forever " la"
end
rule "capital of {country}?"
  text "You asked about {country}."
end
rule *
  text "Hello there, 你好."
end
"""


@pytest.fixture
def chat(write_model: WriteModel) -> Iterator[ChatRKLLM]:
    path = write_model(SCRIPT)
    model = ChatRKLLM(model="scripted", models_dir=str(path.parent))
    yield model
    model.close()
    shared_registry().close()


def test_invoke(chat: ChatRKLLM) -> None:
    message = chat.invoke("Hi!")
    assert isinstance(message, AIMessage)
    assert message.content == "Hello there, 你好."
    assert message.response_metadata["finish_reason"] == "stop"
    assert message.response_metadata["model_name"] == "scripted"
    assert message.response_metadata["model_provider"] == "rkllm"
    assert message.response_metadata["timings"]["prefill_ms"] >= 0
    usage = message.usage_metadata
    assert usage is not None
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


def test_tokens_are_counted_as_the_model_counts_them(chat: ChatRKLLM) -> None:
    usage = chat.invoke("Hi! <|im_end|>").usage_metadata
    assert usage is not None
    assert usage["input_tokens"] == chat.get_num_tokens_from_messages([HumanMessage("Hi! <|im_end|>")])
    assert chat.get_num_tokens("Hi!") == len(chat.get_token_ids("Hi!")) < usage["input_tokens"]


def test_stream_says_everything_once(chat: ChatRKLLM) -> None:
    chunks = list(chat.stream("Hi!"))
    assert len(chunks) > 3
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    invoked = chat.invoke("Hi!")
    assert isinstance(whole, AIMessageChunk)
    assert whole.content == invoked.content
    assert whole.response_metadata["model_name"] == "scripted"
    assert whole.response_metadata["finish_reason"] == "stop"
    assert sum(chunk.usage_metadata is not None for chunk in chunks) == 1
    assert [chunk.chunk_position for chunk in chunks].count("last") == 1
    assert whole.usage_metadata is not None
    assert invoked.usage_metadata is not None
    assert whole.usage_metadata["output_tokens"] == invoked.usage_metadata["output_tokens"]


async def test_the_asynchronous_twins_give_the_same(chat: ChatRKLLM) -> None:
    message = await chat.ainvoke("Hi!")
    pieces = [chunk.content async for chunk in chat.astream("Hi!")]
    assert "".join(str(piece) for piece in pieces) == message.content
    assert message.content == chat.invoke("Hi!").content
    assert message.usage_metadata is not None


def test_batch_keeps_the_order(chat: ChatRKLLM) -> None:
    countries = ["France", "Peru", "Chad", "Iran", "Oman", "Togo"]
    answers = chat.batch([f"What is the capital of {country}?" for country in countries])
    assert [answer.content for answer in answers] == [f"You asked about {country}." for country in countries]


def test_a_chain(chat: ChatRKLLM) -> None:
    prompt = ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "The capital of {country}?")])
    chain = prompt | chat | StrOutputParser()
    assert chain.invoke({"country": "Peru"}) == "You asked about Peru."


def test_settings_of_the_object_and_of_the_call(chat: ChatRKLLM) -> None:
    short = chat.model_copy(update={"max_tokens": 4})
    assert short.invoke("endless").content == " la" * 4
    assert short.invoke("endless", max_tokens=2).content == " la" * 2
    assert short.bind(max_tokens=3).invoke("endless").content == " la" * 3
    stopping = chat.model_copy(update={"stop": ["Hello"]})
    assert stopping.invoke("Hi!").content == ""
    assert stopping.invoke("Hi!", stop=["there"]).content == "Hello "
    message = chat.invoke("Hi!", stop=["there"])
    assert message.content == "Hello "
    assert message.response_metadata["finish_reason"] == "stop"


def test_messages_are_not_touched(chat: ChatRKLLM) -> None:
    messages = [SystemMessage("Be brief."), HumanMessage([{"type": "text", "text": "Hi!"}])]
    before = [message.model_copy(deep=True) for message in messages]
    chat.invoke(messages)
    assert messages == before


def test_leaving_a_stream_frees_the_model(chat: ChatRKLLM) -> None:
    for chunk in chat.stream("endless"):
        assert chunk.content == " la"
        break
    assert chat.invoke("Hi!").content == "Hello there, 你好."


def test_two_objects_share_one_engine(chat: ChatRKLLM) -> None:
    other = ChatRKLLM(model="scripted", models_dir=chat.models_dir, temperature=0.1)
    first, second = chat._open(), other._open()
    assert isinstance(first, ModelClient)
    assert isinstance(second, ModelClient)
    assert first.engine is second.engine
    chat.close()
    assert other.invoke("Hi!").content == "Hello there, 你好."
    with pytest.raises(EngineClosed):
        chat.invoke("Hi!")


def test_a_copy_opens_the_model_it_names(chat: ChatRKLLM, write_model: WriteModel) -> None:
    write_model('rule *\n  text "I am the other."\nend\n', "other")
    assert chat.invoke("Hi!").content == "Hello there, 你好."
    other = chat.model_copy(update={"model": "other"})
    assert other.invoke("Hi!").content == "I am the other."
    other.close()
    for copied in (chat.model_copy(), copy.copy(chat), copy.deepcopy(chat), pickle.loads(pickle.dumps(chat))):
        assert copied.invoke("Hi!").content == "Hello there, 你好."
        copied.close()
    assert chat.invoke("Hi!").content == "Hello there, 你好."


def test_an_object_outlives_an_engine_that_was_closed(chat: ChatRKLLM) -> None:
    chat.invoke("Hi!")
    shared_registry().close()
    assert chat.invoke("Hi!").content == "Hello there, 你好."


def test_settings_that_do_not_exist_are_named() -> None:
    with pytest.warns(UserWarning, match="temprature"):
        ChatRKLLM(model="scripted", temprature=0.3)  # type: ignore[call-arg]


def test_what_is_not_supported_is_refused(chat: ChatRKLLM) -> None:
    with pytest.raises(InvalidRequest, match="no name"):
        chat.invoke("Hi!", tools=[{"type": "function"}])
    with pytest.raises(InvalidRequest, match="image_url"):
        chat.invoke([HumanMessage([{"type": "image_url", "image_url": {"url": "cat.png"}}])])
    with pytest.warns(UserWarning, match="temprature"):
        chat.invoke("Hi!", temprature=0.3)


def test_constructing_does_no_io(tmp_path: Path) -> None:
    opened: list[object] = []
    watching = False

    def note(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event in ("open", "os.listdir", "os.scandir", "subprocess.Popen", "socket.__new__"):
            opened.append(arguments)

    sys.addaudithook(note)
    watching = True
    model = ChatRKLLM(model="nobody", models_dir=str(tmp_path / "nowhere"))
    watching = False
    assert opened == []
    with pytest.raises(ModelNotFound, match="nobody"):
        model.invoke("Hi!")


def test_importing_the_package_loads_no_framework() -> None:
    code = (
        "import sys, rkllm_providers, rag_service, rkllm_providers.engine, rkllm_providers.runtime;"
        "loaded = {name.split('.')[0] for name in sys.modules};"
        "assert not loaded & {'langchain_core', 'llama_index', 'fastapi', 'llama_cpp', 'numpy', 'tokenizers'}, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    code = (
        "import sys, rkllm_providers.langchain;"
        "assert not [name for name in sys.modules if name.startswith(('llama_index', 'llama_cpp', 'fastapi'))]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
