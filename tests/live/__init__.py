"""The service behind a real Open WebUI, in its API and in its page: ``make test-openwebui``.

It is no part of ``make test``: it needs an environment of its own (about 1 GB) and Chromium.
"""
