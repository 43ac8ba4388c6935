"""All stages of retrieval in their order: clean, segment, gate, rank, dedupe, pack."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag_service.retrieval.analyse import Analyser
from rag_service.retrieval.clean import clean
from rag_service.retrieval.dedupe import drop_copies, drop_near_copies
from rag_service.retrieval.floor import Relevance, apply_floor, judge
from rag_service.retrieval.pack import Packed, Render, in_order, pack, render_sources, spread
from rag_service.retrieval.rank import Index, Ranked, note, rank
from rag_service.retrieval.segment import segment
from rag_service.retrieval.settings import RetrievalSettings
from rag_service.retrieval.turns import Decision, decide
from rag_service.retrieval.types import Excerpt, Note, Passage, Source, Turn

Read = Callable[[Source], tuple[list[Passage], Sequence[Note]]]


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What a turn is answered from.

    ``excerpts`` are in the order to show them, those of one source together, and take ``tokens`` tokens rendered.
    ``notes`` tell of every stage what it dropped, kept and why.
    """

    decision: Decision
    excerpts: tuple[Excerpt, ...]
    tokens: int
    notes: Sequence[Note]


def read_source(source: Source) -> tuple[list[Passage], tuple[Note, ...]]:
    """The passages of a source, and what was cleaned away. They depend on nothing else, and may be kept for later."""
    document = clean(source)
    return segment(document), document.notes


def retrieve(
    sources: Sequence[Source],
    turns: Sequence[Turn],
    settings: RetrievalSettings,
    count: Callable[[str], int],
    *,
    budget: int,
    analyser: Analyser | None = None,
    render: Render = render_sources,
    read: Read = read_source,
) -> Retrieved:
    """What of ``sources`` the newest of ``turns`` is answered from, in at most ``budget`` tokens.

    ``count`` gives the tokens of a text, ``render`` the text that pieces take in the prompt, and ``read`` the
    passages of a source. Any text is taken.

    Raises:
        ValueError: ``budget`` is negative.
    """
    if budget < 0:
        raise ValueError(f"A budget of {budget} tokens is none; give 0 or more.")
    decision = decide(turns, sources)
    if decision.small_talk or decision.use == "conversation" or not sources or not budget:
        return Retrieved(decision, (), 0, tuple(_unread(sources, decision)))
    texts = [read(source) for source in sources]
    notes = [noted for _, cleaned in texts for noted in cleaned]
    passages, copies = drop_copies([passage for own, _ in texts for passage in own])
    notes += copies
    question = decision.query or (turns[-1].text if turns else "")
    if decision.coverage or decision.keep_order:
        whole = spread if decision.coverage else in_order
        packed = whole(passages, budget, count, render)
        if packed.passages:
            notes += _taken(passages, packed)
            return Retrieved(decision, _excerpts(packed.passages), packed.tokens, tuple(notes))
    packed, told = _best(Index(passages, analyser, settings), question, budget, count, render)
    return Retrieved(decision, _excerpts(packed.passages), packed.tokens, (*notes, *told))


def _best(
    index: Index, question: str, budget: int, count: Callable[[str], int], render: Render
) -> tuple[Packed, list[Note]]:
    settings = index.settings
    ranked, notes = rank(index, question, in_context=True)
    relevance = Relevance(index, question)
    ranked, told = apply_floor(judge(ranked, relevance), relevance, settings.floor)
    notes += told
    ranked, told = drop_near_copies(ranked, settings.duplicate_share)
    notes += told
    if not ranked:
        ranked = _attached(index)
    packed, told = pack(ranked, relevance, budget, count, settings, render, least=settings.relative_floor)
    return packed, notes + told


def _attached(index: Index) -> list[Ranked]:
    """The attached passages in their order, where nothing matches: what the user chose is never dropped whole."""
    return [
        Ranked(passage, number, 0.0)
        for number, passage in enumerate(index.passages)
        if passage.document.source.kind == "attached"
    ]


def _unread(sources: Sequence[Source], decision: Decision) -> list[Note]:
    reason = "; ".join(decision.reasons) or "no room for sources"
    return [Note("gate", source.id, source.title, False, reason) for source in sources]


def _taken(passages: Sequence[Passage], packed: Packed) -> list[Note]:
    taken = {id(passage) for passage in packed.passages}
    return [
        note("pack", one, kept=id(one) in taken, reason="packed" if id(one) in taken else "no room left")
        for one in passages
    ]


def _excerpts(passages: Sequence[Passage]) -> tuple[Excerpt, ...]:
    """The pieces, those of one id together: two sources of a sender may share one."""
    order = list(dict.fromkeys(passage.document.source.id for passage in passages))
    together = sorted(passages, key=lambda passage: order.index(passage.document.source.id))
    return tuple(map(Excerpt.of, together))
