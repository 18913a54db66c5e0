# Private Panoramax. `make deploy` stands the site up, `make test` proves it; `make help` lists the rest.
INVENTORY ?= inventories/local
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg

.PHONY: help deploy upgrade verify backup restore uninstall bundle check lint unit website test test-all e2e guide molecule lock newer audit sbom clean

help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | expand -t 14

$(VENV)/runtime: requirements.txt
	@$(PYTHON) scripts/bootstrap.py --venv $(VENV) --requirements requirements.txt
	@touch $@

$(VENV)/development: requirements-dev.txt
	@$(PYTHON) scripts/bootstrap.py --venv $(VENV) --requirements requirements-dev.txt
	@touch $@ $(VENV)/runtime

deploy: $(VENV)/runtime ## Stand the site up, or bring it in step with the inventory
	@$(BIN)/python scripts/deploy.py -i $(INVENTORY) $(ARGS)

upgrade: $(VENV)/runtime ## Store the site in its backup's repository, then deploy the versions of this checkout
	@$(BIN)/ansible-playbook -i $(INVENTORY) playbooks/backup.yml
	@$(BIN)/python scripts/deploy.py -i $(INVENTORY) $(ARGS)

verify: $(VENV)/runtime ## Prove from outside that the deployed site is private
	@$(BIN)/python scripts/verify.py -i $(INVENTORY) $(ARGS)

backup: $(VENV)/runtime ## Store the site, without a pause, in the repository of site_backup_repository
	@$(BIN)/ansible-playbook -i $(INVENTORY) playbooks/backup.yml $(ARGS)

restore: $(VENV)/runtime ## Put a deployed site back to what a backup holds (OVERWRITE=site's name, RUN=which)
	@$(BIN)/ansible-playbook -i $(INVENTORY) playbooks/restore.yml -e backup_overwrite=$(OVERWRITE) $(if $(RUN),-e backup_run=$(RUN)) $(ARGS)

uninstall: $(VENV)/runtime ## Remove the site; asks before it removes pictures and accounts (CONFIRM=yes for scripts)
	@$(BIN)/python scripts/uninstall.py -i $(INVENTORY) $(if $(filter yes,$(CONFIRM)),--yes) $(ARGS)

bundle: $(VENV)/runtime ## One file with all that a deployment without the internet needs (FILE=path)
	@$(BIN)/ansible-playbook -i $(INVENTORY) playbooks/bundle.yml $(if $(FILE),-e bundle_file=$(abspath $(FILE))) $(ARGS)

check: lint unit website ## Linters, types and unit tests: the quick part of the tests

lint: $(VENV)/development ## Linters and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/ansible-lint

unit: $(VENV)/development ## Unit tests
	$(BIN)/pytest tests/unit -q

website: ## Linters, types and unit tests of the website's own code
	cd images/website && npm ci --silent && npm run --silent lint && npm test --silent

e2e: $(VENV)/development ## A whole deployment on this machine, driven by real clients and a real browser
	$(BIN)/pytest tests/e2e -v --durations=15

guide: $(VENV)/development ## Take the screenshots of docs/user-guide.md anew (GUIDE_INVENTORY=DIRECTORY: on a site that is there)
	GUIDE=1 $(if $(GUIDE_INVENTORY),E2E_INVENTORY=$(GUIDE_INVENTORY)) $(BIN)/pytest tests/e2e/test_website_pages.py -v

molecule: $(VENV)/development ## Deployments on fresh hosts: SCENARIO=NAME, or all whose inputs changed since they passed
	$(BIN)/python scripts/scenarios.py run $(or $(SCENARIO),--due)

# The end of e2e removes the images, so it comes last; one bundle serves all scenarios.
test: check molecule e2e ## What every change has to pass: check, the scenarios whose inputs changed, e2e

test-all: export MOLECULE_BUNDLE := $(CURDIR)/private-panoramax.tar
test-all: check bundle ## The same with all scenarios
	$(BIN)/python scripts/scenarios.py run --all
	$(BIN)/pytest tests/e2e -v --durations=15

lock: $(VENV)/development ## Write the lock files anew from requirements*.in
	$(BIN)/uv pip compile -q --upgrade --generate-hashes --python-version 3.11 --no-emit-index-url -o requirements-dev.txt requirements-dev.in
	$(BIN)/uv pip compile -q --generate-hashes --python-version 3.11 --no-emit-index-url -c requirements-dev.txt -o requirements.txt requirements.in
	$(BIN)/uv pip compile -q --upgrade --generate-hashes --python-version 3.11 --no-emit-index-url -o requirements-pip.txt requirements-pip.in
	$(BIN)/uv pip compile -q --upgrade --generate-hashes --python-version 3.11 --no-emit-index-url -o requirements-panoramax-cli.txt requirements-panoramax-cli.in

newer: $(VENV)/development ## Show which pinned versions have a newer one
	@$(BIN)/python scripts/supply.py newer $(ARGS)

audit: $(VENV)/development ## Look for known vulnerabilities in what is locked
	@$(BIN)/python scripts/supply.py audit $(ARGS)

sbom: $(VENV)/runtime ## Write a bill of material (CycloneDX) of each image of the site
	@$(BIN)/python scripts/supply.py -i $(INVENTORY) sbom $(ARGS)

clean: ## Remove the virtual environment and caches, nothing of a site
	rm -rf $(VENV) .ansible .mypy_cache .pytest_cache .ruff_cache
