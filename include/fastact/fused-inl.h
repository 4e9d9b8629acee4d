/* softmax of many rows of one length, three of them under way at a time: while the exponentials of one row are computed, which keeps
   the multipliers busy, the maximum of a later row is taken and an earlier row is scaled, which take memory and little else. A row's
   maximum and sum are then known before they are needed, and the row in memory is read and written but once. The operations on
   each row, and so its bits, are those of the passes in softmax-inl.h. */

#define FUSED_BYTES 8192 /* of a row at most: three rows of input and three of exponentials lie in the nearest caches */
#define FUSED_ENTRIES (FUSED_BYTES / (ptrdiff_t)sizeof(real))
#define FETCH (2048 / (ptrdiff_t)sizeof(real)) /* entries ahead that memory is asked for, measured */

typedef struct {
    const real *x;
    real *y, *e; /* the exponentials, at the start of a cache line */
    vec magic, floor;
    real a, b;
} fused_row;

enum { ORDINARY = 1, STREAM = 2 }; /* how the scaled row is stored: STREAM passes by the caches */

/* One block. `take_max`, `take_exp`, `scale`: which of the three to do. */
FASTACT_INLINE void fused_block(int take_max, int take_exp, int scale, int count, ptrdiff_t last, const real *later, const real *x,
                                real *e, const real *e_earlier, real *y, int whole, vec magic, vec floor, vec a, vec b, vec *max,
                                exact_sum *sum) {
    vec v[4];
    if (count == 4)
        for (int u = 0; u < count; u++) {
            if (take_max) __builtin_prefetch(later + u * LANES + FETCH, 0);
            if (scale == ORDINARY) __builtin_prefetch(y + u * LANES + FETCH, 1);
        }
    if (take_exp) {
        for (int u = 0; u < count; u++) v[u] = load_some(x, u, count, last, -INFINITY);
        exp_side_by_side(v, count, magic, floor);
        if (last) v[count - 1] = vkeep(v[count - 1], last);
        for (int u = 0; u < count; u++) vstore(e + u * LANES, v[u]);
        for (int u = 0; u < count; u++) exact_add(sum, v[u]);
    }
    for (int u = 0; take_max && u < count; u++) *max = vmax(load_some(later, u, count, last, -INFINITY), *max);
    for (int u = 0; scale && whole && u < count; u++) {
        v[u] = vload(e_earlier + u * LANES);
        v[u] = vfma(v[u], a, vmul(v[u], b));
        if (scale == STREAM) vstream(y + u * LANES, v[u]);
        else store_some(y, v[u], u, count, last);
    }
}

/* The cache line in which one row's end and the next one's beginning lie, until both are there to be streamed. */
typedef struct {
    real entry[2 * LANES];
    ptrdiff_t filled;
} shared_line;

/* The entries before the first whole cache line, and those after the last whole block. */
FASTACT_INLINE void stream_edges(const fused_row *row, ptrdiff_t head, ptrdiff_t n, int more, shared_line *line) {
    const vec a = vset(row->a), b = vset(row->b);
    vec v = vload(row->e);
    v = vfma(v, a, vmul(v, b));
    if (line->filled + head == LANES) {
        vstore(line->entry + line->filled, v);
        vstream(row->y - line->filled, vload(line->entry));
    } else if (head) {
        vstore_part(row->y, v, head);
    }
    line->filled = 0;
    for (ptrdiff_t i = head + (n - head) / BLOCK * BLOCK; i < n; i += LANES) {
        v = vload(row->e + i);
        v = vfma(v, a, vmul(v, b));
        if (i + LANES <= n) {
            vstream(row->y + i, v);
        } else if (more) {
            vstore(line->entry, v);
            line->filled = n - i;
        } else {
            vstore_part(row->y + i, v, n - i);
        }
    }
}

FASTACT_INLINE ptrdiff_t to_whole_line(const real *y) { return (ptrdiff_t)(-(uintptr_t)y % 64 / sizeof(real)); }

FASTACT_INLINE void fused_pass(int take_max, int take_exp, int scale, const fused_row *later, const fused_row *row,
                               const fused_row *earlier, ptrdiff_t n, real *max, fastact_pair *sum) {
    vec top = vset(-INFINITY), magic = row->magic, floor = row->floor, a = vset(earlier->a), b = vset(earlier->b);
    exact_sum all = exact_zero(SUM_START);
    const real *x = row->x, *l = later->x;
    real *e = row->e;
    ptrdiff_t head = scale == STREAM ? to_whole_line(earlier->y) : 0;
    const real *d = earlier->e + head;
    real *y = earlier->y + head;
#define STEP(count, at, last)                                                                                                  \
    fused_block(take_max, take_exp, scale, count, last, l + (at), x + (at), e + (at), d + (at), y + (at),                      \
                scale != STREAM || (at) + head + BLOCK <= n, magic, floor, a, b, &top, &all)
    FOR_BLOCKS(n, STEP);
#undef STEP
    if (take_max) *max = vmax_lanes(top);
    if (take_exp) *sum = exact_total(all, SUM_START);
}

#define FUSED(name, take_max, take_exp, scale)                                                                                 \
    FASTACT_APART void name(const fused_row *later, const fused_row *row, const fused_row *earlier, ptrdiff_t n, real *max,     \
                            fastact_pair *sum) {                                                                                \
        fused_pass(take_max, take_exp, scale, later, row, earlier, n, max, sum);                                                \
    }
FUSED(fused_max, 1, 0, 0)
FUSED(fused_exp, 0, 1, 0)
FUSED(fused_max_exp, 1, 1, 0)
FUSED(fused_scale, 0, 0, ORDINARY)
FUSED(fused_exp_scale, 0, 1, ORDINARY)
FUSED(fused_max_exp_scale, 1, 1, ORDINARY)
FUSED(fused_stream, 0, 0, STREAM)
FUSED(fused_exp_stream, 0, 1, STREAM)
FUSED(fused_max_exp_stream, 1, 1, STREAM)
#undef FUSED

/* Rows begin to end, of more than BLOCK and at most FUSED_ENTRIES entries. */
static void softmax_rows(const fastact_job *job, ptrdiff_t begin, ptrdiff_t end) {
    static void (*const pass[2][8])(const fused_row *, const fused_row *, const fused_row *, ptrdiff_t, real *, fastact_pair *) = {
        {NULL, fused_max, fused_exp, fused_max_exp, fused_scale, NULL, fused_exp_scale, fused_max_exp_scale},
        {NULL, fused_max, fused_exp, fused_max_exp, fused_stream, NULL, fused_exp_stream, fused_max_exp_stream},
    };
    real buffer[3][FUSED_ENTRIES + LANES] __attribute__((aligned(64)));
    fused_row rows[4] = {{0}};
    shared_line line = {.filled = 0};
    ptrdiff_t n = job->n, apart = n <= FUSED_ENTRIES / 4 ? 2 : 1; /* rows from one of the three to the next */
    int stream = job->stream && (uintptr_t)job->out % sizeof(real) == 0 && job->out_row == n * (ptrdiff_t)sizeof(real);
    for (ptrdiff_t r = begin; r < end + 2 * apart; r++) {
        int take_max = r < end, take_exp = r - apart >= begin && r - apart < end, scale = r - 2 * apart >= begin;
        fused_row *later = &rows[r % 4], *row = &rows[(r - apart) & 3], earlier = rows[(r - 2 * apart) & 3];
        real max = 0;
        fastact_pair sum = {0, 0};
        if (take_max)
            *later = (fused_row){.x = (const real *)(job->input[0] + r * job->input_row[0]),
                                 .y = (real *)(job->out + r * job->out_row),
                                 .e = buffer[r % 3]};
        if (take_max | take_exp | scale) pass[stream][take_max | take_exp << 1 | scale << 2](later, row, &earlier, n, &max, &sum);
        if (stream && scale) stream_edges(&earlier, to_whole_line(earlier.y), n, r + 1 < end + 2 * apart, &line);
        if (take_max) {
            exponential c = exponential_of(vset(max));
            real shift = vfirst(c.shift);
            later->magic = c.magic;
            later->floor = c.floor;
            if (shift != 0) { /* rare: the row less its shift waits in the output */
                for (ptrdiff_t i = 0; i < n; i++) later->y[i] = later->x[i] - shift;
                later->x = later->y;
            }
        }
        if (take_exp) set_scale(sum, &row->a, &row->b);
        if (take_exp && sum.hi != sum.hi) {
            for (ptrdiff_t i = 0; i < n; i++) row->e[i] = NAN;
            row->a = 1;
            row->b = 0;
        }
    }
    if (stream) nfence();
}
