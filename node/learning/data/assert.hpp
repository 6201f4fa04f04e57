#pragma once

#include <cstdio>
#include <cstdlib>

/// Aborts unless the condition holds, which it must whatever the input. It stays on in every build type: a
/// node that goes on after an impossible state could keep or reveal what it was told to forget.
#define UNLEARN_ASSERT(condition)                                                                  \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            std::fprintf(stderr, "%s:%d: assertion failed: %s\n", __FILE__, __LINE__, #condition); \
            std::abort();                                                                          \
        }                                                                                          \
    } while (false)
