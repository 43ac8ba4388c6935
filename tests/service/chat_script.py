"""A scripted model that thinks, calls tools, writes JSON, and fails: for the forms of the APIs."""

from __future__ import annotations

from typing import Any, Final

SCRIPT: Final = """
context 2048
words hm so then call weather sunny city
word " la"
rule "<tool_response>\\n17"
  text "It is 17 degrees."
end
rule "<tool_response>\\nError: gone"
  text "There is no such city."
end
rule "</think>\\n\\n<tool_call>\\n{\\"name\\": \\"get_weather\\", \\"arguments\\": "
  text "{\\"city\\": \\"Lima\\"}}\\n</tool_call>"
end
rule "</think>\\n\\n<tool_call>\\n"
  text "{\\"name\\": \\"get_time\\", \\"arguments\\": {}}\\n</tool_call>"
end
rule "forecast"
  text "<think>\\nso a call\\n</think>\\n\\nI look. "
  text "<tool_call>\\n{\\"name\\": \\"get_weather\\", \\"arguments\\": {\\"city\\": \\"Lima\\"}}\\n</tool_call>"
  text "\\n<tool_call>\\n{\\"name\\": \\"get_time\\", \\"arguments\\": {}}\\n</tool_call>"
end
rule "broken"
  text "<tool_call>\\n{\\"name\\": \\"get_weather\\", \\"arguments\\": {\\"city\\": </tool_call>"
end
rule "unknown"
  text "<tool_call>\\n{\\"name\\": \\"fly\\", \\"arguments\\": {}}\\n</tool_call>"
end
rule "person"
  text "{\\"name\\": \\"Ada\\", \\"age\\": 36}"
end
rule "pause"
  text "Wait."
  sleep 400
  text " Done."
end
rule "endless"
  forever " la"
end
rule "crash"
  text "so far "
  crash
end
rule "Be a pirate"
  text "Arr."
end
rule "<think>\\n\\n</think>"
  text "Without a thought."
end
rule "<|im_start|>"
  text "<think>\\nhm so then\\n</think>\\n\\nHello"
end
rule *
  text ", and so on."
end
"""
WEATHER: Final[dict[str, Any]] = {
    "name": "get_weather",
    "description": "The weather in a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
PERSON: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
PICTURE: Final = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
"""A PNG of one pixel, in base64."""
