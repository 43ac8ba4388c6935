"""What is in the models folder: ids, formats, context, tokenizer, chat template."""

from rkllm_providers.models.card import ModelCard, read_card
from rkllm_providers.models.catalog import (
    BUILT_IN_MODEL,
    Catalog,
    ModelEntry,
    ModelFormat,
    default_models_dir,
)

__all__ = [
    "BUILT_IN_MODEL",
    "Catalog",
    "ModelCard",
    "ModelEntry",
    "ModelFormat",
    "default_models_dir",
    "read_card",
]
