"""Settings of an object, arguments of a call, and which of them win."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage

from rkllm_providers.chat import GenerateOptions
from rkllm_providers.errors import InvalidRequest, RequestTimeout, ServiceUnreachable
from rkllm_providers.llama_index import RKLLM
from rkllm_providers.llama_index.settings import GenerationSettings
from tests.conftest import WriteModel, needs_llama
from tests.llama_index.conftest import HELLO, OpenLLM

pytestmark = needs_llama

# One value of each setting that is neither its default nor without effect.
OTHER: dict[str, Any] = {
    "max_tokens": 7,
    "temperature": 0.5,
    "top_p": 0.5,
    "top_k": 5,
    "repeat_penalty": 1.5,
    "frequency_penalty": 0.5,
    "presence_penalty": 0.5,
    "stop": ["x"],
    "thinking": False,
    "reasoning_effort": "low",
    "thinking_budget": 0,
    "keep_reasoning": "all",
    "lora": "pirate",
    "timeout": 5.0,
    "first_token_timeout": 5.0,
    "priority": "bulk",
    "volatile_system": "keep",
    "keep_alive": "5m",
}


def options_of(llm: RKLLM, **arguments: object) -> GenerateOptions:
    return llm._request([], arguments).options


@pytest.mark.parametrize("name", GenerationSettings.model_fields)
def test_each_counts_in_the_object_and_in_the_call(name: str) -> None:
    value = OTHER[name]
    plain = RKLLM(model="m")
    of_object = RKLLM(model="m", **{name: value})
    assert options_of(of_object) != options_of(plain)
    assert options_of(plain, **{name: value}) == options_of(of_object)
    assert options_of(RKLLM(model="m", additional_kwargs={name: value})) == options_of(of_object)
    default = getattr(plain, name)
    assert options_of(of_object, **{name: default}) == options_of(plain)


def test_a_call_wins_over_everything() -> None:
    llm = RKLLM(model="m", thinking=True, additional_kwargs={"thinking": True, "top_k": 3}, top_k=2)
    assert options_of(llm).thinking is True
    assert options_of(llm, thinking=False).thinking is False
    assert options_of(llm, thinking=None).thinking is None
    assert options_of(llm).sampling.top_k == 3
    assert options_of(llm, top_k=1).sampling.top_k == 1


def test_thinking_off(llm: RKLLM, open_llm: OpenLLM) -> None:
    on = llm.chat([ChatMessage("Hi!")]).raw["usage"]["prompt_tokens"]
    off = open_llm(thinking=False).chat([ChatMessage("Hi!")]).raw["usage"]["prompt_tokens"]
    # The closed thinking that the template puts at the end of the prompt.
    assert off > on
    assert llm.chat([ChatMessage("Hi!")], thinking=False).raw["usage"]["prompt_tokens"] == off
    assert open_llm(thinking=False).chat([ChatMessage("Hi!")], thinking=True).raw["usage"]["prompt_tokens"] == on


def test_stops_and_limits(llm: RKLLM, open_llm: OpenLLM) -> None:
    assert llm.complete("Hi!", stop="there").text == "Hello "
    assert open_llm(stop=["re,"]).complete("Hi!").text == "Hello the"
    assert open_llm(stop=["re,"]).complete("Hi!", stop=["lo"]).text == "Hel"
    cut = open_llm(max_tokens=4).complete("endless")
    assert (cut.text, cut.raw["finish_reason"]) == (" la" * 4, "length")
    assert llm.complete("endless", max_tokens=2).text == " la" * 2
    with pytest.raises(RequestTimeout):
        llm.complete("slow", timeout=0.2)
    assert llm.complete("Hi!").text == HELLO


def test_a_prompt_that_is_formatted_goes_as_it_is(llm: RKLLM) -> None:
    text = "<|im_start|>user\nAnswer me twice: Ada.<|im_end|>\n<|im_start|>assistant\n"
    answer = llm.complete(text, formatted=True)
    assert answer.text == "Ada, Ada"
    as_text = llm.complete(text, formatted=True, parse_special=False)
    assert as_text.raw["usage"]["prompt_tokens"] == len(llm.tokenize(text)) > answer.raw["usage"]["prompt_tokens"]
    unformatted = llm.complete("Answer me twice: Ada.")
    assert unformatted.text == "Ada, Ada"
    assert unformatted.raw["usage"]["prompt_tokens"] > len(llm.tokenize("Answer me twice: Ada."))


def test_what_nobody_knows_is_named(llm: RKLLM) -> None:
    with pytest.warns(UserWarning, match=r"RKLLM has no settings temprature \(is temperature meant\?\)"):
        RKLLM(model="m", temprature=0.3)  # type: ignore[call-arg]
    with pytest.warns(UserWarning, match=r"RKLLM has no arguments max_token \(is max_tokens meant\?\)"):
        assert llm.complete("Hi!", max_token=1).text == HELLO
    with pytest.warns(UserWarning, match="no arguments zzz"):
        options_of(RKLLM(model="m", additional_kwargs={"zzz": 1}))
    # Reuse of the KV cache goes by the prompt.
    assert llm.complete("Hi!", session_id="a").text == HELLO


def test_values_out_of_bounds_are_refused(llm: RKLLM) -> None:
    with pytest.raises(ValueError, match="temperature"):
        RKLLM(model="m", temperature=-1)
    for arguments in ({"temperature": "hot"}, {"max_tokens": 0}, {"keep_reasoning": "some"}, {"keep_alive": "soon"}):
        (name,) = arguments
        with pytest.raises(InvalidRequest, match=name) as caught:
            llm.complete("Hi!", **arguments)
        assert caught.value.param == name


def test_a_model_without_thinking_says_so(write_model: WriteModel, open_llm: OpenLLM) -> None:
    template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:"
    write_model(f'template <<END\n{template}\nEND\nrule *\n  text "Hi."\nend\n', "plain")
    plain = open_llm(model="plain")
    assert not plain.metadata.is_function_calling_model
    with pytest.raises(InvalidRequest, match="does not think"):
        plain.complete("Hi!", thinking=True)
    assert plain.complete("Hi!", thinking=False).text == "Hi."


def test_a_service_is_an_address_away() -> None:
    llm = RKLLM(model="m", base_url="http://127.0.0.1:9/v1", api_key="secret")
    assert llm._address.base_url == "http://127.0.0.1:9/v1"
    assert llm._address.api_key == "secret"
    assert "secret" not in repr(llm) + repr(llm._address)
    with pytest.raises(ServiceUnreachable, match="Nothing answers at http"):
        llm.open()
