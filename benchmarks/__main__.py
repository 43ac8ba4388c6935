"""Run the benchmarks: ``python -m benchmarks [NAME ...]``, all of them without a name."""

import sys

from benchmarks import render, stream_cost

BENCHMARKS = {"render": render.main, "stream_cost": stream_cost.main}


def run(names: list[str]) -> int:
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        print(f"Unknown: {', '.join(unknown)}. There are: {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    for name in names or BENCHMARKS:
        BENCHMARKS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
