"""What Open WebUI sends and asks for, understood: pure functions over data, no HTTP and no model."""

from rag_service.openwebui.annotations import CitationFilter, filter_citations, url_citations
from rag_service.openwebui.instant import QueryCache, instant_reply, make_queries, make_tags, make_title
from rag_service.openwebui.sources import ReadChat, read_chat
from rag_service.openwebui.task_table import TaskKind
from rag_service.openwebui.tasks import Task, recognise_task

__all__ = [
    "CitationFilter",
    "QueryCache",
    "ReadChat",
    "Task",
    "TaskKind",
    "filter_citations",
    "instant_reply",
    "make_queries",
    "make_tags",
    "make_title",
    "read_chat",
    "recognise_task",
    "url_citations",
]
