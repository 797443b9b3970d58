# Jieli 接力. Two commands matter: `make run` and `make test`. `make help` lists the rest.
# `make` fetches uv into .tools, and uv makes both environments from the lock files; nothing outside this folder is changed.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-print-directory

# Python for the product (3.11 or 3.12) and for the bot, whose libraries stop at 3.11. `make run PYTHON=/path` overrides.
find_python = $(shell for name in $(1); do "$$name" -c \
	'import sys; sys.exit(1) if sys.version_info[:2] not in $(2) else print(sys.executable)' 2>/dev/null && break; done)
PYTHON ?= $(call find_python,python3.11 python3 python,((3, 11), (3, 12)))
BOT_PYTHON ?= $(call find_python,$(PYTHON) python3.11 python3.10 python3,((3, 10), (3, 11)))

UV := .tools/bin/uv
UV_SYNC := $(UV) sync --frozen --no-python-downloads
PY := .venv/bin/python
BOT_PY := bot/.venv/bin/python
BOT_ENV := PYTHONPATH=. RASA_TELEMETRY_ENABLED=false TF_CPP_MIN_LOG_LEVEL=3 SQLALCHEMY_SILENCE_UBER_WARNING=1 \
	PYTHONWARNINGS=ignore RASA_CACHE_DIRECTORY=var/rasa-cache
# More words for pytest: make test ARGS="-k handoff"; a benchmark: make bench NAME=bot-turn
ARGS ?=
NAME ?=

.PHONY: help setup run test bench train validate evaluate evaluate-handoff lint audit clean check-disk

help: ## this list / 本列表
	@echo "Jieli 接力 - make TARGET"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-17s %s\n", $$1, $$2 }' Makefile

setup: .venv/.synced bot/.venv/.synced ## make both Python environments / 准备两个 Python 环境
	@$(PY) -c '' 2>/dev/null && $(BOT_PY) -c '' 2>/dev/null || { \
	  echo "An environment no longer starts (was its Python removed?). Run \`make clean\`, then try again." >&2; exit 1; }

run: setup ## start everything, Ctrl-C stops it / 启动全部服务，Ctrl-C 停止
	@exec $(PY) -m handoff.runner --stop-with-parent

train: setup ## train the bot's model anew / 重新训练机器人模型
	@exec $(PY) -m handoff.runner.model --force

validate: setup ## check the bot's data / 检查机器人数据
	@$(BOT_ENV) $(BOT_PY) -m bot.validation $(ARGS)

evaluate: setup ## how well the bot understands, and what changed / 评估机器人的理解
	@$(PY) -m handoff.runner.model </dev/null && $(BOT_ENV) $(BOT_PY) -m bot.evaluation.understanding $(ARGS)

lint: setup ## ruff and mypy / 代码检查
	@failed=0; $(PY) -m ruff check . || failed=1; $(PY) -m mypy handoff examples benchmarks || failed=1; exit $$failed

audit: setup ## known flaws in what the lock files pin / 依赖漏洞检查
	@exec $(PY) -m handoff.runner.audit

test: setup ## every test: desk, shop, bot, end to end, faults / 全部测试
	@failed=0; summary=""; \
	$(PY) -m handoff.runner.model </dev/null || { failed=1; summary="  model          FAILED\n"; }; \
	part() { \
	  name=$$1; shift; began=$$(date +%s); echo; echo "=== $$name"; \
	  "$$@" $(ARGS) </dev/null; code=$$?; word=passed; \
	  if [ $$code -eq 1 ]; then \
	    echo; echo "=== $$name: what failed, once more by itself"; word="passed at the second try, see above"; \
	    "$$@" $(ARGS) --last-failed --last-failed-no-failures none </dev/null; code=$$?; fi; \
	  if [ $$code -eq 0 ]; then :; \
	  elif [ $$code -eq 5 ] && [ -n "$(strip $(ARGS))" ]; then word="no test matches"; \
	  elif [ $$code -eq 5 ]; then word="FAILED: no tests found"; failed=1; \
	  else word="FAILED (exit $$code)"; failed=1; fi; \
	  summary="$$summary$$(printf '  %-14s %s, %s s' "$$name" "$$word" $$(($$(date +%s) - began)))\n"; \
	}; \
	part "desk and shop" $(PY) -m pytest -q -n 2 tests/handoff tests/shop; \
	part "bot" env $(BOT_ENV) $(BOT_PY) -m pytest -q tests/bot; \
	part "end to end" $(PY) -m pytest -q tests/e2e; \
	part "faults" $(PY) -m pytest -q tests/faults; \
	echo; echo "=== summary"; printf '%b' "$$summary"; \
	if [ $$failed -eq 0 ]; then echo "All passed."; else echo "Something failed; see above."; fi; exit $$failed

evaluate-handoff: setup ## how well the bot hands over: ARGS="--set weights.angry=0.8" / 评估转人工时机
	@exec $(PY) -m benchmarks.handoff frozen $(ARGS)

bench: setup ## every benchmark, or one: make bench NAME=bot-turn / 性能测试
	@exec $(PY) -m benchmarks $(NAME)

bench-%: setup
	@exec $(PY) -m benchmarks $*

clean: ## remove environments, models and caches; keep var's data / 清理环境、模型与缓存，保留业务数据
	rm -rf .tools .venv bot/.venv var/models .rasa .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find handoff examples bot tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

$(UV): | check-disk
	@if [ -z "$(PYTHON)" ] || [ -z "$(BOT_PYTHON)" ]; then \
	  echo "Jieli needs Python 3.11 and finds none. Install it with its venv module (Debian, Ubuntu: apt install" >&2; \
	  echo "python3.11 python3.11-venv), or name yours: make run PYTHON=/path/to/python3.11" >&2; exit 1; fi
	@echo "Fetching uv into .tools ..."
	@rm -rf .tools
	@"$(PYTHON)" -m venv .tools || { rm -rf .tools; \
	  echo "$(PYTHON) cannot make an environment. Install its venv module (Debian, Ubuntu: apt install python3.11-venv)." >&2; exit 1; }
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1' || { rm -rf .tools; \
	  echo "uv could not be fetched. Is the package registry reachable from here? Then try again." >&2; exit 1; }

.venv/.synced: pyproject.toml uv.lock | $(UV) check-disk
	@echo "Making the product's environment (.venv); the first time takes about a minute ..."
	@$(UV_SYNC) $(if $(PYTHON),--python "$(PYTHON)") || { echo "The environment could not be made; see above." >&2; exit 1; }
	@touch $@

bot/.venv/.synced: bot/pyproject.toml bot/uv.lock | $(UV) check-disk
	@echo "Making the bot's environment (bot/.venv, about 2 GB); the first time takes some minutes ..."
	@$(UV_SYNC) --project bot $(if $(BOT_PYTHON),--python "$(BOT_PYTHON)") || { echo "The environment could not be made; see above." >&2; exit 1; }
	@touch $@

# The environments need about 3 GB; say so before a download of many minutes fails.
check-disk:
	@[ -e bot/.venv/.synced ] || [ "$$(df -Pk . | awk 'NR == 2 { print $$4 }')" -ge 4000000 ] || { \
	  echo "Less than 4 GB is free here, and the environments need about 3 GB. Free some space, then try again." >&2; exit 1; }
