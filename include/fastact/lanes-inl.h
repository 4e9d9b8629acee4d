/* LANES rows at a time, one in each lane: for rows too short to fill vectors by themselves, and for rows that lie side by side in memory
   (along another axis than the last). The operations on each row, and so its bits, are those of softmax-inl.h: what is one lane of a
   sum there is one vector of sums here. */

#define SHORT 64 /* entries of a row that is better off in a lane, measured */

/* Rows as they lie in memory: one after the other, or (`step` between entries) side by side, entry by entry. */
typedef struct {
    char *first;
    ptrdiff_t row, step;
} place;
FASTACT_INLINE int is_columns(const place *p, ptrdiff_t n) { return n > SHORT || (n > 1 && p->step != (ptrdiff_t)sizeof(real)); }
FASTACT_INLINE real *entry(const place *p, ptrdiff_t r, ptrdiff_t i) { return (real *)(void *)(p->first + r * p->row + i * p->step); }

/* `rows` rows, at most LANES, as a tile of n vectors, one an entry; returns the largest entries. A square of rows one after the other is
   transposed; where rows are missing, the first one stands for them. */
FASTACT_INLINE vec load_tile(const place *x, ptrdiff_t n, ptrdiff_t rows, real *e) {
    vec max[4] = {vset(-INFINITY), vset(-INFINITY), vset(-INFINITY), vset(-INFINITY)};
    if (is_columns(x, n)) {
        for (ptrdiff_t i = 0; i < n; i++) {
            vec v = rows < LANES ? vload_part(entry(x, 0, i), rows, 0) : vload(entry(x, 0, i));
            vstore(e + i * LANES, v);
            max[i % 4] = vmax(v, max[i % 4]);
        }
    } else {
        for (ptrdiff_t at = 0; at < n; at += LANES) {
            vec v[LANES];
            for (int r = 0; r < LANES; r++) {
                const real *p = entry(x, r < rows ? r : 0, 0) + at;
                v[r] = n - at < LANES ? vload_part(p, n - at, -INFINITY) : vload(p);
            }
            transpose(v);
            for (int r = 0; r < LANES; r++) vstore(e + (at + r) * LANES, v[r]);
            for (int r = 0; r < LANES; r++) max[r % 4] = vmax(v[r], max[r % 4]);
        }
    }
    return vmax(vmax(max[0], max[1]), vmax(max[2], max[3]));
}

/* The last pass over the tile e (and g, of a second input), and back to where rows lie. */
FASTACT_INLINE void store_tile(int f, const place *y, ptrdiff_t n, ptrdiff_t rows, const real *e, const real *g, vec a, vec b) {
    if (is_columns(y, n)) {
        for (ptrdiff_t i = 0; i < n; i++) {
            vec v = map(f, vload(e + i * LANES), vload(g + i * LANES), a, b);
            if (rows < LANES) vstore_part(entry(y, 0, i), v, rows);
            else vstore(entry(y, 0, i), v);
        }
        return;
    }
    for (ptrdiff_t at = 0; at < n; at += LANES) {
        vec v[LANES];
        for (int r = 0; r < LANES; r++) v[r] = map(f, vload(e + (at + r) * LANES), vload(g + (at + r) * LANES), a, b);
        transpose(v);
        for (int r = 0; r < LANES && r < rows; r++) {
            if (n - at < LANES) vstore_part(entry(y, r, 0) + at, v[r], n - at);
            else vstore(entry(y, r, 0) + at, v[r]);
        }
    }
}

/* `count` vectors LANES apart, which in a row by itself are lane j of a block: their part of its sum. */
FASTACT_INLINE void add_block(int f, int count, real *e, const real *g, vec max, const exponential *c, partial_sums *s) {
    const ptrdiff_t next = LANES * LANES;
    vec v[4], x[4];
    for (int u = 0; u < count; u++) x[u] = v[u] = vload(e + u * next);
    if (f == FASTACT_softmax_backward) {
        for (int u = 0; u < count; u++) wide_add_product(&s->sum, v[u], vload(g + u * next));
        return;
    }
    if (f == FASTACT_log_softmax_backward) {
        for (int u = 0; u < count; u++) wide_add(&s->sum, v[u]);
        return;
    }
    for (int u = 0; u < count; u++) v[u] = vsub(v[u], c->shift);
    exp_scaled(v, count, c->magic, c->floor);
    if (f == FASTACT_softmax) {
        for (int u = 0; u < count; u++) vstore(e + u * next, v[u]);
        for (int u = 0; u < count; u++) exact_add(&s->exact, v[u]);
        return;
    }
    for (int u = 0; u < count; u++) v[u] = below_largest(v[u], x[u], max, &s->ties);
    wide_add(&s->sum, add_terms(count, v));
}

/* Sums of the n vectors at e, which softmax leaves as exponentials, in the order of a row by itself. */
FASTACT_INLINE wide sum_tile(int f, real *e, const real *g, ptrdiff_t n, vec max, vec *ties) {
    exponential c = exponential_of(max);
    partial_sums before[LANES];
    wide sum[LANES];
    int count = n < LANES ? (int)n : LANES;
    *ties = vset(0);
    for (ptrdiff_t at = 0; at < n; at += BLOCK)
        for (ptrdiff_t j = 0; j < count; j++) {
            partial_sums s = {exact_zero(SUM_START), wide_zero(), vset(0)};
            ptrdiff_t first = (at + j) * LANES, left = n - at - j;
            if (at && f == FASTACT_softmax) s.exact = before[j].exact;
            else if (at) s.sum = before[j].sum, s.ties = before[j].ties;
            if (left > 3 * LANES) add_block(f, 4, e + first, g + first, max, &c, &s);
            else if (left > 2 * LANES) add_block(f, 3, e + first, g + first, max, &c, &s);
            else if (left > LANES) add_block(f, 2, e + first, g + first, max, &c, &s);
            else if (left > 0) add_block(f, 1, e + first, g + first, max, &c, &s);
            if (n - at > BLOCK) {
                before[j] = s;
                continue;
            }
            if (f == FASTACT_softmax && FASTACT_REAL == 32 && n <= LANES) sum[j] = wide_of(vload(e + first)); /* exact too */
            else if (f == FASTACT_softmax) sum[j] = exact_wide(s.exact, SUM_START);
            else sum[j] = s.sum;
            *ties = vadd(*ties, s.ties);
        }
    for (int half = LANES / 2; half; half /= 2)
        for (int j = 0; j < half && j + half < count; j++) wide_join(&sum[j], sum[j + half]);
    return wide_normal(sum[0]);
}

/* logsumexp of `rows` rows, of which the tile e holds the entries: special values, and what cancels, one by one. */
static void store_logarithms(const place *y, ptrdiff_t n, ptrdiff_t rows, const real *e, vec max, wide sum, vec ties, vec a) {
    real largest[LANES], count[LANES], result[LANES];
    vstore(largest, max);
    vstore(count, ties);
    vstore(result, a);
    for (ptrdiff_t r = 0; r < rows; r++) {
        fastact_state s;
        fastact_start(&s);
        s.max = largest[r];
        s.a = result[r];
        s.ties = count[r];
        if (s.max - s.max != 0) {
            finish_max(FASTACT_logsumexp, e + r, e, n, LANES, &s);
        } else if (cancels(&s)) {
            set_reference(&s);
            s.sum = wide_lane(sum, r);
            s.a = logsumexp_again(e + r, n, LANES, &s);
        }
        *entry(y, r, 0) = s.a == s.a ? (real)s.a : NAN;
    }
}

/* Rows of which v is NaN become NaN, and always the same one. */
FASTACT_INLINE void spread_nan(vec v, real *e, ptrdiff_t n, vec *a, vec *b) {
    vec none = vset(0), is_nan = vless_select(vabs(v), vset(INFINITY), none, vset(1)), nan = vset(NAN);
    if (!vany_beyond(is_nan, 0)) return;
    *a = vless_select(none, is_nan, nan, *a);
    *b = vless_select(none, is_nan, nan, *b);
    for (ptrdiff_t i = 0; i < n; i++) vstore(e + i * LANES, vless_select(none, is_nan, nan, vload(e + i * LANES)));
}

/* So many tiles are under way at a time: while one waits for its maxima or sums, the processor works on the others. */
#define TILES 4
FASTACT_INLINE ptrdiff_t vectors_of_tile(ptrdiff_t n) { return (n + LANES - 1) / LANES * LANES; }
FASTACT_INLINE ptrdiff_t rows_at_a_time(ptrdiff_t n) {
    ptrdiff_t fit = SHORT / vectors_of_tile(n);
    return LANES * (fit < 1 ? 1 : fit < TILES ? fit : TILES);
}

/* Rows begin to end, of at most FASTACT_CHUNK entries, and no more than rows_at_a_time, for whose tiles the buffer has room. */
FASTACT_INLINE void run_tiles(int f, const fastact_job *job, ptrdiff_t begin, ptrdiff_t end, real *buffer) {
    ptrdiff_t n = job->n, size = vectors_of_tile(n) * LANES, rows[TILES];
    int count = 0, inputs = fastact_inputs(f);
    vec max[TILES], ties[TILES], a, b;
    wide sum[TILES];
    real *e[TILES], *g[TILES];
    for (ptrdiff_t first = begin; first < end; first += LANES, count++) {
        rows[count] = end - first < LANES ? end - first : LANES;
        e[count] = buffer + count * inputs * size;
        g[count] = e[count] + (inputs - 1) * size;
        for (int k = inputs - 1; k >= 0; k--) {
            place x = {(char *)job->input[k] + first * job->input_row[k], job->input_row[k], job->input_step[k]};
            max[count] = load_tile(&x, n, rows[count], k ? g[count] : e[count]);
        }
    }
    for (int k = 0; k < count; k++) sum[k] = sum_tile(f, e[k], g[k], n, max[k], &ties[k]);
    for (int k = 0; k < count; k++) {
        place y = {job->out + (begin + k * LANES) * job->out_row, job->out_row, job->out_step};
        finish_lanes(f, max[k], sum[k], ties[k], &a, &b);
        if (f == FASTACT_softmax) spread_nan(a, e[k], n, &a, &b);
        if (f == FASTACT_log_softmax) spread_nan(b, e[k], n, &a, &b);
        if (f == FASTACT_logsumexp) store_logarithms(&y, n, rows[k], e[k], max[k], sum[k], ties[k], a);
        else store_tile(f, &y, n, rows[k], e[k], g[k], a, b);
    }
}

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
