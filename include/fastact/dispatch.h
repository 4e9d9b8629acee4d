/* The instruction sets in this build, best first, and which of them this processor has. */
#ifndef FASTACT_DISPATCH_H
#define FASTACT_DISPATCH_H

#include "fastact/rows.h"

typedef struct {
    const char *name;
    const fastact_kernels *f32, *f64;
} fastact_isa;

#ifdef __clang__
#define FASTACT_COMPILER __VERSION__
#else
#define FASTACT_COMPILER "GCC " __VERSION__
#endif

#define FASTACT_DECLARE(isa) extern const fastact_kernels fastact_##isa##_f32, fastact_##isa##_f64
#define FASTACT_ENTRY(isa) {#isa, &fastact_##isa##_f32, &fastact_##isa##_f64}
#define FASTACT_MOST_ISAS 4

#if defined(__x86_64__)

FASTACT_DECLARE(avx512);
FASTACT_DECLARE(avx2);
FASTACT_DECLARE(baseline);

/* Fills `isas` with what this processor can run and returns how many there are. */
static inline int fastact_available_isas(fastact_isa *isas) {
    static const fastact_isa avx512 = FASTACT_ENTRY(avx512), avx2 = FASTACT_ENTRY(avx2), baseline = FASTACT_ENTRY(baseline);
    int count = 0;
    __builtin_cpu_init();
    int has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); /* and with them F16C, on every processor */
    if (has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq"))
        isas[count++] = avx512;
    if (has_avx2) isas[count++] = avx2;
    isas[count++] = baseline;
    return count;
}

#elif defined(__aarch64__)

FASTACT_DECLARE(neon);

static inline int fastact_available_isas(fastact_isa *isas) {
    static const fastact_isa neon = FASTACT_ENTRY(neon);
    isas[0] = neon;
    return 1;
}

#else
#error "fastact has kernels for x86-64 and AArch64"
#endif

#endif
