# The few commands that people and machines use. Everything that they make lies in build/ and var/.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
DESTDIR ?=
SECONDS ?= 60
ARGS ?=


.PHONY: help up test one tidy bench fuzz soak tsan release dev install clean

help: ## what can be made
	@echo "make TARGET, where TARGET is one of"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 12

up: ## build enclave and run it on this machine's logs; state in var/. Add ARGS=--once to seal what is there and stop
	@tools/install-packages build run
	@$(MAKE) --no-print-directory release
	build/release/enclave up --dir var $(ARGS)

test: ## build everything with sanitizers and run all tests
	@tools/install-packages build run test
	@$(MAKE) --no-print-directory dev
	@echo "One test again: make one TEST=name (names: ctest --preset dev -N)"
	ctest --preset dev --parallel 2 --output-on-failure

one: ## run one test again, with all that it says: make one TEST=name
	@test -n "$(TEST)" || { echo "say which: make one TEST=name" >&2; exit 64; }
	@$(MAKE) --no-print-directory dev
	ctest --preset dev --verbose -R '^$(TEST)$$' --no-tests=error

tidy: ## check form and house rules
	@tools/install-packages test
	tools/tidy

soak: ## kill shipper and receiver for SECONDS=60 while files grow and rotate, and count the lines
	@tools/install-packages build run test
	@$(MAKE) --no-print-directory release
	tests/faults/beats_soak_test.py --enclave build/release/enclave --seconds $(SECONDS) $(ARGS)

bench: ## measure speed and memory, and write bench/RESULTS.md
	@tools/install-packages build run bench
	@cmake --preset release -DENCLAVE_BENCH=ON >/dev/null
	@cmake --build --preset release --parallel $(JOBS)
	bench/run $(ARGS)
	bench/run-chain
	bench/run-objects || echo "objects were not measured: the real store could not be started"

fuzz: ## run every libFuzzer target: make fuzz SECONDS=60
	@tools/install-packages build fuzz
	@cmake --preset fuzz >/dev/null
	@cmake --build --preset fuzz --parallel $(JOBS)
	tools/fuzz build/fuzz $(SECONDS)

tsan: ## run the tests with the thread sanitizer
	@tools/install-packages build run test
	@cmake --preset tsan >/dev/null
	@cmake --build --preset tsan --parallel $(JOBS)
	ctest --preset tsan --parallel 2 --output-on-failure -LE no_tsan

release: ## only build the optimised programs, in build/release
	@cmake --preset release >/dev/null
	@cmake --build --preset release --parallel $(JOBS)

dev: ## only build everything with sanitizers, in build/dev
	@cmake --preset dev >/dev/null
	@cmake --build --preset dev --parallel $(JOBS)

install: ## install the programs, man pages and the systemd unit: make install PREFIX=/usr/local DESTDIR=
	@tools/install-packages build
	@cmake --preset release -DCMAKE_INSTALL_PREFIX=$(PREFIX) >/dev/null
	@cmake --build --preset release --parallel $(JOBS)
	DESTDIR=$(DESTDIR) cmake --install build/release

clean: ## remove what was built; var/ stays
	rm -rf build
