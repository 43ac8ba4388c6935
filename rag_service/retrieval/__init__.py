"""Retrieval in front of the model: clean, segment, rank, dedupe, gate, pack.

Each stage is a function from data to data, without HTTP and without a model, and leaves notes on what it dropped
and why.
"""
