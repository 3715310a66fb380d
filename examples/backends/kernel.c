/* A C library as a backend: the operators as karat.h describes them, one loop each.
 *
 *     cc -std=c99 -O2 -shared -fPIC -Iverify/include examples/backends/kernel.c -o libkernel.so -lm
 *     cargo xtask verify --backend ./libkernel.so
 *
 * Contract: `golden`, for every scheme. A sum is int32; M and acc * M are float64, or with a
 * divisor float32; halves go to even (the rounding mode that a C program starts with).
 */
#include <math.h>

#include "karat.h"

#define AT(shape, n, c, y, x) ((((int64_t)(n) * shape[1] + (c)) * shape[2] + (y)) * shape[3] + (x))
#define EACH(out, n, c, y, x)                            \
    for (int n = 0; n < out->shape[0]; n++)              \
        for (int c = 0; c < out->shape[1]; c++)          \
            for (int y = 0; y < out->shape[2]; y++)      \
                for (int x = 0; x < out->shape[3]; x++)

static int32_t get(const karat_input *in, int n, int c, int y, int x) {
    int64_t at = AT(in->shape, n, c, y, x);
    return in->is_signed ? ((const int8_t *)in->codes)[at] : ((const uint8_t *)in->codes)[at];
}

static void put(karat_output *out, int64_t at, double code) {
    code = fmin(fmax(code, out->clamp_low), out->clamp_high);
    if (out->is_signed) ((int8_t *)out->codes)[at] = (int8_t)code;
    else ((uint8_t *)out->codes)[at] = (uint8_t)code;
}

uint32_t karat_abi_version(void) { return KARAT_ABI_VERSION; }

int karat_conv2d(const karat_input *in, const karat_weights *w, const karat_window *win,
                 karat_output *out) {
    int inputs = w->shape[1], outputs = w->shape[0] / win->groups;
    EACH(out, n, o, y, x) {
        int32_t acc = w->bias[o];
        for (int c = 0; c < inputs; c++)
            for (int ky = 0; ky < w->shape[2]; ky++)
                for (int kx = 0; kx < w->shape[3]; kx++) {
                    int row = y * win->stride[0] + ky * win->dilation[0] - win->padding[0];
                    int column = x * win->stride[1] + kx * win->dilation[1] - win->padding[1];
                    /* Padding stands for 0. */
                    if (row < 0 || row >= in->shape[2] || column < 0 || column >= in->shape[3]) continue;
                    int32_t code = get(in, n, o / outputs * inputs + c, row, column);
                    acc += (code - in->zero_point) * (w->codes[AT(w->shape, o, c, ky, kx)] - w->zero_points[o]);
                }
        int64_t at = AT(out->shape, n, o, y, x);
        double steps = w->divisor != 0 ? (double)((float)acc / (float)w->divisor) : acc * w->multipliers[o];
        put(out, at, nearbyint(steps) + out->zero_point);
        out->accumulators[at] = acc;
    }
    out->has_accumulators = 1;
    return KARAT_OK;
}

int karat_linear(const karat_input *in, const karat_weights *w, karat_output *out) {
    karat_window one = {sizeof one, {1, 1}, {1, 1}, {0, 0}, {1, 1}, 1, 0};
    return karat_conv2d(in, w, &one, out);
}

int karat_max_pool(const karat_input *in, const karat_window *win, karat_output *out) {
    EACH(out, n, c, y, x) {
        int32_t most = out->clamp_low;
        for (int row = y * win->stride[0] - win->padding[0], i = 0; i < win->kernel[0]; i++, row++)
            for (int column = x * win->stride[1] - win->padding[1], j = 0; j < win->kernel[1]; j++, column++)
                if (row >= 0 && row < in->shape[2] && column >= 0 && column < in->shape[3]
                    && get(in, n, c, row, column) > most) most = get(in, n, c, row, column);
        put(out, AT(out->shape, n, c, y, x), most);
    }
    return KARAT_OK;
}

int karat_relu(const karat_input *in, karat_output *out) {
    EACH(out, n, c, y, x) {
        int32_t code = get(in, n, c, y, x);
        put(out, AT(out->shape, n, c, y, x), code > out->zero_point ? code : out->zero_point);
    }
    return KARAT_OK;
}
