# Everything a contributor does. `make demo` and `make test` make .venv on first use.
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(shell \
	$(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $(name))) python3)
BIN := .venv/bin
ARGS ?=

.PHONY: demo test lint bench test-openwebui clean python check

demo: python
	@$(PYTHON) scripts/environment.py service cpu
	@$(BIN)/rkllm demo $(ARGS)

test: python
	@$(PYTHON) scripts/environment.py service cpu langchain llama-index remote vision test
	@$(MAKE) --no-print-directory check
	$(BIN)/pytest -n 2 --dist loadfile $(ARGS)

lint: python
	@$(PYTHON) scripts/environment.py service cpu langchain llama-index remote vision test
	@$(MAKE) --no-print-directory check

check:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: python
	@$(PYTHON) scripts/environment.py service cpu langchain llama-index remote vision test
	$(BIN)/python -m benchmarks $(ARGS)

# Not part of `make test`: a real Open WebUI, in an environment of its own, and Chromium on its page.
test-openwebui: python
	@$(PYTHON) scripts/environment.py service cpu
	@$(PYTHON) scripts/openwebui_environment.py
	.venv-openwebui/bin/python -m tests.live $(ARGS)

clean:
	rm -rf .venv .venv-openwebui build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || echo not there)."; \
		echo "With uv (https://docs.astral.sh/uv) this gets one and goes on:"; \
		echo "  uv python install 3.12 && make $(firstword $(MAKECMDGOALS) demo) PYTHON=\"\$$(uv python find 3.12)\""; \
		exit 1; }
