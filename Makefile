# railbird. `make help` lists the targets.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

PYTHON ?= $(shell for candidate in python3 python3.11 python3.12 python3.13 python3.14; do \
	"$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$candidate" && break; done)
BIN := .venv/bin
APT_GET := apt-get --quiet --quiet
HLS_JS := gateway/web/vendor/hls.min.mjs
NGINX_LUA := /usr/lib/nginx/modules/ngx_http_lua_module.so

COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock"

# $(call debian,COMMANDS,PACKAGES,LOSS): where none of the commands is there, install the packages; where that cannot be, say
# why and what is lost, and go on.
debian = for command in $(1); do ! PATH="$$PATH:/usr/sbin" command -v "$$command" >/dev/null || exit 0; done; \
	as_root=""; [ "$$(id -u)" = 0 ] || as_root="sudo -n"; \
	if ! command -v apt-get >/dev/null; then reason="this machine has no apt-get"; \
	elif ! $$as_root true 2>/dev/null; then reason="this account is not root and has no sudo without a password"; \
	else \
		echo "$(@F): installing $(2) with apt-get"; \
		$$as_root $(APT_GET) update >/dev/null || true; \
		! $$as_root env DEBIAN_FRONTEND=noninteractive $(APT_GET) install --yes --no-install-recommends $(2) \
			</dev/null >/dev/null || exit 0; \
		reason="apt-get could not install it"; \
	fi; \
	echo "$(@F): no $(firstword $(1)): $$reason: $(strip $(3))."

# Of the image: with which engine, under which name, from which base (a release names a digest), and what of this machine its
# stages may read while they build (docs/image.md).
ENGINE ?= podman
ISOLATION ?= chroot
IMAGE ?= localhost/railbird:dev
BASE_IMAGE ?= docker.io/library/debian:bookworm-slim
CA_BUNDLE ?= $(firstword $(SSL_CERT_FILE) $(wildcard /etc/ssl/certs/ca-certificates.crt))
PIP_CONF ?= $(firstword $(PIP_CONFIG_FILE) $(wildcard $(HOME)/.config/pip/pip.conf $(HOME)/.pip/pip.conf /etc/pip.conf))
NPMRC ?= $(firstword $(NPM_CONFIG_USERCONFIG) $(wildcard $(HOME)/.npmrc))
BOM := build/railbird.cdx.json
export ENGINE ISOLATION IMAGE BASE_IMAGE CA_BUNDLE PIP_CONF NPMRC

.PHONY: help setup run test bench lint format packages browser iproute2 nftables nginx promtool podman kubectl crds image lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: .venv/.installed $(HLS_JS) ## Build .venv with all that running and testing need, and fetch hls.js and uPlot
	@:

run: setup ## Start the gateway with the demo table
	@exec $(BIN)/python -m gateway --demo $(RUN_ARGS)

# Who measures time or has browsers, namespaces and processes of its own wants the machine for itself.
ALONE := tests/container tests/demo tests/e2e tests/front tests/hls_conformance tests/image tests/loadgen/e2e tests/loadgen/hls tests/web

# What fails may fail by what else the machine does: it runs once more, which is printed with why it failed. A fourth such test of
# either part has failed.
ONCE_MORE := --reruns 1 --max-suite-reruns 3 --rerun-show-tracebacks

test: setup packages ## Run every test, the browser's included (TEST_ARGS="-k wire")
ifdef TEST_ARGS
	@$(BIN)/python -m pytest $(TEST_ARGS)
else
	@$(BIN)/python -m pytest --quiet --maxfail 30 $(ONCE_MORE) --numprocesses auto $(ALONE:%=--ignore=%)
	@$(BIN)/python -m pytest $(ONCE_MORE) $(ALONE)
endif

bench: setup ## Measure the gateway: a table, and JSON (BENCH_ARGS="...")
	@$(BIN)/python -m tests.bench $(BENCH_ARGS)

lint: setup ## Check style, types and the layers of imports
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: setup ## Rewrite the sources in the house format
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

packages: browser iproute2 nftables nginx promtool podman kubectl crds ## Install what tests need of Debian where it is missing and may be installed

browser: ## Install Debian's Chromium, likewise
	@$(call debian,chromium chromium-browser google-chrome,chromium fonts-dejavu-core,tests marked 'browser' cannot run \
		(a failure where CI=true))

iproute2:
	@$(call debian,ip,iproute2,tests marked 'netns' cannot run (a failure where CI=true))

nftables:
	@$(call debian,nft,nftables,tests marked 'nft' cannot run (a failure where CI=true))

# Debian starts the server that it installs: where systemd runs, `systemctl disable --now nginx` ends it. The tests start their own.
nginx:
	@[ -e $(NGINX_LUA) ] && command -v curl >/dev/null || { $(call debian,nginx-with-lua,nginx libnginx-mod-http-lua curl,tests \
		marked 'nginx' cannot run (a failure where CI=true)); }

# It comes with the server, which Debian starts: where systemd runs, `systemctl disable --now prometheus` ends it.
promtool:
	@$(call debian,promtool,prometheus,tests marked 'promtool' cannot run (a failure where CI=true))

podman:
	@PATH="$$PATH:/usr/sbin"; $(foreach command,podman buildah runc mmdebstrap,command -v $(command) >/dev/null &&) true || { \
		$(call debian,podman-and-its-tools,podman buildah runc mmdebstrap,the image cannot be built and tests marked 'podman' \
		cannot run (a failure where CI=true)); }

image: setup $(if $(filter docker,$(ENGINE)),,podman) ## Build the container image, say its size, and write its bill of materials
	@sh daemonset/image/build.sh
	@$(BIN)/python -m daemonset.image.sbom --engine $(ENGINE) --image $(IMAGE) --output $(BOM)

# Debian's kubectl is of 2020, and knows no components of Kustomize. Where there is none from 1.27 on (kustomize 5), Go builds the
# newest kustomize that Debian 12's Go can, from modules whose hashes the public checksum database has.
KUSTOMIZE := sigs.k8s.io/kustomize/kustomize/v5@v5.0.3
kubectl: ## Build kustomize where there is no kubectl from 1.27 on, to render manifests with
	@kubectl version --client 2>/dev/null | grep --quiet 'Kustomize Version: v5' || command -v kustomize >/dev/null \
	|| [ -x build/bin/kustomize ] || { \
		( $(call debian,go,golang-go,kustomize cannot be built) ); \
		echo "kubectl: building kustomize with go (a minute)"; \
		CGO_ENABLED=0 GOBIN=$(CURDIR)/build/bin go install -trimpath $(KUSTOMIZE) || \
			echo "kubectl: no kustomize: install kubectl 1.27 or newer: tests marked 'kubectl' cannot run (a failure where CI=true)."; \
	}

# What custom resources are checked against, from npm; for tests alone, so it is not among the pages' packages.
crds: build/crds/.installed ## Fetch the models that manifests' custom resources are checked against

build/crds/.installed: tests/daemonset/crds/package-lock.json
	@$(call debian,npm,npm,tests marked 'crds' cannot run (a failure where CI=true))
	@mkdir -p $(@D)
	@cp tests/daemonset/crds/package.json $< $(@D)
	@if command -v npm >/dev/null && npm ci --prefix $(@D) --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null; then \
		touch $@; \
	else \
		rm -rf $(@D); \
		echo "crds: npm could not fetch the models: tests marked 'crds' cannot run (a failure where CI=true)."; \
	fi

# The image's lock says of fewer packages what requirements.lock says: it is compiled under that as its constraint.
lock: ## Pin every dependency with its hashes (needs uv)
	@$(COMPILE) --all-extras --output-file requirements.lock pyproject.toml
	@$(COMPILE) --extra demo --extra loadgen --extra tuner --constraints requirements.lock --no-annotate \
		--output-file requirements-image.lock pyproject.toml

clean: ## Remove .venv, hls.js, uPlot and the tools' caches
	@rm -rf .venv node_modules gateway/web/vendor .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build *.egg-info

# The lock alone decides what is installed. Debian ships venv without ensurepip unless python3-venv is there: any pip of
# that Python (22.3 or newer) fills .venv as well.
.venv/.locked: requirements.lock
	@[ -n "$(PYTHON)" ] || { echo "setup: no Python >= 3.11 found; install one, or name it: make PYTHON=..." >&2; exit 1; }
	@echo "setup: building .venv from requirements.lock with $$($(PYTHON) --version) (about a minute)"
	@if $(PYTHON) -c 'import ensurepip' 2>/dev/null; then \
		$(PYTHON) -m venv --clear .venv; pip="$(BIN)/python -m pip"; \
	elif $(PYTHON) -m pip --version >/dev/null 2>&1; then \
		$(PYTHON) -m venv --clear --without-pip .venv; pip="$(PYTHON) -m pip --python $(BIN)/python"; \
	else \
		echo "setup: $(PYTHON) has neither ensurepip nor pip: apt-get install python3-venv (or python3-pip)" >&2; exit 1; \
	fi; \
	$$pip --disable-pip-version-check install --quiet --require-hashes -r requirements.lock
	@touch $@

.venv/.installed: .venv/.locked pyproject.toml
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
	@echo "setup: .venv is ready"

# hls.js for the player page and uPlot for the operators', from npm: package-lock.json says which, by their hashes. aiohttp
# serves a .gz to who takes it.
$(HLS_JS): package-lock.json daemonset/image/vendor.sh
	@$(call debian,npm,npm,hls.js cannot be fetched)
	@if command -v npm >/dev/null && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null; then \
		sh daemonset/image/vendor.sh node_modules $(@D); \
		rm -rf node_modules; \
		echo "setup: hls.js and uPlot are in $(@D)"; \
	else \
		echo "setup: npm could not fetch hls.js and uPlot: the player page has WebRTC, and HLS where the browser itself plays it;" \
			"the operators' page has no plots."; \
	fi
