"""Vectors of texts without a model: hashed terms, which say that two texts share words and nothing of what they mean.

Each term of the analyser, and each of its runs of four characters at a lower weight, adds to one of ``DIMENSIONS``
numbers, with a sign; which number and which sign is told by a hash of its own (Weinberger et al., Feature Hashing for
Large Scale Multitask Learning, 2009). A feature that is found n times counts 1 + ln n. Vectors have the length 1. The
same text has the same vector in every process and on every machine.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rag_service.retrieval.analyse import Analyser, plain_form
from rag_service.retrieval.language import language_of

DIMENSIONS: Final = 1024
# Of related forms and compounds the grams are shared where the terms are not.
_GRAM_WEIGHT: Final = 0.5
_LANGUAGE_SAMPLE: Final = 2_000
_KNOWN_FEATURES: Final = 200_000


def embed_texts(analyser: Analyser, texts: Sequence[str]) -> tuple[NDArray[np.float32], list[int]]:
    """The vectors, float32 ``[len(texts), DIMENSIONS]``, and how many terms each text has.

    A text without any is a term itself, so that no vector is zero.
    """
    vectors = np.zeros((len(texts), DIMENSIONS))
    n_terms: list[int] = []
    for vector, text in zip(vectors, texts, strict=True):
        terms = analyser.terms(text, language_of(text[:_LANGUAGE_SAMPLE]) or "") or [text]
        n_terms.append(len(terms))
        _add(vector, Counter(map(plain_form, terms)), 1.0)
        _add(vector, _grams(analyser, terms), _GRAM_WEIGHT)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    # Two features of opposite signs may meet in one number, and there are no others.
    return (vectors / np.where(lengths == 0, 1, lengths)).astype(np.float32), n_terms


def _grams(analyser: Analyser, terms: Iterable[str]) -> Counter[str]:
    """The grams of terms, marked so that none is taken for a term."""
    found: Counter[str] = Counter()
    for term, count in Counter(terms).items():
        for gram in analyser.grams(term):
            found[f" {gram}"] += count
    return found


def _add(vector: NDArray[np.float64], features: Counter[str], weight: float) -> None:
    for feature, count in features.items():
        place, sign = _hashed(feature)
        vector[place] += sign * weight * (1 + math.log(count))


@lru_cache(_KNOWN_FEATURES)
def _hashed(feature: str) -> tuple[int, int]:
    """Which number a feature adds to, and with which sign. Python's own hash differs from process to process."""
    value = int.from_bytes(blake2b(feature.encode(errors="backslashreplace"), digest_size=8).digest(), "little")
    return value % DIMENSIONS, 1 if value >> 63 else -1
