# make test    everything that must hold before a change lands
# make soak    the same, for hours: what is found by chance
# make bench   the table of costs beside the peers
# make         build ./bin/cloakroom

STATICCHECK := v0.8.2
ERRCHECK := v1.30.0
NFPM := v2.48.0
CYCLONEDX := v1.9.0
# In runs, not in seconds: a target that runs against the clock now and then
# fails for having been stopped.
FUZZTIME ?= 3000x

# Nothing needs a C compiler but the race detector, and what is compiled without
# one is compiled once: in the way in which it is released.
export CGO_ENABLED = 0
export GOFLAGS = -trimpath

.PHONY: build test tools format vet lint static docs unit mutants client browser proxies packages fuzz soak bench clean

build:
	go build -ldflags '-s -w' -o bin/cloakroom ./cmd/cloakroom

test: tools format vet lint static docs unit mutants browser proxies packages fuzz
	@echo "make test: everything passed"

# Installs what the tests need and is missing, or says what to install.
tools:
	@scripts/tools $(STATICCHECK) $(ERRCHECK) $(NFPM) $(CYCLONEDX)

format:
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt would change: $$unformatted"; exit 1; }

# Once, for all the tests: each of the ways in which they are compiled would have
# the same looked at again, dependencies included.
vet:
	go vet -tags 'mutants browser proxies packages' ./...

# Lengths, imports and comments are held by internal/arch.
lint:
	.tools/staticcheck -tags 'mutants browser proxies packages' ./...
	.tools/errcheck -ignoretests -exclude scripts/errcheck.txt ./...

static:
	go build ./...

# The pages as a site, in bin/site. That every page is in it, and every link leads
# somewhere, is held by internal/readme.
docs:
	@command -v mkdocs >/dev/null || { echo "the site is made by mkdocs, which is not installed; on Debian: apt-get install mkdocs" >&2; exit 1; }
	mkdocs build --strict --clean

# Without the race detector what it has no use for and would take minutes of: full
# caches, and the contract's validator. Then all with it, what takes longest first.
unit:
	go test -vet=off ./session ./session/internal/cache ./internal/server
	CGO_ENABLED=1 go test -vet=off -race -timeout 8m ./internal/server ./...

mutants:
	go test -vet=off -tags mutants -count=1 -parallel 2 -timeout 10m ./lab/mutants

# The browser's client and the front end of the example that uses it. What is
# installed for that is what the lock files say.
NPM_CI := npm ci --no-audit --no-fund --ignore-scripts --silent
client:
	cd clients/typescript && $(NPM_CI) && npm run --silent build
	cd examples/spa/web && $(NPM_CI) && npm run --silent build

browser: client
	go test -vet=off -tags browser -count=1 -timeout 5m ./e2e/...

# The configurations that the command prints, in the real proxies. It waits more
# than it works.
proxies:
	go test -vet=off -tags proxies -count=1 -parallel 8 -timeout 5m ./deploy ./examples/behind-a-proxy

# What is released: built twice, looked into, and installed on a machine of its own,
# where the operations page is done. It needs root, and a kernel that lets one start.
packages:
	go test -vet=off -tags packages -count=1 -timeout 6m ./deploy/debian

fuzz:
	@scripts/fuzz $(FUZZTIME)

# The long form of what finds faults by chance: everything that runs at the same time,
# is killed, or is made up, SOAK times over, and each fuzz target for as many minutes.
SOAK ?= 20
soak: tools
	go test -vet=off -timeout 0 -count=$(SOAK) ./session/... ./internal/throttle ./internal/factor/...
	CGO_ENABLED=1 go test -vet=off -race -timeout 0 -count=$(SOAK) ./session/... ./internal/server ./deploy/systemd
	go test -vet=off -timeout 0 -count=1 ./session/internal/feed -rapid.checks=$(SOAK)000 -rapid.steps=500
	scripts/fuzz $(SOAK)m

bench: tools
	go run ./bench

clean:
	rm -rf bin .tools
