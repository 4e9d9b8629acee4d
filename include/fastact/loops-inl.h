/* Rows in memory to rows in the kernels: passes over chunks, gathering and scattering, and the table of it all. */

/* Chunk c of a row in contiguous memory: its entries, its results, and where its exponentials are kept. */
typedef struct {
    const stored *x, *b;
    stored *y;
    real *kept;
    ptrdiff_t n;
} row_chunk;
FASTACT_INLINE row_chunk chunk_of(int f, const fastact_job *job, ptrdiff_t c) {
    const ptrdiff_t at = c * FASTACT_CHUNK, left = job->n - at;
    const stored *x = (const stored *)job->input[0] + at;
    const stored *b = fastact_inputs(f) == 2 ? (const stored *)job->input[1] + at : x;
    stored *y = fastact_results(f) ? (stored *)job->out : (stored *)job->out + at;
    real *kept = job->kept ? (real *)job->kept + at : (real *)(void *)y;
    return (row_chunk){x, b, y, kept, left < FASTACT_CHUNK ? left : FASTACT_CHUNK};
}
FASTACT_INLINE double max_of(int f, const row_chunk *k) { return fastact_is_gradient(f) ? 0 : max_chunk(k->x, k->n); }
FASTACT_INLINE void start_chunk(int f, fastact_state *s, double max) {
    fastact_start(s);
    s->max = max;
    if (!fastact_is_gradient(f)) set_reference(s);
}
FASTACT_INLINE void sum_chunk(int f, const row_chunk *k, fastact_state *s) { sums_of[f](k->x, k->b, k->kept, k->n, s); }

/* What a row's last pass applies to a chunk, or to a row by itself, which is its own `part`. */
FASTACT_INLINE void scale_of(int f, const row_chunk *k, const fastact_state *row, const fastact_state *part, real *a, real *b) {
    *a = (real)row->a;
    *b = (real)row->b;
    if (f != FASTACT_softmax || part == row) return;
    conversion c = conversion_to(row, part);
    if (c.power < -FAR_BELOW) { /* exponentials take the rest by themselves: no factor and no product on the way is subnormal */
        double rest = c.power + FAR_BELOW;
        c.power = -FAR_BELOW;
        if (IS_HALF || rest < 1 - BIAS) c.e.hi = c.e.lo = 0;
        else map_chunk(f, k->x, k->b, k->kept, (stored *)(void *)k->kept, k->n, (real)power_of_two((int64_t)rest), 0);
    }
    fastact_pair whole = pair_multiply(renormalise(row->a, row->b), c.e);
    set_halves(pair_times(whole, power_of_two((int64_t)c.power)), a, b);
}
FASTACT_INLINE void map_row(int f, const row_chunk *k, const fastact_state *row, const fastact_state *part) {
    real a, b;
    if (row->special) {
        for (ptrdiff_t i = 0; i < k->n; i++) write_entry((char *)(k->y + i), IS_HALF, (real)row->a);
        return;
    }
    scale_of(f, k, row, part, &a, &b);
    map_chunk(f, k->x, k->b, k->kept, k->y, k->n, a, b);
}

/* What follows from the sums of `count` rows, at most LANES. */
static void finish_rows(int f, const fastact_job *job, fastact_state *s, ptrdiff_t count) {
    for (ptrdiff_t r = 0; r < count && !fastact_is_gradient(f); r++) {
        const row_entries x = {job->input[0] + r * job->input_row[0], job->n, sizeof(stored), IS_HALF};
        finish_max(f, &x, job->input[1] + r * job->input_row[1], &s[r]);
    }
    finish_sums(f, job->input[0], job->input_row[0], job->n, s, count);
}

static void write_results(int f, const fastact_job *job, const fastact_state *s) {
    if (fastact_results(f) > 0) write_entry(job->out, IS_HALF, (real)s->a);
    if (fastact_results(f) > 1) write_entry(job->out + sizeof(stored), IS_HALF, (real)s->b);
}

/* A gradient's rows of at most FASTACT_CHUNK entries, the two passes and nothing between them: the processor sees far enough into the next
   row, and the second pass finds its row in the nearest cache. */
FASTACT_INLINE void run_one_by_one(int f, const fastact_job *job, ptrdiff_t begin, ptrdiff_t end) {
    for (ptrdiff_t r = begin; r < end; r++)
        gradient_row(f, (const stored *)(job->input[0] + r * job->input_row[0]), (const stored *)(job->input[1] + r * job->input_row[1]),
                     (stored *)(job->out + r * job->out_row), job->n);
}

/* Row r of a job by itself. (Returned by value it would be copied from where it has just been written in parts, which takes 20 ns.) */
FASTACT_INLINE void take_row(fastact_job *row, const fastact_job *job, ptrdiff_t r) {
    *row = *job;
    row->input[0] = job->input[0] + r * job->input_row[0];
    row->input[1] = job->input[1] + r * job->input_row[1];
    row->out = job->out + r * job->out_row;
}

/* Rows of at most a chunk, pass by pass; short ones in groups: while one row waits for its maximum or sum, the processor works on the
   next. */
static void run_passes(int f, const fastact_job *job, ptrdiff_t begin, ptrdiff_t end) {
    fastact_state states[LANES];
    ptrdiff_t most = job->n > LANES || f == FASTACT_logsumexp_weighted ? 1 : LANES;
    for (ptrdiff_t first = begin; first < end; first += most) {
        ptrdiff_t count = end - first < most ? end - first : most;
        fastact_job rows[LANES];
        row_chunk whole[LANES];
        ptrdiff_t taken = 0;
        do {
            take_row(&rows[taken], job, first + taken);
            whole[taken] = chunk_of(f, &rows[taken], 0);
            start_chunk(f, &states[taken], max_of(f, &whole[taken]));
        } while (++taken < count);
        for (ptrdiff_t r = 0; r < count; r++) sum_chunk(f, &whole[r], &states[r]);
        finish_rows(f, rows, states, count);
        for (ptrdiff_t r = 0; r < count; r++) {
            if (fastact_results(f)) write_results(f, &rows[r], &states[r]);
            else map_row(f, &whole[r], &states[r], &states[r]);
        }
    }
}

/* A long row, between its sums and its last pass. */
typedef struct {
    fastact_job job;
    fastact_state state;
} long_row;

/* What is ahead of the chunk whose sum is taken: the next one, and the one after it (or none of 0 entries). So many entries of the next one
   have been compared, `top` holds the largest. */
typedef struct {
    const stored *x[2];
    ptrdiff_t n[2], compared;
    vec top;
} chunks_ahead;
/* So many entries before the end of a chunk the next one's maximum is known: all that the processor sees behind it waits for it. */
#define LEAD 512

FASTACT_INLINE double largest_ahead(int f, const chunks_ahead *ahead, vec top, ptrdiff_t compared) {
    if (fastact_is_gradient(f)) return 0;
    double max = vmax_lanes(top), rest = compared < ahead->n[0] ? max_chunk(ahead->x[0] + compared, ahead->n[0] - compared) : -INFINITY;
    return max > rest ? max : rest;
}

/* The passes of fused-inl.h over chunk k: its sum, the last pass of one of an earlier row, and what maxima are ahead; the `next` one is
   started. */
FASTACT_INLINE void pass_chunk(int f, int where, int parts, const row_chunk *k, const row_chunk *old, real scale_a, real scale_b,
                               shared_line *line, chunks_ahead *ahead, fastact_state *s, fastact_state *next) {
    const ptrdiff_t most = k->n > LEAD && !fastact_is_gradient(f) ? k->n - LEAD : 0, there = ahead->n[0] - ahead->compared;
    const ptrdiff_t first = (there < most ? there : most) / BLOCK * BLOCK, left = k->n - first;
    const int has_second = ahead->n[1] >= left && !fastact_is_gradient(f);
    const exponential e = exponential_of(vset((real)s->max));
    partial_sums sums = no_sums(k->n);
    vec top = ahead->top;
    under_way w = {
        .later = ahead->x[0] + ahead->compared, .x = k->x, .b = k->b, .e = k->kept, .max = (real)s->max, .magic = vfirst(e.magic),
        .floor = vfirst(e.floor), .d = old->x, .d2 = old->b, .kept = old->kept, .y = old->y, .scale_a = scale_a, .scale_b = scale_b,
    };
    for (int turn = 0; turn < 2; turn++) {
        if (turn == 0 && first == 0) continue;
        if (turn == 1) {
            start_chunk(f, next, largest_ahead(f, ahead, top, ahead->compared + first));
            top = vset(-INFINITY);
            w.x += first, w.b += first, w.e += first, w.d += first, w.d2 += first, w.kept += first, w.y += first;
            w.later = has_second ? ahead->x[1] : w.x;
        }
        fused_pass(f, where, parts, 0, &w, turn == 0 ? first : left, where == PAST_CACHES ? line : NULL, &top, &sums);
    }
    ahead->compared = has_second ? left : 0;
    ahead->top = has_second ? top : vset(-INFINITY);
    set_sums(f, &sums, k->n, s);
}

/* Chunks first to last of a row: their sums, while an earlier row, or NULL, goes through its last pass, past the caches through `line`.
   `max` is the first one's maximum, and becomes that of the first chunk of row `after`, unless that is NULL. */
FASTACT_INLINE void sum_chunks(int f, const fastact_job *job, ptrdiff_t first, ptrdiff_t last, const long_row *earlier, shared_line *line,
                               const stored *after, double *max) {
    const int has_max = !fastact_is_gradient(f), has_map = !fastact_results(f), where = where_are(f, job);
    chunks_ahead ahead = {.top = vset(-INFINITY)};
    fastact_state beyond = {.max = 0}, *next = &job->parts[first];
    start_chunk(f, next, *max);
    for (ptrdiff_t c = first; c < last; c++) {
        const row_chunk k = chunk_of(f, job, c), old = has_map && earlier ? chunk_of(f, &earlier->job, c) : k;
        fastact_state *s = next;
        real a = 0, b = 0;
        for (int i = 0; i < 2; i++) {
            const int in_row = c + 1 + i < last;
            const row_chunk that = chunk_of(f, job, in_row ? c + 1 + i : 0);
            ahead.x[i] = in_row ? that.x : after;
            ahead.n[i] = in_row || (after && c + 1 + i == last) ? that.n : 0;
        }
        next = c + 1 < last ? s + 1 : &beyond;
#define PASS(where, parts) pass_chunk(f, where, parts, &k, &old, a, b, line, &ahead, s, next)
        if ((has_max ? s->shift != 0 : where != PAST_CACHES || !earlier) || (where == PAST_CACHES && k.n < 2 * BLOCK)) {
            if (line) flush_line(line);
            if (has_map && earlier) map_row(f, &old, &earlier->state, &earlier->job.parts[c]);
            sum_chunk(f, &k, s);
            start_chunk(f, next, largest_ahead(f, &ahead, ahead.top, ahead.compared));
            ahead.compared = 0;
            ahead.top = vset(-INFINITY);
        } else if (has_map && earlier) {
            scale_of(f, &old, &earlier->state, &earlier->job.parts[c], &a, &b);
            if (!IS_HALF && (!has_max || where == PAST_CACHES)) PASS(PAST_CACHES, TAKE_ALL);
            else if (where == NEAR) PASS(NEAR, TAKE_ALL);
            else PASS(FAR, TAKE_ALL);
        } else if (has_max && where == NEAR) {
            PASS(NEAR, TAKE_MAX | TAKE_SUM);
        } else if (has_max) {
            PASS(FAR, TAKE_MAX | TAKE_SUM);
        }
#undef PASS
    }
    *max = beyond.max;
}

#define ARGUMENTS \
    const fastact_job *job, ptrdiff_t first, ptrdiff_t last, const long_row *earlier, shared_line *line, const stored *after, double *max
#define ROW(name, signature, empty, ulp) \
    FASTACT_APART void name##_sum(ARGUMENTS) { sum_chunks(FASTACT_##name, job, first, last, earlier, line, after, max); }
FASTACT_ROW_FUNCTIONS(ROW)
#undef ROW
static void (*const sums_of_chunks[])(ARGUMENTS) = {
#define ROW(name, signature, empty, ulp) name##_sum,
    FASTACT_ROW_FUNCTIONS(ROW)
#undef ROW
};
#undef ARGUMENTS

static void finish(int f, const fastact_job *job, fastact_state *row) {
    fold_parts(f, job->parts, fastact_chunks(job->n), row);
    finish_rows(f, job, row, 1);
}
static void map_parts(int f, const fastact_job *job, const fastact_state *row, ptrdiff_t first, ptrdiff_t last) {
    for (ptrdiff_t c = first; c < last; c++) {
        row_chunk k = chunk_of(f, job, c);
        map_row(f, &k, row, &job->parts[c]);
    }
}

/* Long rows, chunk by chunk. Exponentials lie in the output, those of float16 in job->kept. The output comes from memory while they are
   computed, and is in a cache for the last pass. So where vectors are so wide that memory is what takes the time, rows of softmax are long from
   fewer entries on: three of them under way exceed the nearest cache. Measured. */
#ifndef LONG_SOFTMAX
#define LONG_SOFTMAX FASTACT_CHUNK
#endif
FASTACT_INLINE int are_long(int f, const fastact_job *job) {
    return job->n > FASTACT_CHUNK || (f == FASTACT_softmax && job->n > LONG_SOFTMAX && !IS_HALF && where_are(f, job) != PAST_CACHES);
}
/* A row's last pass needs memory alone. It waits for the sums of the next row, to be hidden among, past the caches, where softmax's
   exponentials lie in a buffer (of rows up to LONGEST_STREAMED); of float16; and where log_softmax reads rows that lie near. */
#define LONGEST_STREAMED ((2 << 20) / (ptrdiff_t)sizeof(real))
static void run_long(int f, const fastact_job *job, ptrdiff_t begin, ptrdiff_t end) {
    const ptrdiff_t chunks = fastact_chunks(job->n), n = job->n, pitch = IS_HALF ? n : pitch_of(n);
    const int is_softmax = f == FASTACT_softmax, may_stream = where_are(f, job) == PAST_CACHES && end - begin > 1;
    void *far = is_softmax && may_stream && n <= LONGEST_STREAMED ? malloc((size_t)(2 * pitch) * sizeof(real) + 64) : NULL;
    const int streams = is_softmax ? far != NULL : may_stream;
    const int waits = streams || (IS_HALF && is_softmax) || (f == FASTACT_log_softmax && (IS_HALF || are_near(job)));
    real *kept = IS_HALF && is_softmax ? (real *)job->kept : (real *)(((uintptr_t)far + 63) / 64 * 64);
    fastact_state near[2], *parts = chunks > 1 ? job->parts : near;
    shared_line line = {.filled = 0};
    long_row rows[2], *earlier = NULL;
    double max = 0;
    for (ptrdiff_t r = begin; r < end; r++) {
        const ptrdiff_t which = (r - begin) % 2;
        long_row *row = &rows[which];
        fastact_job *one = &row->job;
        take_row(one, job, r);
        one->parts = parts + which * chunks;
        if (kept) one->kept = kept + which * pitch;
        const row_chunk k = chunk_of(f, one, 0);
        if (r == begin) max = max_of(f, &k);
        const stored *after = r + 1 < end ? (const stored *)(one->input[0] + job->input_row[0]) : NULL;
        sums_of_chunks[f](one, 0, chunks, earlier, streams ? &line : NULL, after, &max);
        finish(f, one, &row->state);
        earlier = waits && r + 1 < end && !row->state.special ? row : NULL;
        if (fastact_results(f)) write_results(f, one, &row->state);
        if (fastact_results(f) || earlier) continue;
        flush_line(&line);
        map_parts(f, one, &row->state, 0, chunks);
    }
    if (streams) nfence();
    free(far);
}

/* Which of a gradient's rows are better off one by one: few of them, and those too long for groups but for float16 and for long ones with
   exponentials that lie near. Past the caches whole lines are written by rows under way alone. All measured. */
static int are_one_by_one(int f, const fastact_job *job, ptrdiff_t rows) {
    if (!fastact_is_gradient(f) || job->stream || job->n == 0 || job->n > FASTACT_CHUNK) return 0;
    if (job->n <= LANES || rows < 2 * LANES) return 1;
    return !IS_HALF && !are_grouped(f, job) && (f == FASTACT_softmax_backward || job->n <= LONGEST_EXPONENTIALS || !are_near(job));
}
/* Rows by themselves of each function. */
#define ROW(name, signature, empty, ulp)                                                                      \
    FASTACT_APART void name##_apart(const fastact_job *job, ptrdiff_t begin, ptrdiff_t end) {                 \
        const int f = FASTACT_##name;                                                                         \
        if (f == FASTACT_logsumexp_weighted) return;                                                          \
        if (are_one_by_one(f, job, end - begin)) run_one_by_one(f, job, begin, end);                          \
        else if (are_grouped(f, job)) run_groups(f, job, begin, end);                                         \
        else run_fused(f, job, begin, end);                                                                   \
    }
FASTACT_ROW_FUNCTIONS(ROW)
#undef ROW
static void (*const apart[])(const fastact_job *, ptrdiff_t, ptrdiff_t) = {
#define ROW(name, signature, empty, ulp) name##_apart,
    FASTACT_ROW_FUNCTIONS(ROW)
#undef ROW
};

static void run_blocks(const fastact_job *job, ptrdiff_t begin, ptrdiff_t end) {
    const char *x = job->input[0] + begin * job->input_row[0];
    char *y = job->out + begin * job->out_row;
    int count = (int)((job->n + LANES - 1) / LANES);
    ptrdiff_t last = job->n - (count - 1) * LANES;
    for (ptrdiff_t r = begin; r < end; r++, x += job->input_row[0], y += job->out_row) {
        if (count == 1) softmax_block(1, last, (const stored *)x, (stored *)y);
        else if (count == 2) softmax_block(2, last, (const stored *)x, (stored *)y);
        else if (count == 3) softmax_block(3, last, (const stored *)x, (stored *)y);
        else softmax_block(4, last, (const stored *)x, (stored *)y);
    }
}

/* THE CHOICE of a kernel for rows by themselves in contiguous memory, by their length. */
static void run_apart(int f, const fastact_job *job, ptrdiff_t begin, ptrdiff_t end) {
    ptrdiff_t n = job->n;
    /* Rows that end before they would be under way together. */
    ptrdiff_t few = f != FASTACT_softmax ? 1 : n <= BLOCK ? 5 : are_grouped(f, job) ? 2 : 1;
    if (are_long(f, job) && (n > FASTACT_CHUNK || end - begin > few)) run_long(f, job, begin, end);
    else if ((n > LANES && end - begin > few && f != FASTACT_logsumexp_weighted) || are_one_by_one(f, job, end - begin))
        apart[f](job, begin, end);
    else if (f == FASTACT_softmax && n <= BLOCK && n > 0) run_blocks(job, begin, end);
    else run_passes(f, job, begin, end);
}

/* One row, step by step. */
static void sum_parts(int f, const fastact_job *job, ptrdiff_t first, ptrdiff_t last) {
    if (first == last) return;
    const row_chunk k = chunk_of(f, job, first);
    double max = max_of(f, &k);
    sums_of_chunks[f](job, first, last, NULL, NULL, NULL, &max);
}

/* Whether what lies `in` and `out` bytes apart is entries one after the other, in all inputs and an output of entries. */
static int are_entries(int f, const fastact_job *job, const ptrdiff_t *in, ptrdiff_t out) {
    const ptrdiff_t size = job->half ? 2 : sizeof(real);
    for (int k = 0; k < fastact_inputs(f); k++)
        if (in[k] != size) return 0;
    return fastact_results(f) || out == size;
}
/* Rows for the kernels of float16. */
FASTACT_INLINE int are_halves(int f, const fastact_job *job) {
    return job->half && !job->mask && job->n > ROW_LANES && f != FASTACT_logsumexp_weighted &&
           are_entries(f, job, job->input_step, job->out_step);
}

#ifdef FASTACT_HALF_ROWS

static int run_rows(int f, const fastact_job *job, ptrdiff_t begin, ptrdiff_t end) {
    fastact_job halves = *job;
    if (f == FASTACT_softmax && !(halves.kept = malloc((end - begin > 1 ? 2 : 1) * (size_t)job->n * sizeof(real)))) return -1;
    run_apart(f, &halves, begin, end);
    if (f == FASTACT_softmax) free(halves.kept);
    return 0;
}
static int is_staged(int f, const fastact_job *job) { return !are_halves(f, job); }

#else

/* Whether rows are better off in lanes, which are no help where a single row has special cases of its own. Reading and writing LANES
   rows at a time is no pattern that processors foresee: gradients whose arrays lie far away are, only within a cache line. */
static int is_short(int f, const fastact_job *job) {
    ptrdiff_t n = job->n;
    if (f == FASTACT_logsumexp_weighted || n == 0) return 0;
    if (fastact_is_gradient(f)) return n <= ROW_LANES || (n <= (job->half ? SHORT_HALF_GRADIENT : SHORT_GRADIENT) && are_near(job));
    return n <= (f == FASTACT_softmax ? SHORT : SHORT_LOGARITHM);
}

/* Rows in contiguous memory. (A single one is never worth a tile, and need not ask.) */
static void run_contiguous(int f, const fastact_job *job, ptrdiff_t begin, ptrdiff_t end) {
    if (end - begin > 1 && is_short(f, job)) begin = FASTACT_LANES_NAME(f, job, begin, end);
    run_apart(f, job, begin, end);
}

FASTACT_INLINE ptrdiff_t distance(ptrdiff_t stride) { return stride < 0 ? -stride : stride; }

/* Entries first to last of `rows` rows from `row` on into to[r * pitch + i]. An entry that takes no part becomes -inf, so that its
   exponential is 0 (a weight: 0). kept[r]: any entry of row r takes part. */
static void gather_rows(const fastact_job *job, int input, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t first, ptrdiff_t last, real *to,
                        ptrdiff_t pitch, unsigned char *kept) {
    ptrdiff_t across = job->input_row[input], along = job->input_step[input], n = last - first;
    const char *from = job->input[input] + row * across + first * along;
    int half = job->half;
    if (distance(across) < distance(along)) {
        for (ptrdiff_t i = 0; i < n; i++)
            for (ptrdiff_t r = 0; r < rows; r++) to[r * pitch + i] = read_entry(from + r * across + i * along, half);
    } else if (half && along == 2 && across == 2 * n && pitch == n) {
        load_halves(to, from, rows * n);
    } else {
        for (ptrdiff_t r = 0; r < rows; r++) {
            const char *row_from = from + r * across;
            real *row_to = to + r * pitch;
            if (half && along == 2) load_halves(row_to, row_from, n);
            else if (!half && along == (ptrdiff_t)sizeof(real)) memcpy(row_to, row_from, (size_t)n * sizeof(real));
            else
                for (ptrdiff_t i = 0; i < n; i++) row_to[i] = read_entry(row_from + i * along, half);
        }
    }
    for (ptrdiff_t r = 0; r < rows; r++) {
        unsigned char any = job->mask == NULL;
        if (job->mask) {
            const char *mask = job->mask + (row + r) * job->mask_row + first * job->mask_step;
            real *x = to + r * pitch, masked = input == 0 ? -INFINITY : 0;
            if (job->mask_step == 1) {
                for (ptrdiff_t i = 0; i < n; i++) {
                    x[i] = mask[i] ? x[i] : masked;
                    any |= (unsigned char)mask[i];
                }
            } else {
                for (ptrdiff_t i = 0; i < n; i++) {
                    x[i] = mask[i * job->mask_step] ? x[i] : masked;
                    any |= (unsigned char)mask[i * job->mask_step];
                }
            }
        }
        kept[r] = any != 0;
    }
}

static void scatter_rows(const fastact_job *job, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t first, ptrdiff_t last, const real *from,
                         ptrdiff_t pitch) {
    ptrdiff_t across = job->out_row, along = job->out_step, n = last - first;
    char *to = job->out + row * across + first * along;
    int half = job->half;
    if (distance(across) < distance(along)) {
        for (ptrdiff_t i = 0; i < n; i++)
            for (ptrdiff_t r = 0; r < rows; r++) write_entry(to + r * across + i * along, half, from[r * pitch + i]);
        return;
    }
    if (half && along == 2 && across == 2 * n && pitch == n) n *= rows, rows = 1;
    for (ptrdiff_t r = 0; r < rows; r++, to += across, from += pitch) {
        if (half && along == 2) {
            store_halves(to, from, n);
        } else if (!half && along == (ptrdiff_t)sizeof(real)) {
            memcpy(to, from, (size_t)n * sizeof(real));
        } else {
            for (ptrdiff_t i = 0; i < n; i++) write_entry(to + i * along, half, from[i]);
        }
    }
}

/* Whether the passes cannot read the rows where they lie. */
static int is_staged(int f, const fastact_job *job) {
    const ptrdiff_t step = sizeof(real);
    if (job->half || job->mask) return 1;
    if (job->n > 1 && (job->input_step[0] != step || (fastact_inputs(f) == 2 && job->input_step[1] != step))) return 1;
    return fastact_results(f) != 1 && (fastact_results(f) || job->n > 1) && job->out_step != step;
}

/* Rows for lanes where they lie, float16 too: side by side, entry by entry; or short ones, of entries one after the other. */
static int are_for_lanes(int f, const fastact_job *job) {
    if (job->mask || job->n == 0 || f == FASTACT_logsumexp_weighted) return 0;
    if (job->n <= FASTACT_CHUNK && are_entries(f, job, job->input_row, job->out_row)) return 1;
    return is_short(f, job) && are_entries(f, job, job->input_step, job->out_step);
}

/* Rows that no kernel can read where they lie go through a buffer, as many as fit the caches at a time: strided ones, and those with
   a mask. */
#define STAGED 128 /* rows at most */
#define STAGED_ENTRIES 4096
static int run_staged(int f, const fastact_job *job, ptrdiff_t begin, ptrdiff_t end) {
    ptrdiff_t n = job->n, results = fastact_results(f) ? fastact_results(f) : n;
    ptrdiff_t width = n < STAGED_ENTRIES / STAGED ? STAGED : n < STAGED_ENTRIES / LANES ? STAGED_ENTRIES / n : LANES;
    ptrdiff_t across = distance(job->input_row[0]), along = distance(job->input_step[0]);
    /* Room for the results; and for columns no power of two, whose columns would share a cache set. */
    ptrdiff_t pitch = across < along ? (n + 2 + 31) / 16 * 16 : n < results ? results : n;
    ptrdiff_t plane = width * pitch;
    real *buffer = malloc((size_t)(fastact_inputs(f) * plane) * sizeof(real));
    unsigned char kept[STAGED];
    if (!buffer) return -1;
    for (ptrdiff_t row = begin; row < end; row += width) {
        ptrdiff_t rows = end - row < width ? end - row : width, line = pitch * (ptrdiff_t)sizeof(real);
        fastact_job group = {.rows = rows, .n = n, .out = (char *)buffer, .out_row = line, .out_step = sizeof(real), .parts = job->parts};
        for (int k = fastact_inputs(f) - 1; k >= 0; k--) {
            group.input[k] = (const char *)(buffer + k * plane);
            group.input_row[k] = line;
            group.input_step[k] = sizeof(real);
            gather_rows(job, k, row, rows, 0, n, buffer + k * plane, pitch, kept);
        }
        run_contiguous(f, &group, 0, rows);
        for (ptrdiff_t r = 0; r < rows; r++) /* the first of two results, and 0; or all entries */
            for (ptrdiff_t i = 0; i < results && !kept[r]; i++)
                buffer[r * pitch + i] = i && fastact_results(f) ? 0 : (real)fastact_row_functions[f].empty;
        scatter_rows(job, row, rows, 0, results, buffer, pitch);
    }
    free(buffer);
    return 0;
}

static int run_any(int f, const fastact_job *job, ptrdiff_t begin, ptrdiff_t end) {
    if (!is_staged(f, job)) {
        run_contiguous(f, job, begin, end);
        return 0;
    }
    if (are_for_lanes(f, job)) {
        begin = FASTACT_LANES_NAME(f, job, begin, end);
        if (begin < 0) return -1;
    }
    if (begin == end) return 0;
    if (HAS_HALVES && are_halves(f, job)) return FASTACT_HALVES_NAME.rows(f, job, begin, end);
    return run_staged(f, job, begin, end);
}

/* Rows begin to end. */
static int run_rows(int f, const fastact_job *job, ptrdiff_t begin, ptrdiff_t end) {
    if (job->n <= FASTACT_CHUNK) return run_any(f, job, begin, end);
    fastact_job rows = *job;
    rows.parts = malloc((end - begin > 1 ? 2 : 1) * (size_t)fastact_chunks(job->n) * sizeof(fastact_state));
    if (!rows.parts) return -1;
    int failed = run_any(f, &rows, begin, end);
    free(rows.parts);
    return failed;
}

static int gather(const fastact_job *job, int input, ptrdiff_t row, ptrdiff_t first, ptrdiff_t last, void *to) {
    unsigned char kept;
    gather_rows(job, input, row, 1, first, last, (real *)to, 0, &kept);
    return kept;
}

static void scatter(const fastact_job *job, ptrdiff_t row, ptrdiff_t first, ptrdiff_t last, const void *from) {
    scatter_rows(job, row, 1, first, last, (const real *)from, 0);
}

#endif

const fastact_kernels
#ifdef FASTACT_HALF_ROWS
    FASTACT_HALVES_NAME = {
#else
    FASTACT_TABLE = {
    .gather = gather,
    .scatter = scatter,
    .halves = HAS_HALVES ? &FASTACT_HALVES_NAME : NULL,
    .elementwise = FASTACT_ELEMENTWISE_NAME,
#endif
    .rows = run_rows,
    .sum = sum_parts,
    .finish = finish,
    .map = map_parts,
    .write = write_results,
    .is_staged = is_staged,
    .size = sizeof(real),
};
