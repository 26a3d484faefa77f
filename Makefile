# make test    everything that must hold before a change lands
# make bench   the table of costs beside the peers
# make fuzz    each parser for a minute instead of a few seconds
# make         build ./bin/cloakroom

GOLANGCI_LINT := v2.15.0
FUZZTIME ?= 5s
export CGO_ENABLED ?= 1

# A cached pass of a test that talks to a browser or a process proves nothing
# new; -count=1 only where that is so.
GO := go

.PHONY: build test tools format vet lint unit mutants browser fuzz static bench clean

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o bin/cloakroom ./cmd/cloakroom

test: tools format vet lint static unit mutants browser fuzz
	@echo "make test: everything passed"

# tools installs what the tests need and is missing, or says what to install.
tools:
	@scripts/tools $(GOLANGCI_LINT)

format:
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt would change: $$unformatted"; exit 1; }

vet:
	$(GO) vet ./...
	$(GO) vet -tags 'mutants browser' ./...

lint:
	.tools/golangci-lint run ./...

unit:
	$(GO) test -race -timeout 8m ./...

mutants:
	$(GO) test -tags mutants -count=1 -timeout 12m ./lab/mutants

browser:
	$(GO) test -tags browser -count=1 -timeout 5m ./e2e/...

fuzz:
	@scripts/fuzz $(FUZZTIME)

static:
	CGO_ENABLED=0 $(GO) build -trimpath -o /dev/null ./...

bench:
	$(GO) run ./bench

clean:
	rm -rf bin .tools
