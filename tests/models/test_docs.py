"""docs/models.md says what the code does: its example is read as it stands, and every family is in its table."""

from __future__ import annotations

import re
from pathlib import Path

from rkllm_providers.models.families_table import FAMILIES
from rkllm_providers.models.overrides import _CHECKS, SAMPLING_RANGES, parse_model_toml

TEXT = (Path(__file__).parents[2] / "docs" / "models.md").read_text()


def test_the_example_has_every_key_and_is_right() -> None:
    example = re.search(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert example is not None
    written = parse_model_toml(example[1].encode(), "model.toml")
    assert set(written) == set(_CHECKS)
    assert set(written["sampling"]) == set(SAMPLING_RANGES)


def test_every_family_is_in_the_table() -> None:
    for family in FAMILIES:
        assert f"| `{family.name}` |" in TEXT
        assert family.source in TEXT
