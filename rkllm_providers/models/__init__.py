"""What is in the models folder: ids, formats, context, tokenizer, chat template."""

from rkllm_providers.models.card import Fact, ModelCard, PromptForm
from rkllm_providers.models.card_reader import read_card
from rkllm_providers.models.catalog import (
    BUILT_IN_MODEL,
    Catalog,
    ModelEntry,
    default_models_dir,
)
from rkllm_providers.models.encoders import ModelVision
from rkllm_providers.models.families import Capabilities, Family
from rkllm_providers.models.model_files import ModelFormat

__all__ = [
    "BUILT_IN_MODEL",
    "Capabilities",
    "Catalog",
    "Fact",
    "Family",
    "ModelCard",
    "ModelEntry",
    "ModelFormat",
    "ModelVision",
    "PromptForm",
    "default_models_dir",
    "read_card",
]
