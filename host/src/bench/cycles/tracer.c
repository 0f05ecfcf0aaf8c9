/*
 * Counts what one call of a function executes. A plugin for QEMU's translator:
 *
 *     -plugin tracer.so,entry=ADDRESS,call=N,output=FILE
 *
 * waits until the instruction at `entry` is reached for the N-th time, counts until the one behind the calling instruction is
 * reached, writes FILE and ends the emulator. An address of a Thumb function may have its lowest bit set.
 *
 * FILE begins with a line `call ADDRESS`, the calling instruction's. Each further line is one instruction, in ascending order:
 *
 *     ADDRESS LENGTH EXECUTIONS DEPARTURES EXTRA_TRANSFERS
 *
 * Departures: how often something else than the instruction behind it came next. Extra transfers: what its unaligned
 * accesses took on the bus beyond one transfer each. Addresses are hexadecimal, all else decimal.
 *
 * QEMU's header is seldom installed, so the functions used are declared here. PLUGIN_VERSION is the version of its plugin
 * interface that the emulator at hand accepts; all but one of these functions are the same in every version.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

/* QEMU's own types, never looked into. */
typedef uint64_t plugin_id;
typedef uint32_t access_info;
struct block;
struct translated;

enum { NO_REGISTERS = 0, READS_AND_WRITES = 3 };

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct block *));
size_t qemu_plugin_tb_n_insns(const struct block *);
struct translated *qemu_plugin_tb_get_insn(const struct block *, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct translated *);
#if PLUGIN_VERSION < 3
const void *qemu_plugin_insn_data(const struct translated *);
#else
size_t qemu_plugin_insn_data(const struct translated *, void *, size_t);
#endif
void qemu_plugin_register_vcpu_insn_exec_cb(struct translated *, void (*)(unsigned, void *), int, void *);
void qemu_plugin_register_vcpu_mem_cb(
    struct translated *, void (*)(unsigned, access_info, uint64_t, void *), int, int, void *);
unsigned qemu_plugin_mem_size_shift(access_info);

EXPORTED int qemu_plugin_version = PLUGIN_VERSION;

struct instruction {
    uint32_t address, length;
    uint64_t executions, departures, extra_transfers;
};

/* All instructions by address: a page for each 4 KB that holds code, in it an entry for each halfword. */
enum { PAGES = 1 << 20, PAGE_ENTRIES = 1 << 11 };
static struct instruction *pages[PAGES];

static uint32_t entry, return_address, call_address;
static unsigned long calls_left = 1;
static const char *output;
static int counting;
static struct instruction *previous;

static void fail(const char *what) {
    fprintf(stderr, "tracer: %s\n", what);
    _exit(3);
}

static struct instruction *instruction_at(uint32_t address) {
    struct instruction **page = &pages[address / (2 * PAGE_ENTRIES)];
    if (!*page && !(*page = calloc(PAGE_ENTRIES, sizeof **page))) fail("out of memory");
    return &(*page)[address / 2 % PAGE_ENTRIES];
}

static void write_counts_and_end(void) {
    FILE *file = fopen(output, "w");
    if (!file) fail("cannot write the counts");
    fprintf(file, "call %" PRIx32 "\n", call_address);
    for (uint32_t page = 0; page < PAGES; page++) {
        for (uint32_t i = 0; pages[page] && i < PAGE_ENTRIES; i++) {
            const struct instruction *it = &pages[page][i];
            if (it->executions)
                fprintf(file, "%" PRIx32 " %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", it->address, it->length,
                        it->executions, it->departures, it->extra_transfers);
        }
    }
    if (ferror(file) || fclose(file)) fail("cannot write the counts");
    _exit(0);
}

static void executes(unsigned core, void *data) {
    struct instruction *it = data;
    (void)core;
    if (counting) {
        previous->departures += previous->address + previous->length != it->address;
        if (it->address == return_address) write_counts_and_end();
        it->executions++;
    } else if (it->address == entry && previous && --calls_left == 0) {
        counting = 1;
        call_address = previous->address;
        return_address = previous->address + previous->length;
        it->executions++;
    }
    previous = it;
}

/* An access is done in as many naturally aligned bytes, halfwords and words as it falls into, two at least if unaligned. */
static void accesses(unsigned core, access_info info, uint64_t address, void *data) {
    struct instruction *it = data;
    unsigned size_shift = qemu_plugin_mem_size_shift(info);
    (void)core;
    if (!counting) return;
    if (size_shift >= 1 && address % 2) it->extra_transfers += size_shift == 1 ? 1 : 2;
    else if (size_shift >= 2 && address % 4) it->extra_transfers += 1;
}

/* The emulator's own word on the length counts bytes that it has looked ahead to, at the end of a page. */
static uint32_t length_of(const struct translated *translated) {
    uint16_t first;
#if PLUGIN_VERSION < 3
    memcpy(&first, qemu_plugin_insn_data(translated), sizeof first);
#else
    qemu_plugin_insn_data(translated, &first, sizeof first);
#endif
    return first >> 11 >= 0x1d ? 4 : 2;
}

static void translates(plugin_id id, struct block *block) {
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct translated *translated = qemu_plugin_tb_get_insn(block, i);
        struct instruction *it = instruction_at(qemu_plugin_insn_vaddr(translated));
        it->address = qemu_plugin_insn_vaddr(translated);
        it->length = length_of(translated);
        qemu_plugin_register_vcpu_insn_exec_cb(translated, executes, NO_REGISTERS, it);
        qemu_plugin_register_vcpu_mem_cb(translated, accesses, NO_REGISTERS, READS_AND_WRITES, it);
    }
}

static const char *value_of(const char *argument, const char *name) {
    size_t length = strlen(name);
    return strncmp(argument, name, length) == 0 ? argument + length : NULL;
}

EXPORTED int qemu_plugin_install(plugin_id id, const void *info, int count, char **arguments) {
    const char *value;
    (void)info;
    for (int i = 0; i < count; i++) {
        if ((value = value_of(arguments[i], "entry="))) entry = strtoul(value, NULL, 16) & ~UINT32_C(1);
        else if ((value = value_of(arguments[i], "call="))) calls_left = strtoul(value, NULL, 10);
        else if ((value = value_of(arguments[i], "output="))) output = strdup(value);
        else return 1;
    }
    if (!output || !entry || !calls_left) return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translates);
    return 0;
}
