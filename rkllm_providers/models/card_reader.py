"""Reads a model's card: from its head, the files beside it, and what is known of its family."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from rkllm_providers.durations import parse_keep_alive
from rkllm_providers.emulator.script import Script, load_script
from rkllm_providers.errors import ModelLoadError
from rkllm_providers.models.card import Fact, ModelCard, PromptForm
from rkllm_providers.models.catalog import ModelEntry
from rkllm_providers.models.context_window import MOST_CONTEXT, ContextWindow, context_window
from rkllm_providers.models.control import ControlGuard, TextGuard
from rkllm_providers.models.encoders import ModelVision, find_vision
from rkllm_providers.models.end_tokens import EndTokens, find_end_tokens
from rkllm_providers.models.families import Capabilities, Family, hinted_family, tell_family
from rkllm_providers.models.families_table import END_TEXTS, FAMILIES, FAMILY_BY_NAME
from rkllm_providers.models.gguf import read_head, read_rkllm_head
from rkllm_providers.models.head import Head, believed
from rkllm_providers.models.model_files import ModelFormat, file_problem
from rkllm_providers.models.overrides import CAPABILITIES, SAMPLING_RANGES, Overrides, read_overrides, sampling_value
from rkllm_providers.models.recipes import choose_embedding, choose_reranking
from rkllm_providers.models.recipes_table import EMBEDDING_RECIPES, RERANKING_RECIPES
from rkllm_providers.models.side_files import CONFIG, GENERATION_CONFIG, TOKENIZER, SideFileError, read_object
from rkllm_providers.models.template import ChatTemplate
from rkllm_providers.models.template_facts import TemplateFacts, template_facts
from rkllm_providers.models.text_frame import TextFrame, find_frame
from rkllm_providers.models.text_sources import (
    TokenizerConfig,
    choose_template,
    choose_tokenizer,
    read_tokenizer_config,
)
from rkllm_providers.models.tokenizer import MARKERS, ScriptTokenizer, VocabularyTokenizer

_PROMPTS: Final = {
    PromptForm.TOKENS: ("rendered with the model's own template and tokenised here", "tokenizer and chat template"),
    PromptForm.RAW: ("rendered with the model's template, and tokenised by the runtime", "there is no tokenizer"),
    PromptForm.RUNTIME: (
        "given to the runtime as text, which applies the model's template",
        "there is no chat template",
    ),
}
# generation_config.json's words for what GenerateOptions has.
_GENERATION_NAMES: Final = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "repetition_penalty": "repeat_penalty",
}


def read_card(entry: ModelEntry) -> ModelCard:
    """Read a model's card. Takes up to a second for a large vocabulary: keep it off event loops.

    Raises:
        ModelLoadError: The file is broken, or its owner's notes beside it are.
    """
    try:
        problem = entry.problem or file_problem(entry.path)
        if problem is not None:
            raise ValueError(problem)
        overrides = read_overrides(entry.path)
        if entry.format is ModelFormat.SCRIPT:
            script = load_script(entry.path)
            return _Reader(entry, overrides, _head_of_script(script)).card(script)
        is_gguf = entry.format is ModelFormat.GGUF
        values = read_head(entry.path) if is_gguf else read_rkllm_head(entry.path)
        return _Reader(entry, overrides, believed(values, is_gguf=is_gguf)).card(None)
    except (OSError, ValueError) as error:
        raise ModelLoadError(f"Model {entry.id!r} cannot be read: {error}") from error


class _Reader:
    """Puts a card together; ``notes`` collects what is wrong or missing on the way."""

    def __init__(self, entry: ModelEntry, overrides: Overrides, head: Head) -> None:
        self._entry = entry
        self._folder = entry.path.parent
        self._overrides = overrides
        self._head = head
        self._notes = [*overrides.notes, *head.notes]
        self._facts: dict[str, Fact] = {}
        self._vision: ModelVision | None = None
        self._embeds = head.embeds and f"{head.embeds} in the model's head"

    def card(self, script: Script | None) -> ModelCard:
        entry, overrides, head, notes = self._entry, self._overrides, self._head, self._notes
        window = self._context(script)
        generation = self._object(GENERATION_CONFIG)
        config = read_tokenizer_config(self._folder, notes)
        tokenizer, tokenizer_source = self._tokenizer(script)
        special = {**head.special_tokens, **config.special_tokens}
        template, template_source = choose_template(self._folder, overrides, special, config.template, head, notes)
        controls = head.control_tokens if tokenizer is None else tokenizer.control_tokens
        size = tokenizer.size if isinstance(tokenizer, VocabularyTokenizer) else head.vocabulary_size
        family, family_source = self._family(tokenizer, template)
        if template is None and family is not None:
            template_source = f"family {family.name}"
            template = ChatTemplate(family.template, family.special_tokens, template_source)
        elif template is not None and not config.special_tokens:
            template = self._with_special_tokens(template, special, family)
        self._fact("tokenizer", "here" if tokenizer is not None else "none", tokenizer_source)
        self._fact("chat template", "here" if template is not None else "none", template_source)
        self._fact("family", family.name if family else "unknown", family_source)
        ends = self._end_tokens(script, generation, config.special_tokens.get("eos_token"), controls, size, family)
        seen = template_facts(template.source) if template is not None else None
        named = {*special.values(), *config.control_texts}
        named |= {text for text in overrides.end_tokens if isinstance(text, str)}
        guard = ControlGuard(tokenizer) if tokenizer is not None else None
        embedding, evidence = choose_embedding(overrides, self._folder, head, family, EMBEDDING_RECIPES, notes)
        self._embeds = self._embeds or evidence
        self._vision = self._find_vision(seen)
        capabilities = self._capabilities(seen, template_source, family)
        sampling = self._sampling(generation, family)
        card = ModelCard(
            entry,
            window.length,
            guard,
            template,
            frozenset(ends.sources),
            knows_context=window.is_known,
            text_guard=_text_guard(controls, family, seen, named),
            silent_tokens=frozenset(token for text, token in controls.items() if text not in MARKERS),
            end_texts=ends.texts or _ends_in(seen),
            family=family,
            capabilities=capabilities,
            sampling=sampling,
            embedding=embedding,
            reranking=choose_reranking(overrides, family, RERANKING_RECIPES),
            text_frame=self._frame(script, tokenizer, config, special),
            lora=overrides.lora,
            keep_alive=None if overrides.keep_alive is None else parse_keep_alive(overrides.keep_alive),
            base_domain_id=overrides.base_domain_id,
            vision=self._vision,
        )
        for name in ("keep_alive", "base_domain_id"):
            if getattr(overrides, name) is not None:
                self._fact(name, str(getattr(overrides, name)), overrides.sources[name])
        self._head_facts()
        self._use_facts(card)
        self._fact("prompts", *_PROMPTS[card.prompt_form])
        self._say_what_to_add(card)
        return replace(card, facts=self._facts, missing=tuple(dict.fromkeys(notes)))

    def _fact(self, name: str, value: str, source: str) -> None:
        self._facts[name] = Fact(value, source)

    def _tokenizer(self, script: Script | None) -> tuple[VocabularyTokenizer | ScriptTokenizer | None, str]:
        if script is None:
            return choose_tokenizer(self._folder, self._overrides, self._head, self._notes)
        given = self._folder / (self._overrides.tokenizer or TOKENIZER)
        if self._overrides.tokenizer is not None or given.exists():
            self._notes.append(f"{given} is not used: a scripted model has a vocabulary of its own.")
        return ScriptTokenizer(script), "the script"

    def _object(self, name: str) -> Mapping[str, Any]:
        try:
            return read_object(self._folder, name) or {}
        except SideFileError as error:
            self._notes.append(f"{error} It is left out.")
            return {}

    def _context(self, script: Script | None) -> ContextWindow:
        limit, source = self._head.context_limit, f"{self._head.context_key} in the model's head"
        if script is not None:
            limit, source = script.context_length, "the script"
        most = MOST_CONTEXT if self._entry.format is ModelFormat.GGUF else None
        window = context_window(self._entry.path.stem, self._overrides, limit, source, most_unasked=most)
        self._notes += window.notes
        self._fact("context window", f"{window.length} tokens", window.source)
        return window

    def _family(
        self, tokenizer: VocabularyTokenizer | ScriptTokenizer | None, template: ChatTemplate | None
    ) -> tuple[Family | None, str]:
        if self._overrides.family is not None:
            return FAMILY_BY_NAME[self._overrides.family], self._overrides.sources["family"]
        if isinstance(tokenizer, ScriptTokenizer):
            return None, ""  # a script says what it answers: no architecture tells more of it
        vocabulary = frozenset(self._head.added_tokens)
        if isinstance(tokenizer, VocabularyTokenizer):
            vocabulary |= tokenizer.added_texts
        source = template.source if template is not None else None
        config = self._object(CONFIG).get("model_type")
        for architecture, place in ((self._head.architecture, "the model's head"), (config, CONFIG)):
            if isinstance(architecture, str):
                family = tell_family(FAMILIES, architecture, vocabulary or None, source)
                if family is not None:
                    return family, f"{architecture} in {place}, and control tokens"
        return None, ""

    def _with_special_tokens(
        self, template: ChatTemplate, special: Mapping[str, str], family: Family | None
    ) -> ChatTemplate:
        """The template with variables for the special tokens it writes, from the family where nothing else tells."""
        asked = (template_facts(template.source).variables & {"bos_token", "eos_token"}) - special.keys()
        if not asked:
            return template
        known = {name: text for name, text in (family.special_tokens if family else {}).items() if name in asked}
        for name in sorted(asked - known.keys()):
            self._notes.append(
                f"The chat template writes the model's {name}, and nothing tells it: put the tokenizer_config.json "
                f"of the original model into {self._folder}."
            )
        return ChatTemplate(template.source, {**special, **known}, template.origin) if known else template

    def _end_tokens(
        self,
        script: Script | None,
        generation: Mapping[str, Any],
        config_end: str | None,
        controls: Mapping[str, int],
        size: int | None,
        family: Family | None,
    ) -> EndTokens:
        if script is not None:
            size = len(script.tokens)
        ends = find_end_tokens(
            self._overrides, self._head, generation, config_end, controls, size, family, self._notes
        )
        if script is not None:
            texts = [script.tokens[token].decode(errors="replace") for token in script.eos_ids]
            own = dict.fromkeys(script.eos_ids, "the script")
            named = {token: source for token, source in ends.sources.items() if source != "its text"}
            ends = EndTokens({**named, **own}, tuple(dict.fromkeys((*texts, *ends.texts))))
        by_id = {token: text for text, token in controls.items()}
        shown = ", ".join(
            f"{by_id[token]} ({token})" if token in by_id else f"{token}" for token in sorted(ends.sources)
        )
        self._fact("end tokens", shown or "unknown", ", ".join(dict.fromkeys(ends.sources.values())))
        return ends

    def _sees(self, seen: TemplateFacts | None) -> str | None:
        """What shows that the model was made for pictures; of use only with an encoder."""
        return self._head.sees or (seen.vision if seen is not None else None)

    def _find_vision(self, seen: TemplateFacts | None) -> ModelVision | None:
        words = (self._head.architecture, self._object(CONFIG).get("model_type"))
        architectures = [word for word in words if isinstance(word, str)]
        vision, facts = find_vision(self._entry.path, self._overrides, self._sees(seen), architectures, self._notes)
        for name, (value, source) in facts.items():
            self._fact(name, value, source)
        return vision

    def _frame(
        self,
        script: Script | None,
        tokenizer: VocabularyTokenizer | ScriptTokenizer | None,
        config: TokenizerConfig,
        special: Mapping[str, str],
    ) -> TextFrame:
        if script is not None:
            return TextFrame(() if script.bos_id is None else (script.bos_id,))
        if not isinstance(tokenizer, VocabularyTokenizer):
            return TextFrame()
        controls = tokenizer.control_tokens
        return find_frame(config.flags, tokenizer.post_processor, self._head, special, controls, tokenizer.size)

    def _use_facts(self, card: ModelCard) -> None:
        if card.capabilities.embedding:
            self._fact("embeddings", f"pooling of {card.embedding.pooling}", card.embedding.source)
        if card.reranking is not None:
            self._fact("ranking", f"{card.reranking.yes} or {card.reranking.no}", card.reranking.source)

    def _capabilities(self, seen: TemplateFacts | None, template_source: str, family: Family | None) -> Capabilities:
        can: dict[str, bool] = {}
        for name in CAPABILITIES:
            can[name], source = self._capability(name, seen, template_source, family)
            self._fact(name, "yes" if can[name] else "no", source)
        return Capabilities(**can)

    def _capability(
        self, name: str, seen: TemplateFacts | None, template_source: str, family: Family | None
    ) -> tuple[bool, str]:
        if name in self._overrides.capabilities:
            return self._overrides.capabilities[name], self._overrides.sources[f"capabilities.{name}"]
        if name == "embedding" and self._embeds:
            return True, self._embeds
        if name == "vision":
            if self._vision is not None:
                return self._vision.family is not None, f"the encoder {self._vision.encoder.name}"
            sees = self._sees(seen)
            return False, f"the model has {sees}, but no vision encoder" if sees else "there is no vision encoder"
        if name == "reranking" and self._head.ranks is not None:
            return True, f"{self._head.ranks} in the model's head"
        if seen is not None and name in ("thinking", "tools"):
            shows = getattr(seen, name)
            place = f"the chat template ({template_source})"
            return shows is not None, f"{place} has {shows}" if shows else place
        if family is not None:
            return bool(getattr(family.capabilities, name)), f"family {family.name}"
        return False, "nothing says so"

    def _sampling(self, generation: Mapping[str, Any], family: Family | None) -> dict[str, float]:
        chosen: dict[str, float] = {}
        sources: list[str] = []
        given: dict[str, tuple[float, str]] = {}
        if family is not None:
            given |= {name: (value, f"family {family.name}") for name, value in family.sampling.items()}
        for theirs, name in _GENERATION_NAMES.items():
            value = generation.get(theirs)
            if value is None:
                continue
            try:
                given[name] = sampling_value(name, value), GENERATION_CONFIG
            except ValueError as error:
                self._notes.append(f"{self._folder / GENERATION_CONFIG}: {theirs} {error}; it is left out.")
        for name, own in self._overrides.sampling.items():
            given[name] = own, self._overrides.sources[f"sampling.{name}"]
        for name in SAMPLING_RANGES:
            if name in given:
                chosen[name], source = given[name]
                sources.append(source)
        shown = ", ".join(f"{name} {value:g}" for name, value in chosen.items())
        self._fact("sampling defaults", shown or "the runtime's", ", ".join(dict.fromkeys(sources)))
        return chosen

    def _head_facts(self) -> None:
        head = self._head
        known = {
            "toolkit version": head.toolkit_version,
            "architecture": head.architecture,
            "platform": head.platform,
            "data type": head.data_type,
            "NPU cores": head.npu_cores,
        }
        for name, value in known.items():
            if value is not None:
                self._fact(name, str(value), "the model's head")

    def _say_what_to_add(self, card: ModelCard) -> None:
        if self._entry.format is ModelFormat.SCRIPT:
            return
        folder, toml = self._folder, _own_toml(self._entry.path)
        if card.guard is None:
            self._notes.append(
                f"There is no tokenizer: put the tokenizer.json of the original model into {folder}. Then prompts "
                f"are counted and tokenised here, and the runtime can reuse what two of them share."
            )
        if card.template is None:
            self._notes.append(
                f"There is no chat template: put the chat_template.jinja or tokenizer_config.json of the original "
                f"model into {folder}, or write its family into {toml}. Without it a prompt is one user turn."
            )
        hinted = hinted_family(FAMILIES, self._entry.path.stem) if card.family is None else None
        if hinted is not None:
            able = " and thinking can be switched" if hinted.capabilities.thinking and card.template is None else ""
            self._notes.append(
                f'If this is a model of the family {hinted.name}, write family = "{hinted.name}" into {toml}: then '
                f"{'prompts use its format' if card.template is None else 'its sampling defaults are used'}{able}."
            )
        if not card.knows_context:
            self._notes.append(
                f"The model does not say how many tokens it holds: write context_length = N into {toml}, N being the "
                f"max_context it was converted with."
            )
        if not card.end_tokens and card.guard is not None:
            self._notes.append(f'No end token is known: write end_tokens = ["<text>"] into {toml}.')


def _head_of_script(script: Script) -> Head:
    """What a script says of its prompts, as a model's head would."""
    named = {"bos_token": script.bos_id, "eos_token": next(iter(script.eos_ids), None)}
    special = {name: script.tokens[at].decode() for name, at in named.items() if at is not None}
    return Head(special_tokens=special, template=script.chat_template, template_source="the script")


def _own_toml(path: Path) -> Path:
    return path.with_suffix(".toml")


def _text_guard(
    controls: Mapping[str, int], family: Family | None, seen: TemplateFacts | None, named: Iterable[str]
) -> TextGuard | None:
    """What keeps callers' text apart from control tokens, wherever there is a template.

    ``named`` are texts of control tokens that files beside the model name.
    """
    if seen is None:
        return None
    texts = {*controls, *named}
    if family is not None:
        texts |= {*family.control_texts, *family.special_tokens.values()}
    if not controls:
        # Nothing says what the control tokens are: then whatever ends the answers of any family counts too.
        texts |= END_TEXTS
        if family is None:
            texts |= MARKERS | seen.control_texts
    return TextGuard(texts)


def _ends_in(seen: TemplateFacts | None) -> tuple[str, ...]:
    """The end tokens that a template writes."""
    return tuple(sorted(seen.control_texts & END_TEXTS)) if seen is not None else ()
