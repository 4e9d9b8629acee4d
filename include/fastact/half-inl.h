/* float16 in memory, float32 in the kernels. `stored` is what rows' entries are in memory. */
#ifdef FASTACT_HALF_ROWS
typedef uint16_t stored;
#define IS_HALF 1
#else
typedef real stored;
#define IS_HALF 0
#endif

#if FASTACT_REAL == 32

#ifdef FASTACT_SCALAR_HALF
/* Integer arithmetic only; rounds to nearest, ties to even. */
FASTACT_INLINE float half_to_float(const void *p) {
    uint16_t h;
    memcpy(&h, p, sizeof h);
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16, magnitude = h & 0x7fffu, bits;
    float f;
    if (magnitude >= 0x7c00u) {
        bits = 0x7f800000u | (magnitude << 13 & 0x7fffffu) | (magnitude > 0x7c00u ? 0x400000u : 0);
    } else if (magnitude >= 0x400u) {
        bits = (magnitude << 13) + ((127u - 15u) << 23);
    } else {
        f = (float)magnitude * 0x1p-24f; /* subnormal: exact */
        memcpy(&bits, &f, sizeof bits);
    }
    bits |= sign;
    memcpy(&f, &bits, sizeof f);
    return f;
}
FASTACT_INLINE void float_to_half(void *p, float f) {
    uint32_t bits, magnitude;
    memcpy(&bits, &f, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000u), h;
    magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) {
        h = (uint16_t)(0x7e00u | (magnitude >> 13 & 0x3ffu));
    } else if (magnitude >= 0x477ff000u) { /* 65520 and above round to infinity */
        h = 0x7c00u;
    } else if (magnitude >= 0x38800000u) {
        h = (uint16_t)((magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1u)) >> 13);
    } else {
        /* Subnormal: adding 1/2 puts the last bit of the result at the last bit of the sum, which rounds it. */
        float shifted = __builtin_fabsf(f) + 0.5f;
        memcpy(&magnitude, &shifted, sizeof magnitude);
        h = (uint16_t)(magnitude - 0x3f000000u);
    }
    h |= sign;
    memcpy(p, &h, sizeof h);
}
FASTACT_INLINE void load_halves(real *to, const char *from, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++) to[i] = half_to_float(from + 2 * i);
}
FASTACT_INLINE void store_halves(char *to, const real *from, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++) float_to_half(to + 2 * i, from[i]);
}
#else
FASTACT_INLINE void load_halves(real *to, const char *from, ptrdiff_t n) {
    ptrdiff_t i = 0;
#pragma GCC unroll 4
    for (; i + NLANES <= n; i += NLANES) nstore(to + i, nload_half((const uint16_t *)(const void *)(from + 2 * i)));
    if (i < n) nstore_part(to + i, nload_half_part(from + 2 * i, n - i), n - i);
}
FASTACT_INLINE void store_halves(char *to, const real *from, ptrdiff_t n) {
    ptrdiff_t i = 0;
#pragma GCC unroll 4
    for (; i + NLANES <= n; i += NLANES) nstore_half((uint16_t *)(void *)(to + 2 * i), nload(from + i));
    if (i < n) nstore_half_part(to + 2 * i, nload_part(from + i, n - i, 0), n - i);
}
FASTACT_INLINE float half_to_float(const void *p) { real f; load_halves(&f, (const char *)p, 1); return f; }
FASTACT_INLINE void float_to_half(void *p, float f) { store_halves((char *)p, &f, 1); }
#endif
/* Up to LANES entries, of which any count may be there. */
#ifdef FASTACT_SCALAR_HALF
FASTACT_INLINE vec load_half_part(const char *from, ptrdiff_t count) {
    real lane[LANES] = {0};
    load_halves(lane, from, count < LANES ? count : LANES);
    return vload(lane);
}
#define load_half_end load_half_part
FASTACT_INLINE void store_half_part(char *to, vec v, ptrdiff_t count) {
    real lane[LANES];
    vstore(lane, v);
    store_halves(to, lane, count < LANES ? count : LANES);
}
#else
FASTACT_INLINE vec load_half_part(const char *from, ptrdiff_t count) {
    vec v;
    EACH v.v[k] = count - k * NLANES >= NLANES ? nload_half((const uint16_t *)(const void *)(from + 2 * k * NLANES))
                  : NO_PART(k, count)          ? nset(0)
                                               : nload_half_part(from + 2 * k * NLANES, count - k * NLANES);
    return v;
}
/* The same where LANES entries or more lie before them. */
#ifdef FASTACT_OWN_HALF_END
FASTACT_INLINE vec load_half_end(const char *from, ptrdiff_t count) {
    vec v;
    EACH v.v[k] = nload_half_end(from + 2 * k * NLANES, count - k * NLANES);
    return v;
}
#else
#define load_half_end load_half_part
#endif
FASTACT_INLINE void store_half_part(char *to, vec v, ptrdiff_t count) {
    EACH {
        if (count - k * NLANES >= NLANES) nstore_half((uint16_t *)(void *)(to + 2 * k * NLANES), v.v[k]);
        else if (!NO_PART(k, count)) nstore_half_part(to + 2 * k * NLANES, v.v[k], count - k * NLANES);
    }
}
#endif

#else

/* The float64 kernels have no float16 jobs. */
FASTACT_INLINE float half_to_float(const void *p) { return *(const uint16_t *)p; }
FASTACT_INLINE void float_to_half(void *p, float f) { (void)p, (void)f; }
FASTACT_INLINE void load_halves(real *to, const char *from, ptrdiff_t n) { (void)to, (void)from, (void)n; }
FASTACT_INLINE void store_halves(char *to, const real *from, ptrdiff_t n) { (void)to, (void)from, (void)n; }
FASTACT_INLINE vec load_half_part(const char *from, ptrdiff_t count) { (void)from, (void)count; return vset(0); }
FASTACT_INLINE vec load_half_end(const char *from, ptrdiff_t count) { return load_half_part(from, count); }
FASTACT_INLINE void store_half_part(char *to, vec v, ptrdiff_t count) { (void)to, (void)v, (void)count; }

#endif

/* Whether the processor converts. Then: LANES entries. */
#if FASTACT_REAL == 32 && !defined FASTACT_SCALAR_HALF
enum { HAS_HALVES = 1 };
#else
enum { HAS_HALVES = 0 };
#endif
FASTACT_INLINE vec load_half(const char *from) { return load_half_part(from, LANES); }
FASTACT_INLINE void store_half(char *to, vec v) { store_half_part(to, v, LANES); }

/* One entry of an array, which may be float16. */
FASTACT_INLINE real read_entry(const char *p, int half) { return half ? (real)half_to_float(p) : *(const real *)p; }
FASTACT_INLINE void write_entry(char *p, int half, real a) {
    if (half) float_to_half(p, (float)a);
    else *(real *)p = a;
}
