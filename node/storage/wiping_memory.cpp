#include "node/storage/wiping_memory.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include <malloc.h>
#include <sodium.h>
#include <sqlite3.h>

namespace unlearn::storage {

namespace {

int size_of(void* memory) {
    return static_cast<int>(::malloc_usable_size(memory));
}

void* allocate(int size) {
    return std::malloc(static_cast<std::size_t>(size));
}

void wipe_and_free(void* memory) {
    if (memory == nullptr) return;
    ::explicit_bzero(memory, ::malloc_usable_size(memory));
    std::free(memory);
}

/// The C library's realloc() may move memory without wiping the old place.
void* reallocate(void* memory, int size) {
    if (size <= size_of(memory)) return memory;
    void* larger = allocate(size);
    if (larger == nullptr) return nullptr;
    std::memcpy(larger, memory, static_cast<std::size_t>(std::min(size, size_of(memory))));
    wipe_and_free(memory);
    return larger;
}

int round_up(int size) {
    return (size + 7) & ~7;
}
int start(void*) {
    return SQLITE_OK;
}
void stop(void*) {}

int configure() {
    static sqlite3_mem_methods methods{allocate, wipe_and_free, reallocate, size_of,
                                       round_up, start,         stop,       nullptr};
    if (const int code = sqlite3_config(SQLITE_CONFIG_MALLOC, &methods); code != SQLITE_OK) return code;
    // No blocks of pages are allocated ahead, because pages returned to such a block would keep their bytes.
    if (const int code = sqlite3_config(SQLITE_CONFIG_PAGECACHE, nullptr, 0, 0); code != SQLITE_OK)
        return code;
    // Memory statistics would take one mutex of the whole process at each allocation.
    if (const int code = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); code != SQLITE_OK) return code;
    return sqlite3_initialize();
}

}  // namespace

void wipe_unused_stack(std::size_t deepest) {
    sodium_stackzero(deepest);
}

protocol::Result<void> install_wiping_memory() {
    static const int code = configure();
    if (code != SQLITE_OK)
        return protocol::fail(protocol::ErrorCode::internal,
                              "SQLite was started before storage could make it wipe its memory");
    return {};
}

}  // namespace unlearn::storage
