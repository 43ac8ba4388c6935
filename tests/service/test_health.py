"""Health, readiness and figures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from rag_service.metrics import Metrics, ModelReadings
from rag_service.npu_readings import NPUReadings, parse_load, read_npu
from rkllm_providers.chat import Finish
from rkllm_providers.chat.types import Timings, Usage
from tests.conftest import WriteModel, needs_llama
from tests.service.conftest import StartService

SCRIPT = """
word " la"
prefill_ms 1
decode_ms 1
rule "endless"
  forever " la"
end
rule "crash"
  crash
end
rule *
  text "Hello there."
end
"""


def ask(url: str, text: str, **fields: Any) -> httpx.Response:
    body = {"model": "talker", "messages": [{"role": "user", "content": text}], **fields}
    return httpx.post(f"{url}/v1/chat/completions", json=body, timeout=60)


def figures(url: str) -> dict[str, float]:
    """All samples of a service, by name and labels."""
    response = httpx.get(f"{url}/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    return samples(response.text)


def samples(text: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


@needs_llama
def test_health_tells_what_the_service_does(start_service: StartService, write_model: WriteModel) -> None:
    write_model(SCRIPT, "talker")
    url = start_service()
    assert httpx.get(f"{url}/v1/models").status_code == 200
    idle = httpx.get(f"{url}/health").json()
    assert (idle["status"], idle["current_model"], idle["model_loaded"], idle["active_request"]) == (
        "ok",
        None,
        False,
        None,
    )
    assert idle["vl_model"] is None
    assert idle["models_available"] >= 1
    body = {"model": "talker", "stream": True, "messages": [{"role": "user", "content": "endless"}]}
    headers = {"X-Request-Id": "my-request"}
    with httpx.stream("POST", f"{url}/v1/chat/completions", json=body, headers=headers, timeout=60) as response:
        lines = response.iter_lines()
        next(lines)
        busy = httpx.get(f"{url}/health").json()
        assert (busy["current_model"], busy["model_loaded"], busy["active_request"]) == ("talker", True, "my-request")
        assert next(line for line in lines if line)


@needs_llama
def test_ready_when_the_model_of_the_start_is_loaded(start_service: StartService, write_model: WriteModel) -> None:
    write_model(SCRIPT, "talker")
    url = start_service(model="talker")
    assert ask(url, "Hi").status_code == 200  # waits for the load
    assert httpx.get(f"{url}/ready").json() == {"status": "ready"}


@needs_llama
def test_not_ready_where_it_cannot_be_loaded(start_service: StartService, write_model: WriteModel) -> None:
    url = start_service(model="nobody")
    httpx.get(f"{url}/v1/models")
    response = httpx.get(f"{url}/ready")
    assert response.status_code == 503
    assert response.json()["error"]["code"] == "not_ready"
    assert "nobody" in response.json()["error"]["message"]
    assert httpx.get(f"{url}/health").json()["status"] == "ok"


@needs_llama
def test_figures_of_answers(start_service: StartService, write_model: WriteModel) -> None:
    write_model(SCRIPT, "talker")
    url = start_service()
    usages = [ask(url, "Hi").json()["usage"] for _ in range(2)]
    streamed = ask(url, "Hi", stream=True, stream_options={"include_usage": True})
    assert streamed.text.endswith("data: [DONE]\n\n")
    assert ask(url, "crash").status_code == 503
    told = figures(url)
    model = "{model=talker}"
    assert told[f"rkllm_answers_total{model}"] == 3
    assert told[f"rkllm_answers_failed_total{model}"] == 1
    assert told["rkllm_worker_deaths_total"] == 1
    assert told[f"rkllm_completion_tokens_total{model}"] == 3 * usages[0]["completion_tokens"]
    assert told[f"rkllm_prompt_tokens_total{model}"] == 3 * usages[0]["prompt_tokens"]
    cached = usages[1]["prompt_tokens_details"]["cached_tokens"]
    assert told[f"rkllm_cached_tokens_total{model}"] == 2 * cached > 0
    assert told[f"rkllm_prefill_tokens_total{model}"] == 3 * usages[0]["prompt_tokens"] - 2 * cached
    for name in ("queue_seconds", "time_to_first_token_seconds", "decode_tokens_per_second", "cached_prompt_ratio"):
        assert told[f"rkllm_{name}_count{model}"] == 3
    assert told[f"rkllm_time_to_first_token_seconds_sum{model}"] > 0
    assert told[f"rkllm_prefill_tokens_per_second_count{model}"] >= 1
    assert told["rkllm_http_requests_total{method=POST,route=/chat/completions,status=200}"] == 3
    assert told["rkllm_http_requests_total{method=POST,route=/chat/completions,status=503}"] == 1
    assert told["rkllm_queue_length{model=talker}"] == 0
    assert told["process_resident_memory_bytes"] > 1 << 20
    assert ask(url, "Hi").status_code == 200
    again = figures(url)
    assert again["rkllm_model_loaded{model=talker}"] == 1
    assert again["rkllm_model_memory_bytes{model=talker}"] > 0


@needs_llama
def test_a_client_that_leaves_is_counted(start_service: StartService, write_model: WriteModel) -> None:
    write_model(SCRIPT, "talker")
    url = start_service()
    body = {"model": "talker", "stream": True, "messages": [{"role": "user", "content": "endless"}]}
    with httpx.stream("POST", f"{url}/v1/chat/completions", json=body, timeout=60) as response:
        next(response.iter_lines())
    assert ask(url, "Hi").status_code == 200  # answered after the other one was aborted
    assert figures(url)["rkllm_answers_cancelled_total{model=talker}"] == 1


@needs_llama
def test_paths_of_strangers_are_no_labels(start_service: StartService) -> None:
    url = start_service()
    for number in range(5):
        httpx.get(f"{url}/nowhere/{number}")
        httpx.request("PROPFIND", f"{url}/coffee/{number}")
    requests = [name for name in figures(url) if name.startswith("rkllm_http_requests_total")]
    assert (
        requests
        == [
            "rkllm_http_requests_total{method=GET,route=(none),status=404}",
            "rkllm_http_requests_total{method=OTHER,route=(none),status=404}",
        ]
        or len(requests) <= 3
    )
    assert not any("coffee" in name or "nowhere" in name for name in requests)


@needs_llama
def test_answers_without_a_model_are_counted_apart(start_service: StartService, write_model: WriteModel) -> None:
    write_model(SCRIPT, "talker")
    url = start_service()
    body = {"model": "talker", "messages": [{"role": "user", "content": "Anything"}]}
    task = {"X-OpenWebUI-Task": "autocomplete_generation"}
    assert httpx.post(f"{url}/v1/chat/completions", json=body, headers=task, timeout=60).status_code == 200
    told = figures(url)
    assert told["rkllm_answers_total{model=(none)}"] == 1
    assert not any(name.startswith("rkllm_time_to_first_token_seconds_count") for name in told)


def test_there_is_a_figure_for_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a model loaded, on a board that tells of its NPU."""

    class Models:
        worker_deaths = 2

        def readings(self) -> list[ModelReadings]:
            return [ModelReadings("talker", True, 5000, 3)]

    readings = NPUReadings({"0": 0.5, "1": 0.25}, 1e9, 45.5)
    monkeypatch.setattr("rag_service.metrics.read_npu", lambda: readings)
    metrics, models = Metrics(), Models()
    metrics.watch(models)
    metrics.note_request("POST", "/chat/completions", 200)
    metrics.note_finish(Finish("stop", Usage(30, 8, 20), Timings(500, 0, 250, 1000)), "talker")
    metrics.note_cancelled("talker")
    metrics.note_failed("talker")
    told = samples(metrics.text().decode())
    wanted = {
        "rkllm_http_requests_total{method=POST,route=/chat/completions,status=200}": 1,
        "rkllm_answers_total{model=talker}": 1,
        "rkllm_answers_cancelled_total{model=talker}": 1,
        "rkllm_answers_failed_total{model=talker}": 1,
        "rkllm_prompt_tokens_total{model=talker}": 30,
        "rkllm_cached_tokens_total{model=talker}": 20,
        "rkllm_prefill_tokens_total{model=talker}": 10,
        "rkllm_completion_tokens_total{model=talker}": 8,
        "rkllm_queue_seconds_sum{model=talker}": 0.5,
        "rkllm_time_to_first_token_seconds_sum{model=talker}": 0.75,
        "rkllm_prefill_tokens_per_second_sum{model=talker}": 40,
        "rkllm_decode_tokens_per_second_sum{model=talker}": 8,
        "rkllm_cached_prompt_ratio_sum{model=talker}": pytest.approx(2 / 3),
        "rkllm_worker_deaths_total": 2,
        "rkllm_model_loaded{model=talker}": 1,
        "rkllm_model_memory_bytes{model=talker}": 5000,
        "rkllm_queue_length{model=talker}": 3,
        "rkllm_npu_load_ratio{core=0}": 0.5,
        "rkllm_npu_load_ratio{core=1}": 0.25,
        "rkllm_npu_frequency_hertz": 1e9,
        "rkllm_npu_temperature_celsius": 45.5,
    }
    assert {name: told.get(name) for name in wanted} == wanted
    assert {"process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds_total"} <= told.keys()
    metrics.forget(models)
    assert "rkllm_model_loaded{model=talker}" not in samples(metrics.text().decode())


def test_figures_without_a_board_have_no_npu() -> None:
    assert b"rkllm_npu" not in Metrics().text()
    readings = read_npu(Path("/nonexistent"))
    assert (readings.loads, readings.frequency, readings.temperature) == ({}, None, None)


def test_what_a_board_tells_of_its_npu(tmp_path: Path) -> None:
    for name, text in {
        "sys/kernel/debug/rknpu/load": "NPU load:  Core0: 12%, Core1:  0%, Core2: 100%,\n",
        "sys/class/devfreq/dmc/cur_freq": "528000000\n",
        "sys/class/devfreq/fdab0000.npu/cur_freq": "1000000000\n",
        "sys/class/thermal/thermal_zone0/type": "soc-thermal\n",
        "sys/class/thermal/thermal_zone0/temp": "40000\n",
        "sys/class/thermal/thermal_zone6/type": "npu-thermal\n",
        "sys/class/thermal/thermal_zone6/temp": "45307\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    readings = read_npu(tmp_path)
    assert readings.loads == {"0": 0.12, "1": 0.0, "2": 1.0}
    assert (readings.frequency, readings.temperature) == (1e9, 45.307)
    (tmp_path / "sys/class/thermal/thermal_zone6/temp").write_text("not now\n")
    assert read_npu(tmp_path).temperature is None


@pytest.mark.parametrize(
    ("text", "loads"), [("NPU load:  7%\n", {"all": 0.07}), ("", {}), ("NPU load: Core0: x%", {})]
)
def test_other_drivers(text: str, loads: dict[str, float]) -> None:
    assert parse_load(text) == loads


@given(st.text() | st.from_regex(re.compile(r"NPU load:( +Core\d+: *\d+%,)*", re.ASCII)))
def test_any_load_is_a_share(text: str) -> None:
    assert all(0 <= share <= 1 for share in parse_load(text).values())
