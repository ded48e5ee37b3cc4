# SPDX-License-Identifier: BSD-3-Clause
#
# One makefile for the whole house. Sources are found by folder, so adding a file needs no change here:
#
#   proto/**/*.proto          messages; protobuf-c turns them into "proto/rasad/v1/x.pb-c.h"
#   proto engine collectors tools/lib
#                             everything in them becomes one static library, librasad.a
#   ebpf tests **/*.bpf.c     kernel programs; bpftool turns them into "ebpf/x.skel.h"
#   tools/<program>/**/*.c    one folder, one program, linked with the library
#   tests/**/*_test.c         one cmocka program each; tests/**/*_fuzz.c: one fuzz target each;
#                             tests/**/*_bench.c: one measuring program each, for `make bench`;
#                             tests/bench/*.c: rasad-bench, which measures the packet path;
#                             any other tests/**/*.c is a helper which all of them may call
#
# The same tree is built in flavours, side by side: plain (build/), sanitized (build/asan/) and
# libFuzzer (build/fuzz/). `make help` lists the targets and settings.

ifeq ($(origin CC),default)
CC := gcc
endif
CLANG  ?= clang
BUILD  ?= build
ARCH   ?= x86-64-v3
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 30

CFLAGS ?= -O3 -g
# The programs are optimised as a whole (6 % less time per packet); objects also hold plain code,
# which the tests link in a fraction of the time.
LTO ?= $(if $(findstring gcc,$(CC)),-flto=auto -ffat-lto-objects)
ARCHIVER := $(if $(findstring gcc,$(CC)),$(CC)-ar,ar)
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla
ifeq ($(WERROR),1) # does not rebuild what is built: for clean trees
WARNINGS += -Werror
endif

# A library that is left out is another file (x_none.c instead of x.c), not an #ifdef.
has  = $(shell pkg-config --exists $(1) 2>/dev/null && echo 1 || echo 0)
DPDK ?= $(call has,libdpdk)
XDP  ?= $(call has,libbpf)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules --no-print-directory
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif
$(V).SILENT: # `make V=1` shows the commands

# --- what there is ----------------------------------------------------------------------------

find = $(sort $(shell find $(1) -name $(2) 2>/dev/null))

# pick FILE,WANTED: what to leave out of collectors/FILE.c, collectors/FILE_*.c and FILE_none.c
leave_out = $(if $(and $(filter 1,$(2)),$(wildcard collectors/$(1).c)),collectors/$(1)_none.c, \
  collectors/$(1).c $(filter-out %_none.c,$(wildcard collectors/$(1)_*.c)))

GEN    := $(BUILD)/gen
PROTO  := $(call find,proto,'*.proto')
BPF    := $(if $(filter 1,$(XDP)),$(call find,ebpf tests,'*.bpf.c'))
LIBSRC := $(filter-out $(call leave_out,dpdk,$(DPDK)) $(call leave_out,xdp,$(XDP)), \
            $(call find,proto engine collectors tools/lib,'*.c'))
PBC    := $(PROTO:%.proto=$(GEN)/%.pb-c.c)

TOOLSRC  := $(filter-out tools/dev/% tools/lib/%,$(call find,tools,'*.c'))
PROGRAMS := $(sort $(foreach f,$(TOOLSRC),$(word 2,$(subst /, ,$(f)))))
ALONE    := rasad-gen rasad-sim# share no code with what they judge, so they do not get the library

UNTESTED := $(if $(filter 1,$(DPDK)),,tests/collectors/dpdk_frame_test.c) \
            $(if $(filter 1,$(XDP)),,$(call find,tests/ebpf,'tap_*.c')) $(call find,tests,'*.bpf.c')
TESTS   := $(filter-out $(UNTESTED),$(call find,tests,'*_test.c'))
FUZZERS := $(call find,tests,'*_fuzz.c')
BENCHES := $(filter-out $(UNTESTED) $(if $(and $(filter 1,$(DPDK)),$(wildcard collectors/dpdk.c)),,%/dpdk_bench.c), \
             $(call find,tests,'*_bench.c'))
BENCHSRC := $(filter-out tests/bench/textbook$(if $(filter 1,$(DPDK)),_none).c,$(call find,tests/bench,'*.c'))
HELPERS := $(filter-out $(TESTS) $(UNTESTED) $(FUZZERS) %_bench.c tests/fuzz_main.c tests/bench/%, \
             $(call find,tests,'*.c'))
SCRIPTS := $(call find,tests,'*_test.py') $(call find,tests,'*_test.sh')

GENERATED := $(PBC:.c=.h) $(BPF:%.bpf.c=$(GEN)/%.skel.h) $(GEN)/version.h

# --- flags ------------------------------------------------------------------------------------

# -D_GNU_SOURCE= and not =1: a file that defines it for itself then says the same thing.
BASE := -std=gnu2x -march=$(ARCH) -D_GNU_SOURCE= -I. -I$(GEN) -I$(GEN)/proto $(CPPFLAGS)
SANE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

# One library, one room: only the file that talks to a library sees its flags. Foreign headers are
# system headers (their warnings are not ours), and ARCH, not DPDK's own -march, chooses the CPU.
$(foreach f,dpdk dpdk_eal dpdk_frame dpdk_port dpdk_receive dpdk_wait,%/obj/collectors/$(f).o): PKG = libdpdk
%/obj/tests/collectors/dpdk_frame_test.o: PKG = libdpdk
%/obj/tests/ebpf/tap_rig.o %/obj/tests/ebpf/tap_bench.o %/obj/tests/ebpf/tap_tag_test.o: PKG = libbpf
%/obj/collectors/xdp_load.o %/obj/collectors/xdp_port.o: PKG = libbpf
%/obj/collectors/pcap_live.o:   PKG = libpcap
%/obj/collectors/pcap_file.o:   PKG = zlib libzstd
%/obj/engine/publish/redis.o:   PKG = hiredis
%/obj/tests/bench/textbook.o:   PKG = libdpdk
pkg_cflags = $(if $(PKG),$(patsubst -I%,-isystem %,$(filter-out -march=%,$(shell pkg-config --cflags $(PKG)))))

# The linker drops what a program does not use. Asked once, and only when something is linked.
PKGS := libpcap zlib libzstd hiredis libprotobuf-c jansson libmicrohttpd \
        $(if $(and $(filter 1,$(DPDK)),$(wildcard collectors/dpdk.c)),libdpdk) \
        $(if $(and $(filter 1,$(XDP)),$(wildcard collectors/xdp.c)),libbpf)
OPTIONAL := libcap-ng libseccomp# linked where they are installed
LIBS = $(eval LIBS := $(shell pkg-config --libs $(PKGS)) \
         $(foreach p,$(OPTIONAL),$(shell pkg-config --libs --silence-errors $(p))) -lm)$(LIBS)

link = $(or $(LINKER),$(CC)) -pthread $(CFLAGS) $(OPT) $(SAN) $(LDFLAGS) -Wl,--as-needed -o $@ $(filter %.o,$^) \
       -Wl,--start-group $(filter %.a,$^) -Wl,--end-group

# --- files that are rewritten only when their text changes -------------------------------------

.PHONY: FORCE
FORCE:

# keep FILE,TEXT
define keep
$(1): FORCE
	mkdir -p $$(@D); printf '%s\n' '$(2)' | cmp -s - $$@ || printf '%s\n' '$(2)' > $$@
endef

VERSION := $(or $(shell cat VERSION 2>/dev/null || \
             git --no-optional-locks describe --always --dirty 2>/dev/null),unknown)
$(eval $(call keep,$(GEN)/version.h,#define RASAD_VERSION "$(VERSION)"))
# Blocks stay as written: Linux 6.1 refuses a loop whose end falls through into its beginning.
BPFFLAGS := -target bpf -mcpu=v3 -O2 -mllvm -disable-block-placement -g -std=gnu2x -Wall -Wextra
$(eval $(call keep,$(BUILD)/flags,$(CC) $(CFLAGS) $(LTO) $(BASE) $(filter-out -Werror,$(WARNINGS)) $(LDFLAGS) $(BPFFLAGS)))
$(eval $(call keep,$(BUILD)/sources,$(LIBSRC) $(PBC) $(TOOLSRC) $(HELPERS)))

# --- generated code ---------------------------------------------------------------------------

$(GEN)/proto/%.pb-c.c $(GEN)/proto/%.pb-c.h: proto/%.proto
	echo "  PROTOC  $<"
	mkdir -p $(GEN)/proto
	protoc-c --proto_path=proto --c_out=$(GEN)/proto $<

$(GEN)/%.bpf.o: %.bpf.c $(BUILD)/flags
	echo "  BPF     $<"
	mkdir -p $(@D)
	$(CLANG) $(BPFFLAGS) $(if $(filter 1,$(WERROR)),-Werror) -I. \
	  -I/usr/include/$(shell $(CC) -print-multiarch) -MMD -MP -c -o $@ $<

$(GEN)/%.skel.h: $(GEN)/%.bpf.o
	PATH="$$PATH:/usr/sbin" bpftool gen skeleton $< name $(subst -,_,$(*F))_bpf > $@

# --- the flavours -----------------------------------------------------------------------------

compile = mkdir -p $(@D); $(or $(COMPILER),$(CC)) $(BASE) $(CFLAGS) $(OPT) $(SAN) -pthread

# flavour DIR
define flavour
$(1)/obj/gen/%.o: $(GEN)/%.c $(BUILD)/flags | $(GENERATED)
	echo "  CC      $$@"
	$$(compile) -MMD -MP -c -o $$@ $$<

$(1)/obj/%.o: %.c $(BUILD)/flags | $(GENERATED)
	echo "  CC      $$@"
	$$(compile) $(WARNINGS) $$(pkg_cflags) -MMD -MP -c -o $$@ $$<

$(1)/lib/librasad.a: $(LIBSRC:%.c=$(1)/obj/%.o) $(PBC:$(GEN)/%.c=$(1)/obj/gen/%.o)
$(1)/lib/libtests.a: $(HELPERS:%.c=$(1)/obj/%.o)
$(1)/lib/%.a: $(BUILD)/sources
	mkdir -p $$(@D); rm -f $$@
	$(ARCHIVER) rcs $$@ $$(filter %.o,$$^)

$(1)/tests/%_test: $(1)/obj/tests/%_test.o $(1)/lib/libtests.a $(1)/lib/librasad.a
	echo "  LINK    $$@"
	mkdir -p $$(@D); $$(link) -lcmocka $$(LIBS)

$(1)/tests/%_fuzz: $(1)/obj/tests/%_fuzz.o $(1)/lib/libtests.a $(1)/lib/librasad.a
	echo "  LINK    $$@"
	mkdir -p $$(@D); $$(link) $$(LIBS)

$(foreach p,$(PROGRAMS),$(call program,$(1),$(p)))
endef

# program DIR,NAME: the program itself, and its parts as an archive for tests/tools/NAME
define program

$(1)/bin/$(2): $(patsubst %.c,$(1)/obj/%.o,$(filter tools/$(2)/%,$(TOOLSRC)))
$(1)/bin/$(2): $(if $(filter $(2),$(ALONE)),,$(1)/lib/librasad.a) $(BUILD)/sources
	echo "  LINK    $$@"
	mkdir -p $$(@D); $$(link) $$(LIBS)

$(1)/lib/$(2).a: $(patsubst %.c,$(1)/obj/%.o,$(filter tools/$(2)/%,$(TOOLSRC)))
$(patsubst %.c,$(1)/%,$(filter tests/tools/$(2)/%,$(TESTS) $(FUZZERS))): $(1)/lib/$(2).a
endef

$(eval $(call flavour,$(BUILD)))
$(eval $(call flavour,$(BUILD)/asan))
$(eval $(call flavour,$(BUILD)/fuzz))

# Optimised like the programs, so that they measure what those run.
BENCH := $(BUILD)/bench/rasad-bench $(BENCHES:tests/%.c=$(BUILD)/bench/%)
$(BUILD)/bench/rasad-bench: $(BENCHSRC:%.c=$(BUILD)/obj/%.o) $(BUILD)/lib/librasad.a $(BUILD)/sources
	echo "  LINK    $@"
	mkdir -p $(@D); $(link) $(LIBS) $(if $(filter 1,$(DPDK)),$(shell pkg-config --libs libdpdk))

$(BUILD)/bench/%_bench: $(BUILD)/obj/tests/%_bench.o $(BUILD)/lib/libtests.a $(BUILD)/lib/librasad.a
	echo "  LINK    $@"
	mkdir -p $(@D); $(link) -lcmocka $(LIBS)

$(BUILD)/obj/% $(BUILD)/bin/% $(BUILD)/bench/%: OPT = $(LTO)
$(BUILD)/asan/%: SAN = $(SANE)
$(BUILD)/fuzz/%: SAN = $(SANE) -fsanitize=fuzzer-no-link
$(BUILD)/fuzz/%: COMPILER = $(CLANG)
$(BUILD)/fuzz/%: LINKER = $(CLANG)
$(BUILD)/fuzz/%_fuzz: SAN = $(SANE) -fsanitize=fuzzer

# Outside libFuzzer a fuzz target needs a main of ours, which feeds it its seeds.
$(FUZZERS:%.c=$(BUILD)/asan/%): $(BUILD)/asan/obj/tests/fuzz_main.o

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# --- targets ----------------------------------------------------------------------------------

.PHONY: all both setup test check fuzz lint format bench eval demo install clean help

BIN      := $(PROGRAMS:%=$(BUILD)/bin/%)
ASAN_BIN := $(PROGRAMS:%=$(BUILD)/asan/bin/%)
TEST_BIN := $(TESTS:%.c=$(BUILD)/%) $(TESTS:%.c=$(BUILD)/asan/%) $(FUZZERS:%.c=$(BUILD)/asan/%)

all: $(if $(filter 1,$(SANITIZE)),$(ASAN_BIN),$(BIN)) ## build the programs (SANITIZE=1: with ASan and UBSan)

both: $(BIN) $(ASAN_BIN) $(TEST_BIN) $(BENCH) ## build everything `make test` runs

setup: ## install what the build and the tests need (Debian)
	tools/dev/setup

# A second make, because set-up may just have installed what the first one looked for in vain.
test: setup ## set up, build both flavours, run every test (ONLY=text: those whose path has it)
	$(MAKE) check

check: both ## the same without set-up
	RASAD_BIN=$(abspath $(BUILD)/bin) RASAD_ASAN_BIN=$(abspath $(BUILD)/asan/bin) \
	  tools/dev/run-tests $(ONLY:%=--only %) $(TEST_BIN) $(SCRIPTS)

fuzz: $(FUZZERS:%.c=$(BUILD)/fuzz/%) ## run every fuzz target for FUZZ_SECONDS (30) under libFuzzer
	tools/dev/run-fuzz $(BUILD)/fuzz $(FUZZ_SECONDS) $^

lint: ## formatting, the floors of the house, scripts, sizes, words
	bad=0; for check in tools/dev/lint-*; do $$check || bad=1; done; exit $$bad

format: ## let clang-format rewrite every C file
	tools/dev/files '*.c' '*.h' | xargs -r clang-format -i

ifneq ($(wildcard tools/dev/bench),)
bench: $(BIN) $(BENCH) ## measure against yardsticks and other programs (QUICK=1: in two minutes)
	RASAD_BIN=$(abspath $(BUILD)/bin) tools/dev/bench $(if $(filter 1,$(QUICK)),--quick) $(ONLY:%=--only %)
endif

eval: $(BIN) ## simulate faults and judge what rasad makes of them (SEEDS=100-109 LINES=100000 DAYS=7)
	RASAD_BIN=$(abspath $(BUILD)/bin) tools/dev/eval $(SEEDS:%=--seeds %) $(LINES:%=--lines %) $(DAYS:%=--days %) \
	  $(FAULTS:%=--faults %)
	RASAD_BIN=$(abspath $(BUILD)/bin) tools/dev/eval-calls $(SEEDS:%=--seeds %)

demo: setup ## set up, build, and watch rasad at work
	$(MAKE) all
	tools/dev/demo

install: $(BIN) ## install programs and man pages (PREFIX=/usr/local, DESTDIR=)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1
	$(if $(BIN),install -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin)
	$(if $(wildcard tools/*/*.1),install -m 644 $(wildcard tools/*/*.1) $(DESTDIR)$(PREFIX)/share/man/man1)

clean: ## remove everything built
	rm -rf $(BUILD)

help: ## this list
	sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12
	echo 'settings: SANITIZE=1 V=1 WERROR=1 DPDK=0|1 XDP=0|1 ARCH=x86-64-v3 CC=gcc BUILD=build'
