/* LANES rows at a time, one in each lane: for rows too short to fill vectors by themselves, and for rows that lie side by side in memory
   (along another axis than the last). The operations on each row, and so its bits, are those of softmax-inl.h: what is one lane of a
   sum there is one vector of sums here. As rows do not meet, a vector is one register: LANES is the instruction set's own. */

/* Rows as they lie in memory: one after the other, or (`step` between entries) side by side, entry by entry. */
typedef struct {
    char *first;
    ptrdiff_t row, step;
    int half; /* entries are float16 */
} place;
FASTACT_INLINE int is_columns(const place *p, ptrdiff_t n) {
    return n > LONGEST_SHORT || (n > 1 && p->step != (p->half ? 2 : (ptrdiff_t)sizeof(real)));
}
FASTACT_INLINE char *entry(const place *p, ptrdiff_t r, ptrdiff_t i) { return p->first + r * p->row + i * p->step; }

/* `count` entries that lie one after the other (0 in the other lanes), and back; none for a count below 1. */
FASTACT_INLINE vec load_entries(int half, const char *from, ptrdiff_t count) {
    if (half) return load_half_part(from, count);
    return count < LANES ? vload_part((const real *)(const void *)from, count, 0) : vload((const real *)(const void *)from);
}
FASTACT_INLINE void store_entries(int half, char *to, vec v, ptrdiff_t count) {
    if (half) store_half_part(to, v, count);
    else if (count < LANES) vstore_part((real *)(void *)to, v, count);
    else vstore((real *)(void *)to, v);
}
/* LOOP(half, count) compiled apart for float16 or not, and for whole vectors (all `all` entries) or parts. */
#define BY_KIND(half, count, all, LOOP)                      \
    do {                                                     \
        if ((half) && (count) < (all)) { LOOP(1, (count)); } \
        else if (half) { LOOP(1, all); }                     \
        else if ((count) < (all)) { LOOP(0, (count)); }      \
        else { LOOP(0, all); }                               \
    } while (0)

/* Columns are read and written in groups of tiles that fill a cache line, */
#define GROUP ((int)(64 / (LANES * sizeof(real))))
/* and so many at a time: each entry of a column lies in a page of its own, of which eight lines one after the other are read and
   written faster than one. Two inputs share them. */
#define TILES (8 * GROUP)
#define TILES_OF_COLUMNS(f) (TILES / fastact_inputs(f))
/* They take at most so many vectors for each register of a cache line, to share the nearest cache with what they are read from, unless
   a column is too long for that, or its entries too far apart. */
#define COLUMNS_UNDER_WAY 256
#define LONG_COLUMN 512
/* Rows one after the other, likewise with their results: while one tile waits for its maxima or sums, the processor works on the others. */
#define TILES_OF_ROWS (4 * GROUP)
#define ROWS_UNDER_WAY 64

/* A tile: LANES rows of n entries as n vectors. */
typedef struct {
    real *e, *g; /* the entries (of a gradient: the first input), then their exponentials; the second input */
    ptrdiff_t rows;
    vec max, ties;
    wide sum;
} tile;

/* A gradient needs no maximum: what computes it is left out. */
FASTACT_INLINE void keep_max(int f, tile *t, vec max) {
    if (!fastact_is_gradient(f)) t->max = max;
}

/* LANES rows one after the other are transposed strip by strip: so many entries, from `at` on, of each. With FASTACT_PIECES that is half a
   register, or a quarter for short rows and for what is left of long ones, and a register holds pieces of two or four rows; else it is a
   square. */
FASTACT_INLINE int width_at(ptrdiff_t at, ptrdiff_t n, int half) {
#ifdef FASTACT_PIECES
    if (!half && n >= LANES / 4 && n - at <= LANES / 4) return LANES / 4;
    if (!half && n >= LANES / 2) return LANES / 2;
    if (!half && n >= LANES / 4) return LANES / 4;
#endif
    (void)at, (void)n, (void)half;
    return LANES;
}
/* STEP(at, width) for each strip. The last one overlaps the one before, so that all of it are entries, unless it is the only one. */
#define FOR_STRIPS(n, half, STEP)                                                         \
    do {                                                                                  \
        for (ptrdiff_t next_ = 0, width_; next_ < (n); next_ += width_) {                 \
            width_ = width_at(next_, n, half);                                            \
            ptrdiff_t at_ = next_ + width_ <= (n) || (n) < width_ ? next_ : (n) - width_; \
            if (width_ == LANES) STEP(at_, LANES);                                        \
            else if (width_ == LANES / 2) STEP(at_, LANES / 2);                           \
            else STEP(at_, LANES / 4);                                                    \
        }                                                                                 \
    } while (0)

/* LANES rows of n entries side by side, n a power of two below LANES, are n whole vectors: in log2 n steps of taking the first entries of
   all pairs, and the second ones, each entry gets a vector of its own; and back. Lanes may be rows in any order. */
FASTACT_INLINE vec load_packed(const place *x, int n, real *e) {
    const real *from = (const real *)(const void *)x->first;
    vec v[LANES], max = vset(-INFINITY);
    for (int i = 0; i < n; i++) v[i] = vload(from + i * LANES);
    vdeinterleave(v, n);
    for (int i = 0; i < n; i++) {
        vstore(e + i * LANES, v[i]);
        max = vmax(v[i], max);
    }
    return max;
}
FASTACT_INLINE void store_packed(int f, const place *y, int n, const tile *t, vec a, vec b) {
    real *to = (real *)(void *)y->first;
    vec v[LANES];
    for (int i = 0; i < n; i++) v[i] = map(f, vload(t->e + i * LANES), vload(t->g + i * LANES), a, b);
    vinterleave(v, n);
    for (int i = 0; i < n; i++) vstore(to + i * LANES, v[i]);
}
/* CALL(n) compiled apart for each n that it may be. */
#define BY_LENGTH(n, CALL)                             \
    do {                                               \
        if ((n) == 2) { CALL(2); }                     \
        else if ((n) == 4 && LANES > 4) { CALL(4); }   \
        else if ((n) == 8 && LANES > 8) { CALL(8); }   \
    } while (0)
FASTACT_INLINE int are_packed(int f, const fastact_job *job) {
    const ptrdiff_t size = sizeof(real), n = job->n;
    int packed = (n == 2 || n == 4 || n == 8) && n < LANES && !job->half && !fastact_results(f);
    packed &= job->out_row == n * size && job->out_step == size;
    for (int k = 0; k < fastact_inputs(f); k++) packed &= job->input_row[k] == n * size && job->input_step[k] == size;
    return packed;
}

/* A strip of rows of n entries, `to` bytes into them, as a vector for each of its entries; and back, of as many rows as there are. */
FASTACT_INLINE void load_strip(int half, const char *const *row, ptrdiff_t to, ptrdiff_t n, int width, vec *v) {
#define LOAD(half, count) for (int r = 0; r < LANES; r++) v[r] = load_entries(half, row[r] + to, count)
    if (width == LANES) {
        BY_KIND(half, n, LANES, LOAD);
        transpose(v);
        return;
    }
#undef LOAD
#ifdef FASTACT_PIECES
    const int pieces = LANES / width;
    for (int r = 0; r < LANES; r += pieces) {
        const char *from[4];
        for (int k = 0; k < pieces; k++) from[k] = row[r + k] + to;
        v[r / pieces].v[0] = nload_pieces(pieces, from);
    }
    vdeinterleave(v, width);
#endif
}
FASTACT_INLINE void store_strip(int half, char *to, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t n, int width, vec *v) {
    if (width == LANES) {
        transpose(v);
#define STORE(half, count) for (int r = 0; r < LANES && r < rows; r++, to += row) store_entries(half, to, v[r], count)
        BY_KIND(half, n, LANES, STORE);
#undef STORE
        return;
    }
#ifdef FASTACT_PIECES
    const int pieces = LANES / width;
    vinterleave(v, width);
    for (int r = 0; r < LANES && r < rows; r++, to += row) nstore_piece(pieces, r % pieces, to, v[r / pieces].v[0]);
#endif
}

/* Rows one after the other; where rows are missing, the first one stands for them. */
FASTACT_INLINE vec load_rows(const place *x, ptrdiff_t n, ptrdiff_t rows, real *e) {
    vec max[4] = {vset(-INFINITY), vset(-INFINITY), vset(-INFINITY), vset(-INFINITY)};
    const char *row[LANES];
    for (int r = 0; r < LANES; r++) row[r] = entry(x, r < rows ? r : 0, 0);
#define LOAD(at, width)                                                                         \
    do {                                                                                        \
        vec v[LANES];                                                                           \
        load_strip(x->half, row, (at) * x->step, n, width, v);                                  \
        for (int r = 0; r < width; r++) vstore(e + ((at) + r) * LANES, v[r]);                   \
        if (n >= width)                                                                         \
            for (int r = 0; r < width; r++) max[r % 4] = vmax(v[r], max[r % 4]);                \
        else                                                                                    \
            for (ptrdiff_t r = 0; r < n; r++) max[0] = vmax(vload(e + r * LANES), max[0]);      \
    } while (0)
    FOR_STRIPS(n, x->half, LOAD);
#undef LOAD
    return vmax(vmax(max[0], max[1]), vmax(max[2], max[3]));
}
/* CALL(u, tiles), tiles u and following, compiled apart for all of them and for those of a cache line. */
#define EACH_TILES(f, count, CALL)                                           \
    do {                                                                     \
        if ((count) == TILES_OF_COLUMNS(f)) { CALL(0, TILES_OF_COLUMNS(f)); } \
        else                                                                 \
            for (int u_ = 0; u_ < (count); u_ += GROUP) { CALL(u_, GROUP); } \
    } while (0)
/* Asks for the lines of entry i that the next tiles will read or write: measured, where arrays are larger than near ones. */
FASTACT_INLINE void fetch_columns(const place *p, int tiles, ptrdiff_t i, int to_write) {
    for (int u = 0; u < tiles; u += GROUP) {
        if (to_write) __builtin_prefetch(entry(p, (u + tiles) * LANES, i), 1, 2);
        else __builtin_prefetch(entry(p, (u + tiles) * LANES, i), 0, 2);
    }
}
/* `tiles` tiles, k the first of two inputs or the second; entries of missing rows are 0. `far`: the arrays do not lie near. */
FASTACT_INLINE void load_columns(int f, int tiles, int far, const place *x, ptrdiff_t n, tile *t, int k) {
    vec max[TILES];
    for (int u = 0; u < tiles; u++) max[u] = vset(-INFINITY);
#define LOAD(half, count)                                                            \
    for (ptrdiff_t i = 0; i < n; i++) {                                              \
        if (far) fetch_columns(x, tiles, i, 0);                                      \
        for (int u = 0; u < tiles; u++) {                                            \
            vec v = load_entries(half, entry(x, u * LANES, i), (count) - u * LANES); \
            vstore((k ? t[u].g : t[u].e) + i * LANES, v);                            \
            max[u] = vmax(v, max[u]);                                                \
        }                                                                            \
    }
    BY_KIND(x->half, t->rows, tiles * LANES, LOAD);
#undef LOAD
    for (int u = 0; u < tiles; u++) keep_max(f, &t[u], max[u]);
}

/* The last pass over a tile, and back to where rows lie. */
FASTACT_INLINE void store_rows(int f, const place *y, ptrdiff_t n, const tile *t, vec a, vec b) {
#define STORE(at, width)                                                                                        \
    do {                                                                                                        \
        vec v[LANES];                                                                                           \
        const real *e = t->e + (at) * LANES, *g = t->g + (at) * LANES;                                          \
        for (int r = 0; r < width; r++) v[r] = map(f, vload(e + r * LANES), vload(g + r * LANES), a, b);        \
        store_strip(y->half, entry(y, 0, at), y->row, t->rows, n, width, v);                                    \
    } while (0)
    FOR_STRIPS(n, y->half, STORE);
#undef STORE
}
FASTACT_INLINE void store_columns(int f, int tiles, int far, const place *y, ptrdiff_t n, const tile *t, const vec *a, const vec *b) {
#define STORE(half, count)                                                                    \
    for (ptrdiff_t i = 0; i < n; i++) {                                                       \
        if (far) fetch_columns(y, tiles, i, 1);                                               \
        for (int u = 0; u < tiles; u++) {                                                     \
            vec v = map(f, vload(t[u].e + i * LANES), vload(t[u].g + i * LANES), a[u], b[u]); \
            store_entries(half, entry(y, u * LANES, i), v, (count) - u * LANES);              \
        }                                                                                     \
    }
    BY_KIND(y->half, t->rows, tiles * LANES, STORE);
#undef STORE
}

/* The exponentials of vectors in their place. */
FASTACT_INLINE void exp_vectors(real *e, int count, const exponential *c) {
    vec v[INTERLEAVE];
    for (int u = 0; u < count; u++) v[u] = vsub(vload(e + u * LANES), c->shift);
    exp_scaled(v, count, c->magic, c->floor);
    for (int u = 0; u < count; u++) vstore(e + u * LANES, v[u]);
}
FASTACT_INLINE void exp_tile(real *e, ptrdiff_t n, const exponential *c) {
    ptrdiff_t i = 0;
    for (; i + INTERLEAVE <= n; i += INTERLEAVE) exp_vectors(e + i * LANES, INTERLEAVE, c);
    for (; i < n; i++) exp_vectors(e + i * LANES, 1, c);
}

/* `count` vectors ROW_LANES apart, which in a row by itself are one lane of a block. */
FASTACT_INLINE void add_block(int f, int count, real *e, const real *g, vec max, const exponential *c, vec *ties, exact_sum *exact,
                              wide *sum) {
    const ptrdiff_t next = ROW_LANES * LANES;
    vec v[4], x[4];
    for (int u = 0; u < count; u++) x[u] = v[u] = vload(e + u * next);
    if (f == FASTACT_softmax_backward) {
        for (int u = 0; u < count; u++) wide_add_product(sum, v[u], vload(g + u * next));
        return;
    }
    if (f == FASTACT_log_softmax_backward) {
        for (int u = 0; u < count; u++) wide_add(sum, v[u]);
        return;
    }
    if (f == FASTACT_softmax) {
        for (int u = 0; u < count; u++) exact_add(exact, v[u]);
        return;
    }
    for (int u = 0; u < count; u++) v[u] = vsub(v[u], c->shift);
    exp_scaled(v, count, c->magic, c->floor);
    for (int u = 0; u < count; u++) v[u] = below_largest(v[u], x[u], max, ties);
    wide_add(sum, add_terms(count, v));
}

/* The same for one vector, with nothing before it. */
FASTACT_INLINE wide add_single(int f, real *e, const real *g, vec max, const exponential *c, vec *ties) {
    exact_sum exact = exact_zero(SUM_START);
    wide sum = wide_zero();
    add_block(f, 1, e, g, max, c, ties, &exact, &sum);
    if (f != FASTACT_softmax) return sum;
    return FASTACT_REAL == 32 ? wide_of(vload(e)) : exact_wide(exact, SUM_START); /* both are exact */
}

/* The sum of few exponentials: two lanes of a row by itself at a time, and joined at once. */
FASTACT_INLINE wide sum_few(const real *e, ptrdiff_t n) {
    const ptrdiff_t half = ROW_LANES / 2;
    exact_sum sum[ROW_LANES / 2];
    for (ptrdiff_t j = 0; j < half; j++) {
        exact_sum other = exact_zero(START_OF_FEW);
        sum[j] = other;
        for (ptrdiff_t i = j; i < n; i += ROW_LANES) {
            exact_add(&sum[j], vload(e + i * LANES));
            if (i + half < n) exact_add(&other, vload(e + (i + half) * LANES));
        }
        exact_join(&sum[j], other);
    }
    for (ptrdiff_t k = half / 2; k; k /= 2)
        for (ptrdiff_t j = 0; j < k; j++) exact_join(&sum[j], sum[j + k]);
    return exact_wide(sum[0], ROW_LANES * START_OF_FEW);
}

/* The sum of a tile of n entries, which softmax leaves as exponentials, in the order of a row by itself. */
FASTACT_INLINE void sum_tile(int f, tile *t, ptrdiff_t n) {
    exponential c = exponential_of(t->max);
    exact_sum before[ROW_LANES]; /* of softmax; the others go on from `sum` */
    wide sum[ROW_LANES];
    int count = n < ROW_LANES ? (int)n : (int)ROW_LANES, half = ROW_LANES / 2;
    vec ties = vset(0);
    if (f == FASTACT_softmax && ARE_FEW(n)) {
        exp_tile(t->e, n, &c);
        t->sum = wide_normal(sum_few(t->e, n));
        t->ties = ties;
        return;
    }
    if (n <= ROW_LANES) {
        if (f == FASTACT_softmax) exp_tile(t->e, n, &c);
        for (int j = 0; j < half && j < n; j++) {
            sum[j] = add_single(f, t->e + j * LANES, t->g + j * LANES, t->max, &c, &ties);
            int k = j + half;
            if (k < n) wide_join(&sum[j], add_single(f, t->e + k * LANES, t->g + k * LANES, t->max, &c, &ties));
        }
        half /= 2;
    }
    for (ptrdiff_t at = 0; at < n && n > ROW_LANES; at += 4 * ROW_LANES) {
        if (f == FASTACT_softmax) exp_tile(t->e + at * LANES, n - at < 4 * ROW_LANES ? n - at : 4 * ROW_LANES, &c);
        for (ptrdiff_t j = 0, end; j < ROW_LANES; j = end) { /* the lanes that have as many vectors here */
            ptrdiff_t vectors = (n - at - j + ROW_LANES - 1) / ROW_LANES;
            if (vectors > 4) vectors = 4;
            end = n - at - (vectors - 1) * ROW_LANES;
            if (end > ROW_LANES) end = ROW_LANES;
#define ADD(count)                                                                                                          \
    for (; j < end; j++) {                                                                                                  \
        ptrdiff_t first = (at + j) * LANES;                                                                                 \
        exact_sum exact = exact_zero(SUM_START);                                                                            \
        wide s = wide_zero();                                                                                               \
        if (at && f == FASTACT_softmax) exact = before[j];                                                                  \
        else if (at) s = sum[j];                                                                                            \
        if (count) add_block(f, count, t->e + first, t->g + first, t->max, &c, &ties, &exact, &s);                          \
        if (f != FASTACT_softmax) sum[j] = s;                                                                               \
        else if (n - at > 4 * ROW_LANES) before[j] = exact;                                                                 \
        else sum[j] = exact_wide(exact, SUM_START);                                                                         \
    }
            if (vectors == 4) ADD(4)
            else if (vectors == 3) ADD(3)
            else if (vectors == 2) ADD(2)
            else if (vectors == 1) ADD(1)
            else ADD(0)
#undef ADD
        }
    }
    for (; half; half /= 2)
        for (int j = 0; j < half && j + half < count; j++) wide_join(&sum[j], sum[j + half]);
    t->sum = wide_normal(sum[0]);
    t->ties = ties;
}

/* Rows of which v is NaN become NaN, and always the same one. */
FASTACT_INLINE void spread_nan(vec v, real *e, ptrdiff_t n, vec *a, vec *b) {
    vec none = vset(0), is_nan = not_finite(v), nan = vset(NAN);
    if (!vany_beyond(is_nan, 0)) return;
    *a = vless_select(none, is_nan, nan, *a);
    *b = vless_select(none, is_nan, nan, *b);
    for (ptrdiff_t i = 0; i < n; i++) vstore(e + i * LANES, vless_select(none, is_nan, nan, vload(e + i * LANES)));
}

FASTACT_INLINE ptrdiff_t vectors_of_tile(ptrdiff_t n) { return (n + LANES - 1) / LANES * LANES; }
/* Entries a multiple of a large power of two apart share few sets of a cache, which cannot keep a line each for all of a column. */
FASTACT_INLINE int are_crowded(ptrdiff_t n, ptrdiff_t step) {
    ptrdiff_t period = step & -step;
    return n * (period < 4096 ? period : 4096) > 8 * 4096;
}
FASTACT_INLINE ptrdiff_t tiles_at_a_time(int f, const fastact_job *job) {
    const place x = {(char *)job->input[0], job->input_row[0], job->input_step[0], job->half};
    const int columns = is_columns(&x, job->n);
    ptrdiff_t most = columns ? TILES_OF_COLUMNS(f) : TILES_OF_ROWS;
    ptrdiff_t fit = (columns ? COLUMNS_UNDER_WAY / fastact_inputs(f) : ROWS_UNDER_WAY) / vectors_of_tile(job->n) * GROUP;
    if (columns && (job->n > LONG_COLUMN || are_crowded(job->n, x.step))) return most;
    return fit < GROUP ? GROUP : fit < most ? fit : most;
}

#define LOAD(n) keep_max(f, &t[u], load_packed(&x, n, k ? t[u].g : t[u].e))
#define STORE(n) store_packed(f, &y, n, &t[u], a[u], b[u])
#define LOAD_COLUMNS(u, tiles) load_columns(f, tiles, far, &x, n, t + (u), k), x.first += (tiles) * LANES * x.row
#define STORE_COLUMNS(u, tiles) store_columns(f, tiles, far, &y, n, t + (u), a + (u), b + (u)), y.first += (tiles) * LANES * y.row
/* Rows begin to end, of at most FASTACT_CHUNK entries, and no more than fit tiles_at_a_time, for which the buffer has room. */
FASTACT_INLINE void run_tiles(int f, const fastact_job *job, ptrdiff_t begin, ptrdiff_t end, real *buffer) {
    ptrdiff_t n = job->n, size = vectors_of_tile(n) * LANES;
    int count = 0, inputs = fastact_inputs(f), packed = are_packed(f, job), far = !are_near(job);
    tile t[TILES];
    vec a[TILES], b[TILES];
    for (ptrdiff_t first = begin; first < end || count % GROUP; first += LANES, count++) {
        t[count].rows = end - first;
        t[count].e = buffer + count * inputs * size;
        t[count].g = t[count].e + (inputs - 1) * size;
    }
    for (int k = inputs - 1; k >= 0; k--) {
        place x = {(char *)job->input[k] + begin * job->input_row[k], job->input_row[k], job->input_step[k], job->half};
        if (is_columns(&x, n))
            EACH_TILES(f, count, LOAD_COLUMNS);
        else
            for (int u = 0; u < count; u++, x.first += LANES * x.row)
                if (packed && t[u].rows >= LANES) BY_LENGTH(n, LOAD);
                else if (t[u].rows > 0) keep_max(f, &t[u], load_rows(&x, n, t[u].rows, k ? t[u].g : t[u].e));
    }
    for (int u = 0; u < count; u++)
        if (t[u].rows > 0) sum_tile(f, &t[u], n);
    place y = {job->out + begin * job->out_row, job->out_row, job->out_step, job->half};
    int columns = is_columns(&y, n) && !fastact_results(f);
    for (int u = 0; u < count; u++) {
        a[u] = b[u] = vset(0);
        if (t[u].rows <= 0) continue;
        finish_lanes(f, t[u].max, t[u].sum, t[u].ties, &a[u], &b[u]);
        if (f == FASTACT_softmax) spread_nan(a[u], t[u].e, n, &a[u], &b[u]);
        if (f == FASTACT_log_softmax) spread_nan(b[u], t[u].e, n, &a[u], &b[u]);
        if (f == FASTACT_logsumexp) {
            const row_entries x = {(const char *)t[u].e, n, LANES * sizeof(real), 0};
            write_logarithms(&x, sizeof(real), t[u].rows, t[u].max, t[u].ties, t[u].sum, a[u], y.first, y.row, y.half);
        } else if (packed && t[u].rows >= LANES) BY_LENGTH(n, STORE);
        else if (!columns) store_rows(f, &y, n, &t[u], a[u], b[u]);
        if (!columns) y.first += LANES * y.row;
    }
    if (columns) EACH_TILES(f, count, STORE_COLUMNS);
}

#undef LOAD
#undef STORE
#undef LOAD_COLUMNS
#undef STORE_COLUMNS

#define ROW(name, signature, empty, ulp)                                                                       \
    FASTACT_APART void name##_tiles(const fastact_job *job, ptrdiff_t begin, ptrdiff_t end, real *buffer) {     \
        if (FASTACT_##name != FASTACT_logsumexp_weighted) run_tiles(FASTACT_##name, job, begin, end, buffer);       \
    }
FASTACT_ROW_FUNCTIONS(ROW)
#undef ROW
static void (*const tiles_of[])(const fastact_job *, ptrdiff_t, ptrdiff_t, real *) = {
#define ROW(name, signature, empty, ulp) name##_tiles,
    FASTACT_ROW_FUNCTIONS(ROW)
#undef ROW
};

/* How many of the rows from `begin` on, side by side, come before those of which every entry begins a cache line (float16: half of
   one), if that is worth a tile of its own: a line that two tiles share has often left the nearest cache when the second one wants it.
   Results count more than entries, where they do not lie alike. */
FASTACT_INLINE ptrdiff_t to_whole_lines(int f, const fastact_job *job, ptrdiff_t begin, ptrdiff_t end) {
    const ptrdiff_t size = job->half ? 2 : sizeof(real), line = GROUP * LANES * size;
    const int has_map = !fastact_results(f);
    const char *first = has_map ? job->out : job->input[0];
    ptrdiff_t into = (ptrdiff_t)((uintptr_t)(first + begin * size) % (uintptr_t)line), row = has_map ? job->out_row : job->input_row[0];
    ptrdiff_t step = has_map ? job->out_step : job->input_step[0];
    if (row != size || step % line || into % size || end - begin < 8 * GROUP * LANES) return 0;
    return (line - into) % line / size;
}

#define FEWEST (LANES < 8 ? 2 : LANES / 4) /* rows that are worth a tile */
/* Rows begin to end in lanes, as far as enough of them are left to fill lanes; returns where they end, or -1 for want of memory. */
ptrdiff_t FASTACT_LANES_NAME(int f, const fastact_job *job, ptrdiff_t begin, ptrdiff_t end) {
    real near[2 * LONGER(2 * ROWS_UNDER_WAY, LONGEST_SHORT + LANES) * GROUP * LANES] __attribute__((aligned(64))), *buffer = near;
    ptrdiff_t rows = tiles_at_a_time(f, job) * LANES, entries = fastact_inputs(f) * rows * vectors_of_tile(job->n);
    void *far = NULL;
    if (entries > (ptrdiff_t)(sizeof near / sizeof *near)) {
        far = malloc((size_t)entries * sizeof(real) + 64);
        if (!far) return -1;
        buffer = (real *)(((uintptr_t)far + 63) / 64 * 64);
    }
    for (ptrdiff_t head = to_whole_lines(f, job, begin, end); end - begin >= FEWEST; head = 0) {
        ptrdiff_t next = head ? begin + head : end - begin < rows ? end : begin + rows;
        tiles_of[f](job, begin, next, buffer);
        begin = next;
    }
    free(far);
    return begin;
}
