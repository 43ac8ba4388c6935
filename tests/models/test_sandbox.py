"""Templates that would run for ever or fill the memory end with an error that names the limit."""

from __future__ import annotations

import inspect

import pytest
from jinja2.filters import FILTERS

from rkllm_providers.models import sandbox, template_limits
from rkllm_providers.models.template import ChatTemplate, TemplateError, TemplateRefusal
from rkllm_providers.models.template_steps import PARAMETERS

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
    "number of digits": "{{ ('f' * 99999)|int(base=16) // 3 }}",
    "characters as a list": "{{ ('ä' * 9999999)|list|length }}",
    "split": "{{ ('ab' * 9999999).split('b')|length }}",
    "items in items": GROW.format("'x'", "{% set ns.x = {'a': ns.x, 'b': ns.x}.items() %}") + "{{ ns.x }}",
    "values of values": GROW.format("'x'", "{% set ns.x = {'a': ns.x, 'b': ns.x}.values() %}") + "{{ ns.x }}",
    "batches of batches": GROW.format("'x'", "{% set ns.x = [ns.x]|batch(2, ns.x)|first %}") + "{{ ns.x }}",
    "groups": GROW.format("'x'", "{% set ns.x = [{'a': ns.x}, {'a': ns.x}]|groupby('a')|list %}"),
    "replace by names": "{{ ('a' * 10000)|replace(new='x' * 1000000, old='a') }}",
    "indent by names": "{{ ('\n' * 6000)|indent(first=true, blank=true, width='x' * 1000000) }}",
    "join by names": "{{ ([{'a': 'b'}] * 1000)|join(attribute='a', d='x' * 1000000) }}",
    "filters by name": "{{ ['a' * 10000]|map('replace', 'a', 'x' * 1000000)|list }}",
    "texts of lists": "{{ ([['x' * 100000] * 300]|batch(300, ['x' * 100000])|list)|map('string')|list }}",
    "json separators": "{{ range(6000)|list|tojson(separators=('x' * 1000000, ':')) }}",
    "json indents": "{{ [1]|tojson(indent=1000000000) }}",
    "a date": "{{ strftime_now('%1000000000Y') }}",
    "rounding": "{{ 1|round(-1000000) }}",
    "a long number": "{{ ('9' * 1000000)|float }}",
    "a number of a list's text": "{{ ([1] * 100000)|int }}",
    "numbers in a list": "{{ [2 ** 14000] * 100000 }}",
    "numbers in a format": "{{ '%x' * 10000 % ((2 ** 99999,) * 10000) }}",
    "names in a format": "{{ ('%(' * 1000000) % {} }}",
    "names with brackets in a format": "{{ '%(a%5)1000000000s' % {'a%5': 1} }}",
    "escapes in a list": "{{ [('\x01' * 9000000)] }}",
    "html": "{{ ('<' * 9000000)|e }}",
    "search from the right": "{{ ('a' * 1000000).rfind('a' * 100000 ~ 'b' ~ 'a' * 100000) }}",
    "slices": GROW.format("['x' * 9999999]", "{% set ns.y = ns.x[0][1:] %}"),
    "complex numbers": "{{ (-8) ** 0.5 }}",
    "truncation": "{{ 'a b'|truncate(1000000000) }}",
    "in all": GROW.format("[]", "{% set ns.x = ns.x + [('x' * 9999999)|upper] %}"),
    "output": "{% for i in range(99999) %}{{ 'x' * 10000 }}{% endfor %}",
}


REFUSED = {
    "bytes of a text": "{{ 'ä'.encode('punycode') }}",
    "bytes by filter": "{{ ('ä'|attr('encode'))('punycode') }}",
    "bytes by subscript": "{{ 'ä'['encode']('punycode') }}",
    "bytes by map": "{{ (['ä']|map(attribute='encode')|first)('punycode') }}",
    "bytes of a number": "{{ (1).to_bytes(1000000000, 'big') }}",
    "translation": "{{ 'a'.translate({97: 'b'}) }}",
    "tables": "{{ 'a'.maketrans('a', 'b') }}",
    "methods of kinds": "{{ dict.fromkeys('ab') }}",
    "generic kinds": "{{ dict[1]() }}",
    "changes": "{{ messages.append(1) }}",
}
UNCOMPILABLE = {
    "size": "x" * (sandbox.MOST_SOURCE + 1),
    "variables and branches": "{% set a = 1 %}" * 2000 + "{% if a %}{% endif %}" * 2000,
    "autoescape": "{% autoescape true %}{{ '<' }}{% endautoescape %}",
    "a chain": "{{ a" + ".b" * 10_000 + " }}",
    "filters": "{{ a" + "|e" * 10_000 + " }}",
    "parentheses": "{{ " + "(" * 100_000 + "1" + ")" * 100_000 + " }}",
    "lists": "{{ " + "[" * 100_000,
    "a sum": "{{ 1" + "+1" * 10_000 + " }}",
}


@pytest.mark.parametrize("what", REFUSED)
def test_methods_that_cannot_be_estimated_are_not_found(what: str) -> None:
    with pytest.raises(TemplateError, match=r"is unsafe|no element"):
        ChatTemplate(REFUSED[what]).render(TURNS)


@pytest.mark.parametrize("what", UNCOMPILABLE)
def test_what_cannot_be_compiled_at_a_small_price_is_an_error(what: str) -> None:
    with pytest.raises(TemplateError):
        ChatTemplate(UNCOMPILABLE[what])


@pytest.mark.parametrize(
    "constant",
    ["2 ** 2 ** 40", "'a' * 10 ** 11", "'a'|center(10 ** 9)", "('a' * 10 ** 9)|upper", "'%999999999d'|format(1)"],
)
def test_nothing_is_computed_when_a_template_is_compiled(constant: str) -> None:
    source = f"{{% if false %}}{{{{ {constant} }}}}{{% set x = [{constant}] %}}{{% endif %}}hi"
    assert ChatTemplate(source).render(TURNS) == "hi"


def test_the_names_of_arguments_are_those_of_filters_and_methods() -> None:
    for name, parameters in PARAMETERS.items():
        if name not in FILTERS:
            assert hasattr(str, name)
            continue
        filter_ = FILTERS[name]
        own = list(inspect.signature(inspect.unwrap(filter_)).parameters)
        assert tuple(own[-len(parameters) :]) == parameters, name


@pytest.mark.parametrize("what", TIMELESS)
def test_time_is_bounded(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Compiled with the usual limit: a busy machine may take longer than this one for it.
    template = ChatTemplate(TIMELESS[what])
    monkeypatch.setattr(template_limits, "MOST_SECONDS", 0.05)
    with pytest.raises(TemplateError, match=r"reached a limit: it took more than 0\.05 seconds\.$"):
        template.render(TURNS)


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
        ("{% for k, v in messages[0].items() %}{{ k }}={{ v }};{% endfor %}", "role=user;content=Hello.;"),
        ("{{ [1, 2]|reverse|list }}{{ 'abc'[::-1] }}{{ [1, 2, 3][1:] }}{{ ('<'|e) + '<' }}", "[2, 1]cba[2, 3]&lt;<"),
        ("{{ [{'a': 1}]|groupby('a')|map(attribute='grouper')|list }}{{ dict(a=1).a }}", "[1]1"),
        (
            "{{ {'a': [1, 'ä']}|tojson(separators=(',', ':')) }}{{ [1.55]|map('round', 1)|list }}",
            '{"a":[1,"ä"]}[1.6]',
        ),
        (
            "{% set j = joiner(', ') %}{% set c = cycler(1, 2) %}{{ j() }}a{{ j() }}{{ c.next() }}{{ c.current }}",
            "a, 12",
        ),
        ("{{ [3, 1]|sort }}{{ [1, 2]|sum }}{{ 'a\nb'|indent(2) }}{{ 'ä'|e }}", "[1, 3]3a\n  bä"),
    ],
)
def test_what_templates_do_is_as_it_was(source: str, wanted: str) -> None:
    assert ChatTemplate(source).render(TURNS) == wanted


def test_a_namespace_has_no_endless_text() -> None:
    source = "{% set a = namespace() %}{% set a.x = [a] %}{{ a.x }}"
    assert ChatTemplate(source).render(TURNS) == "[<namespace>]"
