.PHONY: run viewer package test test-citus test-real-events test-receivers torture fuzz bench docs docs-test schema dump-schema deny fmt clean help
.DEFAULT_GOAL := help

run: ## build, fill with sample events of five products, and serve; prints a link per product
	@scripts/run

viewer: ## build the web viewer and the playground; without Node.js the API is served alone
	@scripts/viewer

package: ## pack what is published on npm, into target/package
	@scripts/package

test: ## everything that a change has to pass
	@scripts/test

test-real-events: ## answer questions on real events: make test-real-events EVENTS=DIR
	@scripts/test-real-events "$(EVENTS)"

test-citus: ## the tests of PostgreSQL on a Citus cluster: make test-citus URL=postgres://... NAMES="retention copy"
	@scripts/test-citus "$(URL)" $(NAMES)

test-receivers: ## the service against programs that others wrote; make test-receivers NAMES="schemathesis" for some
	@scripts/test-receivers $(NAMES)

torture: ## fail disks and connections at every call, for as many rounds as wanted: make torture ROUNDS=100
	@scripts/torture $(ROUNDS)

fuzz: ## look for bytes that break what is asserted of any: make fuzz SECONDS=600 NAMES="cursor" for some, for long
	@scripts/fuzz $(or $(SECONDS),60) $(NAMES)

bench: ## measure everything, and write BENCHMARKS.md; make bench STAGES="load record" prints some of it
	@scripts/bench $(STAGES)

docs: ## build the manual as a site in target/docs, and check its links
	@scripts/docs

docs-test: ## execute every block of README and the manual
	@scripts/docs-test $(PAGES)

schema: ## write schema.graphql and docs/openapi.json anew
	UPDATE_SCHEMA=1 cargo test --test it -- schema rest_document

dump-schema: ## keep the schema of a release for the upgrade tests: make dump-schema VERSION=0.2.0
	@scripts/dump-schema "$(VERSION)"

deny: ## check licences, bans and sources of what is built in, and known weaknesses where they can be asked for
	@scripts/deny

fmt: web/node_modules ## format the code
	cargo fmt --all
	npm run --silent --prefix web format

web/node_modules: web/package-lock.json
	npm ci --prefix web --no-audit --no-fund
	@touch web/node_modules

clean: ## remove what was built
	cargo clean
	rm -rf web/dist web/node_modules web/e2e/apps/node_modules tests/node/node_modules clients/typescript/dist clients/typescript/node_modules

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1: \2/p' Makefile
