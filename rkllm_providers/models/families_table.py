"""The families of models that are known, as data. Each with the source of its facts."""

from __future__ import annotations

from typing import Final

from rkllm_providers.models import family_templates as templates
from rkllm_providers.models.families import Capabilities, Family

_CHATML: Final = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_CHATML_ENDS: Final = ("<|im_end|>", "<|endoftext|>")
_TAGGED_TOOLS: Final = ("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<tools>", "</tools>")
_THINK: Final = ("<think>", "</think>")
_VISION: Final = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
_DEEPSEEK: Final = ("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>")
_THINKING_AND_TOOLS: Final = Capabilities(thinking=True, tools=True)

FAMILIES: Final = (
    Family(
        "qwen2",
        frozenset({"qwen2", "qwen2moe", "qwen2_moe", "qwen2vl", "qwen2_vl", "qwen2_5_vl"}),
        templates.QWEN2,
        (*_CHATML, *_TAGGED_TOOLS, *_VISION),
        _CHATML_ENDS,
        Capabilities(tools=True),
        {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "repeat_penalty": 1.05},
        source="chat template and generation_config.json of Qwen/Qwen2.5-7B-Instruct",
        marks=frozenset({"<|im_start|>"}),
        foreign_marks=frozenset({"<｜User｜>"}),
        name_hints=("qwen2",),
    ),
    Family(
        "qwen3",
        frozenset({"qwen3", "qwen3moe", "qwen3_moe", "qwen3vl", "qwen3_vl"}),
        templates.QWEN3,
        (*_CHATML, *_TAGGED_TOOLS, *_THINK, *_VISION),
        _CHATML_ENDS,
        _THINKING_AND_TOOLS,
        {"temperature": 0.6, "top_p": 0.95, "top_k": 20},
        source="chat template and model card of Qwen/Qwen3-0.6B",
        marks=frozenset({"<|im_start|>"}),
        foreign_marks=frozenset({"<｜User｜>"}),
        name_hints=("qwen3",),
    ),
    Family(
        "qwen3.5",
        frozenset({"qwen35", "qwen35moe", "qwen3_5", "qwen3_5_text", "qwen3_5_moe"}),
        templates.QWEN3_5,
        (*_CHATML, *_TAGGED_TOOLS, *_THINK, *_VISION),
        _CHATML_ENDS,
        _THINKING_AND_TOOLS,
        {"temperature": 1.0, "top_p": 0.95, "top_k": 20, "presence_penalty": 1.5},
        source="chat template of Qwen/Qwen3.5-4B and model card of Qwen/Qwen3.5-35B-A3B",
        marks=frozenset({"<|im_start|>"}),
        name_hints=("qwen3.5", "qwen3-5", "qwen35"),
    ),
    Family(
        "llama3",
        frozenset({"llama"}),
        templates.LLAMA3,
        (
            *("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>"),
            *("<|eot_id|>", "<|eom_id|>", "<|python_tag|>", "<|finetune_right_pad_id|>"),
        ),
        ("<|eot_id|>", "<|eom_id|>", "<|end_of_text|>"),
        Capabilities(tools=True),
        {"temperature": 0.6, "top_p": 0.9},
        {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"},
        source="chat template and generation_config.json of meta-llama/Llama-3.1-8B-Instruct",
        marks=frozenset({"<|start_header_id|>"}),
        vocabulary_marks=frozenset({"<|eot_id|>"}),
        foreign_marks=frozenset({"<｜User｜>", "<|im_start|>"}),
        name_hints=("llama-3", "llama3", "meta-llama-3"),
    ),
    Family(
        "gemma",
        frozenset({"gemma", "gemma2", "gemma3", "gemma3_text", "gemma3n"}),
        templates.GEMMA,
        ("<bos>", "<eos>", "<pad>", "<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<end_of_image>"),
        ("<end_of_turn>", "<eos>"),
        Capabilities(),
        {"temperature": 1.0, "top_p": 0.95, "top_k": 64},
        {"bos_token": "<bos>", "eos_token": "<eos>"},
        source="chat template of google/gemma-2-2b-it and generation_config.json of google/gemma-3-1b-it",
        marks=frozenset({"<start_of_turn>"}),
        name_hints=("gemma-2", "gemma2", "gemma-3", "gemma3"),
    ),
    Family(
        "gemma4",
        frozenset({"gemma4", "gemma4_text"}),
        templates.GEMMA4,
        (
            *("<bos>", "<eos>", "<pad>", "<|turn>", "<turn|>", "<|channel>", "<channel|>", "<|think|>"),
            *("<|tool>", "<tool|>", "<|tool_call>", "<tool_call|>", "<|tool_response>", "<tool_response|>", '<|"|>'),
            *("<|image|>", "<|audio|>", "<|video|>"),
        ),
        ("<turn|>", "<eos>"),
        Capabilities(thinking=True),
        special_tokens={"bos_token": "<bos>", "eos_token": "<eos>"},
        source="chat template of google/gemma-4-31B-it",
        marks=frozenset({"<|turn>"}),
        name_hints=("gemma-4", "gemma4"),
    ),
    Family(
        "phi3",
        frozenset({"phi3"}),
        templates.PHI3,
        ("<s>", "</s>", "<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
        ("<|end|>", "<|endoftext|>"),
        special_tokens={"bos_token": "<s>", "eos_token": "<|endoftext|>"},
        source="chat template of microsoft/Phi-3.5-mini-instruct",
        marks=frozenset({"<|end|>"}),
        vocabulary_marks=frozenset({"<|user|>"}),
        name_hints=("phi-3", "phi3"),
    ),
    Family(
        "mistral-nemo",
        frozenset({"llama", "mistral"}),
        templates.MISTRAL_NEMO,
        (
            *("<s>", "</s>", "<unk>", "<pad>", "[INST]", "[/INST]", "[TOOL_CALLS]", "[TOOL_RESULTS]"),
            *("[/TOOL_RESULTS]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]"),
        ),
        ("</s>",),
        Capabilities(tools=True),
        {"temperature": 0.3},
        {"bos_token": "<s>", "eos_token": "</s>"},
        source="chat template and model card of mistralai/Mistral-Nemo-Instruct-2407",
        marks=frozenset({"[INST]", "[AVAILABLE_TOOLS]"}),
        # The vocabulary of older models with the same markers has none for filling in the middle.
        vocabulary_marks=frozenset({"[PREFIX]", "[MIDDLE]"}),
        foreign_marks=frozenset({"[SYSTEM_PROMPT]", "<|im_start|>"}),
        name_hints=("mistral-nemo",),
    ),
    Family(
        "deepseek-r1",
        frozenset({"qwen2", "llama", "qwen3"}),
        templates.DEEPSEEK_R1,
        (
            *_DEEPSEEK,
            *_THINK,
            *("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", "<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>"),
            *("<｜tool▁outputs▁begin｜>", "<｜tool▁outputs▁end｜>", "<｜tool▁sep｜>"),
        ),
        ("<｜end▁of▁sentence｜>",),
        Capabilities(thinking=True),
        {"temperature": 0.6, "top_p": 0.95},
        {"bos_token": "<｜begin▁of▁sentence｜>", "eos_token": "<｜end▁of▁sentence｜>"},
        source="chat templates and model card of the deepseek-ai/DeepSeek-R1-Distill models",
        marks=frozenset({"<｜User｜>", "<｜Assistant｜>"}),
        name_hints=("deepseek-r1",),
    ),
    Family(
        "smollm2",
        frozenset({"llama"}),
        templates.CHATML,
        _CHATML,
        _CHATML_ENDS,
        Capabilities(),
        {"temperature": 0.2, "top_p": 0.9},
        {"bos_token": "", "eos_token": "<|im_end|>"},
        source="vocabulary and model card of HuggingFaceTB/SmolLM2-135M-Instruct",
        marks=frozenset({"<|im_start|>"}),
        vocabulary_marks=frozenset({"<repo_name>", "<jupyter_script>", "<empty_output>"}),
        name_hints=("smollm2",),
    ),
    Family(
        "smollm3",
        frozenset({"smollm3"}),
        templates.SMOLLM3,
        (*_CHATML, *_THINK, *_TAGGED_TOOLS, "<|begin_of_text|>", "<|end_of_text|>"),
        ("<|im_end|>", "<|end_of_text|>"),
        Capabilities(thinking=True),
        {"temperature": 0.6, "top_p": 0.95},
        source="chat template and model card of HuggingFaceTB/SmolLM3-3B",
        marks=frozenset({"<|im_start|>"}),
        name_hints=("smollm3",),
    ),
    # Its architecture is one that others share, and nothing else is known to tell it by.
    Family(
        "minicpm5",
        frozenset(),
        templates.MINICPM5,
        ("<s>", "</s>", "<|im_start|>", "<|im_end|>", *_THINK, *_TAGGED_TOOLS),
        ("<|im_end|>", "</s>"),
        _THINKING_AND_TOOLS,
        special_tokens={"bos_token": "<s>", "eos_token": "</s>"},
        source="chat template of openbmb/MiniCPM5-1B",
        name_hints=("minicpm5",),
    ),
    Family(
        "internlm2",
        frozenset({"internlm2"}),
        templates.CHATML,
        ("<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|action_start|>", "<|action_end|>"),
        ("<|im_end|>", "</s>"),
        special_tokens={"bos_token": "<s>", "eos_token": "</s>"},
        source="chat template of internlm/internlm2-chat-7b",
        marks=frozenset({"<|im_start|>"}),
        name_hints=("internlm2",),
    ),
    # Models that embed or rank have the architecture and the vocabulary of those that chat.
    Family(
        "qwen3-embedding",
        frozenset(),
        templates.CHATML,
        _CHATML,
        _CHATML_ENDS,
        Capabilities(embedding=True),
        source="model card of Qwen/Qwen3-Embedding-0.6B",
        name_hints=("qwen3-embedding",),
    ),
    Family(
        "gte-qwen2",
        frozenset(),
        templates.CHATML,
        _CHATML,
        _CHATML_ENDS,
        Capabilities(embedding=True),
        source="model card of Alibaba-NLP/gte-Qwen2-1.5B-instruct",
        name_hints=("gte-qwen2",),
    ),
    Family(
        "qwen3-reranker",
        frozenset(),
        templates.CHATML,
        (*_CHATML, *_THINK),
        _CHATML_ENDS,
        Capabilities(reranking=True),
        source="model card of Qwen/Qwen3-Reranker-0.6B",
        name_hints=("qwen3-reranker",),
    ),
    # Any model of the format that gave the others theirs: nothing tells it but model.toml.
    Family(
        "chatml",
        frozenset(),
        templates.CHATML,
        _CHATML,
        _CHATML_ENDS,
        source="the format that Qwen, SmolLM2 and InternLM2 share",
    ),
)

FAMILY_BY_NAME: Final = {family.name: family for family in FAMILIES}

# Texts of tokens that end an answer in some family. A control token with such a text always does.
END_TEXTS: Final = frozenset(
    {
        *(text for family in FAMILIES for text in family.end_texts),
        *("<end_of_utterance>", "[EOS]", "<|end_of_turn|>", "<|EOT|>", "<eos>", "</s>"),
    }
)
