"""Scripted models that play what the tests need: thinking, calling tools, answering in JSON."""

from __future__ import annotations

from typing import Final

# Rules are tried in this order on the whole prompt. Where a call is forced, the prompt ends with its beginning.
PLAYER: Final = r"""
context 16384
word " la"

rule "It's sunny."
  text "<think>\nThe tool has told it.\n</think>\n\nIt is sunny there."
end
rule "What is the weather in {city},"
  text "<think>\nI need the weather.\n</think>\n\n<tool_call>\n"
  text "{\"name\": \"get_weather\", \"arguments\": {\"location\": \"{city}\"}}\n</tool_call>"
end
rule "What is 3 + 4"
  text "{\"a\": 3, \"b\": 4}}\n</tool_call>"
end
rule "\"name\": \"magic_function\", \"arguments\": "
  text "{\"input\": 3}}\n</tool_call>"
end
rule "\"name\": \"magic_function_no_args\", \"arguments\": "
  text "{}}\n</tool_call>"
end
rule "\"name\": \"greeting_generator\", \"arguments\": "
  text "{\"answer_style\": \"Pirate\"}}\n</tool_call>"
end
rule "Create a customer named '{name}' ("
  text "{\"customer_name\": \"{name}\", \"description\": \"A firm.\"}}\n</tool_call>"
end
rule "Hello!<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n<tool_call>\n"
  text "{\"name\": \"get_weather\", \"arguments\": {\"location\": \"Oslo\"}}\n</tool_call>"
end
rule "\"name\": \"Joke\", \"arguments\": "
  text "{\"setup\": \"Why do cats purr?\", \"punchline\": \"They run on fish.\"}}\n</tool_call>"
end
rule "\"name\": \"JokeDict\", \"arguments\": "
  text "{\"setup\": \"Why do cats purr?\", \"punchline\": \"They run on fish.\"}}\n</tool_call>"
end
rule "joke about cats"
  text "<think>\nSomething short.\n</think>\n\n"
  text "{\"setup\": \"Why do cats purr?\", \"punchline\": \"They run on fish.\"}"
end
rule *
  text "<think>\nThey say hello.\n</think>\n\nHello there, 你好, and how are you?"
end
"""

OTHER: Final = """
rule *
  text "I am the other model."
end
"""

TALKER: Final = r"""
context 8192
word " la"

rule "endless"
  forever " la"
end
rule "capital of {country}?"
  text "You asked about {country}."
end
rule "Goodbye"
  text "Goodbye."
end
rule "reason then call"
  text "<think>\nI should look.\n</think>\n\n<tool_call>\n"
  text "{\"name\": \"look\", \"arguments\": {\"at\": \"你好\", \"n\": 3, \"deep\": [1.5, null, true]}}\n</tool_call>"
end
rule "text then call"
  text "Let me look. <tool_call>\n{\"name\": \"look\", \"arguments\": {\"at\": \"it\"}}\n</tool_call>"
end
rule "call then text"
  text "<tool_call>\n{\"name\": \"look\", \"arguments\": {\"at\": \"it\"}}\n</tool_call>\nI looked."
end
rule "two calls"
  text "<tool_call>\n{\"name\": \"look\", \"arguments\": {\"at\": \"a\"}}\n</tool_call>\n"
  text "<tool_call>\n{\"name\": \"look\", \"arguments\": {\"at\": \"b\"}}\n</tool_call>"
end
rule "broken call"
  text "<tool_call>\n{\"name\": \"look\", \"arguments\": {\"at\": \"a\", oh}}\n</tool_call>"
end
rule "unknown call"
  text "<tool_call>\n{\"name\": \"fly\", \"arguments\": {}}\n</tool_call>"
end
rule "{\"name\": \"look\", \"arguments\": "
  text "{\"at\": \"forced\"}}\n</tool_call>"
end
rule "{\"name\": \"Person\", \"arguments\": "
  text "{\"name\": \"Ada\", \"age\": 36}}\n</tool_call>"
end
rule "{\"name\": \"Nobody\", \"arguments\": "
  text "{\"name\": \"Ada\"}}\n</tool_call>"
end
rule "</think>\n\n<tool_call>\n"
  text "{\"name\": \"look\", \"arguments\": {\"at\": \"some\"}}\n</tool_call>"
end
rule "no JSON"
  text "I would rather not."
end
rule "half a person"
  text "{\"name\": \"Ada\"}"
end
rule "</think>\n\n{"
  text "\"name\": \"Ada\", \"age\": 36}"
end
rule "a person"
  text "<think>\nWhom?\n</think>\n\n{\"name\": \"Ada\", \"age\": 36}"
end
rule "think hard{rest}</think>\n\n"
  text "Done."
end
rule "think hard"
  text "<think>\n"
  repeat 40 "well, "
  text "\n</think>\n\nDone."
end
rule "<think>\n\n</think>\n\n"
  text "Straight to it."
end
rule *
  text "<think>\nThey say hi.\n</think>\n\nHello there, 你好."
end
"""
