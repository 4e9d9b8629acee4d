/* The activations over arrays: operands in memory to vectors. */

/* Operand k of entry i: in[k][i & mask[k]], with mask 0 for one value, of which in[k] then holds LANES copies, and -1 for many. */
typedef struct {
    const real *in[4];
    ptrdiff_t mask[4];
} operands;

FASTACT_INLINE vec operand(const operands *o, int k, ptrdiff_t i) { return vload(o->in[k] + (i & o->mask[k])); }

/* A loop over vectors of entries. The last may hold fewer: these are moved to a place where a whole vector fits, for one more turn.
   The operands are a copy that nothing written to `to` can change, and parameters stay in registers unless there is one for each entry;
   only functions that have any need the second loop. The third is for arrays of float16. */
enum { VARIED = 1, HALVES = 2 };
#define P(k) ((k) >= count ? vset(0) : loop & VARIED ? operand(&here, k, i) : fixed[k])
#define X(k) (loop & HALVES ? load_half((const char *)here.in[k] + 2 * i) : operand(&here, k, i))
#define FORWARD(name) name##_forward(X(0), P(1), P(2))
#define BACKWARD(name) name##_backward(X(0), X(1), P(2), P(3))
#define FOR_VECTORS(loop_, value)                                                         \
    do {                                                                                  \
        enum { loop = loop_ };                                                            \
        const operands here = *o;                                                         \
        for (ptrdiff_t i = 0; i < whole; i += LANES)                                      \
            if (loop & HALVES) store_half((char *)to + 2 * i, value);                     \
            else vstore(to + i, value);                                                   \
    } while (0)
#define LOOP(name, arrays, parameters, value)                                             \
    static void name(const operands *o, ptrdiff_t n, real *out, int half) {               \
        real rest[5][LANES] __attribute__((aligned(64)));                                 \
        operands moved;                                                                   \
        real *to = out;                                                                   \
        ptrdiff_t last = n % LANES, whole = n - last, any = 0;                            \
        vec fixed[4];                                                                     \
        const int count = (arrays) + (parameters);                                        \
        for (int k = (arrays); k < count; k++) {                                          \
            fixed[k] = o->mask[k] ? vset(0) : vload(o->in[k]);                            \
            any |= o->mask[k];                                                            \
        }                                                                                 \
        for (;;) {                                                                        \
            if (HAS_HALVES && half && to == out) FOR_VECTORS(HALVES, value);              \
            else if ((parameters) > 0 && any) FOR_VECTORS(VARIED, value);                 \
            else FOR_VECTORS(0, value);                                                   \
            if (to == rest[4] || last == 0) break;                                        \
            moved = rest_of(o, count, whole, last, half, rest);                               \
            o = &moved;                                                                   \
            to = rest[4];                                                                 \
            whole = LANES;                                                                \
        }                                                                                 \
        if (last && half) store_half_part((char *)out + 2 * (n - last), vload(to), last); \
        else if (last) vstore_part(out + (n - last), vload(to), last);                    \
    }
/* The `last` entries from i on of each operand that has one for each entry, moved to `rest`. */
static operands rest_of(const operands *o, int count, ptrdiff_t i, ptrdiff_t last, int half, real (*rest)[LANES]) {
    operands r = *o;
    for (int k = 0; k < count; k++) {
        if (!o->mask[k]) continue;
        vstore(rest[k], half ? load_half_part((const char *)o->in[k] + 2 * i, last) : vload_part(o->in[k] + i, last, 1));
        r.in[k] = rest[k];
    }
    return r;
}
#define ROW(name, needs, ulp, backward_ulp, first, second) \
    LOOP(name##_loop, 1, fastact_parameters(FASTACT_##name), FORWARD(name)) \
    LOOP(name##_backward_loop, 2, fastact_parameters(FASTACT_##name), BACKWARD(name))
FASTACT_ELEMENTWISE_FUNCTIONS(ROW)
#undef ROW

static void (*const elementwise_loops[])(const operands *, ptrdiff_t, real *, int) = {
#define ROW(name, needs, ulp, backward_ulp, first, second) name##_loop, name##_backward_loop,
    FASTACT_ELEMENTWISE_FUNCTIONS(ROW)
#undef ROW
};

/* n entries. Operands and results that do not lie side by side, and float16 beside them or beside a parameter for each entry, go through
   a buffer, a piece at a time. */
#define PIECE 512
void FASTACT_ELEMENTWISE_NAME(int f, ptrdiff_t n, const char *const *in, const ptrdiff_t *step, char *out, ptrdiff_t out_step, int half) {
    const ptrdiff_t size = sizeof(real);
    real buffer[5][PIECE] __attribute__((aligned(64)));
    operands o;
    int count = fastact_operands(f), arrays = count - fastact_parameters(f), halves = half == FASTACT_HALF_ARRAYS ? arrays : half ? count : 0;
    int as_halves = HAS_HALVES && half && n > 1 && out_step == 2;
    for (int k = 0; k < count; k++) as_halves &= step[k] == (k < arrays ? 2 : 0);
    int staged = !as_halves && (half || (n > 1 && out_step != size));
    for (int k = 0; k < count; k++) {
        int one = step[k] == 0 || n == 1;
        o.in[k] = buffer[k];
        o.mask[k] = one ? 0 : -1;
        if (one) {
            real a = read_entry(in[k], k < halves);
            for (ptrdiff_t j = 0; j < LANES; j++) buffer[k][j] = a;
        } else if (as_halves || (step[k] == size && k >= halves)) {
            o.in[k] = (const real *)in[k];
        } else {
            staged = 1;
        }
    }
    if (!staged) {
        elementwise_loops[f](&o, n, (real *)out, as_halves);
        return;
    }
    for (ptrdiff_t at = 0; at < n; at += PIECE) {
        ptrdiff_t m = n - at < PIECE ? n - at : PIECE;
        operands piece = o;
        for (int k = 0; k < count; k++) {
            if (!o.mask[k]) continue;
            const char *from = in[k] + at * step[k];
            if (o.in[k] != buffer[k]) piece.in[k] = o.in[k] + at;
            else if (k < halves && step[k] == 2) load_halves(buffer[k], from, m);
            else
                for (ptrdiff_t i = 0; i < m; i++) buffer[k][i] = read_entry(from + i * step[k], k < halves);
        }
        elementwise_loops[f](&piece, m, buffer[4], 0);
        char *to = out + at * out_step;
        if (half && out_step == 2) store_halves(to, buffer[4], m);
        else
            for (ptrdiff_t i = 0; i < m; i++) write_entry(to + i * out_step, half, buffer[4][i]);
    }
}
