/* Rows under way as in fused-inl.h, for short ones: in groups of LANES rows, three groups at a time. What follows from a group's maxima,
   and from its sums, is computed for all of its rows at once, a lane each: by itself it takes a row as long as some hundred of its
   entries. The bits are the same. */
#ifndef FASTACT_GROUPS
#define are_grouped(f, job) 0
#define run_groups(f, job, begin, end) (void)(job)
#else

/* Up to how long rows are: more, and a group leaves the nearest cache between its passes, unless they have a single result or two inputs of
   float16. Where arrays lie far away, memory takes longer than what is saved on a row of more entries; and so it does anywhere for a
   gradient without exponentials. All measured. */
#define GROUPED_BYTES 1024
FASTACT_INLINE int are_grouped(int f, const fastact_job *job) {
    const ptrdiff_t n = job->n, most = GROUPED_BYTES / sizeof(real);
    if (fastact_results(f) || (fastact_is_gradient(f) && IS_HALF)) return n <= 4 * most;
    const int near = IS_HALF || are_near(job);
    if (f == FASTACT_softmax_backward) return n <= (near ? 80 : 40);
    return n <= most && (near || n <= (f == FASTACT_softmax ? 160 : fastact_is_gradient(f) ? 64 : most));
}

/* The lanes of a group's rows joined, each row's as a tree, a lane with the one half the width away. A step joins those of two rows
   side by side, so that a row takes some three operations for what it takes three times log2 LANES by itself; the bits are the same. Row r
   of the array becomes lane r. */

/* Where row r begins, so that it ends in lane r: steps keep the 16-byte parts of registers apart until only they are left. */
#define PLACE(r, lanes, size) ((r) % (16 / (size)) * ((lanes) * (size) / 16) + (r) / (16 / (size)))
#define JOIN_ROWS(name, item, lanes, size, JOIN)                                                                      \
    FASTACT_INLINE item name(const item *row) {                                                                       \
        item t[lanes];                                                                                                \
        _Pragma("GCC unroll 16") for (int r = 0; r < (lanes); r++) t[PLACE(r, lanes, size)] = row[r];                 \
        _Pragma("GCC unroll 4") for (int half = (lanes) / 2; half; half /= 2)                                         \
            _Pragma("GCC unroll 8") for (int i = 0; i < half; i++) t[i] = JOIN(half, t[2 * i], t[2 * i + 1]);         \
        return t[0];                                                                                                  \
    }

FASTACT_INLINE nvec larger_of_halves(int half, nvec a, nvec b) {
    nvec low, high;
    nhalves(half, a, b, &low, &high);
    return nmax(low, high);
}
FASTACT_INLINE nvec sum_of_halves(int half, nvec a, nvec b) {
    nvec low, high;
    nhalves(half, a, b, &low, &high);
    return low + high;
}
FASTACT_INLINE register_pair few_of_halves(int half, register_pair a, register_pair b) {
    register_pair low, high;
    nhalves(half, a.hi, b.hi, &low.hi, &high.hi);
    nhalves(half, a.lo, b.lo, &low.lo, &high.lo);
    join_registers(&low.hi, &low.lo, high.hi, high.lo);
    return low;
}
JOIN_ROWS(join_larger, nvec, NLANES, sizeof(real), larger_of_halves)
JOIN_ROWS(join_counts, nvec, NLANES, sizeof(real), sum_of_halves)
JOIN_ROWS(join_few, register_pair, NLANES, sizeof(real), few_of_halves)
#if FASTACT_REAL == 32
FASTACT_INLINE dvec wide_of_halves(int half, dvec a, dvec b) {
    dvec low, high;
    dhalves(half, a, b, &low, &high);
    return low + high;
}
JOIN_ROWS(join_wide, dvec, NLANES / 2, sizeof(double), wide_of_halves)
#else
FASTACT_INLINE register_pair wide_of_halves(int half, register_pair a, register_pair b) {
    register_pair low, high;
    nhalves(half, a.hi, b.hi, &low.hi, &high.hi);
    nhalves(half, a.lo, b.lo, &low.lo, &high.lo);
    add_pairs(&low.hi, &low.lo, high.hi, high.lo);
    return low;
}
JOIN_ROWS(join_wide, register_pair, NLANES, sizeof(real), wide_of_halves)
#endif

/* The largest lanes, the sums of lanes that hold small integers, of lanes in one octave (exact_total_of_few), and of all others. */
#define VEC_OF_ROWS(name, FOLD, JOIN)                                                             \
    FASTACT_INLINE vec name(const vec *rows) {                                                    \
        vec r;                                                                                    \
        EACH {                                                                                    \
            nvec row[NLANES];                                                                     \
            for (int j = 0; j < NLANES; j++) row[j] = FOLD(rows[k * NLANES + j]);                 \
            r.v[k] = JOIN(row);                                                                   \
        }                                                                                         \
        return r;                                                                                 \
    }
VEC_OF_ROWS(max_of_rows, vfold_max, join_larger)
VEC_OF_ROWS(counts_of_rows, vfold_sum, join_counts)
FASTACT_INLINE exact_sum few_of_rows(const exact_sum *rows) {
    exact_sum r;
    EACH {
        register_pair row[NLANES];
        for (int j = 0; j < NLANES; j++) row[j] = exact_fold_few(&rows[k * NLANES + j]);
        register_pair s = join_few(row);
        r.hi.v[k] = s.hi;
        r.lost.v[k] = s.lo;
    }
    return r;
}
FASTACT_INLINE wide wide_of_rows(const wide *rows) {
    wide r;
#if FASTACT_REAL == 32
    for (int k = 0; k < 2 * PARTS; k++) {
        dvec row[NLANES / 2];
        for (int j = 0; j < NLANES / 2; j++) row[j] = wide_fold(&rows[k * (NLANES / 2) + j]);
        r.v[k] = join_wide(row);
    }
#else
    EACH {
        register_pair row[NLANES];
        for (int j = 0; j < NLANES; j++) row[j] = wide_fold(&rows[k * NLANES + j]);
        register_pair s = join_wide(row);
        r.hi.v[k] = s.hi;
        r.lo.v[k] = s.lo;
    }
#endif
    return wide_normal(r);
}

/* What is known of the rows of a group, a lane each. `special`: one of them must go pass by pass. */
typedef struct {
    ptrdiff_t first, count; /* none for a count below 1 */
    int special;
    real max[LANES], magic[LANES], floor[LANES], a[LANES], b[LANES];
} row_group;
/* What the passes over a group's rows leave: of softmax `exact`, of all others `sum` and `ties`. */
typedef struct {
    vec top[LANES], ties[LANES];
    exact_sum exact[LANES];
    wide sum[LANES];
} group_sums;

/* `count` rows of each of three groups. */
FASTACT_INLINE void pass_group(int f, int where, int parts, int vectors, const fastact_job *job, const row_group *later,
                               const row_group *rows, const row_group *earlier, ptrdiff_t count, real *e, ptrdiff_t pitch, group_sums *g) {
    const int second = fastact_inputs(f) - 1;
    const ptrdiff_t n = job->n, step = job->input_row[0], b_step = job->input_row[second], y_step = job->out_row;
    const char *l = job->input[0] + later->first * step;
    const char *x = job->input[0] + rows->first * step, *b = job->input[second] + rows->first * b_step;
    const char *d = job->input[0] + earlier->first * step, *d2 = job->input[second] + earlier->first * b_step;
    char *y = job->out + earlier->first * y_step;
    for (ptrdiff_t r = 0; r < count; r++, e += pitch, l += step, x += step, b += b_step, d += step, d2 += b_step, y += y_step) {
        const under_way w = {
            .later = (const stored *)l,
            .x = (const stored *)x,
            .b = (const stored *)b,
            .e = e,
            .max = rows->max[r],
            .magic = rows->magic[r],
            .floor = rows->floor[r],
            .d = (const stored *)d,
            .d2 = (const stored *)d2,
            .kept = e,
            .y = (stored *)y,
            .scale_a = earlier->a[r],
            .scale_b = earlier->b[r],
        };
        vec top = vset(-INFINITY);
        partial_sums sums = no_sums(n);
        fused_pass(f, where, parts, vectors, &w, n, NULL, &top, &sums);
        if (parts & TAKE_MAX) g->top[r] = top;
        if (!(parts & TAKE_SUM)) continue;
        if (f == FASTACT_softmax) g->exact[r] = sums.exact;
        else g->sum[r] = sums.sum, g->ties[r] = sums.ties;
    }
    for (ptrdiff_t r = count; 0 < r && r < LANES; r++) { /* lanes without a row are like the first, so that they are not special */
        if (parts & TAKE_MAX) g->top[r] = g->top[0];
        if (!(parts & TAKE_SUM)) continue;
        if (f == FASTACT_softmax) g->exact[r] = g->exact[0];
        else g->sum[r] = g->sum[0], g->ties[r] = g->ties[0];
    }
}

FASTACT_INLINE wide exact_of_rows(const exact_sum *exact, ptrdiff_t n) {
    wide sum[LANES];
    if (ARE_FEW(n)) return wide_normal(exact_wide(few_of_rows(exact), LANES * START_OF_FEW));
    for (int r = 0; r < LANES; r++) sum[r] = exact_wide(exact[r], SUM_START);
    return wide_of_rows(sum);
}
FASTACT_INLINE void finish_maxima(row_group *rows, const group_sums *g) {
    vec max = max_of_rows(g->top);
    exponential c = exponential_of(max);
    vstore(rows->max, max);
    vstore(rows->magic, c.magic);
    vstore(rows->floor, c.floor);
    rows->special = vany_beyond(max, EXACT_LIMIT);
}
FASTACT_INLINE void finish_group_sums(int f, const fastact_job *job, row_group *rows, const group_sums *g) {
    vec max = vload(rows->max), ties = vset(0), a, b;
    wide sum = f == FASTACT_softmax ? exact_of_rows(g->exact, job->n) : wide_of_rows(g->sum);
    if (f == FASTACT_log_softmax || f == FASTACT_logsumexp) ties = counts_of_rows(g->ties);
    finish_lanes(f, max, sum, ties, &a, &b);
    vstore(rows->a, a);
    vstore(rows->b, b);
    if (f != FASTACT_logsumexp) {
        rows->special = !fastact_is_gradient(f) && vany_beyond(not_finite(vadd(a, b)), 0); /* a NaN among finite entries */
        return;
    }
    const row_entries x = {job->input[0] + rows->first * job->input_row[0], job->n, sizeof(stored), IS_HALF};
    char *y = job->out + rows->first * job->out_row;
    write_logarithms(&x, job->input_row[0], rows->count, max, ties, sum, a, y, job->out_row, IS_HALF);
}

/* Rows begin to end, of more than LANES entries. A turn takes the maxima of one group, the sums of the one before (of gradients: of the same
   one), and the last pass of the one before that; by themselves where one of them is missing. A group with a special row goes pass by
   pass. */
FASTACT_INLINE void run_groups(int f, const fastact_job *job, ptrdiff_t begin, ptrdiff_t end) {
    real e[f == FASTACT_softmax ? GROUPED_BYTES / sizeof(real) * LANES : 1] __attribute__((aligned(64)));
    row_group groups[3] = {{.first = 0}};
    group_sums g;
    const ptrdiff_t n = job->n, pitch = (n + LANES - 1) / LANES * LANES, turns = (end - begin + LANES - 1) / LANES;
    const int has_max = !fastact_is_gradient(f), has_map = !fastact_results(f), where = are_near(job) ? NEAR : FAR;
/* Rows of one block are passed over by loops of their own. */
#define PASS(where, parts, count)                                                                               \
    do {                                                                                                        \
        if (n > BLOCK) pass_group(f, where, parts, 0, job, later, rows, earlier, count, e, pitch, &g);          \
        else if (n > 3 * LANES) pass_group(f, where, parts, 4, job, later, rows, earlier, count, e, pitch, &g); \
        else if (n > 2 * LANES) pass_group(f, where, parts, 3, job, later, rows, earlier, count, e, pitch, &g); \
        else pass_group(f, where, parts, 2, job, later, rows, earlier, count, e, pitch, &g);                    \
    } while (0)
    for (ptrdiff_t turn = 0; turn < turns + has_max + has_map; turn++) {
        row_group *later = &groups[turn % 3], *rows = &groups[(turn + 3 - has_max) % 3], *earlier = &groups[(turn + 2 - has_max) % 3];
        later->first = begin + turn * LANES;
        later->count = end - later->first < LANES ? end - later->first : LANES;
        int take_sum = rows->count > 0 && !rows->special, take_map = has_map && earlier->count > 0;
        if (later->count == LANES && take_sum && take_map == has_map && !(has_map && earlier->special)) {
            PASS(where, TAKE_ALL | IN_PLACE, LANES);
        } else {
            if (take_map && earlier->special) run_passes(f, job, earlier->first, earlier->first + earlier->count);
            else if (take_map) PASS(NEAR, TAKE_MAP, earlier->count);
            if (take_sum) PASS(NEAR, TAKE_SUM, rows->count);
            if (has_max) PASS(NEAR, TAKE_MAX, later->count);
        }
        if (take_sum) finish_group_sums(f, job, rows, &g);
        else if (rows->special && !has_map) run_passes(f, job, rows->first, rows->first + rows->count);
        if (has_max && later->count > 0) finish_maxima(later, &g);
    }
#undef PASS
}
#endif
