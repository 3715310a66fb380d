//! The dot product that both kinds of weighted layers are made of.

/// The function for weights of this C type. Compilers make vectors of loops over multiples of
/// 16, or 8, at -O2.
pub(super) fn function(weights: &str) -> String {
    TEXT.replace("NAME", &name(weights))
        .replace("TYPE", weights)
}

/// What it is called.
pub(super) fn name(weights: &str) -> String {
    format!("dot_{}", weights.trim_end_matches("_t"))
}

const TEXT: &str = "
/* Weights, less their zero point, times what is gathered; the loops are one, cut for vectors. */
static inline int32_t NAME(const TYPE *weights, int zero, int count)
{
    int32_t sum = 0;
    int i = 0;
    for (; i < count - count % 16; i++) {
        sum += (int16_t)(weights[i] - zero) * gathered[i];
    }
    for (; i < count - count % 8; i++) {
        sum += (int16_t)(weights[i] - zero) * gathered[i];
    }
    for (; i < count; i++) {
        sum += (int16_t)(weights[i] - zero) * gathered[i];
    }
    return sum;
}
";
