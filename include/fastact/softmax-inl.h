/* The softmax family on one chunk of one row. For a row x of n entries, N = max(x) log2 e rounded to quarters, e_i = exp(x_i) 2**-N,

     softmax               p_i = e_i / sum_j e_j
     logsumexp             l = m + log1p(c - 1 + sum_{x_j < m} exp(x_j - m)),   m the largest entry, which is there c times
     logsumexp_weighted    log |sum_j b_j exp(x_j)| and the sign of that sum
     log_softmax           x_i - l
     softmax_backward      dx_i = p_i (g_i - sum_j g_j p_j)            J = diag(p) - p p^T is symmetric
     log_softmax_backward  dx_i = g_i - exp(y_i) sum_j g_j             y the result of log_softmax

   The common factor 2**-N cancels. The quotient softmax divides the exponentials as they are stored by their exact sum, so a
   single class, or one beside which the others vanish, has a probability of exactly 1, and none exceeds it. For the logarithms
   the sum without the largest entries' terms keeps the digits of a nearly one-hot row: there l - m is small, and 1 + small would
   lose it. */

#define BLOCK (4 * LANES) /* as many entries are added before the sum is carried to more digits */
/* Vectors whose exponentials are computed side by side: more gain nothing on processors that reorder, measured. */
#define INTERLEAVE 2

/* Whether arrays lie near, measured. */
FASTACT_INLINE int are_near(const fastact_job *job) {
    return job->rows <= (4 << 20) / (job->n * (job->half ? 2 : (ptrdiff_t)sizeof(real)));
}

/* `fill` in all lanes from `count` on. */
FASTACT_INLINE vec fill_rest(vec a, ptrdiff_t count, real fill) {
    static const real number[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return vless_select(vload(number), vset((real)count), a, vset(fill));
}

/* The vectors of a block, unrolled whatever is done with each, so that arrays of them stay in registers. */
#define EACH_VECTOR(count) _Pragma("GCC unroll 4") for (int u = 0; u < (count); u++)

/* Vector u of `count`, of which the last may hold fewer entries: `last` of them, 0 for all. `half`: of float16 in memory, in rows of
   more than LANES. */
FASTACT_INLINE vec load_some(int half, const void *from, int u, int count, ptrdiff_t last, real fill) {
    const char *p = (const char *)from + u * LANES * (half ? 2 : (ptrdiff_t)sizeof(real));
    const real *r = (const real *)(const void *)p;
    if (u < count - 1 || !last) return half ? load_half_part(p, LANES) : vload(r);
    return half ? fill_rest(load_half_end(p, last), last, fill) : vload_part(r, last, fill);
}
FASTACT_INLINE void store_some(int half, void *to, vec a, int u, int count, ptrdiff_t last) {
    char *p = (char *)to + u * LANES * (half ? 2 : (ptrdiff_t)sizeof(real));
    real *r = (real *)(void *)p;
    int part = u == count - 1 && last;
    if (half) store_half_part(p, a, part ? last : LANES);
    else if (part) vstore_part(r, a, last);
    else vstore(r, a);
}

/* Calls STEP(count, at, last) for the n - at entries that make no whole block: `count` vectors, the last one in part. Adding
   vectors of zeros up to a block would give the same bits. */
#define FOR_REST(n, at, STEP)                       \
    do {                                            \
        ptrdiff_t rest_ = (n) - (at);               \
        if (rest_ > 3 * LANES) STEP(4, at, rest_ - 3 * LANES);      \
        else if (rest_ > 2 * LANES) STEP(3, at, rest_ - 2 * LANES); \
        else if (rest_ > LANES) STEP(2, at, rest_ - LANES);         \
        else if (rest_ > 0) STEP(1, at, rest_);     \
    } while (0)
/* The same for all blocks of n entries, and then the rest. */
#define FOR_BLOCKS(n, STEP)                                           \
    do {                                                              \
        ptrdiff_t at_ = 0;                                            \
        for (; at_ + BLOCK <= (n); at_ += BLOCK) STEP(4, at_, 0);     \
        FOR_REST(n, at_, STEP);                                       \
    } while (0)

FASTACT_INLINE void max_block(int count, const stored *x, ptrdiff_t last, vec *max) {
    EACH_VECTOR(count) max[u] = vmax(load_some(IS_HALF, x, u, count, last, -INFINITY), max[u]);
}

FASTACT_APART double max_chunk(const stored *x, ptrdiff_t n) {
    vec max[4] = {vset(-INFINITY), vset(-INFINITY), vset(-INFINITY), vset(-INFINITY)};
#define STEP(count, at, last) max_block(count, x + (at), last, max)
    FOR_BLOCKS(n, STEP);
#undef STEP
    return vmax_lanes(vmax(vmax(max[0], max[1]), vmax(max[2], max[3])));
}

/* What the exponentials of the rows whose largest entries are in `max`, one a lane, have in common. */
typedef struct {
    vec shift, exponent, magic, floor; /* as in fastact_state and exp_scaled */
} exponential;

/* Chooses N and what follows from it. The stored exponentials are e_i UNIT 2**OFFSET: terms that matter to a result stay clear of
   underflow, and the floor, 2**-(OFFSET + BIAS - 1), is far below the smallest subnormal result. None is larger than
   UNIT 2**(1/8) 2**OFFSET, to a hundredth of the exponent. */
FASTACT_INLINE exponential exponential_of(vec max) {
    const vec magic = vset(MAGIC);
    exponential c;
    c.shift = vless_select(vset(EXACT_LIMIT), vabs(max), max, vset(0));
    c.exponent = vsub(vsub(vfma(vsub(max, c.shift), vset(4 * LOG2E), magic), magic), vset(4 * OFFSET));
    c.magic = vsub(magic, c.exponent);
    c.floor = vmul(vsub(vmul(c.exponent, vset((real)0.25)), vset(BIAS - 1)), vset(LN2_HI));
    return c;
}

FASTACT_INLINE void exp_side_by_side(vec *x, int count, vec magic, vec floor) {
#pragma GCC unroll 2
    for (int u = 0; u < count; u += INTERLEAVE) exp_scaled(x + u, count - u < INTERLEAVE ? count - u : INTERLEAVE, magic, floor);
}

/* A whole block's exponentials between exp_begin and exp_end. Where registers hold that much (AHEAD), they are begun while those of
   the block before are ended: two chains of half the length, of which more fit among the instructions that a processor sees at once. */
typedef struct {
    vec r[4], s[4];
} halfway;
#ifdef FASTACT_AHEAD
#define AHEAD 1
#else
#define AHEAD 0
#endif
/* Vectors u and u + 1 of it. */
FASTACT_INLINE void begin_pair(int shifted, int u, const stored *x, const exponential *c, halfway *h) {
    vec v[2] = {load_some(IS_HALF, x, u, 4, 0, 0), load_some(IS_HALF, x, u + 1, 4, 0, 0)};
    if (shifted) v[0] = vsub(v[0], c->shift), v[1] = vsub(v[1], c->shift);
    exp_begin(v, 2, c->magic, c->floor, h->r + u, h->s + u);
}
/* FOR_BLOCKS in which h is what has been begun of the exponentials of a block, or NULL, and `next` the entries of the block that is to
   be begun meanwhile, or NULL. */
#define FOR_BLOCKS_AHEAD(f, shifted, n, x, c, h, next, STEP)                                \
    do {                                                                                    \
        ptrdiff_t at_ = 0;                                                                  \
        if (AHEAD && !fastact_is_gradient(f) && (n) >= 2 * BLOCK) {            \
            halfway begun_;                                                                 \
            h = &begun_;                                                                    \
            for (int u_ = 0; u_ < 4; u_ += 2) begin_pair(shifted, u_, x, c, h);             \
            for (; at_ + 2 * BLOCK <= (n); at_ += BLOCK) {                                  \
                next = (x) + at_ + BLOCK;                                                   \
                STEP(4, at_, 0);                                                            \
            }                                                                               \
            next = NULL;                                                                    \
            STEP(4, at_, 0);                                                                \
            h = NULL;                                                                       \
            at_ += BLOCK;                                                                   \
        } else {                                                                            \
            for (; at_ + BLOCK <= (n); at_ += BLOCK) STEP(4, at_, 0);                       \
        }                                                                                   \
        FOR_REST(n, at_, STEP);                                                             \
    } while (0)

/* The exponentials of what is left of a row after its blocks, in `room`, where it is one vector; or NULL. They are begun before those of
   the blocks: the row's sum would wait for them at its end. */
FASTACT_INLINE const real *exp_rest(int shifted, const stored *x, ptrdiff_t n, const exponential *c, real *room) {
    ptrdiff_t last = n % BLOCK;
    if (last == 0 || last > LANES) return NULL;
    vec e = load_some(IS_HALF, x + n - last, 0, 1, last, -INFINITY);
    if (shifted) e = vsub(e, c->shift);
    exp_scaled(&e, 1, c->magic, c->floor);
    vstore(room, vkeep(e, last));
    return room;
}

/* The terms of a block as a tree; e[0] holds it in the end. */
FASTACT_INLINE vec add_terms(int count, vec *e) {
    if (count > 1) e[0] = vadd(e[0], e[1]);
    if (count > 3) e[2] = vadd(e[2], e[3]);
    return count > 2 ? vadd(e[0], e[2]) : e[0];
}

/* Terms of the largest entry become 0, and are counted in `ties` instead; NaN stays NaN. */
FASTACT_INLINE vec below_largest(vec e, vec x, vec max, vec *ties) {
    *ties = vadd(*ties, vless_select(x, max, vset(0), vset(1)));
    return vless_select(x, max, e, vsub(x, max));
}

typedef struct {
    exact_sum exact; /* softmax */
    wide sum;        /* the others */
    vec ties;
} partial_sums;

/* h, next: as in FOR_BLOCKS_AHEAD; rest: of exp_rest. */
FASTACT_INLINE void sum_block(int f, int shifted, int count, const stored *x, const stored *b, real *kept, ptrdiff_t last, vec max,
                              const exponential *c, halfway *h, const stored *next, const real *rest, partial_sums *s) {
    vec e[4], v[4];
    if (fastact_is_gradient(f)) {
        EACH_VECTOR(count) {
            const real *whole = (const real *)(const void *)(x + u * LANES), *whole_b = (const real *)(const void *)(b + u * LANES);
            if (!IS_HALF && (u < count - 1 || !last)) {
                if (f == FASTACT_softmax_backward) wide_add_product_at(&s->sum, whole, whole_b);
                else wide_add_at(&s->sum, whole);
                continue;
            }
            v[u] = load_some(IS_HALF, x, u, count, last, 0);
            vec w = f == FASTACT_softmax_backward ? load_some(IS_HALF, b, u, count, last, 0) : v[u];
            if (f == FASTACT_log_softmax_backward) wide_add(&s->sum, v[u]);
            else if (IS_HALF) wide_add(&s->sum, vmul(v[u], w)); /* exact: 22 binary digits */
            else wide_add_product(&s->sum, v[u], w);
        }
        return;
    }
    EACH_VECTOR(count) e[u] = v[u] = load_some(IS_HALF, x, u, count, last, -INFINITY);
    if (count == 1) {
        e[0] = vload(rest);
    } else if (h) {
#pragma GCC unroll 2
        for (int u = 0; u < 4; u += 2) {
            exp_end(e + u, 2, h->r + u, h->s + u);
            if (next) begin_pair(shifted, u, next, c, h);
        }
    } else {
        if (shifted)
            EACH_VECTOR(count) e[u] = vsub(e[u], c->shift);
        exp_side_by_side(e, count, c->magic, c->floor);
        if (last) e[count - 1] = vkeep(e[count - 1], last);
    }
    if (f == FASTACT_softmax) {
        EACH_VECTOR(count) store_some(0, kept, e[u], u, count, last);
        EACH_VECTOR(count) exact_add(&s->exact, e[u]);
        return;
    }
    if (f == FASTACT_logsumexp_weighted) {
        EACH_VECTOR(count) wide_add_product(&s->sum, e[u], load_some(IS_HALF, b, u, count, last, 0));
        return;
    }
    EACH_VECTOR(count) e[u] = below_largest(e[u], v[u], max, &s->ties);
    wide_add(&s->sum, add_terms(count, e));
}

/* More than any exponential: see exponential_of. And more than the four of a lane, where each has one at least and four at most: such
   lanes stay in one octave, and are cheaper to add, which counts where there are few. */
#if FASTACT_REAL == 32
#define SUM_START 0x1p61f
#else
#define SUM_START 0x1p501
#endif
#define START_OF_FEW (4 * SUM_START)
#define ARE_FEW(n) ((n) > ROW_LANES && (n) <= 4 * ROW_LANES)
FASTACT_INLINE real start_of(ptrdiff_t n) { return ARE_FEW(n) ? START_OF_FEW : SUM_START; }
FASTACT_INLINE fastact_pair exact_sum_of(exact_sum s, ptrdiff_t n) {
    return ARE_FEW(n) ? exact_total_of_few(s, START_OF_FEW) : exact_total(s, SUM_START);
}

FASTACT_INLINE partial_sums no_sums(ptrdiff_t n) { return (partial_sums){exact_zero(start_of(n)), wide_zero(), vset(0)}; }
FASTACT_INLINE void set_sums(int f, const partial_sums *sums, ptrdiff_t n, fastact_state *s) {
    s->sum = f == FASTACT_softmax ? exact_sum_of(sums->exact, n) : wide_total(sums->sum);
    s->ties = f == FASTACT_logsumexp || f == FASTACT_log_softmax ? vsum_lanes(sums->ties) : 0;
}

/* The largest entry, of which a reference is made; of a row without a finite one, whatever lets a NaN be found. */
FASTACT_INLINE real finite_max(const fastact_state *s) {
    const real largest = FASTACT_REAL == 32 ? FLT_MAX : DBL_MAX;
    return s->max > largest ? largest : s->max < -largest ? -largest : (real)s->max;
}
/* The sum of the exponentials, for logarithms of those below the largest entry; or sum g_i y_i or sum g_i, whose terms cancel, so that
   each is added with all its digits. */
FASTACT_INLINE void sum_of(int f, int shifted, const stored *x, const stored *b, real *kept, ptrdiff_t n, fastact_state *s) {
    vec max = vset(finite_max(s));
    exponential c = exponential_of(max);
    partial_sums sums = no_sums(n);
    halfway *h = NULL;
    const stored *next = NULL;
    real room[LANES] __attribute__((aligned(64)));
    const real *rest = !fastact_is_gradient(f) ? exp_rest(shifted, x, n, &c, room) : NULL;
#define STEP(count, at, last) sum_block(f, shifted, count, x + (at), b + (at), kept + (at), last, max, &c, h, next, rest, &sums)
    FOR_BLOCKS_AHEAD(f, shifted, n, x, &c, h, next, STEP);
#undef STEP
    set_sums(f, &sums, n, s);
}

/* A result: of x (of softmax: its exponential), for a gradient also y, and what is known of the row. */
FASTACT_INLINE vec map(int f, vec x, vec y, vec a, vec b) {
    switch (f) {
    case FASTACT_softmax: return vfma(x, a, vmul(x, b));
    case FASTACT_log_softmax: return vsub(vsub(x, a), b);
    case FASTACT_softmax_backward: return vfma(y, vsub(x, a), vmul(y, vsub(vset(0), b)));
    case FASTACT_log_softmax_backward: y = vexp(y); return vsub(vfma(y, vsub(vset(0), a), x), vmul(y, b));
    }
    return a;
}

/* Of softmax the exponentials are `kept`, or have been read `early`, else NULL. `stream`: whole vectors to whole cache lines, past the
   caches; not of float16. */
FASTACT_INLINE void map_block(int f, int stream, int count, const stored *x, const stored *y_in, const real *kept, const vec *early,
                              stored *y, ptrdiff_t last, vec a, vec b) {
    EACH_VECTOR(count) {
        vec v = f != FASTACT_softmax ? load_some(IS_HALF, x, u, count, last, 0) : early ? early[u] : load_some(0, kept, u, count, last, 0);
        vec w = fastact_inputs(f) == 2 ? load_some(IS_HALF, y_in, u, count, last, 0) : v;
        v = map(f, v, w, a, b);
        if (stream) vstream((real *)(void *)(y + u * LANES), v);
        else store_some(IS_HALF, y, v, u, count, last);
    }
}

/* The loops above, compiled once for each function that needs them. */
#define ARGUMENTS const stored *x, const stored *b, real *kept, ptrdiff_t n, fastact_state *s
#define SUM_OF(f) s->shift == 0 ? sum_of(f, 0, x, b, kept, n, s) : sum_of(f, 1, x, b, kept, n, s)
FASTACT_APART void exp_and_store(ARGUMENTS) { SUM_OF(FASTACT_softmax); }
FASTACT_APART void exp_below_largest(ARGUMENTS) { SUM_OF(FASTACT_logsumexp); }
FASTACT_APART void exp_weighted(ARGUMENTS) { SUM_OF(FASTACT_logsumexp_weighted); }
FASTACT_APART void sum_products(ARGUMENTS) { sum_of(FASTACT_softmax_backward, 0, x, b, kept, n, s); }
FASTACT_APART void sum_entries(ARGUMENTS) { sum_of(FASTACT_log_softmax_backward, 0, x, b, kept, n, s); }
static void (*const sums_of[])(ARGUMENTS) = {
    [FASTACT_softmax] = exp_and_store,       [FASTACT_log_softmax] = exp_below_largest,     [FASTACT_logsumexp] = exp_below_largest,
    [FASTACT_logsumexp_weighted] = exp_weighted, [FASTACT_softmax_backward] = sum_products, [FASTACT_log_softmax_backward] = sum_entries,
};
#undef ARGUMENTS
#undef SUM_OF

FASTACT_INLINE void set_reference(fastact_state *s) {
    exponential c = exponential_of(vset(finite_max(s)));
    s->shift = vfirst(c.shift);
    s->exponent = vfirst(c.exponent);
}

/* Entries before the first whole cache line. */
FASTACT_INLINE ptrdiff_t to_whole_line(const void *y) { return (ptrdiff_t)(-(uintptr_t)y % 64 / sizeof(real)); }

/* Results of long chunks go to whole cache lines. */
#define ALIGNED 1024
FASTACT_INLINE void map_chunk(int f, const stored *x, const stored *y_in, const real *kept, stored *y, ptrdiff_t n, real a, real b) {
    const ptrdiff_t head = n >= ALIGNED && !IS_HALF ? to_whole_line(y) : 0;
#define STEP(count, at, last) \
    map_block(f, 0, count, x + (at), y_in + (at), kept + (at), NULL, y + (at), last, vset(a), vset(b))
    if (head) STEP(1, 0, head);
    x += head, y_in += head, kept += head, y += head, n -= head;
    FOR_BLOCKS(n, STEP);
#undef STEP
}

/* e UNIT 2**power */
FASTACT_INLINE fastact_pair scaled(fastact_pair e, double power) { return pair_times(e, UNIT * power_of_two((int64_t)power)); }
/* The exponential of the largest entry. */
FASTACT_INLINE fastact_pair largest_term(const fastact_state *s) {
    return scaled(exp_pair(s->max - s->shift, s->exponent / 4 + OFFSET), OFFSET);
}

/* The chunks of a row have references of their own: exponentials of one times e 2**power are the row's. (That of a largest entry of all is
   the row's own.) */
typedef struct {
    fastact_pair e;
    double power;
} conversion;
/* 2**(j/4) for j = -2 to 2 */
static const fastact_pair quarter_power[] = {
    {0x1.6a09e667f3bcdp-1, -0x1.bdd3413b26456p-55}, {0x1.ae89f995ad3adp-1, 0x1.7a1cd345dcc81p-55}, {0x1p+0, 0},
    {0x1.306fe0a31b715p+0, 0x1.6f46ad23182e4p-55}, {0x1.6a09e667f3bcdp+0, -0x1.bdd3413b26456p-54},
};
#define VANISHED -2000 /* a power below which nothing is left of any result */
#define FAR_BELOW (FASTACT_REAL == 32 ? 30 : 200) /* a negative one up to which results, and what they are computed from, are normal */
FASTACT_INLINE conversion conversion_to(const fastact_state *row, const fastact_state *part) {
    double x = part->shift - row->shift, d = (part->exponent - row->exponent) / 4, power = nearest(x * 0x1.71547652b82fep+0 + d);
    if (!(power > VANISHED)) return (conversion){{0, 0}, VANISHED};
    if (x == 0) return (conversion){quarter_power[(int)(4 * (d - power)) + 2], power};
    return (conversion){exp_pair(x, power - d), power};
}
FASTACT_INLINE fastact_pair converted_to(const fastact_state *row, const fastact_state *part, fastact_pair sum) {
    conversion c = conversion_to(row, part);
    if (sum.hi - sum.hi != 0) return (fastact_pair){sum.hi * c.e.hi, 0};
    double half = nearest(c.power / 2); /* by itself, 2**power can be too small a number */
    return pair_times(pair_times(pair_multiply(sum, c.e), power_of_two((int64_t)half)), power_of_two((int64_t)(c.power - half)));
}

/* What is known of a row from its chunks. */
FASTACT_INLINE void fold_parts(int f, const fastact_state *part, ptrdiff_t chunks, fastact_state *row) {
    const fastact_state *top = part;
    for (ptrdiff_t c = 1; c < chunks; c++) top = part[c].max > top->max ? &part[c] : top;
    fastact_start(row);
    row->max = top->max;
    row->shift = top->shift;
    row->exponent = top->exponent;
    for (ptrdiff_t c = 0; c < chunks; c++) {
        fastact_pair sum = part[c].sum;
        if (part[c].max == row->max) row->ties += part[c].ties;
        else if (part[c].ties > 0) sum = pair_add(sum, pair_times(largest_term(&part[c]), part[c].ties));
        if (!fastact_is_gradient(f)) sum = converted_to(row, &part[c], sum);
        row->sum = c ? pair_add(row->sum, sum) : sum;
    }
}

/* The entries of a row that are looked at one by one: `half`, they are float16, and `step` bytes apart. */
typedef struct {
    const char *first;
    ptrdiff_t n, step;
    int half;
} row_entries;
FASTACT_INLINE real entry_at(const row_entries *x, ptrdiff_t i) { return read_entry(x->first + i * x->step, x->half); }

/* What follows from a row's maximum besides its reference; b as x. */
FASTACT_INLINE void finish_max(int f, const row_entries *x, const char *b, fastact_state *s) {
    if (s->max - s->max == 0) {
        if (f == FASTACT_logsumexp_weighted) s->largest = largest_term(s);
        return;
    }
    /* The largest entry is infinite, or there is none but NaN. */
    s->special = 1;
    s->b = 0;
    s->a = fastact_results(f) ? s->max : NAN;
    if (s->a != s->a) return;
    for (ptrdiff_t i = 0; i < x->n; i++) {
        real v = entry_at(x, i);
        if (v != v) s->a = NAN;
        if (f == FASTACT_logsumexp_weighted) {
            real weight = read_entry(b + i * x->step, x->half);
            if (weight != weight) s->a = NAN;
            if (s->max > 0 && v == s->max) s->b += weight > 0 ? 1 : -1;
            if (s->max > 0 && v == s->max && s->b * weight <= 0) s->a = NAN; /* inf - inf */
        }
    }
    if (f == FASTACT_logsumexp_weighted) s->b = s->a != s->a ? NAN : (s->b > 0) - (s->b < 0);
}

/* 1 where a lane is infinite or NaN, else 0. (vany_beyond by itself may pass over NaN.) */
FASTACT_INLINE vec not_finite(vec a) { return vless_select(vabs(a), vset(INFINITY), vset(0), vset(1)); }

/* The sums of LANES rows to what the last pass applies. */
FASTACT_INLINE void finish_lanes(int f, vec max, wide sum, vec ties, vec *a, vec *b) {
    exponential c = exponential_of(max);
    wide l;
    switch (f) {
    case FASTACT_softmax: wide_inverse(sum, a, b); return;
    case FASTACT_log_softmax:
        l = wide_log_of_sum(vsub(max, c.shift), vadd(c.exponent, vset(4 * OFFSET)), sum, ties);
        *a = max;
        *b = wide_rounded(l);
        return;
    case FASTACT_logsumexp:
        l = wide_log_of_sum(vsub(max, c.shift), vadd(c.exponent, vset(4 * OFFSET)), sum, ties);
        *a = wide_plus(max, l);
        *b = vset(0);
        return;
    default: wide_halves(sum, a, b); /* a gradient: the sum itself */
    }
}

/* logsumexp m + l of a row whose m < 0 and l > 0 cancel: the sum again, with digits to spare for the result's own.
   float32: in double. */
FASTACT_APART double sum_in_double(const row_entries *x, double max) {
    double lane[16] = {0};
    for (ptrdiff_t i = 0; i < x->n; i++) {
        double v = entry_at(x, i);
        if (v < max) lane[i % 16] += exp_double(v - max);
    }
    for (int half = 8; half; half /= 2)
        for (int j = 0; j < half; j++) lane[j] += lane[j + half];
    return lane[0];
}

/* float64, and float32 where even that cancels: the terms that count as pairs; in float64 the rest as they were. */
FASTACT_APART fastact_pair sum_in_pairs(const row_entries *x, const fastact_state *s) {
    const int afresh = FASTACT_REAL == 32; /* blocks of terms have been added in float32 */
    const double lowest = s->max - (afresh ? 64 : 8);
    fastact_pair sum = afresh ? (fastact_pair){0, 0} : s->sum;
    for (ptrdiff_t first = 0; first < x->n; first += FASTACT_CHUNK) {
        const ptrdiff_t end = x->n - first < FASTACT_CHUNK ? x->n : first + FASTACT_CHUNK;
        fastact_state part = *s;
        if (!afresh) part.max = -INFINITY;
        for (ptrdiff_t i = first; i < end; i++) part.max = entry_at(x, i) > part.max ? entry_at(x, i) : part.max;
        if (!afresh) set_reference(&part);
        const exponential c = exponential_of(vset(finite_max(&part)));
        for (ptrdiff_t i = first; i < end; i++) {
            real v = entry_at(x, i);
            if (v == part.max || !(v > lowest)) continue; /* the largest terms are pairs, or not in the sum at all */
            vec fast = vset(v);
            exp_scaled(&fast, 1, c.magic, c.floor);
            double power = nearest(v * 0x1.71547652b82fep+0 - part.exponent / 4);
            fastact_pair e = scaled(exp_pair(v, power + part.exponent / 4), power);
            sum = pair_add(sum, afresh ? e : converted_to(s, &part, pair_add(e, (fastact_pair){-vfirst(fast), 0})));
        }
    }
    return sum;
}

FASTACT_INLINE double log_of_pairs(const fastact_state *s, fastact_pair ratio) {
    return pair_add((fastact_pair){s->max, 0}, log1p_pair(pair_add((fastact_pair){s->ties - 1, 0}, ratio))).hi;
}
FASTACT_APART double logsumexp_again(const row_entries *x, const fastact_state *s) {
    double a = s->a;
    if (FASTACT_REAL == 32) a = log_of_pairs(s, (fastact_pair){sum_in_double(x, s->max), 0});
    if (FASTACT_REAL == 32 ? __builtin_fabs(a) < 0x1p-26 : s->max > -1) {
        a = log_of_pairs(s, pair_divide(sum_in_pairs(x, s), largest_term(s)));
    }
    return a;
}
/* Whether l is large beside m + l. */
FASTACT_INLINE int cancels(const fastact_state *s) { return s->max <= 0 && s->a > s->max / 2 && s->a < 1; }

/* logsumexp of `rows` rows, at most LANES, which lie `row` bytes apart: special values, and what cancels, one by one. */
static __attribute__((unused)) void write_logarithms(const row_entries *x, ptrdiff_t row, ptrdiff_t rows, vec max, vec ties, wide sum,
                                                     vec a, char *y, ptrdiff_t y_row, int y_half) {
    const vec none = vset(0), one = vset(1); /* no and yes: whether a row cancels, or a is infinite or NaN */
    vec rare = vless_select(vmul(max, vset((real)0.5)), a, vless_select(a, one, vless_select(none, max, none, one), none), none);
    rare = vless_select(vabs(a), vset(INFINITY), rare, one);
    real largest[LANES], count[LANES], result[LANES], is_rare[LANES];
    vstore(largest, max);
    vstore(count, ties);
    vstore(result, a);
    vstore(is_rare, rare);
    for (ptrdiff_t r = 0; r < rows && r < LANES; r++) {
        fastact_state s;
        if (is_rare[r] == 0) {
            write_entry(y + r * y_row, y_half, result[r]);
            continue;
        }
        const row_entries entries = {x->first + r * row, x->n, x->step, x->half};
        fastact_start(&s);
        s.max = largest[r];
        s.a = result[r];
        s.ties = count[r];
        if (s.max - s.max != 0) {
            finish_max(FASTACT_logsumexp, &entries, NULL, &s);
        } else if (cancels(&s)) {
            set_reference(&s);
            s.sum = wide_lane(sum, r);
            s.a = logsumexp_again(&entries, &s);
        }
        write_entry(y + r * y_row, y_half, s.a == s.a ? (real)s.a : NAN);
    }
}

/* A pair as a + b, b what rounding takes from a. */
FASTACT_INLINE void set_halves(fastact_pair r, real *a, real *b) {
    *a = (real)r.hi;
    *b = (real)(r.hi - *a + r.lo);
    if (!(__builtin_fabs(*b) < INFINITY)) *b = 0; /* an infinite or NaN sum stands alone */
}
/* The quotient e / sum as e (a + b). */
FASTACT_INLINE void set_scale(fastact_pair sum, real *a, real *b) { set_halves(inverse(sum), a, b); }

/* After the second pass over `count` rows of n entries, at most LANES, which lie `row` bytes apart. */
static __attribute__((unused)) void finish_sums(int f, const char *x, ptrdiff_t row, ptrdiff_t n, fastact_state *s, ptrdiff_t count) {
    if (f == FASTACT_logsumexp_weighted) {
        if (s->special) return;
        if (s->sum.hi != s->sum.hi) {
            s->a = s->b = NAN;
            return;
        }
        s->b = (s->sum.hi > 0) - (s->sum.hi < 0);
        if (s->b < 0) s->sum.hi = -s->sum.hi, s->sum.lo = -s->sum.lo;
        if (s->b == 0) s->a = -INFINITY;
        else if (s->sum.hi == INFINITY) s->a = INFINITY;
        else s->a = pair_add((fastact_pair){s->max, 0}, log1p_pair(pair_add(pair_divide(s->sum, s->largest), (fastact_pair){-1, 0}))).hi;
        return;
    }
    if (f == FASTACT_softmax) {
        for (ptrdiff_t r = 0; r < count; r++) {
            if (s[r].special) continue;
            real a, b;
            set_scale(s[r].sum, &a, &b);
            s[r].special = a != a; /* a NaN among finite entries */
            s[r].a = a != a ? NAN : a;
            s[r].b = b;
        }
        return;
    }
    real a_of[LANES], b_of[LANES];
    vec a, b;
    if (count == 1) { /* in every lane: what has just been written entry by entry is not read as a vector at once */
        finish_lanes(f, vset((real)s->max), wide_set(s->sum), vset((real)s->ties), &a, &b);
    } else {
        real max[LANES] = {0}, ties[LANES] = {0};
        fastact_pair sum[LANES] = {{0}};
        for (ptrdiff_t r = 0; r < count; r++) max[r] = (real)s[r].max, ties[r] = (real)s[r].ties, sum[r] = s[r].sum;
        finish_lanes(f, vload(max), wide_of_pairs(sum), vload(ties), &a, &b);
    }
    vstore(a_of, a);
    vstore(b_of, b);
    for (ptrdiff_t r = 0; r < count; r++) {
        if (s[r].special) continue;
        s[r].a = a_of[r];
        s[r].b = b_of[r];
        if (!fastact_is_gradient(f) && (s[r].a != s[r].a || s[r].b != s[r].b)) { /* a NaN among finite entries */
            s[r].special = 1;
            s[r].a = NAN;
        }
        if (f == FASTACT_logsumexp && cancels(&s[r]))
            s[r].a = logsumexp_again(&(row_entries){x + r * row, n, sizeof(stored), IS_HALF}, &s[r]);
    }
}

/* A gradient's row. */
FASTACT_INLINE void gradient_row(int f, const stored *x, const stored *b, stored *y, ptrdiff_t n) {
    partial_sums sums = no_sums(n);
    fastact_state s;
#define STEP(count, at, last) sum_block(f, 0, count, x + (at), b + (at), NULL, last, vset(0), NULL, NULL, NULL, NULL, &sums)
    FOR_BLOCKS(n, STEP);
#undef STEP
    real hi, lo;
    set_sums(f, &sums, n, &s);
    set_halves(s.sum, &hi, &lo);
    map_chunk(f, x, b, NULL, y, n, hi, lo);
}

/* softmax of rows of one block at most, the passes above in registers. `last`: entries in the last of `count` vectors. */
FASTACT_INLINE void softmax_block(int count, ptrdiff_t last, const stored *x, stored *y) {
    const ptrdiff_t n = (count - 1) * LANES + last;
    fastact_state s;
    vec e[4], top;
    fastact_start(&s);
    EACH_VECTOR(count) e[u] = load_some(IS_HALF, x, u, count, last, -INFINITY);
    top = e[count - 1];
    for (int u = count - 2; u >= 0; u--) top = vmax(e[u], top);
    s.max = vmax_lanes(top);
    if (s.max - s.max == 0) {
        exact_sum sum = exact_zero(start_of(n));
        exponential c = exponential_of(vset((real)s.max));
        EACH_VECTOR(count) e[u] = vsub(e[u], c.shift);
        exp_side_by_side(e, count, c.magic, c.floor);
        e[count - 1] = vkeep(e[count - 1], last);
        EACH_VECTOR(count) exact_add(&sum, e[u]);
        s.sum = exact_sum_of(sum, n);
    } else {
        s.sum.hi = NAN;
    }
    real a, b;
    set_scale(s.sum, &a, &b);
    EACH_VECTOR(count) {
        vec p = vfma(e[u], vset(a), vmul(e[u], vset(b)));
        if (a != a) p = vset(NAN);
        store_some(IS_HALF, y, p, u, count, last);
    }
}
