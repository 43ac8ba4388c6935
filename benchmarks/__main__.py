"""Run the benchmarks: ``python -m benchmarks [NAME ...]``, all but the soak without a name.

``python -m benchmarks soak [N]`` soaks with N requests.
"""

import sys

from benchmarks import (
    answer_cost,
    cache,
    cancel,
    fairness,
    kept_states,
    pictures,
    providers,
    render,
    retrieval,
    service_load,
    soak,
    stream_cost,
)

BENCHMARKS = {
    "render": render.main,
    "cache": cache.main,
    "kept_states": kept_states.main,
    "fairness": fairness.main,
    "cancel": cancel.main,
    "answer_cost": answer_cost.main,
    "stream_cost": stream_cost.main,
    "pictures": pictures.main,
    "providers": providers.main,
    "service_load": service_load.main,
    "retrieval": retrieval.main,
}


def run(names: list[str]) -> int:
    if names[:1] == ["soak"] and len(names) <= 2 and all(name.isdecimal() for name in names[1:]):
        return 1 if soak.main(*map(int, names[1:])) else 0
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        print(f"Unknown: {', '.join(unknown)}. There are: {', '.join(BENCHMARKS)}, and soak [N].", file=sys.stderr)
        return 2
    for number, name in enumerate(names or BENCHMARKS):
        if number:
            print()
        BENCHMARKS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
