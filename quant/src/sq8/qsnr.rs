//! The figure by which NNTool judges a quantized tensor.

/// Signal to quantization noise in whole decibels, `10·log10(Σ x² / Σ (x − x̂)²)` rounded half to
/// even: +∞ where the two are equal, −∞ where the signal is nothing but zeros and the other is
/// not; negative where the error is greater than the signal.
///
/// `values` pairs each float value with the real value of its code.
pub fn qsnr(values: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (signal, noise) = values.fold((0.0, 0.0), |(signal, noise), (x, quantized)| {
        (signal + x * x, noise + (x - quantized) * (x - quantized))
    });
    match noise == 0.0 {
        true => f64::INFINITY,
        false => (10.0 * f64::log10(signal / noise)).round_ties_even(),
    }
}
