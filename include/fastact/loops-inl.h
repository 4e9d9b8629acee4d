/* Rows in memory to rows in the kernels: passes over chunks, gathering and scattering, and the table of it all. */

FASTACT_INLINE fastact_pair run_pass(int f, const fastact_job *job, int pass, const fastact_state *s, ptrdiff_t chunk) {
    ptrdiff_t begin = chunk * FASTACT_CHUNK, n = job->n - begin < FASTACT_CHUNK ? job->n - begin : FASTACT_CHUNK;
    const real *x = (const real *)job->input[0] + begin;
    const real *b = fastact_inputs(f) == 2 ? (const real *)job->input[1] + begin : x;
    real *y = fastact_results(f) ? (real *)job->out : (real *)job->out + begin;
    fastact_pair part = {0, 0};
    if (pass == FASTACT_SUM && s->special) return part;
    if (pass == FASTACT_MAX) {
        part.hi = max_chunk(x, n);
    } else if (pass == FASTACT_SUM && fastact_first_pass(f) == FASTACT_SUM) {
        part = gradient_chunk(f, x, b, n);
    } else if (pass == FASTACT_SUM) {
        ptrdiff_t skip = takes_log(f) && chunk == s->chunk ? find(x, n, (real)s->max) : -1;
        part = f == FASTACT_softmax ? exp_and_store(x, b, y, n, skip, s)
             : takes_log(f)         ? exp_but_largest(x, b, y, n, skip, s)
                                    : exp_weighted(x, b, y, n, skip, s);
    } else if (s->special) {
        for (ptrdiff_t i = 0; i < n; i++) y[i] = (real)s->a;
    } else {
        map_chunk(f, x, b, y, n, s);
    }
    return part;
}

static void fold(int pass, fastact_state *s, fastact_pair part, ptrdiff_t chunk) {
    if (pass == FASTACT_SUM) {
        s->sum = chunk ? pair_add(s->sum, part) : part;
    } else if (pass == FASTACT_MAX && part.hi > s->max) {
        s->max = part.hi;
        s->chunk = chunk;
    }
}

/* One chunk of one row in contiguous memory. */
#define ROW(name, signature, empty, ulp)                                                                                 \
    static fastact_pair name##_pass(const fastact_job *job, int pass, const fastact_state *s, ptrdiff_t chunk) {         \
        return run_pass(FASTACT_##name, job, pass, s, chunk);                                                            \
    }
FASTACT_ROW_FUNCTIONS(ROW)
#undef ROW

static fastact_pair (*const passes[])(const fastact_job *, int, const fastact_state *, ptrdiff_t) = {
#define ROW(name, signature, empty, ulp) name##_pass,
    FASTACT_ROW_FUNCTIONS(ROW)
#undef ROW
};

static void finish(int f, const fastact_job *job, int pass, fastact_state *s) {
    if (pass == FASTACT_MAX) finish_max(f, (const real *)job->input[0], (const real *)job->input[1], job->n, s);
    if (pass == FASTACT_SUM && !s->special) finish_sum(f, (const real *)job->input[0], job->n, s);
}

static void write_results(int f, const fastact_job *job, const fastact_state *s) {
    real *y = (real *)job->out;
    if (fastact_results(f) > 0) y[0] = (real)s->a;
    if (fastact_results(f) > 1) y[1] = (real)s->b;
}

static void run_blocks(const fastact_job *job, ptrdiff_t begin, ptrdiff_t end) {
    const char *x = job->input[0] + begin * job->input_row[0];
    char *y = job->out + begin * job->out_row;
    int count = (int)((job->n + LANES - 1) / LANES);
    ptrdiff_t last = job->n - (count - 1) * LANES;
    for (ptrdiff_t r = begin; r < end; r++, x += job->input_row[0], y += job->out_row) {
        if (count == 1) softmax_block(1, last, (const real *)x, (real *)y);
        else if (count == 2) softmax_block(2, last, (const real *)x, (real *)y);
        else if (count == 3) softmax_block(3, last, (const real *)x, (real *)y);
        else softmax_block(4, last, (const real *)x, (real *)y);
    }
}

/* Rows in contiguous memory, pass by pass over a group of them: while one row waits for its maximum or sum, the processor works on
   the next. The group stays in the first-level cache. */
#define GROUP 16
static void run_contiguous(int f, const fastact_job *job, ptrdiff_t begin, ptrdiff_t end) {
    if (f == FASTACT_softmax && job->n <= BLOCK && job->n > 0) {
        run_blocks(job, begin, end);
        return;
    }
    if (f == FASTACT_softmax && job->n <= FUSED_ENTRIES) {
        softmax_rows(job, begin, end);
        return;
    }
    fastact_state states[GROUP];
    fastact_job row = *job;
    ptrdiff_t most = job->n < 2048 / GROUP ? GROUP : job->n < 2048 ? 2048 / job->n : 1;
    for (ptrdiff_t first = begin; first < end; first += most) {
        ptrdiff_t count = end - first < most ? end - first : most;
        for (ptrdiff_t r = 0; r < count; r++) fastact_start(&states[r]);
        for (int pass = fastact_first_pass(f); pass <= fastact_last_pass(f); pass++)
            for (ptrdiff_t r = 0; r < count; r++) {
                fastact_state *s = &states[r];
                row.input[0] = job->input[0] + (first + r) * job->input_row[0];
                row.input[1] = job->input[1] + (first + r) * job->input_row[1];
                row.out = job->out + (first + r) * job->out_row;
                for (ptrdiff_t c = 0; c * FASTACT_CHUNK < job->n; c++) fold(pass, s, passes[f](&row, pass, s, c), c);
                finish(f, &row, pass, s);
                if (pass == fastact_last_pass(f)) write_results(f, &row, s);
            }
    }
}

FASTACT_INLINE ptrdiff_t distance(ptrdiff_t stride) { return stride < 0 ? -stride : stride; }

/* Entries first to last of `rows` rows from `row` on into to[r * pitch + i]. An entry that takes no part becomes -inf, so that its
   exponential is 0 (a weight: 0). kept[r]: any entry of row r takes part. */
static void gather_rows(const fastact_job *job, int input, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t first, ptrdiff_t last, real *to,
                        ptrdiff_t pitch, unsigned char *kept) {
    ptrdiff_t across = job->input_row[input], along = job->input_step[input], n = last - first;
    const char *from = job->input[input] + row * across + first * along;
    int half = job->half;
    if (rows > 1) {
        for (ptrdiff_t i = 0; i < n; i++)
            for (ptrdiff_t r = 0; r < rows; r++) to[r * pitch + i] = read_entry(from + r * across + i * along, half);
    } else if (half && along == 2) {
        load_halves(to, from, n);
    } else if (!half && along == (ptrdiff_t)sizeof(real)) {
        memcpy(to, from, (size_t)n * sizeof(real));
    } else {
        for (ptrdiff_t i = 0; i < n; i++) to[i] = read_entry(from + i * along, half);
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
    if (rows > 1) {
        for (ptrdiff_t i = 0; i < n; i++)
            for (ptrdiff_t r = 0; r < rows; r++) write_entry(to + r * across + i * along, half, from[r * pitch + i]);
    } else if (half && along == 2) {
        store_halves(to, from, n);
    } else if (!half && along == (ptrdiff_t)sizeof(real)) {
        memcpy(to, from, (size_t)n * sizeof(real));
    } else {
        for (ptrdiff_t i = 0; i < n; i++) write_entry(to + i * along, half, from[i]);
    }
}

/* Whether the passes cannot read the rows where they lie. */
static int is_staged(int f, const fastact_job *job) {
    const ptrdiff_t step = sizeof(real);
    if (job->half || job->mask) return 1;
    if (job->n > 1 && (job->input_step[0] != step || (fastact_inputs(f) == 2 && job->input_step[1] != step))) return 1;
    return fastact_results(f) != 1 && (fastact_results(f) || job->n > 1) && job->out_step != step;
}

/* Rows that the passes cannot read where they lie go through a buffer: strided ones, float16, and those with a mask. Where
   neighbouring rows are closer than a row's own entries (another axis than the last), a cache line of them goes together. */
static int run_staged(int f, const fastact_job *job, ptrdiff_t begin, ptrdiff_t end) {
    ptrdiff_t n = job->n, results = fastact_results(f) ? fastact_results(f) : n;
    ptrdiff_t width = job->n > 1 && distance(job->input_row[0]) < distance(job->input_step[0]) ? 16 : 1;
    ptrdiff_t pitch = (n + 2 + 31) / 16 * 16; /* room for the results, and no power of two, whose columns share a cache set */
    ptrdiff_t plane = width * pitch;
    real *buffer = malloc((size_t)(fastact_inputs(f) * plane) * sizeof(real));
    unsigned char kept[16];
    if (!buffer) return -1;
    for (ptrdiff_t row = begin; row < end; row += width) {
        ptrdiff_t rows = end - row < width ? end - row : width;
        for (int k = fastact_inputs(f) - 1; k >= 0; k--) gather_rows(job, k, row, rows, 0, n, buffer + k * plane, pitch, kept);
        for (ptrdiff_t r = 0; r < rows; r++) {
            real *x = buffer + r * pitch, first, second;
            fastact_job one = {.rows = 1, .n = n, .input = {(char *)x, (char *)(x + plane)}, .out = (char *)x};
            if (kept[r]) {
                run_contiguous(f, &one, 0, 1);
            } else {
                first = (real)fastact_row_functions[f].empty, second = 0;
                for (ptrdiff_t i = 0; i < results; i++) x[i] = i && fastact_results(f) ? second : first;
            }
        }
        scatter_rows(job, row, rows, 0, results, buffer, pitch);
    }
    free(buffer);
    return 0;
}

/* Rows begin to end. */
static int run_rows(int f, const fastact_job *job, ptrdiff_t begin, ptrdiff_t end) {
    if (is_staged(f, job)) return run_staged(f, job, begin, end);
    run_contiguous(f, job, begin, end);
    return 0;
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
