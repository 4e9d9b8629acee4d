/* The elementwise activations. Data only; no instruction set is chosen here. */
#ifndef FASTACT_ACTIVATIONS_H
#define FASTACT_ACTIVATIONS_H

#include <math.h>
#include <stddef.h>

#define NO_PARAMETER {0}
#define PARAMETER(name, standard, ...) {name, standard, __VA_ARGS__} /* the range last */
#define FINITE -1.7976931348623157e308, 1.7976931348623157e308
#define ANY -INFINITY, INFINITY /* or NaN */
#define POSITIVE 5e-324, 1.7976931348623157e308

/* THE LIST of activations: one line each, and all else (ufuncs, kernel tables, objects, tests, benchmarks) follows.
     name, what the gradient takes (x the input, y the result), error bound in ULP of the function and of its gradient,
     up to two parameters: name, default (NAN: must be given), smallest and largest value.
   Where the derivative crosses zero between two terms (silu, swish, gelu, gelu_tanh, mish) the bound is half as many ULP of the
   larger term if that is more. */
#define FASTACT_ACTIVATIONS(ROW)                                                                                                  \
    ROW(sigmoid, 'y', 2.5, 4.0, NO_PARAMETER, NO_PARAMETER)                                                                       \
    ROW(tanh, 'y', 2.5, 4.0, NO_PARAMETER, NO_PARAMETER)                                                                          \
    ROW(relu, 'x', 2.5, 4.0, NO_PARAMETER, NO_PARAMETER)                                                                          \
    ROW(leaky_relu, 'x', 2.5, 4.0, PARAMETER("negative_slope", 0.01, FINITE), NO_PARAMETER)                                       \
    ROW(prelu, 'x', 2.5, 4.0, PARAMETER("weight", NAN, ANY), NO_PARAMETER)                                                     \
    ROW(elu, 'x', 2.5, 4.0, PARAMETER("alpha", 1.0, FINITE), NO_PARAMETER)                                                        \
    ROW(selu, 'x', 2.5, 4.0, NO_PARAMETER, NO_PARAMETER)                                                                          \
    ROW(celu, 'x', 2.5, 4.0, PARAMETER("alpha", 1.0, POSITIVE), NO_PARAMETER)                                                     \
    ROW(silu, 'x', 2.5, 4.0, NO_PARAMETER, NO_PARAMETER)                                                                          \
    ROW(swish, 'x', 2.5, 4.0, PARAMETER("beta", 1.0, FINITE), NO_PARAMETER)                                                       \
    ROW(softplus, 'x', 2.5, 4.0, PARAMETER("beta", 1.0, POSITIVE), NO_PARAMETER)                                                  \
    ROW(softsign, 'x', 2.5, 4.0, NO_PARAMETER, NO_PARAMETER)                                                                      \
    ROW(gelu, 'x', 3.5, 4.0, NO_PARAMETER, NO_PARAMETER)                                                                          \
    ROW(gelu_tanh, 'x', 2.5, 4.0, NO_PARAMETER, NO_PARAMETER)                                                                     \
    ROW(log_sigmoid, 'x', 2.5, 4.0, NO_PARAMETER, NO_PARAMETER)                                                                   \
    ROW(mish, 'x', 3.5, 4.0, NO_PARAMETER, NO_PARAMETER)                                                                          \
    ROW(relu6, 'x', 2.5, 4.0, NO_PARAMETER, NO_PARAMETER)                                                                         \
    ROW(hard_tanh, 'x', 2.5, 4.0, PARAMETER("min_val", -1.0, FINITE), PARAMETER("max_val", 1.0, FINITE))                          \
    ROW(hard_sigmoid, 'x', 2.5, 4.0, PARAMETER("alpha", 1.0 / 6, FINITE), PARAMETER("beta", 0.5, FINITE))                         \
    ROW(hard_swish, 'x', 2.5, 4.0, NO_PARAMETER, NO_PARAMETER)                                                                    \
    ROW(threshold, 'x', 2.5, 4.0, PARAMETER("threshold", NAN, FINITE), PARAMETER("value", NAN, FINITE))

/* The gated pairs, which are functions of two halves of an array: x, the half that is activated, and the other one as a parameter. */
#define FASTACT_GATED_PAIRS(ROW)                                                                                                  \
    ROW(glu, 'x', 2.5, 4.0, PARAMETER("other", NAN, ANY), NO_PARAMETER)                                                           \
    ROW(swiglu, 'x', 2.5, 4.0, PARAMETER("other", NAN, ANY), NO_PARAMETER)                                                        \
    ROW(geglu, 'x', 3.5, 4.0, PARAMETER("other", NAN, ANY), NO_PARAMETER)                                                         \
    ROW(geglu_tanh, 'x', 2.5, 4.0, PARAMETER("other", NAN, ANY), NO_PARAMETER)

#define FASTACT_ELEMENTWISE_FUNCTIONS(ROW) FASTACT_ACTIVATIONS(ROW) FASTACT_GATED_PAIRS(ROW)

/* FASTACT_elu, FASTACT_elu_backward, ...: even numbers are functions, odd ones gradients. */
enum fastact_elementwise {
#define ROW(name, needs, ulp, backward_ulp, first, second) FASTACT_##name, FASTACT_##name##_backward,
    FASTACT_ACTIVATIONS(ROW)
    FASTACT_FIRST_GATED_PAIR,
    FASTACT_LAST_ACTIVATION = FASTACT_FIRST_GATED_PAIR - 1, /* the next one is the first gated pair */
    FASTACT_GATED_PAIRS(ROW)
#undef ROW
    FASTACT_ELEMENTWISE
};

typedef struct {
    const char *name;
    double standard, low, high;
} fastact_parameter;

typedef struct {
    const char *name;
    char needs;
    double ulp, backward_ulp;
    fastact_parameter parameter[2]; /* without a name: there is none */
} fastact_activation;

static const fastact_activation fastact_activations[FASTACT_ELEMENTWISE / 2] __attribute__((unused)) = {
#define ROW(name, needs, ulp, backward_ulp, ...) {#name, needs, ulp, backward_ulp, {__VA_ARGS__}},
    FASTACT_ELEMENTWISE_FUNCTIONS(ROW)
#undef ROW
};

static inline int fastact_parameters(int function) {
    const fastact_parameter *p = fastact_activations[function / 2].parameter;
    return (p[0].name != NULL) + (p[1].name != NULL);
}
/* Operands: x, or a gradient and x or y; then the parameters. */
static inline int fastact_operands(int function) { return 1 + function % 2 + fastact_parameters(function); }

#endif
