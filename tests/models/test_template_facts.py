"""What a template's source tells is found without computing anything that is in it."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest
from jinja2 import meta, nodes

from rkllm_providers.models.template import template_environment
from rkllm_providers.models.template_facts import template_facts
from rkllm_providers.models.template_variables import undeclared_variables

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "templates"
TEMPLATES = sorted(FOLDER.glob("*.jinja"))


@pytest.mark.parametrize(
    "source",
    [
        "{% if false %}{{ 2 ** (2 ** 40) }}{% endif %}hi",
        "{% if false %}{{ 'a' * (10 ** 11) }}{% endif %}hi",
        "{% if false %}{{ 'a'.__class__.__mro__[1].__subclasses__() }}{% endif %}hi",
        "{% raw %}" + "{#" * 150_000 + "{% endraw %}",
        "{{ " + "(" * 100_000 + "1",
        "{{ a" + ".b" * 20_000 + " }}",
        "<" * 200_000 + "[A" * 100_000 + "{{ '" + "<|a" * 50_000 + "' }}",
    ],
    ids=["power", "repetition", "attributes", "raw comments", "parentheses", "chain", "controls"],
)
def test_nothing_in_a_source_is_computed(source: str) -> None:
    facts = template_facts(source)
    assert (facts.tools, facts.thinking, facts.vision) == (None, None, None)


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("{{ a }}{% set b = c %}{{ b }}", {"a", "c"}),
        ("{% set a = a %}", {"a"}),
        ("{% if not tools is defined %}{% set tools = none %}{% endif %}{{ tools }}", {"tools"}),
        (
            "{% if x %}{% set a = 1 %}{% elif y %}{% set a = 2 %}{% else %}{% set a = 3 %}{% endif %}{{ a }}",
            {"x", "y"},
        ),
        ("{% if x %}{% set a = 1 %}{% else %}{% set b = 3 %}{% endif %}{{ a }}", {"x", "a"}),
        ("{% for a in b if a != c %}{{ loop.index }}{% set d = a %}{{ d }}{% else %}{{ e }}{% endfor %}", set("bce")),
        ("{% for a in b %}{% set d = 1 %}{% endfor %}{{ d }}{{ a }}", set("abd")),
        ("{% for a, (b, c) in d %}{{ a }}{{ b }}{{ c }}{% endfor %}", {"d"}),
        ("{% macro m(a, b=c) %}{{ a }}{{ b }}{{ m }}{{ varargs }}{{ kwargs }}{{ caller() }}{% endmacro %}", {"c"}),
        ("{% macro m() %}{% endmacro %}{% call(a) m(b) %}{{ a }}{{ c }}{% endcall %}", {"b", "c"}),
        ("{% with a = b %}{{ a }}{% endwith %}{{ a }}", {"a", "b"}),
        ("{% set a %}{{ b }}{% endset %}{{ a }}{% set c | replace(d, 'x') %}{% endset %}", {"b", "d"}),
        ("{% set ns = namespace(a=b) %}{% set ns.a = 1 %}{{ ns.a }}{{ range(3) }}", {"b"}),
        ("{% filter replace(a, 'b') %}{{ c }}{% set d = 1 %}{% endfilter %}{{ d }}", set("acd")),
        ("{% generation %}{{ a }}{% endgeneration %}{# {{ b }} #}{% raw %}{{ c }}{% endraw %}", {"a"}),
    ],
)
def test_the_variables_that_a_template_does_not_set(source: str, wanted: set[str]) -> None:
    assert template_facts(source).variables == wanted


@pytest.mark.parametrize("path", TEMPLATES or [None], ids=[path.stem for path in TEMPLATES] or ["none"])
def test_they_are_those_that_jinja_finds(path: Path | None) -> None:
    if path is None:
        pytest.skip(f"the public chat templates are not at {FOLDER}")
    environment = template_environment()
    tree = environment.parse(path.read_text())
    stored = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
    found = undeclared_variables(tree) - environment.globals.keys()
    plain = jinja2.Environment(extensions=["jinja2.ext.loopcontrols"])
    theirs = meta.find_undeclared_variables(plain.parse(path.read_text())) - environment.globals.keys()
    # Jinja counts every name that is set in some branch only, though nobody may read it behind that.
    assert theirs - stored <= found <= theirs
    assert "messages" in found


def test_comments_tell_nothing_but_text_that_looks_like_one_does() -> None:
    assert template_facts("{# <think> {% raw %} #}a{#- <image> -#}").thinking is None
    assert template_facts("{% raw %}{# <think> #}{% endraw %}").thinking == "<think>"
