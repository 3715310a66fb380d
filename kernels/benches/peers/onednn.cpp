// A chain of oneDNN primitives, to be called from Python: `made` adds the layers, `run` times them.
//
// Every primitive chooses its own layouts for weights and activations; where two neighbours
// disagree a reorder stands between them and is counted. Activations are u8 after a ReLU and s8
// elsewhere, all with zero point 0; each layer multiplies by one scale.

#include <chrono>
#include <cstdint>
#include <cstring>
#include <dnnl.hpp>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

using namespace dnnl;
using tag = memory::format_tag;
using type = memory::data_type;

namespace {

struct Step {
    primitive call;
    std::unordered_map<int, memory> arguments;
};

struct Chain {
    engine cpu{engine::kind::cpu, 0};
    stream flow{cpu};
    std::vector<Step> steps;
    memory input, current;

    // A memory that owns a copy of `values`.
    memory filled(const memory::desc &described, const void *values) {
        memory made(described, cpu);
        std::memcpy(made.get_data_handle(), values, described.get_size());
        return made;
    }

    // `values` in the layout that a primitive wants; done once.
    memory arranged(const memory::desc &given, const memory::desc &wanted, const void *values) {
        memory from = filled(given, values), to(wanted, cpu);
        reorder(from, to).execute(flow, from, to);
        flow.wait();
        return to;
    }

    // The current activations as a primitive wants them; a step of the chain.
    memory wanted(const memory::desc &described) {
        if (current.get_desc() == described) return current;
        memory to(described, cpu);
        steps.push_back({reorder(current, to), {{DNNL_ARG_FROM, current}, {DNNL_ARG_TO, to}}});
        return to;
    }

    primitive_attr attributes(bool relu, bool scaled) {
        primitive_attr made;
        if (scaled) made.set_scales_mask(DNNL_ARG_DST, 0);
        if (relu) {
            post_ops after;
            after.append_eltwise(algorithm::eltwise_relu, 0.f, 0.f);
            made.set_post_ops(after);
        }
        made.set_scratchpad_mode(scratchpad_mode::library);
        return made;
    }

    memory scale(float value) { return filled({{1}, type::f32, tag::x}, &value); }

    void push(primitive call, const memory::desc &output, std::unordered_map<int, memory> arguments) {
        current = memory(output, cpu);
        arguments[DNNL_ARG_DST] = current;
        steps.push_back({call, std::move(arguments)});
    }
};

std::string complaint;

// What a C++ exception says, for a caller that knows none.
template <typename F>
int guarded(F body) {
    try {
        body();
        return 0;
    } catch (const dnnl::error &failed) {
        complaint = failed.message;
    } catch (const std::exception &failed) {
        complaint = failed.what();
    }
    return 1;
}

memory::dims dims(const int64_t *values, int count) { return {values, values + count}; }

}  // namespace

extern "C" {

const char *failure() { return complaint.c_str(); }

void version(int *numbers) {
    const auto *found = dnnl_version();
    numbers[0] = found->major, numbers[1] = found->minor, numbers[2] = found->patch;
}

// `shape` has 4 sizes, NCHW, of which `values` are NHWC; `is_signed`: s8, else u8.
Chain *begin(const int64_t *shape, const int8_t *values, int is_signed) {
    Chain *chain = nullptr;
    guarded([&] {
        chain = new Chain;
        memory::desc described(dims(shape, 4), is_signed ? type::s8 : type::u8, tag::nhwc);
        chain->input = chain->current = chain->filled(described, values);
    });
    return chain;
}

void discard(Chain *chain) { delete chain; }

// Weights OIHW; with groups GOIHW, which is the same memory.
int conv2d(Chain *chain, const int64_t *shape, const int8_t *weights, const int32_t *bias, int64_t groups,
           const int64_t *strides, const int64_t *padding, const int64_t *output, float step, int relu) {
    return guarded([&] {
        memory::dims kernel = dims(shape, 4);
        if (groups > 1) kernel = {groups, shape[0] / groups, shape[1], shape[2], shape[3]};
        auto source = chain->current.get_desc();
        memory::desc any_source(source.get_dims(), source.get_data_type(), tag::any);
        memory::desc any_weights(kernel, type::s8, tag::any);
        memory::desc any_output(dims(output, 4), relu ? type::u8 : type::s8, tag::any);
        memory::desc biases = bias ? memory::desc({shape[0]}, type::f32, tag::x) : memory::desc();
        convolution_forward::primitive_desc chosen(
            chain->cpu, prop_kind::forward_inference, algorithm::convolution_direct, any_source, any_weights, biases,
            any_output, dims(strides, 2), dims(padding, 2), dims(padding, 2), chain->attributes(relu, true));
        memory::desc given(kernel, type::s8, groups > 1 ? tag::goihw : tag::oihw);
        std::unordered_map<int, memory> arguments{
            {DNNL_ARG_SRC, chain->wanted(chosen.src_desc())},
            {DNNL_ARG_WEIGHTS, chain->arranged(given, chosen.weights_desc(), weights)},
            {DNNL_ARG_ATTR_SCALES | DNNL_ARG_DST, chain->scale(step)},
        };
        if (bias) {
            std::vector<float> real(bias, bias + shape[0]);
            arguments[DNNL_ARG_BIAS] = chain->filled(biases, real.data());
        }
        chain->push(convolution_forward(chosen), chosen.dst_desc(), std::move(arguments));
    });
}

int max_pool2d(Chain *chain, const int64_t *kernel, const int64_t *strides, const int64_t *padding,
               const int64_t *output) {
    return guarded([&] {
        auto source = chain->current.get_desc();
        memory::desc any(dims(output, 4), source.get_data_type(), tag::any);
        pooling_forward::primitive_desc chosen(chain->cpu, prop_kind::forward_inference, algorithm::pooling_max, source,
                                               any, dims(strides, 2), dims(kernel, 2), {0, 0}, dims(padding, 2),
                                               dims(padding, 2));
        chain->push(pooling_forward(chosen), chosen.dst_desc(), {{DNNL_ARG_SRC, chain->current}});
    });
}

// Weights [out, in], where `in` may be the C·H·W of maps; the output is [N, out].
int linear(Chain *chain, int64_t outputs, const int8_t *weights, const int32_t *bias, float step, int relu) {
    return guarded([&] {
        auto source = chain->current.get_desc();
        memory::dims kernel = source.get_dims();
        bool maps = kernel.size() == 4;
        int64_t images = kernel[0];
        kernel[0] = outputs;
        memory::desc any_source(source.get_dims(), source.get_data_type(), tag::any);
        memory::desc biases = bias ? memory::desc({outputs}, type::f32, tag::x) : memory::desc();
        inner_product_forward::primitive_desc chosen(
            chain->cpu, prop_kind::forward_inference, any_source, memory::desc(kernel, type::s8, tag::any), biases,
            memory::desc({images, outputs}, relu ? type::u8 : type::s8, tag::any), chain->attributes(relu, true));
        memory::desc given(kernel, type::s8, maps ? tag::oihw : tag::oi);
        std::unordered_map<int, memory> arguments{
            {DNNL_ARG_SRC, chain->wanted(chosen.src_desc())},
            {DNNL_ARG_WEIGHTS, chain->arranged(given, chosen.weights_desc(), weights)},
            {DNNL_ARG_ATTR_SCALES | DNNL_ARG_DST, chain->scale(step)},
        };
        if (bias) {
            std::vector<float> real(bias, bias + outputs);
            arguments[DNNL_ARG_BIAS] = chain->filled(biases, real.data());
        }
        chain->push(inner_product_forward(chosen), chosen.dst_desc(), std::move(arguments));
    });
}

// The current [M, K] codes times weights [N, K]; int32 accumulators.
int product(Chain *chain, int64_t rows, int64_t terms, int64_t outputs, const int8_t *weights) {
    return guarded([&] {
        memory::desc source({rows, terms}, chain->current.get_desc().get_data_type(), tag::ab);
        memory left(source, chain->cpu, chain->current.get_data_handle());
        matmul::primitive_desc chosen(chain->cpu, source, memory::desc({terms, outputs}, type::s8, tag::any),
                                      memory::desc({rows, outputs}, type::s32, tag::ab), chain->attributes(false, false));
        memory::desc given({terms, outputs}, type::s8, tag::ba);
        chain->push(matmul(chosen), chosen.dst_desc(),
                    {{DNNL_ARG_SRC, left}, {DNNL_ARG_WEIGHTS, chain->arranged(given, chosen.weights_desc(), weights)}});
    });
}

// The last layer's output as int32, NCHW.
int result(Chain *chain, int32_t *values) {
    return guarded([&] {
        auto found = chain->current.get_desc();
        memory::desc plain(found.get_dims(), type::s32, found.get_dims().size() == 4 ? tag::nchw : tag::ab);
        memory to(plain, chain->cpu);
        reorder(chain->current, to).execute(chain->flow, chain->current, to);
        chain->flow.wait();
        std::memcpy(values, to.get_data_handle(), plain.get_size());
    });
}

// Nanoseconds of so many calls, or −1.
int64_t run(Chain *chain, int64_t calls) {
    int64_t spent = -1;
    guarded([&] {
        auto start = std::chrono::steady_clock::now();
        for (int64_t call = 0; call < calls; call++)
            for (auto &step : chain->steps) step.call.execute(chain->flow, step.arguments);
        chain->flow.wait();
        spent = std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count();
    });
    return spent;
}

}  // extern "C"
