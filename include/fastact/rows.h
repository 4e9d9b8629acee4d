/* What the row functions are, and how a caller describes the rows to them. Data only; no instruction set is chosen here. */
#ifndef FASTACT_ROWS_H
#define FASTACT_ROWS_H

#include <stddef.h>
#include <math.h>
#include "fastact/activations.h"

/* THE LIST of functions that take whole rows: one line each, and all else (ufuncs, kernel tables, tests, docs) follows.
     name, signature of the generalised ufunc, the result where no entry takes part (NAN: the function has no `where`),
     error bound in ULP for float32 and float64 alike.
   The bound of logsumexp counts in ULP of the larger of result and largest entry, since the two can cancel; those of the
   gradients in ULP of the largest term of their difference. The weighted sum has no bound: its terms may cancel. */
#define FASTACT_ROW_FUNCTIONS(ROW)                                           \
    ROW(softmax, "(n)->(n)", 0.0, 3.0)                                       \
    ROW(log_softmax, "(n)->(n)", -INFINITY, 3.0)                             \
    ROW(logsumexp, "(n)->()", -INFINITY, 1.5)                                \
    ROW(logsumexp_weighted, "(n),(n)->(2)", -INFINITY, INFINITY)             \
    ROW(softmax_backward, "(n),(n)->(n)", NAN, 3.0)                          \
    ROW(log_softmax_backward, "(n),(n)->(n)", NAN, 3.0)

enum fastact_function {
#define ROW(name, signature, empty, ulp) FASTACT_##name,
    FASTACT_ROW_FUNCTIONS(ROW)
#undef ROW
    FASTACT_FUNCTIONS
};

typedef struct {
    const char *name, *signature;
    double empty, ulp;
} fastact_row_function;

static const fastact_row_function fastact_row_functions[FASTACT_FUNCTIONS] = {
#define ROW(name, signature, empty, ulp) {#name, signature, empty, ulp},
    FASTACT_ROW_FUNCTIONS(ROW)
#undef ROW
};

/* Rows in memory. Entry i of row r of input k lies at input[k] + r input_row[k] + i input_step[k], strides in bytes. */
typedef struct {
    ptrdiff_t rows, n;
    const char *input[2];
    ptrdiff_t input_row[2], input_step[2];
    const char *mask; /* NULL, or one byte an entry: 0 where it takes no part */
    ptrdiff_t mask_row, mask_step;
    char *out; /* may be input[0] or input[1], entry for entry */
    ptrdiff_t out_row, out_step;
    int half;   /* entries are float16 in memory and float32 in the kernels */
    void *kept; /* the kernels' own: the exponentials of a row, or of two, where they do not lie in the output */
    int stream; /* the output is too large to wait in a cache for whoever reads it */
    struct fastact_state *parts; /* as kept, for rows of more than a chunk: what is known of the chunks of a row, or of two */
} fastact_job;

/* An unevaluated sum: lo holds what rounding took from hi. */
typedef struct {
    double hi, lo;
} fastact_pair;

/* What is known of a row, or of a chunk of one, between its passes. */
typedef struct fastact_state {
    double max;           /* its largest entry that is not NaN */
    double ties;          /* how many entries are that large; for logarithms */
    double shift;         /* subtracted from every entry first; not 0 only where that is exact */
    double exponent;      /* the exponential carries a factor UNIT 2**(-exponent/4) */
    fastact_pair largest; /* the exponential of max; for the weighted sum */
    fastact_pair sum;     /* of the exponentials (for logarithms: of those below the largest), or of a gradient's terms */
    double a, b;          /* what the last pass applies */
    int special;          /* the row's results are all `a` */
} fastact_state;
static inline void fastact_start(fastact_state *state) {
    state->max = -INFINITY;
    state->special = 0;
    state->ties = state->sum.hi = state->sum.lo = state->a = state->b = 0;
}

/* A row is worked through in chunks of this many entries: each has its own maximum and the sum that goes with it, and these are folded in
   order. So chunks may run on any thread and the bits stay the same. */
#define FASTACT_CHUNK 8192
static inline ptrdiff_t fastact_chunks(ptrdiff_t n) { return (n + FASTACT_CHUNK - 1) / FASTACT_CHUNK; }

static inline int fastact_inputs(int function) { return function >= FASTACT_logsumexp_weighted ? 2 : 1; }
/* Values that a row results in; 0 stands for one an entry. */
static inline int fastact_results(int function) {
    return function == FASTACT_logsumexp ? 1 : function == FASTACT_logsumexp_weighted ? 2 : 0;
}
/* Gradients need no maximum. */
static inline int fastact_is_gradient(int function) { return function >= FASTACT_softmax_backward; }

/* What is float16 in memory and float32 in the kernels: nothing; all operands and the result; or all but the parameters, which are
   float32 in memory too. */
enum { FASTACT_HALF_NONE, FASTACT_HALF_ALL, FASTACT_HALF_ARRAYS };
/* An activation or its gradient of n entries: operands as fastact_operands says, strides in bytes; `half` is one of these. */
typedef void fastact_elementwise_kernel(int function, ptrdiff_t n, const char *const *in, const ptrdiff_t *step, char *out,
                                        ptrdiff_t out_step, int half);

/* The kernels of one instruction set for float32 or float64. */
typedef struct fastact_kernels {
    /* Rows begin to end, whole. Returns 0, or -1 for want of memory. */
    int (*rows)(int function, const fastact_job *job, ptrdiff_t begin, ptrdiff_t end);

    /* The same step by step, for one row in contiguous memory and its parts: `sum` on all chunks, of which it takes first to last;
       `finish`, which folds them; and then `map` on all chunks, or `write` where the function results in values for the row. */
    void (*sum)(int function, const fastact_job *job, ptrdiff_t first, ptrdiff_t last);
    void (*finish)(int function, const fastact_job *job, fastact_state *row);
    void (*map)(int function, const fastact_job *job, const fastact_state *row, ptrdiff_t first, ptrdiff_t last);
    void (*write)(int function, const fastact_job *job, const fastact_state *row);

    /* A job whose rows do not lie in contiguous memory as they should: entries first to last of one row into such memory (returns
       whether any takes part), and back. */
    int (*is_staged)(int function, const fastact_job *job);
    int (*gather)(const fastact_job *job, int input, ptrdiff_t row, ptrdiff_t first, ptrdiff_t last, void *to);
    void (*scatter)(const fastact_job *job, ptrdiff_t row, ptrdiff_t first, ptrdiff_t last, const void *from);

    /* Those of rows of float16 (no gather and scatter, and nothing elementwise), if it converts them; `kept` must then have room for
       softmax's exponentials, entry for entry. */
    const struct fastact_kernels *halves;

    fastact_elementwise_kernel *elementwise;

    size_t size; /* of an entry in the kernels, bytes */
} fastact_kernels;

#endif
