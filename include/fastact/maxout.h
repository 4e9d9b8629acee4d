/* maxout as loops of generalised ufuncs: groups and their entries lie at strides in bytes, dims[0] groups of dims[1] entries. */
#ifndef FASTACT_MAXOUT_H
#define FASTACT_MAXOUT_H

#include <stddef.h>
#include <stdint.h>

/* The bits of a number as an integer in the order of numbers, both zeros 0 and NaN beyond infinity: so float16 needs no conversion, and
   no comparison becomes a branch, which would be taken at random. */
static inline int64_t fastact_in_order(int bits, uint64_t number, uint64_t infinity) {
    int64_t sign = -(int64_t)(number >> (bits - 1)), magnitude = (int64_t)(number & (UINT64_MAX >> (65 - bits)));
    return magnitude > (int64_t)infinity ? INT64_MAX : (magnitude ^ sign) - sign;
}

typedef uint16_t __attribute__((may_alias)) fastact_bits16;
typedef uint32_t __attribute__((may_alias)) fastact_bits32;
typedef uint64_t __attribute__((may_alias)) fastact_bits64;
#define FASTACT_BITS(bits, p) (*(fastact_bits##bits *)(void *)(p))
/* "(n)->()", y the largest entry of each group, the first of equal ones, the first NaN before all; "(n)->(),()" for a `data` that is
   not NULL, with the number of that entry. Four groups at a time, since an entry waits for the comparison before. */
#define FASTACT_MAXOUT(name, bits, infinity)                                                                                    \
    static inline __attribute__((always_inline)) void name##_groups(int count, char **p, ptrdiff_t n, const ptrdiff_t *steps,   \
                                                                    int numbers) {                                              \
        const ptrdiff_t step = steps[2 + numbers];                                                                              \
        int64_t largest[4];                                                                                                     \
        ptrdiff_t first[4] = {0};                                                                                               \
        for (int u = 0; u < count; u++) largest[u] = fastact_in_order(bits, FASTACT_BITS(bits, p[0] + u * steps[0]), infinity); \
        for (ptrdiff_t j = 1; j < n; j++)                                                                                       \
            for (int u = 0; u < count; u++) {                                                                                   \
                int64_t a = fastact_in_order(bits, FASTACT_BITS(bits, p[0] + u * steps[0] + j * step), infinity);               \
                first[u] = a > largest[u] ? j : first[u];                                                                       \
                largest[u] = a > largest[u] ? a : largest[u];                                                                   \
            }                                                                                                                   \
        for (int u = 0; u < count; u++) {                                                                                       \
            FASTACT_BITS(bits, p[1] + u * steps[1]) = FASTACT_BITS(bits, p[0] + u * steps[0] + first[u] * step);                \
            if (numbers) *(ptrdiff_t *)(void *)(p[2] + u * steps[2]) = first[u];                                                \
        }                                                                                                                       \
        for (int k = 0; k < 2 + numbers; k++) p[k] += count * steps[k];                                                         \
    }                                                                                                                           \
    static void name(char **args, const ptrdiff_t *dims, const ptrdiff_t *steps, void *data) {                                  \
        const int numbers = data != NULL;                                                                                       \
        char *p[3] = {args[0], args[1], numbers ? args[2] : NULL};                                                              \
        ptrdiff_t group = 0;                                                                                                    \
        for (; group + 4 <= dims[0]; group += 4) name##_groups(4, p, dims[1], steps, numbers);                                  \
        for (; group < dims[0]; group++) name##_groups(1, p, dims[1], steps, numbers);                                          \
    }
FASTACT_MAXOUT(fastact_maxout_float16, 16, 0x7c00)
FASTACT_MAXOUT(fastact_maxout_float32, 32, 0x7f800000)
FASTACT_MAXOUT(fastact_maxout_float64, 64, 0x7ff0000000000000)

/* "(),(),(n)->(n)": g at the entry of that number, 0 at the others. Of the third operand only the length counts. */
#define FASTACT_MAXOUT_BACKWARD(name, bits)                                                                                      \
    static void name(char **args, const ptrdiff_t *dims, const ptrdiff_t *steps, void *data) {                                    \
        char *g = args[0], *number = args[1], *dx = args[3];                                                                      \
        (void)data;                                                                                                               \
        for (ptrdiff_t group = 0; group < dims[0]; group++, g += steps[0], number += steps[1], dx += steps[3]) {                  \
            for (ptrdiff_t j = 0; j < dims[1]; j++) FASTACT_BITS(bits, dx + j * steps[5]) = 0;                                    \
            FASTACT_BITS(bits, dx + *(ptrdiff_t *)(void *)number * steps[5]) = FASTACT_BITS(bits, g);                             \
        }                                                                                                                         \
    }
FASTACT_MAXOUT_BACKWARD(fastact_maxout_backward_float16, 16)
FASTACT_MAXOUT_BACKWARD(fastact_maxout_backward_float32, 32)
FASTACT_MAXOUT_BACKWARD(fastact_maxout_backward_float64, 64)

#endif
