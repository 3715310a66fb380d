/* A C library as a backend of Karat: cargo xtask verify --backend ./libmykernel.so
 *
 * Define karat_abi_version and at least one of the operators; what is not defined is not asked.
 * A whole network is computed layer after layer until one is missing; each layer is also asked
 * by itself, with the right input.
 *
 * The library runs in a process of its own: a crash or a hang is reported, not suffered. Build
 * it with `cc -std=c99 -O2 -shared -fPIC -Iverify/include kernel.c -o libkernel.so`.
 * A whole one: examples/backends/kernel.c.
 */
#ifndef KARAT_H
#define KARAT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KARAT_ABI_VERSION 1

/* What an operator returns; any other number is an error, and is reported. */
#define KARAT_OK 0
#define KARAT_UNSUPPORTED 1 /* this layer is left out */

/* The codes that a layer is given: N, C, H, W, row-major, without gaps; those of a linear
 * layer are N, C, 1, 1. Real value: scale * (code - zero_point). `size` is that of the struct:
 * later versions may add fields at the end, and never change those before. */
typedef struct karat_input {
    size_t size;
    int32_t shape[4];
    int32_t is_signed; /* 1: int8_t, 0: uint8_t */
    int32_t zero_point;
    double scale;
    const void *codes;
} karat_input;

/* acc = sum((input - input zero point) * (weight - weight zero point)) + bias */
typedef struct karat_weights {
    size_t size;
    int32_t shape[4];           /* O, I / groups, rows, columns; of a linear layer O, I, 1, 1 */
    const int8_t *codes;        /* row-major */
    const int32_t *zero_points; /* one for each of the O channels, as all that follows */
    const double *scales;
    const int32_t *bias;        /* 0 where the layer has none */
    const double *multipliers;  /* M: weight scale * input scale / output scale, in float64 */
    double divisor;             /* not 0: the scheme divides, (float)acc / (float)divisor */
} karat_weights;

/* Rows first, then columns. Padding is on both sides: of a convolution and of an average it
 * holds the input's zero point, of a maximum it never wins. */
typedef struct karat_window {
    size_t size;
    int32_t kernel[2];
    int32_t stride[2];
    int32_t padding[2];
    int32_t dilation[2];
    int32_t groups;
    int32_t count_include_pad; /* of an average: whether padded positions are counted */
} karat_window;

/* Where a layer writes: code = clamp(round(acc * M) + zero_point), N, C, H, W. */
typedef struct karat_output {
    size_t size;
    int32_t shape[4];
    int32_t is_signed;
    int32_t zero_point;
    double scale;
    int32_t clamp_low;
    int32_t clamp_high;
    void *codes;
    int32_t *accumulators;    /* of conv2d and linear: room for the sums, in the same order */
    int32_t has_accumulators; /* set it to 1 once they are written */
} karat_output;

/* Returns KARAT_ABI_VERSION. */
uint32_t karat_abi_version(void);

int karat_conv2d(const karat_input *input, const karat_weights *weights,
                 const karat_window *window, karat_output *output);
int karat_linear(const karat_input *input, const karat_weights *weights, karat_output *output);
int karat_max_pool(const karat_input *input, const karat_window *window, karat_output *output);
int karat_average_pool(const karat_input *input, const karat_window *window,
                       karat_output *output);
int karat_relu(const karat_input *input, karat_output *output);

#ifdef __cplusplus
}
#endif

#endif
