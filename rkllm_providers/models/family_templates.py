"""Chat templates of families, for models that bring none.

Each writes what the family's own template writes for plain conversations, and calls and results of tools
in the family's format. What introduces the tools is in our words, and no family's default system prompt is here.
"""

from __future__ import annotations

from typing import Final

# Messages from the last question on: only there is reasoning kept.
_LAST_QUESTION: Final = """
{%- set last = namespace(question=-1) -%}
{%- for message in messages -%}
{%- if message.role == 'user' and not (message.content or '').startswith('<tool_response>') -%}
{%- set last.question = loop.index0 -%}
{%- endif -%}
{%- endfor -%}"""

_TOOL_LIST: Final = """{{ '# Tools\n\nThese functions can be called:\n<tools>' -}}
{%- for tool in tools %}{{ '\n' + (tool | tojson) }}{% endfor -%}
{{- '\n</tools>\n\n' -}}"""

_JSON_CALL_INTRODUCTION: Final = (
    _TOOL_LIST
    + """{{- 'To call a function, answer with its name and arguments as JSON, one pair of tags for each call:\n' -}}
{{- '<tool_call>\n{"name": <name>, "arguments": <object>}\n</tool_call>' -}}"""
)
_XML_CALL_INTRODUCTION: Final = (
    _TOOL_LIST
    + """{{- 'To call a function, end the answer with the call, each argument in tags of its own:\n' -}}
{{- '<tool_call>\n<function=NAME>\n<parameter=ARGUMENT>\nvalue\n</parameter>\n</function>\n</tool_call>' -}}"""
)
_ATTRIBUTE_CALL_INTRODUCTION: Final = (
    _TOOL_LIST
    + """{{- 'To call a function, answer with the call; a value with <, & or line breaks goes into CDATA:\n' -}}
{{- '<function name="NAME"><param name="ARGUMENT">value</param></function>' -}}"""
)

_ANY_JSON_CALLS: Final = """
{%- for call in message.tool_calls or [] -%}
{%- set call = call.function or call -%}
{{- LINE_BREAK -}}
{{- '<tool_call>\n{"name": "' + call.name + '", "arguments": ' -}}
{{- call.arguments if call.arguments is string else call.arguments | tojson -}}
{{- '}\n</tool_call>' -}}
{%- endfor -%}"""
# Qwen2 breaks the line before every call, Qwen3 only after something else.
_ALL_BROKEN_JSON_CALLS: Final = _ANY_JSON_CALLS.replace("LINE_BREAK", r"'\n'")
_JSON_CALLS: Final = _ANY_JSON_CALLS.replace("LINE_BREAK", r"'\n' if content or not loop.first")
_XML_CALLS: Final = """
{%- for call in message.tool_calls or [] -%}
{%- set call = call.function or call -%}
{{- '\n' if not loop.first else ('\n\n' if content else '') -}}
{{- '<tool_call>\n<function=' + call.name + '>\n' -}}
{%- for name, value in call.arguments | items -%}
{{- '<parameter=' + name + '>\n' -}}
{{- value if value is string else (value | tojson if value is mapping or value is sequence else value | string) -}}
{{- '\n</parameter>\n' -}}
{%- endfor -%}
{{- '</function>\n</tool_call>' -}}
{%- endfor -%}"""
_ATTRIBUTE_CALLS: Final = """
{%- for call in message.tool_calls or [] -%}
{%- set call = call.function or call -%}
{{- '\n' if content or not loop.first -}}
{{- '<function name="' + call.name + '">' -}}
{%- for name, value in call.arguments | items -%}
{{- '<param name="' + name + '">' -}}
{%- if value is string and ('<' in value or '&' in value or '\n' in value) -%}
{{- '<![CDATA[' + value + ']]>' -}}
{%- else -%}
{{- value -}}
{%- endif -%}
{{- '</param>' -}}
{%- endfor -%}
{{- '</function>' -}}
{%- endfor -%}"""

_TOOL_RESULT: Final = """
{%- if loop.first or messages[loop.index0 - 1].role != 'tool' -%}{{- '<|im_start|>user' -}}{%- endif -%}
{{- '\n<tool_response>\n' + message.content + '\n</tool_response>' -}}
{%- if loop.last or messages[loop.index0 + 1].role != 'tool' -%}{{- '<|im_end|>\n' -}}{%- endif -%}"""

_WITHOUT_REASONING: Final = "{{- '\n' if content or not message.tool_calls -}}{{- content -}}"
_ALWAYS_REASONING: Final = """
{%- if loop.index0 > last.question -%}
{{- '\n<think>\n' + (message.reasoning_content or '').strip('\n') + '\n</think>\n\n' -}}
{%- else -%}
{{- '\n' -}}
{%- endif -%}
{{- content -}}"""
_LAST_OR_GIVEN_REASONING: Final = """
{%- if loop.index0 > last.question and (loop.last or message.reasoning_content) -%}
{{- '\n<think>\n' + (message.reasoning_content or '').strip('\n') + '\n</think>\n\n' -}}
{%- else -%}
{{- '\n' -}}
{%- endif -%}
{{- content -}}"""
_GIVEN_REASONING: Final = """
{%- if loop.index0 > last.question and message.reasoning_content -%}
{{- '\n<think>\n' + message.reasoning_content.strip('\n') + '\n</think>\n\n' -}}
{%- else -%}
{{- '\n' -}}
{%- endif -%}
{{- content -}}"""

_NO_THOUGHT: Final = "<think>\\n\\n</think>\\n\\n"
_OPEN_IF_SWITCHED_OFF: Final = (
    "{%- if enable_thinking is defined and enable_thinking is false -%}{{- '" + _NO_THOUGHT + "' -}}{%- endif -%}"
)
_OPEN_ALWAYS: Final = (
    "{%- if enable_thinking is defined and enable_thinking is false -%}{{- '"
    + _NO_THOUGHT
    + "' -}}{%- else -%}{{- '<think>\\n' -}}{%- endif -%}"
)
_OPEN_IF_ASKED: Final = (
    "{%- if enable_thinking is defined -%}{%- if enable_thinking -%}{{- '<think>\\n' -}}{%- else -%}{{- '"
    + _NO_THOUGHT
    + "' -}}{%- endif -%}{%- endif -%}"
)


def _chatml(
    *,
    introduction: str = "",
    tools_first: bool = False,
    answer: str = _WITHOUT_REASONING,
    calls: str = "",
    results: str = "",
    opening: str = "",
    trimmed: bool = False,
) -> str:
    """A template in ChatML, put together of a family's parts."""
    trim = " | trim" if trimmed else ""
    system = f"(messages[0].content or ''){trim}"
    parts = [
        "{{- bos_token | default('') -}}",
        "{%- set has_system = messages and messages[0].role == 'system' -%}",
        _LAST_QUESTION,
    ]
    if introduction:
        before, after = "{%- if has_system -%}{{- " + system + " + '\\n\\n' -}}{%- endif -%}", ""
        if tools_first:
            before, after = "", "{%- if has_system -%}{{- '\\n\\n' + " + system + " -}}{%- endif -%}"
        parts += [
            "{%- if tools -%}{{- '<|im_start|>system\\n' -}}",
            before,
            "{{-",
            introduction.removeprefix("{{"),
            after,
        ]
        parts += ["{{- '<|im_end|>\\n' -}}", "{%- elif has_system -%}"]
    else:
        parts += ["{%- if has_system -%}"]
    parts += [
        "{{- '<|im_start|>system\\n' + " + system + " + '<|im_end|>\\n' -}}{%- endif -%}",
        "{%- for message in messages -%}",
        "{%- set content = (message.content or '')" + trim + " -%}",
        "{%- if message.role == 'assistant' -%}",
        "{%- if '</think>' in content -%}",
        "{%- set content = content.split('</think>')[-1].lstrip('\\n') -%}{%- endif -%}",
        "{{- '<|im_start|>assistant' -}}",
        answer,
        calls,
        "{{- '<|im_end|>\\n' -}}",
    ]
    if results:
        parts += ["{%- elif message.role == 'tool' -%}", results]
    parts += [
        "{%- elif message.role != 'system' or not loop.first -%}",
        "{{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>\\n' -}}",
        "{%- endif -%}{%- endfor -%}",
        "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}",
        opening,
        "{%- endif -%}",
    ]
    return "".join(parts)


CHATML: Final = _chatml()
QWEN2: Final = _chatml(
    introduction=_JSON_CALL_INTRODUCTION,
    calls=_ALL_BROKEN_JSON_CALLS,
    results=_TOOL_RESULT,
)
QWEN3: Final = _chatml(
    introduction=_JSON_CALL_INTRODUCTION,
    answer=_LAST_OR_GIVEN_REASONING,
    calls=_JSON_CALLS,
    results=_TOOL_RESULT,
    opening=_OPEN_IF_SWITCHED_OFF,
)
QWEN3_5: Final = _chatml(
    introduction=_XML_CALL_INTRODUCTION,
    tools_first=True,
    answer=_ALWAYS_REASONING,
    calls=_XML_CALLS,
    results=_TOOL_RESULT,
    opening=_OPEN_ALWAYS,
    trimmed=True,
)
MINICPM5: Final = _chatml(
    introduction=_ATTRIBUTE_CALL_INTRODUCTION,
    answer=_GIVEN_REASONING,
    calls=_ATTRIBUTE_CALLS,
    results=_TOOL_RESULT,
    opening=_OPEN_IF_ASKED,
)

SMOLLM3: Final = """
{%- set thinks = enable_thinking is not defined or enable_thinking -%}
{%- set thought = '' if thinks else '<think>\n\n</think>\n' -%}
{%- set system = messages[0].content if messages and messages[0].role == 'system' else '' -%}
{{- '<|im_start|>system\n## Metadata\n\nKnowledge Cutoff Date: June 2025\nReasoning Mode: ' -}}
{{- ('/think' if thinks else '/no_think') + '\n\n## Custom Instructions\n\n' -}}
{{- (system.rstrip() + '\n\n' if system else '') + '<|im_end|>\n' -}}
{%- for message in messages -%}
{%- if message.role == 'assistant' -%}
{{- '<|im_start|>assistant\n' + thought + (message.content or '').lstrip('\n') + '<|im_end|>\n' -}}
{%- elif message.role != 'system' -%}
{{- '<|im_start|>user\n' + (message.content or '') + '<|im_end|>\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\n' + thought -}}{%- endif -%}"""

LLAMA3: Final = """
{{- bos_token | default('<|begin_of_text|>') -}}
{%- set has_system = messages and messages[0].role == 'system' -%}
{%- if tools or has_system -%}
{{- '<|start_header_id|>system<|end_header_id|>\n\n' -}}
{%- if tools -%}
{{- 'These functions can be called. To call one, answer with nothing but JSON in the form ' -}}
{{- '{"name": <name>, "parameters": <object>}.\n\n' -}}
{%- for tool in tools -%}{{- (tool | tojson(indent=4)) + '\n\n' -}}{%- endfor -%}
{%- endif -%}
{{- (messages[0].content | trim if has_system else '') + '<|eot_id|>' -}}
{%- endif -%}
{%- for message in messages -%}
{%- if message.role == 'tool' -%}
{{- '<|start_header_id|>ipython<|end_header_id|>\n\n' + (message.content | tojson) + '<|eot_id|>' -}}
{%- elif message.tool_calls -%}
{%- for call in message.tool_calls -%}
{%- set call = call.function or call -%}
{{- '<|start_header_id|>assistant<|end_header_id|>\n\n{"name": "' + call.name + '", "parameters": ' -}}
{{- (call.arguments if call.arguments is string else call.arguments | tojson) + '}<|eot_id|>' -}}
{%- endfor -%}
{%- elif message.role != 'system' or not loop.first -%}
{{- '<|start_header_id|>' + message.role + '<|end_header_id|>\n\n' -}}
{{- ((message.content or '') | trim) + '<|eot_id|>' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' -}}{%- endif -%}"""

GEMMA: Final = """
{{- bos_token | default('<bos>') -}}
{%- set system = namespace(text='') -%}
{%- for message in messages -%}
{%- if message.role == 'system' -%}
{%- set system.text = system.text + (message.content or '') + '\n\n' -%}
{%- else -%}
{{- '<start_of_turn>' + ('model' if message.role == 'assistant' else 'user') + '\n' -}}
{%- if message.role == 'user' -%}{{- system.text -}}{%- set system.text = '' -%}{%- endif -%}
{{- ((message.content or '') | trim) + '<end_of_turn>\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<start_of_turn>model\n' -}}{%- endif -%}"""

GEMMA4: Final = """
{{- bos_token | default('<bos>') -}}
{%- set thinks = enable_thinking is defined and enable_thinking -%}
{%- set has_system = messages and messages[0].role == 'system' -%}
{%- if thinks or has_system -%}
{{- '<|turn>system\n' + ('<|think|>\n' if thinks else '') -}}
{{- (messages[0].content | trim if has_system else '') + '<turn|>\n' -}}
{%- endif -%}
{%- for message in messages -%}
{%- if message.role != 'system' or not loop.first -%}
{%- set content = message.content or '' -%}
{%- if message.role == 'assistant' and '<channel|>' in content -%}
{%- set content = content.split('<channel|>')[-1] -%}
{%- endif -%}
{{- '<|turn>' + ('model' if message.role == 'assistant' else message.role) + '\n' -}}
{{- (content | trim) + '<turn|>\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|turn>model\n' + ('' if thinks else '<|channel>thought\n<channel|>') -}}
{%- endif -%}"""

PHI3: Final = """
{%- for message in messages -%}
{{- '<|' + message.role + '|>\n' + (message.content or '') + '<|end|>\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|assistant|>\n' -}}{%- endif -%}"""

MISTRAL_NEMO: Final = """
{{- bos_token | default('<s>') -}}
{%- set has_system = messages and messages[0].role == 'system' -%}
{%- set last = namespace(user=-1) -%}
{%- for message in messages -%}
{%- if message.role == 'user' -%}{%- set last.user = loop.index0 -%}{%- endif -%}
{%- endfor -%}
{%- for message in messages -%}
{%- if message.role == 'user' -%}
{%- if tools and loop.index0 == last.user -%}
{{- '[AVAILABLE_TOOLS]' + (tools | tojson) + '[/AVAILABLE_TOOLS]' -}}
{%- endif -%}
{{- '[INST]' -}}
{%- if has_system and loop.last -%}{{- messages[0].content + '\n\n' -}}{%- endif -%}
{{- (message.content or '') + '[/INST]' -}}
{%- elif message.role == 'tool' -%}
{{- '[TOOL_RESULTS]{"content": ' + (message.content | tojson) + ', "call_id": "' -}}
{{- (message.tool_call_id or '')[-9:] + '"}[/TOOL_RESULTS]' -}}
{%- elif message.tool_calls -%}
{{- '[TOOL_CALLS][' -}}
{%- for call in message.tool_calls -%}
{%- set function = call.function or call -%}
{{- '{"name": "' + function.name + '", "arguments": ' -}}
{{- function.arguments if function.arguments is string else function.arguments | tojson -}}
{{- ', "id": "' + (call.id or '')[-9:] + '"}' + (', ' if not loop.last else ']') -}}
{%- endfor -%}
{{- eos_token | default('</s>') -}}
{%- elif message.role == 'assistant' -%}
{{- (message.content or '') + (eos_token | default('</s>')) -}}
{%- endif -%}
{%- endfor -%}"""

DEEPSEEK_R1: Final = """
{{- bos_token | default('<｜begin▁of▁sentence｜>') -}}
{%- for message in messages if message.role == 'system' -%}{{- message.content -}}{%- endfor -%}
{%- for message in messages -%}
{%- if message.role == 'assistant' -%}
{{- '<｜Assistant｜>' + (message.content or '').split('</think>')[-1] + '<｜end▁of▁sentence｜>' -}}
{%- elif message.role != 'system' -%}
{{- '<｜User｜>' + (message.content or '') -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<｜Assistant｜><think>\n' -}}
{%- if enable_thinking is defined and not enable_thinking -%}{{- '</think>' -}}{%- endif -%}
{%- endif -%}"""
