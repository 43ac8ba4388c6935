"""Pictures for models that see: the vision encoder on the NPU, and what makes a picture fit for it.

Importing this package loads no library, neither the vendor's nor Pillow. See ``docs/vision.md``.
"""

from rkllm_providers.models.vision_families import (
    ENCODER_DOMAIN,
    VISION_FAMILIES,
    VisionFamily,
    decoder_domain,
    find_vision_family,
)
from rkllm_providers.vision.encoder import EncoderFacts, VisionEncoder
from rkllm_providers.vision.library import RknnLibrary
from rkllm_providers.vision.pictures import (
    FORMATS,
    GREY,
    PictureFacts,
    PictureLimits,
    check_picture,
    prepare_picture,
)

__all__ = [
    "ENCODER_DOMAIN",
    "FORMATS",
    "GREY",
    "VISION_FAMILIES",
    "EncoderFacts",
    "PictureFacts",
    "PictureLimits",
    "RknnLibrary",
    "VisionEncoder",
    "VisionFamily",
    "check_picture",
    "decoder_domain",
    "find_vision_family",
    "prepare_picture",
]
