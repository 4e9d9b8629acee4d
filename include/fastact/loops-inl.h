/* Rows in memory to rows in the kernels: passes over chunks, gathering and scattering, and the table of it all. */

FASTACT_INLINE fastact_part run_pass(int f, const fastact_job *job, int pass, const fastact_state *s, ptrdiff_t chunk) {
    ptrdiff_t begin = chunk * FASTACT_CHUNK, n = job->n - begin < FASTACT_CHUNK ? job->n - begin : FASTACT_CHUNK;
    const stored *x = (const stored *)job->input[0] + begin;
    const stored *b = fastact_inputs(f) == 2 ? (const stored *)job->input[1] + begin : x;
    stored *y = fastact_results(f) ? (stored *)job->out : (stored *)job->out + begin;
    real *kept = IS_HALF ? (real *)job->kept + begin : (real *)y;
    fastact_part none = {{0, 0}, 0};
    if (pass == FASTACT_MAX) return (fastact_part){{max_chunk(x, n), 0}, 0};
    if (pass == FASTACT_SUM) return s->special ? none : sums_of[f](x, b, kept, n, s);
    if (s->special)
        for (ptrdiff_t i = 0; i < n; i++) write_entry((char *)(y + i), IS_HALF, (real)s->a);
    else map_chunk(f, x, b, kept, y, n, (real)s->a, (real)s->b);
    return none;
}

static void fold(int pass, fastact_state *s, fastact_part part, ptrdiff_t chunk) {
    if (pass == FASTACT_SUM) {
        s->sum = chunk ? pair_add(s->sum, part.sum) : part.sum;
        s->ties += part.ties;
    } else if (pass == FASTACT_MAX && part.sum.hi > s->max) {
        s->max = part.sum.hi;
    }
}

/* One chunk of one row in contiguous memory. */
#define ROW(name, signature, empty, ulp)                                                                                 \
    static fastact_part name##_pass(const fastact_job *job, int pass, const fastact_state *s, ptrdiff_t chunk) {         \
        return run_pass(FASTACT_##name, job, pass, s, chunk);                                                            \
    }
FASTACT_ROW_FUNCTIONS(ROW)
#undef ROW

static fastact_part (*const passes[])(const fastact_job *, int, const fastact_state *, ptrdiff_t) = {
#define ROW(name, signature, empty, ulp) name##_pass,
    FASTACT_ROW_FUNCTIONS(ROW)
#undef ROW
};

/* After a pass over `count` rows, at most LANES. */
static void finish_rows(int f, const fastact_job *job, int pass, fastact_state *s, ptrdiff_t count) {
    if (pass == FASTACT_MAX)
        for (ptrdiff_t r = 0; r < count; r++) {
            const row_entries x = {job->input[0] + r * job->input_row[0], job->n, sizeof(stored), IS_HALF};
            finish_max(f, &x, job->input[1] + r * job->input_row[1], &s[r]);
        }
    if (pass == FASTACT_SUM) finish_sums(f, job->input[0], job->input_row[0], job->n, s, count);
}
static void finish(int f, const fastact_job *job, int pass, fastact_state *s) { finish_rows(f, job, pass, s, 1); }

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

/* Rows of any length, pass by pass; short ones in groups: while one row waits for its maximum or sum, the processor works on the next. */
static void run_passes(int f, const fastact_job *job, ptrdiff_t begin, ptrdiff_t end) {
    fastact_state states[LANES];
    ptrdiff_t most = job->n > LANES || f == FASTACT_logsumexp_weighted ? 1 : LANES;
    for (ptrdiff_t first = begin; first < end; first += most) {
        ptrdiff_t count = end - first < most ? end - first : most;
        fastact_job group = *job;
        group.input[0] = job->input[0] + first * job->input_row[0];
        group.input[1] = job->input[1] + first * job->input_row[1];
        for (ptrdiff_t r = 0; r < count; r++) fastact_start(&states[r]);
        for (int pass = fastact_first_pass(f); pass <= fastact_last_pass(f); pass++) {
            for (ptrdiff_t r = 0; r < count; r++) {
                fastact_job row = group;
                row.input[0] += r * job->input_row[0];
                row.input[1] += r * job->input_row[1];
                row.out = job->out + (first + r) * job->out_row;
                for (ptrdiff_t c = 0; c * FASTACT_CHUNK < job->n; c++) fold(pass, &states[r], passes[f](&row, pass, &states[r], c), c);
            }
            finish_rows(f, &group, pass, states, count);
        }
        for (ptrdiff_t r = 0; r < count && fastact_results(f); r++) {
            fastact_job row = {.out = job->out + (first + r) * job->out_row};
            write_results(f, &row, &states[r]);
        }
    }
}

/* Rows of more than a chunk, three under way, chunk by chunk: in one turn the maximum of a row, the sum of the one before and the last
   pass of the one before that; pass by pass where one of them is missing or special. The exponentials of softmax lie in the output,
   those of float16 in job->kept. */
FASTACT_INLINE void run_long(int f, const fastact_job *job, ptrdiff_t begin, ptrdiff_t end) {
    const int last = fastact_last_pass(f);
    fastact_state states[3];
    for (ptrdiff_t turn = begin; turn < end + last; turn++) {
        fastact_job whole[3];
        fastact_state *s[3];
        under_way w = {0};
        int together = 1;
        for (int pass = FASTACT_MAX; pass <= last; pass++) {
            ptrdiff_t r = turn - pass;
            s[pass] = r >= begin && r < end ? &states[r % 3] : NULL;
            together &= s[pass] && (pass == FASTACT_MAX || (!s[pass]->special && s[pass]->shift == 0));
            if (!s[pass]) continue;
            whole[pass] = *job;
            whole[pass].input[0] += r * job->input_row[0];
            whole[pass].out += r * job->out_row;
            if (IS_HALF && f == FASTACT_softmax) whole[pass].kept = (real *)job->kept + r % 2 * job->n;
        }
        if (s[FASTACT_MAX]) fastact_start(s[FASTACT_MAX]);
        if (together) {
            exponential c = exponential_of(vset((real)s[FASTACT_SUM]->max));
            w.max = (real)s[FASTACT_SUM]->max;
            w.magic = vfirst(c.magic);
            w.floor = vfirst(c.floor);
            w.scale_a = (real)s[last]->a;
            w.scale_b = (real)s[last]->b;
        }
        for (ptrdiff_t c = 0, at = 0; at < job->n; c++, at += FASTACT_CHUNK) {
            for (int pass = FASTACT_MAX; pass <= last && !together; pass++)
                if (s[pass]) fold(pass, s[pass], passes[f](&whole[pass], pass, s[pass], c), c);
            if (!together) continue;
            ptrdiff_t n = job->n - at < FASTACT_CHUNK ? job->n - at : FASTACT_CHUNK;
            vec top;
            partial_sums sums;
            w.later = (const stored *)whole[FASTACT_MAX].input[0] + at;
            w.x = w.b = (const stored *)whole[FASTACT_SUM].input[0] + at;
            w.d = w.d2 = (const stored *)whole[last].input[0] + at;
            w.y = (stored *)whole[last].out + at;
            w.e = IS_HALF ? (real *)whole[FASTACT_SUM].kept + at : (real *)whole[FASTACT_SUM].out + at;
            w.kept = IS_HALF ? (real *)whole[last].kept + at : (real *)w.y;
            if (are_near(job)) fused_pass(f, NEAR, TAKE_ALL, 0, &w, n, NULL, &top, &sums);
            else fused_pass(f, FAR, TAKE_ALL, 0, &w, n, NULL, &top, &sums);
            fold(FASTACT_SUM, s[FASTACT_SUM], total_of(f, &sums, n), c);
            fold(FASTACT_MAX, s[FASTACT_MAX], (fastact_part){{vmax_lanes(top), 0}, 0}, c);
        }
        for (int pass = FASTACT_MAX; pass <= FASTACT_SUM; pass++)
            if (s[pass]) finish(f, &whole[pass], pass, s[pass]);
        if (s[FASTACT_SUM] && fastact_results(f)) write_results(f, &whole[FASTACT_SUM], s[FASTACT_SUM]);
    }
}

/* A gradient's rows are better off one by one, but for long ones with exponentials that lie near, measured; and past the caches whole
   lines are written by rows under way alone. */
static int are_one_by_one(int f, const fastact_job *job) {
    if (fastact_first_pass(f) != FASTACT_SUM || job->stream || job->n == 0 || job->n > FASTACT_CHUNK) return 0;
    return f == FASTACT_softmax_backward || job->n <= LONGEST_EXPONENTIALS || !are_near(job);
}
/* Rows by themselves of each function. Where the exponentials of two rows and the entries of two more are much larger than the
   second-level cache, they are better off pass by pass, measured. */
#define LONGEST_SOFTMAX ((768 << 10) / (ptrdiff_t)sizeof(real))
#define ROW(name, signature, empty, ulp)                                                                                      \
    FASTACT_APART void name##_apart(const fastact_job *job, ptrdiff_t begin, ptrdiff_t end) {                                 \
        const int f = FASTACT_##name, is_long = job->n > FASTACT_CHUNK;                                                       \
        if (f == FASTACT_logsumexp_weighted) return;                                                                          \
        if (are_one_by_one(f, job)) run_one_by_one(f, job, begin, end);                                                       \
        else if (are_grouped(f, job)) run_groups(f, job, begin, end);                                                         \
        else if (!is_long) run_fused(f, job, begin, end);                                                                     \
        else if (f == FASTACT_softmax && job->n > LONGEST_SOFTMAX) run_passes(f, job, begin, end);                            \
        else if (fastact_first_pass(f) == FASTACT_MAX) run_long(f, job, begin, end);                                          \
        else run_passes(f, job, begin, end);                                                                                  \
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
    ptrdiff_t few = f == FASTACT_softmax && n <= BLOCK ? 5 : 1; /* rows that end before they would be under way together */
    if ((n > LANES && end - begin > few && f != FASTACT_logsumexp_weighted) || are_one_by_one(f, job)) apart[f](job, begin, end);
    else if (f == FASTACT_softmax && n <= BLOCK && n > 0) run_blocks(job, begin, end);
    else run_passes(f, job, begin, end);
}

#ifdef FASTACT_HALF_ROWS
/* Rows of float16, of entries one after the other. */
int FASTACT_HALVES_NAME(int f, const fastact_job *job, ptrdiff_t begin, ptrdiff_t end) {
    fastact_job halves = *job;
    if (f == FASTACT_softmax && !(halves.kept = malloc((end - begin > 1 ? 2 : 1) * (size_t)job->n * sizeof(real)))) return -1;
    run_apart(f, &halves, begin, end);
    if (f == FASTACT_softmax) free(halves.kept);
    return 0;
}
#else

/* Whether rows are better off in lanes, which are no help where a single row has special cases of its own. Reading and writing LANES
   rows at a time is no pattern that processors foresee: gradients whose arrays lie far away are, only within a cache line. And of few
   rows run_groups would take most passes by themselves. */
static int is_short(int f, const fastact_job *job) {
    ptrdiff_t n = job->n;
    if (f == FASTACT_logsumexp_weighted || n == 0) return 0;
    if (fastact_first_pass(f) == FASTACT_SUM) return n <= ROW_LANES || (n <= SHORT_GRADIENT && are_near(job));
    ptrdiff_t most = f == FASTACT_softmax ? SHORT : SHORT_LOGARITHM;
    return n <= most || (n <= SHORT_OF_FEW(most) && job->rows <= 4 * ROW_LANES);
}

/* Rows in contiguous memory. */
static void run_contiguous(int f, const fastact_job *job, ptrdiff_t begin, ptrdiff_t end) {
    if (is_short(f, job)) begin = FASTACT_LANES_NAME(f, job, begin, end);
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

/* Whether what lies `in` and `out` bytes apart is entries one after the other, in all inputs and an output of entries. */
static int are_entries(int f, const fastact_job *job, const ptrdiff_t *in, ptrdiff_t out) {
    const ptrdiff_t size = job->half ? 2 : sizeof(real);
    for (int k = 0; k < fastact_inputs(f); k++)
        if (in[k] != size) return 0;
    return fastact_results(f) || out == size;
}
/* Rows for lanes where they lie, float16 too: side by side, entry by entry; or short ones, of entries one after the other. */
static int are_for_lanes(int f, const fastact_job *job) {
    if (job->mask || job->n == 0 || f == FASTACT_logsumexp_weighted) return 0;
    if (job->n <= FASTACT_CHUNK && are_entries(f, job, job->input_row, job->out_row)) return 1;
    return is_short(f, job) && are_entries(f, job, job->input_step, job->out_step);
}

/* Rows for the kernels of float16. */
FASTACT_INLINE int are_halves(int f, const fastact_job *job) {
    return job->half && !job->mask && job->n > ROW_LANES && f != FASTACT_logsumexp_weighted &&
           are_entries(f, job, job->input_step, job->out_step);
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
        fastact_job group = {.rows = rows, .n = n, .out = (char *)buffer, .out_row = line, .out_step = sizeof(real)};
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

/* Rows begin to end. */
static int run_rows(int f, const fastact_job *job, ptrdiff_t begin, ptrdiff_t end) {
    if (!is_staged(f, job)) {
        run_contiguous(f, job, begin, end);
        return 0;
    }
    if (are_for_lanes(f, job)) {
        begin = FASTACT_LANES_NAME(f, job, begin, end);
        if (begin < 0) return -1;
    }
    if (begin == end) return 0;
#if FASTACT_REAL == 32 && !defined(FASTACT_SCALAR_HALF)
    if (are_halves(f, job)) return FASTACT_HALVES_NAME(f, job, begin, end);
#endif
    return run_staged(f, job, begin, end);
}

static int gather(const fastact_job *job, int input, ptrdiff_t row, ptrdiff_t first, ptrdiff_t last, void *to) {
    unsigned char kept;
    gather_rows(job, input, row, 1, first, last, (real *)to, 0, &kept);
    return kept;
}

static void scatter(const fastact_job *job, ptrdiff_t row, ptrdiff_t first, ptrdiff_t last, const void *from) {
    scatter_rows(job, row, 1, first, last, (const real *)from, 0);
}

const fastact_kernels FASTACT_TABLE = {
#define ROW(name, signature, empty, ulp) name##_pass,
    .chunk = {FASTACT_ROW_FUNCTIONS(ROW)},
#undef ROW
    .rows = run_rows,
    .is_staged = is_staged,
    .fold = fold,
    .finish = finish,
    .write = write_results,
    .gather = gather,
    .scatter = scatter,
    .elementwise = FASTACT_ELEMENTWISE_NAME,
    .size = sizeof(real),
};
#endif
