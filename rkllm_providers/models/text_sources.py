"""Where a model's tokenizer and chat template come from: of several places, the first that holds a good one."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final
from weakref import WeakValueDictionary

from rkllm_providers.models.head import Head
from rkllm_providers.models.overrides import Overrides
from rkllm_providers.models.side_files import (
    CHAT_TEMPLATE,
    MOST_TOKENIZER_BYTES,
    TOKENIZER,
    TOKENIZER_CONFIG,
    SideFileError,
    read_object,
    read_side_file,
)
from rkllm_providers.models.template import ChatTemplate, TemplateError
from rkllm_providers.models.tokenizer import (
    VocabularyTokenizer,
    gguf_tokenizer_problem,
    tokenizer_from_gguf,
    tokenizer_from_json,
)

# Enough to tell two vocabularies apart, however much their beginnings have in common.
_SAMPLED_TOKENS: Final = 500
_TOLERATED_SHARE: Final = 0.05
_SPECIAL_NAMES: Final = ("bos_token", "eos_token", "unk_token", "pad_token")
# What compiling a stranger's template may raise besides TemplateError.
_UNCOMPILABLE: Final = (SyntaxError, RecursionError, MemoryError, OverflowError, ValueError)

_shared: WeakValueDictionary[bytes, VocabularyTokenizer] = WeakValueDictionary()
_sharing = threading.Lock()


@dataclass(frozen=True, slots=True)
class TokenizerConfig:
    """What a ``tokenizer_config.json`` says: texts of special tokens, and a chat template.

    ``special_tokens`` has those with a name, which are variables of the template, ``control_texts`` has all.
    ``flags`` are its values that are true or false.
    """

    special_tokens: Mapping[str, str] = field(default_factory=dict)
    template: str | None = None
    control_texts: frozenset[str] = frozenset()
    flags: Mapping[str, bool] = field(default_factory=dict)


def read_tokenizer_config(folder: Path, notes: list[str]) -> TokenizerConfig:
    """What the ``tokenizer_config.json`` in a folder says; ``notes`` gets what is wrong with it."""
    try:
        content = read_object(folder, TOKENIZER_CONFIG)
    except SideFileError as error:
        notes.append(f"{error} It is left out.")
        content = None
    return parse_tokenizer_config(content or {}, str(folder / TOKENIZER_CONFIG), notes)


def parse_tokenizer_config(content: Mapping[str, Any], what: str, notes: list[str]) -> TokenizerConfig:
    """What makes sense in a ``tokenizer_config.json``."""
    special: dict[str, str] = {}
    for name in _SPECIAL_NAMES:
        text = _token_text(content.get(name))
        if isinstance(text, str):
            special[name] = text
        elif text is not None:
            notes.append(f"{what}: {name} is no text and left out.")
    texts = frozenset(text for text in (*special.values(), *_other_special_texts(content)) if text)
    flags = {name: value for name, value in content.items() if isinstance(value, bool)}
    return TokenizerConfig(special, _template_in(content.get("chat_template"), what, notes), texts, flags)


def _token_text(value: Any) -> Any:
    return value.get("content") if isinstance(value, dict) else value


def _other_special_texts(content: Mapping[str, Any]) -> Iterator[str]:
    """The texts of special tokens without a name; these files have been written in many ways."""
    more, decoder = content.get("additional_special_tokens"), content.get("added_tokens_decoder")
    listed = list(more) if isinstance(more, list) else []
    if isinstance(decoder, dict):
        listed += [token for token in decoder.values() if isinstance(token, dict) and token.get("special") is True]
    for token in listed:
        text = _token_text(token)
        if isinstance(text, str):
            yield text


def _template_in(value: Any, what: str, notes: list[str]) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    named: dict[str, str] = {}
    for item in value if isinstance(value, list) else []:
        if isinstance(item, dict) and isinstance(item.get("name"), str) and isinstance(item.get("template"), str):
            named[item["name"]] = item["template"]
    if not named:
        notes.append(f"{what}: chat_template is neither a text nor a list of named texts, and left out.")
        return None
    chosen = "default" if "default" in named else next(iter(named))
    others = sorted(set(named) - {chosen})
    if others:
        listed = ", ".join(name[:40] for name in others[:5])
        notes.append(f"{what} has other chat templates too, which are not used: {listed}.")
    return named[chosen]


def choose_tokenizer(
    folder: Path, overrides: Overrides, head: Head, notes: list[str]
) -> tuple[VocabularyTokenizer | None, str]:
    """The first tokenizer that is sound and the model's, and where it is from; ``notes`` tells of the others."""
    name = overrides.tokenizer or TOKENIZER
    beside: VocabularyTokenizer | None = None
    try:
        content = read_side_file(folder, name, MOST_TOKENIZER_BYTES)
        if content is not None:
            beside = _shared_tokenizer(content, str(folder / name))
        elif overrides.tokenizer is not None:
            notes.append(f"{folder / name} is not there; {overrides.sources['tokenizer']} names it as the tokenizer.")
    except ValueError as error:
        notes.append(f"{folder / name} cannot be used as the tokenizer: {error}")
    if beside is None:
        return _tokenizer_of_head(head, notes)
    # What is wrong with the head's is of no interest where there is one beside the model.
    own, source = _tokenizer_of_head(head, [])
    difference = vocabulary_difference(beside, own) if own is not None else None
    if difference is None:
        return beside, name
    if overrides.tokenizer is not None:
        notes.append(
            f"{folder / name} looks like another model's: {difference}. It is used, because "
            f"{overrides.sources['tokenizer']} names it."
        )
        return beside, name
    notes.append(
        f"{folder / name} is another model's and not used: {difference}. Put the tokenizer.json of the original "
        f"model there, or remove this one."
    )
    return own, source


def _tokenizer_of_head(head: Head, notes: list[str]) -> tuple[VocabularyTokenizer | None, str]:
    if head.tokenizer_json is not None:
        key = "tokenizer.huggingface.json"
        try:
            return _shared_tokenizer(head.tokenizer_json.encode(errors="replace"), key), f"{key} in the model's head"
        except ValueError as error:
            notes.append(f"{key} in the model's head cannot be used: {error}")
    if head.vocabulary_size is not None:
        problem = gguf_tokenizer_problem(head.values)
        if problem is None:
            return tokenizer_from_gguf(head.values), "tokenizer.ggml.* in the model's head"
        notes.append(f"No tokenizer can be made of tokenizer.ggml.* in the model's head: {problem}.")
    return None, ""


def vocabulary_difference(beside: VocabularyTokenizer, own: VocabularyTokenizer) -> str | None:
    """How a tokenizer differs from the model's own so that its ids mean other texts; ``None`` where it does not.

    A control token that only one of them has says nothing: those are added to models later on. Some of the
    other tokens may differ, because converters write a few of them in their own way.
    """
    for text, token in own.control_tokens.items():
        other = beside.control_tokens.get(text, token)
        if other != token:
            return f"it gives {text[:40]!r} the id {other}, and the model's head the id {token}"
    theirs, ours = beside.ordinary_tokens(), own.ordinary_tokens()
    sampled = list(islice(ours.items(), 0, None, max(1, len(ours) // _SAMPLED_TOKENS)))
    different = [(text, token) for text, token in sampled if theirs.get(text) != token]
    if len(different) <= len(sampled) * _TOLERATED_SHARE:
        return None
    text, token = different[0]
    found = f"the id {theirs[text]}" if text in theirs else "no id"
    return (
        f"{len(different)} of {len(sampled)} tokens that were compared differ; it gives {text[:40]!r} {found}, and "
        f"the model's head the id {token}"
    )


def _shared_tokenizer(content: bytes, what: str) -> VocabularyTokenizer:
    """The tokenizer in a file; models whose files are equal share one.

    Raises:
        ValueError: It is broken.
    """
    digest = hashlib.sha256(content).digest()
    with _sharing:
        known = _shared.get(digest)
    if known is None:
        made = tokenizer_from_json(content)
        with _sharing:
            known = _shared.setdefault(digest, made)
    return known


def choose_template(
    folder: Path,
    overrides: Overrides,
    special: Mapping[str, str],
    configured: str | None,
    head: Head,
    notes: list[str],
) -> tuple[ChatTemplate | None, str]:
    """The first chat template that compiles, and where it is from; ``notes`` gets what is wrong with others.

    ``special`` are its variables; ``configured`` is the template of the ``tokenizer_config.json``.
    """
    name = overrides.chat_template or CHAT_TEMPLATE
    if overrides.chat_template is not None and not (folder / name).exists():
        source = overrides.sources["chat_template"]
        notes.append(f"{folder / name} is not there; {source} names it as the chat template.")
    places: list[tuple[str, str, Callable[[], str | None]]] = [
        (name, f"{name} beside the model", lambda: _text_of(folder, name)),
        (TOKENIZER_CONFIG, f"{TOKENIZER_CONFIG} beside the model", lambda: configured),
        (head.template_source, head.template_source, lambda: head.template),
    ]
    for place, origin, read in places:
        try:
            source_text = read()
            if source_text is not None and source_text.strip():
                return ChatTemplate(source_text, special, origin), place
        except TemplateError as error:
            notes.append(f"{error} It is left out.")
        except _UNCOMPILABLE as error:
            notes.append(f"The chat template in {place} cannot be used: {error}")
    return None, ""


def _text_of(folder: Path, name: str) -> str | None:
    content = read_side_file(folder, name)
    return None if content is None else content.decode()
