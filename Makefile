# SPDX-License-Identifier: MIT
# A thin front of meson: what people type. The build itself is in meson.build.

BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
MESON_OPTIONS ?=

all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	scripts/setup.sh --dry build
	meson setup $(BUILD) --prefix=$(PREFIX) $(MESON_OPTIONS)

setup:
	scripts/setup.sh build test demo bench coverage

demo:
	scripts/setup.sh build demo
	$(MAKE) --no-print-directory all
	BUILD=$(BUILD) scripts/demo.sh

check:
	@scripts/check.sh

bench:
	scripts/setup.sh build bench
	$(MAKE) --no-print-directory all
	BUILD=$(BUILD) scripts/bench.sh

coverage:
	scripts/setup.sh build test coverage
	scripts/coverage.sh

requirements:
	@python3 tests/checks/requirements.py --table

# A PREFIX given here holds, whatever the build was set up with.
install: all
ifeq ($(origin PREFIX),command line)
	meson configure $(BUILD) -Dprefix=$(PREFIX)
	ninja -C $(BUILD)
endif
	DESTDIR=$(DESTDIR) meson install -C $(BUILD) --no-rebuild

clean:
	rm -rf $(BUILD) build-gcc build-clang build-musl build-coverage

help:
	@echo 'make              build (in $(BUILD))'
	@echo 'make setup        install what is missing on Debian, and say what'
	@echo 'make demo         the command and the gateway daemon at work, without root'
	@echo 'make check        all tests, with two compilers and sanitizers'
	@echo 'make requirements the numbered requirements and the tests that show each'
	@echo 'make coverage     lines and branches reached, for each room'
	@echo 'make bench        figures against other programs'
	@echo 'make install      PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)'
	@echo 'make clean'

.PHONY: all setup demo check bench coverage requirements install clean help
