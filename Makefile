# make          what there is
# make demo     the demo site
# make test     everything that must hold
SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# Every module, in the order in which its tests run. Those of ENGINE need a
# container engine, which integration/setup provides, and the machine: their
# packages run one after the other.
# The benchmarks are checked but not tested here: the peers that they run have
# data races of their own.
ENGINE  := integration
MODULES := . binary/otelmemcached binary/prommemcached examples $(ENGINE) integration/bench

# The modules that are there, each in a shell of its own: $(call each,folders,command)
present = $(patsubst %/go.mod,%,$(wildcard $(addsuffix /go.mod,$(1))))
each    = for module in $(call present,$(1)); do (cd $$module && $(2)) || exit 1; done

GOFUMPT     := go run mvdan.cc/gofumpt@v0.12.0
STATICCHECK := go run honnef.co/go/tools/cmd/staticcheck@v0.8.2
TEST        := go test ./... -race -shuffle=on -timeout=15m

# Tests that count allocations, or callers by the ten thousand: with the race
# detector they skip, so they run without it too.
UNRACED := ^Test(Allocations|Memory_|LargeValues_|OversizedFrame_|Queue_)

# How long each fuzz target runs.
FUZZTIME ?= 60s

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Run the demo site; MEMCACHED_SERVERS, MEMCACHED_USERNAME, MEMCACHED_PASSWORD: on a real memcached
	@mkdir -p .cache && cd examples && go build -o ../.cache/demo ./demo && exec ../.cache/demo

.PHONY: test
test: check compiler ## Check and test everything, also on real memcached; MEMCACHED_INTEGRATION=off: not there
	@$(call each,$(filter-out $(ENGINE) integration/bench,$(MODULES)),$(TEST))
	@go test -count=1 -timeout=5m -run='$(UNRACED)' ./binary ./store
	@cd integration && go run ./conformance -fetch
ifeq ($(MEMCACHED_INTEGRATION),off)
	@$(call each,$(ENGINE),$(TEST) -p=1)
	@echo 'MEMCACHED_INTEGRATION=off: real memcached was left out'
else
	@cd integration && go run ./setup bash -c 'cd .. && $(call each,$(ENGINE),$(TEST) -p=1)'
endif

.PHONY: check
check: ## Check the format, go vet and staticcheck
	@unformatted=$$($(GOFUMPT) -l .); test -z "$$unformatted" || { echo "gofumpt -w these:"; echo "$$unformatted"; exit 1; }
	@$(call each,$(MODULES),go vet ./... && $(STATICCHECK) -checks all ./...)

.PHONY: bench
bench: ## Measure this client beside others and write integration/bench/RESULTS.md
	@cd integration/bench && go run . -write

.PHONY: conformance
conformance: ## Run the public HTTP cache test suite against the middleware; needs Node and npm
	@cd integration && go run ./conformance

.PHONY: soak
soak: ## Run the soak alone, ten times as long
	@cd integration && MEMCACHED_SOAK=10000000 go run ./setup go test -race -run=TestSoak -timeout=2h -v .

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (60s)
	@$(call each,$(MODULES),$(list_fuzz) | while read -r package target; do \
		echo "$$target in $$package"; \
		go test -run='^$$' -fuzz="^$$target$$" -fuzztime=$(FUZZTIME) -fuzzminimizetime=1s "$$package" || exit 1; \
	done)

# Prints a package and a target per line; go test -list names a package after its targets.
list_fuzz = go test -list='^Fuzz' ./... | awk '/^Fuzz/ { targets[n++] = $$1 } /^ok/ { for (i = 0; i < n; i++) print $$2, targets[i]; n = 0 }'

# The race detector needs cgo, and cgo a C compiler.
.PHONY: compiler
compiler:
	@test "$$(go env CGO_ENABLED)" = 1 || \
		{ test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -qq -y --no-install-recommends gcc libc6-dev; } || \
		{ echo 'the race detector needs a C compiler: install gcc or clang (Debian: apt-get install gcc libc6-dev)'; exit 1; }
