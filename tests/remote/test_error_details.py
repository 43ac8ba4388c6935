"""Errors that are told over the wire and raised again."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rkllm_providers import errors
from rkllm_providers.remote.error_details import describe_error, rebuild_error

ERRORS = [
    errors.LibraryNotFound("No library."),
    errors.UnsupportedRuntime("Unknown."),
    errors.UnsupportedFeature("Too old."),
    errors.ModelNotFound("x", ["a", "b"], could_be=["a"], broken=["c: empty"]),
    errors.ModelLoadError("Refused.", ["line 1", "line 2"]),
    errors.NPUBusy(47, "http://127.0.0.1:8000/v1", ("qwen",)),
    errors.NPUBusy(None),
    errors.InvalidRequest("Wrong.", "tools"),
    errors.ContextLengthExceeded(5000, 4096, at_least=True, index=3),
    errors.QueueFull(64, 64, 12.5),
    errors.RequestTimeout("Too long.", "queue", 300.0),
    errors.RequestCancelled("Gone."),
    errors.GenerationError("Failed.", ["E: out of memory"]),
    errors.InvalidOutput("No JSON.", "Hello", "begins with H"),
    errors.RknnError("Broken.", ["E RKNN"], code=-6, name="RKNN_ERR_MODEL_INVALID", function="rknn_init"),
    errors.WorkerCrashed("Died.", ["abort"]),
    errors.ServiceUnreachable("Nothing answers.", "http://x"),
    errors.EngineClosed("Closed."),
    errors.RKLLMError("Something."),
]


def test_all_classes_are_here() -> None:
    def below(cls: type[errors.RKLLMError]) -> set[type]:
        return {cls}.union(*(below(sub) for sub in cls.__subclasses__() if sub.__module__ == errors.__name__))

    assert {type(error) for error in ERRORS} == below(errors.RKLLMError)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_the_same_behind_the_wire(error: errors.RKLLMError) -> None:
    rebuilt = rebuild_error(json.loads(json.dumps(describe_error(error))), str(error))
    assert type(rebuilt) is type(error)
    assert str(rebuilt) == str(error)
    assert vars(rebuilt) == vars(error)


def test_classes_of_others_travel_as_the_nearest_of_ours() -> None:
    class Odd(errors.QueueFull):
        """Of a framework, perhaps."""

    assert describe_error(Odd(1, 2, 3.0))["class"] == "QueueFull"


@pytest.mark.parametrize(
    "details",
    [
        None,
        "QueueFull",
        {},
        {"class": "SystemExit"},
        {"class": ["QueueFull"]},
        {"class": "QueueFull"},
        {"class": "QueueFull", "waiting": True, "bound": 1, "retry_after": 1},
        {"class": "QueueFull", "waiting": 1, "bound": 1, "retry_after": float("inf")},
        {"class": "ModelNotFound", "model": "x", "known": "abc", "could_be": [], "broken": []},
    ],
)
def test_details_of_another_kind_are_none(details: object) -> None:
    assert rebuild_error(details, "Something.") is None


def test_nothing_but_the_attributes_is_taken() -> None:
    rebuilt = rebuild_error({"class": "EngineClosed", "args": [], "__class__": "x", "extra": 1}, "Closed.")
    assert rebuilt is not None
    assert vars(rebuilt) == {}


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(
    st.sampled_from(ERRORS), st.dictionaries(st.sampled_from(["log_tail", "param", "index", "n_ctx", "phase"]), _JSON)
)
def test_any_details_give_an_error_or_none(error: errors.RKLLMError, changes: dict[str, Any]) -> None:
    rebuilt = rebuild_error({**describe_error(error), **changes}, "Something.")
    assert rebuilt is None or type(rebuilt) is type(error)


def test_halves_of_surrogate_pairs_can_be_sent() -> None:
    details = describe_error(errors.ModelNotFound("\ud800", ["\udc00"]))
    assert json.dumps(details, ensure_ascii=False).encode()
    assert (details["model"], details["known"]) == ("\\ud800", ["\\udc00"])
