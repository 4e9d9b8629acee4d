/* Many rows of one length, three of them under way at a time: while the exponentials of one row are computed, which keeps the
   multipliers busy, the maximum of a later row is taken and an earlier row goes through its last pass, which take memory and little
   else (a gradient's two passes alike). A row's maximum and sum are then known before they are needed, and the row in memory is read
   and written but once. The operations on each row, and so its bits, are those of the passes in softmax-inl.h. */

/* Where arrays lie: near, where the processor's own prefetching is enough; far, from where memory is asked for this many entries ahead,
   measured, for the second-level cache, as the first one waits for two dozen lines at most; or so far that the output is stored past the
   caches. */
enum { NEAR, FAR, PAST_CACHES };
#define FETCH (4096 / (ptrdiff_t)sizeof(stored))
#define FETCH_TO 2
#define ON_STACK 25600 /* bytes of exponentials; those of three longer rows take memory */
#define GROUPED 8 /* rows at most whose sums are finished together */
#define RING 32   /* rows that are remembered: all that are under way, and the groups they belong to */

static void run_passes(int f, const fastact_job *job, ptrdiff_t begin, ptrdiff_t end);

FASTACT_INLINE int where_are(int f, const fastact_job *job) {
    const int whole = (uintptr_t)job->out % sizeof(real) == 0 && job->out_row == job->n * (ptrdiff_t)sizeof(real);
    if (!IS_HALF && !fastact_results(f) && job->stream && whole) return PAST_CACHES;
    return are_near(job) ? NEAR : FAR;
}
/* Entries from one row's exponentials to the next one's: no power of two, which would share cache sets. */
FASTACT_INLINE ptrdiff_t pitch_of(ptrdiff_t n) { return (n / LANES + 2) * LANES; }

/* Three rows: of the later one its entries; of the second one what its sum is taken of, its exponentials (softmax: at the start of a
   cache line) and what they take, see exp_scaled; of the earlier one what its last pass takes and writes. */
typedef struct {
    const stored *later, *x, *b;
    real *e, max, magic, floor;
    const stored *d, *d2;
    const real *kept;
    stored *y;
    real scale_a, scale_b;
} under_way;
/* Which of their passes; and whether the earlier row's exponentials lie where the other's are written, so that they are read first. (It
   takes registers, of which longer rows have none to spare.) */
enum { TAKE_MAX = 1, TAKE_SUM = 2, TAKE_MAP = 4, TAKE_ALL = 7, IN_PLACE = 8 };

/* One block of each. `whole`: that of the earlier row lies within the row; `lead`: of the later row, so many entries on. */
FASTACT_INLINE void fused_block(int f, int where, int stream, int parts, int count, ptrdiff_t at, ptrdiff_t last, const under_way *w,
                                ptrdiff_t head, int whole, ptrdiff_t lead, const exponential *c, halfway *h, const stored *next,
                                const real *rest, vec *top, partial_sums *sums) {
    const int has_map = parts & TAKE_MAP && !fastact_results(f) && whole;
    const stored *later = w->later + at, *b = w->b + at;
    stored *y = w->y + head + at;
    vec early[4];
    for (int u = 0; where != NEAR && u < count; u++) { /* without gaps, at which the processor's own prefetching would begin anew */
        if (u * LANES * (ptrdiff_t)sizeof(stored) % 64) continue;
        __builtin_prefetch(later + u * LANES + FETCH, 0, FETCH_TO);
        if (fastact_inputs(f) == 2) __builtin_prefetch(b + u * LANES + FETCH, 0, FETCH_TO);
        if (where == FAR && !fastact_results(f)) __builtin_prefetch(y + u * LANES + FETCH, 1, FETCH_TO);
    }
    if (parts & IN_PLACE && f == FASTACT_softmax) EACH_VECTOR(count) early[u] = load_some(0, w->kept + at, u, count, last, 0);
    if (parts & TAKE_SUM) sum_block(f, 0, count, w->x + at, b, w->e + at, last, vset(w->max), c, h, next, rest, sums);
    if (parts & TAKE_MAX && !fastact_is_gradient(f))
        EACH_VECTOR(count) *top = vmax(load_some(IS_HALF, later + lead, u, count, last, -INFINITY), *top);
    if (has_map)
        map_block(f, stream, count, w->d + head + at, w->d2 + head + at, w->kept + head + at, parts & IN_PLACE ? early : NULL, y, last,
                  vset(w->scale_a), vset(w->scale_b));
}

/* The cache line in which one row's end and the next one's beginning lie, until both are there to be streamed. (float16 is not.) */
typedef struct {
    real entry[2 * LANES], *end;
    ptrdiff_t filled;
} shared_line;

/* What is left of a row that is not followed by one to be streamed. */
FASTACT_INLINE void flush_line(shared_line *line) {
    if (line->filled) vstore_part(line->end - line->filled, vload(line->entry), line->filled);
    line->filled = 0;
}

/* The entries of a row before the first whole cache line, and those after the last whole block. */
FASTACT_INLINE void stream_edges(int f, const void *from, const void *b_from, void *to, ptrdiff_t n, vec scale_a, vec scale_b,
                                 shared_line *line) {
    const real *x = (const real *)from, *b = (const real *)b_from;
    real *y = (real *)to;
    ptrdiff_t head = to_whole_line(y);
    if (line->filled + head == LANES) {
        vstore(line->entry + line->filled, map(f, vload(x), vload(b), scale_a, scale_b));
        vstream(y - line->filled, vload(line->entry));
        line->filled = 0;
    } else {
        flush_line(line);
        if (head) vstore_part(y, map(f, vload(x), vload(b), scale_a, scale_b), head);
    }
    for (ptrdiff_t i = head + (n - head) / BLOCK * BLOCK; i < n; i += LANES) {
        vec v = map(f, vload_part(x + i, n - i, 0), vload_part(b + i, n - i, 0), scale_a, scale_b);
        if (i + LANES <= n) vstream(y + i, v);
        else vstore(line->entry, v), line->filled = n - i;
    }
    line->end = y + n;
}

/* All three passes of n entries of rows, or `parts` of them, onto what `top` and `sums` hold. `vectors`: that n entries take, if it is known
   to be some of a block; or 0. */
FASTACT_INLINE void fused_pass(int f, int where, int parts, int vectors, const under_way *w, ptrdiff_t n, shared_line *line, vec *top,
                               partial_sums *sums) {
    const int stream = line && where == PAST_CACHES, has_exponentials = parts & TAKE_SUM && !fastact_is_gradient(f);
    const exponential c = {.magic = vset(w->magic), .floor = vset(w->floor)};
    ptrdiff_t head = stream ? to_whole_line(w->y) : 0;
    halfway *h = NULL;
    const stored *next = NULL;
    real room[LANES] __attribute__((aligned(64)));
    if (stream)
        stream_edges(f, f == FASTACT_softmax ? (const void *)w->kept : w->d, w->d2, w->y, n, vset(w->scale_a), vset(w->scale_b), line);
    /* A maximum takes entries in any order, and so from whole cache lines: a read across two that are both far away waits for either. */
    const int has_max = parts & TAKE_MAX && !fastact_is_gradient(f);
    const int by_lines = PARTS == 1 && has_max && n >= ALIGNED && (where == PAST_CACHES || (where == FAR && f == FASTACT_log_softmax));
    const ptrdiff_t lead = by_lines ? (ptrdiff_t)(-(uintptr_t)w->later % (LANES * sizeof(stored)) / sizeof(stored)) : 0;
    if (by_lines) *top = vmax(load_some(IS_HALF, w->later, 0, 4, 0, -INFINITY), *top);
    const real *rest = has_exponentials && !vectors ? exp_rest(0, w->x, n, &c, room) : NULL;
#define STEP(count, at, last) \
    fused_block(f, where, stream, parts, count, at, last, w, head, !stream || (at) + head + BLOCK <= n, \
                (at) + lead + BLOCK <= n ? lead : 0, &c, h, next, rest, top, sums)
    const ptrdiff_t last = n - (vectors - 1) * LANES;
    if (vectors && (last < 1 || last > LANES)) __builtin_unreachable();
    if (vectors) STEP(vectors, 0, last);
    else if (has_exponentials) FOR_BLOCKS_AHEAD(f, 0, n, w->x, &c, h, next, STEP);
    else FOR_BLOCKS(n, STEP);
#undef STEP
}

/* A row: what its sum is taken of, what its last pass takes and writes, and what is known of it. */
typedef struct {
    const stored *x, *b;
    real *e; /* of softmax: the exponentials, at the start of a cache line */
    stored *y;
    fastact_state *s;
    real magic, floor; /* as in exp_scaled */
} fused_row;

/* What follows from a row's maximum. */
FASTACT_INLINE void finish_maximum(int f, fused_row *row) {
    fastact_state *s = row->s;
    exponential c = exponential_of(vset((real)s->max));
    row->magic = vfirst(c.magic);
    row->floor = vfirst(c.floor);
    s->shift = 0;
    s->special = !(__builtin_fabs(s->max) <= EXACT_LIMIT);
    if (f == FASTACT_logsumexp && !s->special) set_reference(s);
}

/* Rows begin to end, of more than LANES and at most FASTACT_CHUNK entries. In its turn a row's maximum is taken, `apart` turns later
   its sum (a gradient's at once), and as many later it goes through its last pass. What follows from a sum is computed one turn late: by
   then no instruction waits for it. What follows from a maximum is computed when a turn begins, `since` turns late: the exponentials of
   a later turn wait for it, and with them all that the processor sees. Special rows, and those of the first and last turns, go pass by
   pass. */
FASTACT_INLINE void run_fused(int f, const fastact_job *job, ptrdiff_t begin, ptrdiff_t end) {
    real near[f == FASTACT_softmax ? ON_STACK / sizeof(real) : 1] __attribute__((aligned(64))), *buffer = near;
    void *far = NULL;
    fused_row ring[RING];
    fastact_state states[RING];
    shared_line line = {.filled = 0};
    const ptrdiff_t n = job->n, count = end - begin, second = fastact_inputs(f) - 1;
    const int has_max = !fastact_is_gradient(f), has_map = fastact_results(f) == 0;
    ptrdiff_t group = 1;
    while (f != FASTACT_softmax && group < GROUPED && 2 * group * n * fastact_inputs(f) * sizeof(stored) <= 32768) group *= 2;
    const ptrdiff_t apart = group + 1, to_sum = has_max ? apart : 0, to_map = to_sum + apart, since = apart > 2 ? 2 : 1;
    const int where = where_are(f, job), stream = where == PAST_CACHES;
    const ptrdiff_t pitch = pitch_of(n);
    if (f == FASTACT_softmax && 3 * pitch > (ptrdiff_t)(sizeof near / sizeof *near)) {
        far = malloc((size_t)(3 * pitch) * sizeof(real) + 64);
        if (!far) {
            run_passes(f, job, begin, end);
            return;
        }
        buffer = (real *)(((uintptr_t)far + 63) / 64 * 64);
    }
#define SLOT(i) (&ring[(i) & (RING - 1)])
    for (ptrdiff_t i = 0; i < count + to_map; i++) {
        fused_row *later = SLOT(i), *row = SLOT(i - to_sum), *earlier = SLOT(i - to_map);
        int take_max = has_max && i < count, take_sum = i >= to_sum && i < count + to_sum, take_map = i >= to_map;
        if (i < count) {
            later->x = (const stored *)(job->input[0] + (begin + i) * job->input_row[0]);
            later->b = (const stored *)(job->input[second] + (begin + i) * job->input_row[second]);
            later->e = buffer + i % 3 * pitch;
            later->y = (stored *)(job->out + (begin + i) * job->out_row);
            later->s = &states[i & (RING - 1)];
            fastact_start(later->s);
        }
        if (has_max && i >= since && i < count + since) finish_maximum(f, SLOT(i - since));
        int special = take_map && earlier->s->special, skipped = take_sum && row->s->special;
        if (take_max == has_max && take_sum && take_map && !special && !skipped) {
            const under_way w = {
                .later = later->x, .x = row->x, .b = row->b, .e = row->e, .max = (real)row->s->max, .magic = row->magic, .floor = row->floor,
                .d = earlier->x, .d2 = earlier->b, .kept = earlier->e, .y = earlier->y,
                .scale_a = (real)earlier->s->a, .scale_b = (real)earlier->s->b,
            };
            vec top = vset(-INFINITY);
            partial_sums sums = no_sums(n);
            if (where == NEAR) fused_pass(f, NEAR, TAKE_ALL, 0, &w, n, &line, &top, &sums);
            else if (where == FAR) fused_pass(f, FAR, TAKE_ALL, 0, &w, n, &line, &top, &sums);
            else fused_pass(f, has_map ? PAST_CACHES : FAR, TAKE_ALL, 0, &w, n, &line, &top, &sums);
            if (has_max) later->s->max = vmax_lanes(top);
            set_sums(f, &sums, n, row->s);
        } else {
            if (take_max) later->s->max = max_chunk(later->x, n);
            if (take_sum && !skipped) sums_of[f](row->x, row->b, row->e, n, row->s);
            if (take_map) flush_line(&line);
            if (special) run_passes(f, job, begin + i - to_map, begin + i - to_map + 1);
            else if (take_map && has_map)
                map_chunk(f, earlier->x, earlier->b, earlier->e, earlier->y, n, (real)earlier->s->a, (real)earlier->s->b);
        }
        if (take_map && !special && !has_map) write_entry((char *)earlier->y, IS_HALF, (real)earlier->s->a);
        ptrdiff_t summed = i - to_sum; /* rows, before this turn's */
        if (summed >= 1 && summed <= count && (summed % group == 0 || summed == count)) {
            ptrdiff_t first = (summed - 1) / group * group;
            finish_sums(f, (const char *)SLOT(first)->x, job->input_row[0], n, SLOT(first)->s, summed - first);
        }
    }
#undef SLOT
    if (stream) nfence();
    free(far);
}
