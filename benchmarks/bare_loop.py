"""The least any Python program pays for ``rkllm_run``: ctypes, a counting callback, nothing else."""

from __future__ import annotations

import ctypes
import json
import resource
import sys
import time
from typing import Any

from rkllm_providers.emulator import build_library
from rkllm_providers.emulator.script import load_script
from rkllm_providers.runtime import layout

VERSION = "1.3.0"


def main(model: str, count: int, what: str) -> None:
    types = layout(VERSION)
    library = ctypes.CDLL(str(build_library(VERSION)))
    library.rkllm_createDefaultParam.restype = types.structs["RKLLMParam"]
    state = {"events": 0, "first": 0.0}
    text_type = types.structs["RKLLMResult"]

    def on_result(result: Any, _: Any, kind: int) -> int:
        if kind == 0:
            if not state["events"]:
                state["first"] = time.perf_counter()
            state["events"] += 1
            ctypes.cast(result, ctypes.POINTER(text_type)).contents.text  # noqa: B018
        return 0

    callback: Any = types.structs["RKLLMCallback"]()
    callback.result_callback = types.callbacks["LLMResultCallback"](on_result)
    parameters: Any = library.rkllm_createDefaultParam()
    parameters.model_path = model.encode()
    parameters.max_context_len = 32768
    handle = ctypes.c_void_p()
    if library.rkllm_init(ctypes.byref(handle), ctypes.byref(parameters), ctypes.byref(callback)):
        raise SystemExit("rkllm_init failed")
    ids = load_script(model).encode("<|im_start|>user\nSing.<|im_end|>\n<|im_start|>assistant\n")
    tokens = (ctypes.c_int32 * len(ids))(*ids)
    given: Any = types.structs["RKLLMInput"]()
    given.role = b"user"
    given.input_type = 1
    given.token_input.input_ids = ctypes.addressof(tokens)
    given.token_input.n_tokens = len(ids)
    order: Any = types.structs["RKLLMInferParam"]()

    def run(limit: int) -> tuple[float, int, float]:
        state["events"] = 0
        order.max_new_tokens = limit
        usage, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        if library.rkllm_run(handle, ctypes.byref(given), ctypes.byref(order), None):
            raise SystemExit("rkllm_run failed")
        after = resource.getrusage(resource.RUSAGE_SELF)
        cpu = after.ru_utime + after.ru_stime - usage.ru_utime - usage.ru_stime
        return cpu, int(state["events"]), (state["first"] - started) * 1000

    run(4)
    if what == "first":
        print(json.dumps([run(4)[2] for _ in range(count)]))
    else:
        print(json.dumps(run(count)[:2]))
    library.rkllm_destroy(handle)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
