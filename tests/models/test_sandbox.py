"""Templates that would run for ever or fill the memory end with an error that names the limit."""

from __future__ import annotations

import pytest

from rkllm_providers.models import sandbox
from rkllm_providers.models.template import ChatTemplate, TemplateError, TemplateRefusal

TURNS = [{"role": "user", "content": "Hello."}]
GROW = "{{% set ns = namespace(x={0}) %}}{{% for i in range(99) %}}{1}{{% endfor %}}"

TIMELESS = {
    "nested loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "conditions of loops": "{% for a in range(99999) %}{% for b in range(99999) if false %}{% endfor %}{% endfor %}",
    "macros that call themselves": (
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}"
    ),
    "recursive loops": (
        "{% set a = [1, 2] %}{% for i in a recursive %}{% if loop.depth < 60 %}{{ loop(a) }}{% endif %}{% endfor %}"
    ),
    "a condition with a filter": (
        "{% for a in range(99999) if range(99999)|map('string')|list|length < 0 %}{% endfor %}"
    ),
    "lazy filters in each other": (
        "{% for a in range(99999) %}{{ range(999)|map('replace', 'a', 'b')|map('trim')|list|length }}{% endfor %}"
    ),
}
LARGE = {
    "repeated text": "{{ 'x' * 10000000000 }}",
    "repeated list": "{{ ([1] * 10000000000)|length }}",
    "repetition from the left": "{{ 10000000000 * 'x' }}",
    "power": "{{ 2 ** 1000000000 }}",
    "constant power": "{% set x = 9 ** 99999 ** 9 %}",
    "product": GROW.format("9", "{% set ns.x = ns.x * ns.x %}"),
    "center filter": "{{ 'a'|center(1000000000) }}",
    "center method": "{{ 'a'.center(1000000000) }}",
    "ljust": "{{ 'a'.ljust(width=1000000000) if false else 'a'.ljust(1000000000) }}",
    "zfill": "{{ 'a'.zfill(1000000000) }}",
    "expandtabs": "{{ ('\t' * 10000).expandtabs(100000) }}",
    "bytes of a number": "{{ (1).to_bytes(1000000000, 'big')|length }}",
    "indent filter": "{{ 'a\nb'|indent(1000000000) }}",
    "indent filter of many lines": "{{ ('\n' * 10000)|indent(100000) }}",
    "batch filter": "{{ [1]|batch(1000000000, 'x')|list }}",
    "slice filter": "{{ [1]|slice(1000000000)|list }}",
    "percent": "{{ '%1000000000d' % 1 }}",
    "percent precision": "{{ '%.1000000000f' % 1 }}",
    "percent star": "{{ '%*d' % (1000000000, 1) }}",
    "format filter": "{{ '%1000000000d'|format(1) }}",
    "format method": "{{ '{:>1000000000}'.format(1) }}",
    "format map": "{{ '{a:>1000000000}'.format_map({'a': 1}) }}",
    "nested format": "{{ '{:{w}}'.format(1, w=1000000000) }}",
    "many formats": "{{ ('%s' * 10000) % (('x' * 10000,) * 10000) }}",
    "replace filter": "{{ ('a' * 10000)|replace('a', 'a' * 10000) }}",
    "replace method": "{{ ('a' * 10000).replace('a', 'a' * 10000) }}",
    "join filter": "{{ range(10000)|join('x' * 10000) }}",
    "join method": "{{ ('x' * 10000).join('a' * 10000) }}",
    "join of repetitions": "{{ (['x' * 10000] * 10000)|join }}",
    "plus": GROW.format("'xy'", "{% set ns.x = ns.x + ns.x %}"),
    "tilde": GROW.format("'xy'", "{% set ns.x = ns.x ~ ns.x %}"),
    "lists": GROW.format("['xy']", "{% set ns.x = ns.x + ns.x %}"),
    "lists in lists": GROW.format("['xy']", "{% set ns.x = [ns.x, ns.x] %}"),
    "mappings in mappings": GROW.format("'xy'", "{% set ns.x = {'a': ns.x, 'b': ns.x} %}"),
    "blocks": GROW.format("'xy'", "{% set ns.x %}{{ ns.x }}{{ ns.x }}{% endset %}"),
    "macros": "{% macro m(x) %}{{ x }}{{ x }}{% endmacro %}" + GROW.format("'xy'", "{% set ns.x = m(ns.x) %}"),
    "summed lists": "{{ ([[1]] * 100000)|sum(start=[]) }}",
    "json with indents": (
        GROW.format("[1]", "{% set ns.x = [ns.x, 1] %}").replace("99", "500")
        + "{{ ([ns.x] * 300)|tojson(indent=1000) }}"
    ),
    "number of bytes": "{{ (1).from_bytes(('x' * 99999).encode(), 'big') // 3 }}",
    "number of digits": "{{ ('f' * 99999)|int(base=16) // 3 }}",
    "characters as a list": "{{ ('ä' * 9999999)|list|length }}",
    "split": "{{ ('ab' * 9999999).split('b')|length }}",
    "in all": GROW.format("[]", "{% set ns.x = ns.x + [('x' * 9999999)|upper] %}"),
    "output": "{% for i in range(99999) %}{{ 'x' * 10000 }}{% endfor %}",
}


@pytest.mark.parametrize("what", TIMELESS)
def test_time_is_bounded(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "MOST_SECONDS", 0.05)
    with pytest.raises(TemplateError, match=r"reached a limit: it took more than 0\.05 seconds\.$"):
        ChatTemplate(TIMELESS[what]).render(TURNS)


@pytest.mark.parametrize("what", LARGE)
def test_what_a_template_holds_is_bounded(what: str) -> None:
    with pytest.raises(TemplateError, match=r"a limit: it \w+ .*|cannot be compiled: it \w+ .*"):
        ChatTemplate(LARGE[what]).render(TURNS)


def test_a_limit_is_not_met_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    # Where there are tools, other failures are tried again without them.
    seen: list[str] = []
    template = ChatTemplate("{{ strftime_now('x') }}{{ 'x' * 10 ** 10 }}")
    template._template.globals["strftime_now"] = seen.append
    with pytest.raises(TemplateError, match="reached a limit"):
        template.render(TURNS, tools=[{"type": "function"}])
    assert seen == ["x"]


@pytest.mark.parametrize("source", ["{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "{% for a in b %}" * 200])
def test_a_template_nested_too_deeply_is_an_error(source: str) -> None:
    with pytest.raises(TemplateError, match="cannot be compiled"):
        ChatTemplate(source)


def test_a_long_refusal_is_cut() -> None:
    with pytest.raises(TemplateRefusal) as caught:
        ChatTemplate("{{ raise_exception('x' * 1000000) }}").render(TURNS)
    assert len(str(caught.value)) < 1200


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("{{ '%5d|%-5s|%(a)s' % {'a': 1} if false else '%5d|%-5s' % (1, 'a') }}", "    1|a    "),
        ("{{ '{:>5}|{{}}|{a}'.format(1, a='5000000000') }}", "    1|{}|5000000000"),
        ("{{ '%s 100%%'|format('a') }}", "a 100%"),
        ("{{ [1, 2]|map('string')|join('-') }}{{ ','.join(['a', 'b']) }}", "1-2a,b"),
        ("{% for a in range(9) if a is odd %}{{ loop.index }}{{ loop.last }}{% endfor %}", "1False2False3False4True"),
        (
            "{% for a in [1, 2] %}{{ a }}{% else %}none{% endfor %}{% for a in [] %}{% else %}none{% endfor %}",
            "12none",
        ),
        (
            "{% set ns = namespace(a=1) %}{% set ns.a = ns.a + 1 %}{{ ns.a }}{{ ns.b is defined }}{{ ns._x }}",
            "2False",
        ),
        ("{% macro m(a, b=2) %}{{ a ~ b }}{{ caller() }}{% endmacro %}{% call m(1) %}x{% endcall %}", "12x"),
        ("{% set a, b = (messages, 2) %}{{ b }}{{ {'a': b}.a }}{{ [b][0] }}{{ (b,)[0] }}", "2222"),
        ("{{ messages[0].content.split('l')|last }}{{ messages[0].items()|list|length }}", "o.2"),
        ("{{ messages[0].missing is defined }}{{ messages[0]['keys'] is defined }}", "FalseTrue"),
        ("{{ 3 * 4 }}{{ 2 ** 10 }}{{ 1.5 * 2 }}{{ 'ab' * 2 }}{{ 7 % 4 }}{{ -1 * 2 }}", "1210243.0abab3-2"),
        ("{{ messages|map(attribute='role')|list }}{{ {'a': [1, none]} }}", "['user']{'a': [1, None]}"),
        ("{% filter upper %}a{{ 'b'|default('c') }}{% endfilter %}{{ 1700000000 | int }}", "AB1700000000"),
        ("{{ [3, 1]|sort }}{{ [1, 2]|sum }}{{ 'a\nb'|indent(2) }}{{ 'ä'|e }}", "[1, 3]3a\n  bä"),
    ],
)
def test_what_templates_do_is_as_it_was(source: str, wanted: str) -> None:
    assert ChatTemplate(source).render(TURNS) == wanted


def test_a_namespace_has_no_endless_text() -> None:
    source = "{% set a = namespace() %}{% set a.x = [a] %}{{ a.x }}"
    assert ChatTemplate(source).render(TURNS) == "[<namespace>]"
