//! Real mistakes in int8 pipelines, one a file: what is computed instead, and how to mend it.
//!
//! A mistake makes wrong steps of right ones. Whoever replays the model with such a step and
//! gets a backend's tensor, value for value, has found the cause. To add one, write its file
//! and its line in the list below; `docs/mistakes/` has a page for each.

mod page;
mod parts;
mod recipe;
mod variant;
mod zero_points;

macro_rules! registry {
    ($($module:ident),* $(,)?) => {
        $(mod $module;)*

        /// Every mistake, in the order of the groups.
        pub const ALL: &[Mistake] = &[$($module::MISTAKE),*];
    };
}

registry!(
    // The commonest of all: named before what gives the same values by a scale.
    bias_missing,
    output_scale_activations_only,
    output_scale_missing_own_weight_scale,
    output_scale_missing_history,
    input_scale_missing,
    output_scale_multiplied,
    output_scale_own_weight_scale_twice,
    scale_of_other_layer,
    bias_unscaled,
    bias_missing_weight_scale,
    bias_missing_input_scale,
    bias_missing_history,
    bias_own_max,
    bias_output_scale,
    bias_own_layer_twice,
    bias_clipped,
    bias_wraps,
    bias_rounding,
    bias_twice,
    bias_negated,
    bias_of_other_channel,
    bias_bits,
    bias_after_requantization,
    bias_after_relu,
    range_one_image,
    range_sigma,
    range_variance,
    range_sigma_about_zero,
    range_mean_as_max,
    range_max_without_abs,
    range_255_without_zero_point,
    scale_divisor,
    shift_off_by_one,
    per_channel_first_for_all,
    per_channel_axis,
    output_scale_missing,
    scale_inverted,
    floor_activations,
    floor_weights,
    truncate,
    half_away,
    half_up,
    half_down,
    ceiling,
    zero_point_before_rounding,
    multiplier_f32,
    real_value_first,
    double_rounding,
    q16_floor,
    multiplier_8bit,
    multiplier_power_of_two,
    multiplier_over_one,
    scale_few_digits,
    scale_half_precision,
    divisor_integer,
    no_clamp_wraps,
    clamp_255_wraps,
    clamp_int8_for_uint8,
    clamp_narrow,
    relu_on_last_layer,
    last_layer_unrounded,
    accumulator_16_wraps,
    accumulator_16_saturates,
    accumulator_narrow,
    pair_saturation_i16,
    minus_128,
    bytes_swapped,
    accumulator_not_reset,
    tail_dropped,
    output_channels_dropped,
    padding_zero,
    padding_other_code,
    input_zero_point_ignored,
    weight_zero_point_ignored,
    output_zero_point_ignored,
    zero_point_negated,
    zero_point_twice,
    zero_point_cross_term,
    zero_point_rounded_otherwise,
    relu_at_zero,
    input_signedness,
    weight_signedness,
    offset_128,
    average_pool_zero_point,
    weights_transposed,
    weights_ohwi,
    kernel_flipped,
    kernel_transposed,
    input_channels_reversed_in_kernel,
    output_channels_shifted,
    groups_ignored,
    padding_asymmetric,
    flatten_hwc,
    flatten_transposed,
    channels_bgr,
    image_layout,
    input_normalization,
    input_normalized_twice,
    input_divisor,
    input_pixels_as_codes,
    relu_missing,
    relu6,
    relu_leaky,
    average_for_max,
    max_for_average,
    pool_takes_one,
    max_pool_from_zero,
    max_pool_padding_zero,
    average_pool_truncates,
    average_pool_count,
);

pub use page::{index, page, pages};
pub use variant::{Site, Variant};

/// One mistake.
#[derive(Clone, Copy, Debug)]
pub struct Mistake {
    /// Short, unique and stable: the cause code.
    pub id: &'static str,
    /// What it is about.
    pub group: Group,
    /// What is computed instead, in one sentence.
    pub what: &'static str,
    /// What would be right, with its equation where there is one.
    pub right: &'static str,
    /// In which tensors it shows.
    pub shows: &'static str,
    /// Where to look, and what to change there.
    pub mend: &'static str,
    /// Where it was seen.
    pub source: &'static str,
    /// The wrong steps that may take the place of a right one; none where it does not apply.
    pub variants: fn(&Site) -> Vec<Variant>,
}

/// What a mistake is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Formulas and scales.
    Scales,
    /// Rounding.
    Rounding,
    /// Range and width.
    Range,
    /// Zero points.
    ZeroPoints,
    /// Layout and structure.
    Layout,
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 5] = [
        Self::Scales,
        Self::Rounding,
        Self::Range,
        Self::ZeroPoints,
        Self::Layout,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scales => "Formulas and scales",
            Self::Rounding => "Rounding",
            Self::Range => "Range and width",
            Self::ZeroPoints => "Zero points",
            Self::Layout => "Layout and structure",
        }
    }
}

impl std::fmt::Display for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The mistake of this name.
pub fn find(id: &str) -> Option<&'static Mistake> {
    ALL.iter().find(|mistake| mistake.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_everything_is_said() {
        for (at, mistake) in ALL.iter().enumerate() {
            assert!(ALL[..at].iter().all(|other| other.id != mistake.id));
            for text in [
                mistake.what,
                mistake.right,
                mistake.shows,
                mistake.mend,
                mistake.source,
            ] {
                assert!(!text.is_empty(), "{}", mistake.id);
            }
        }
        assert!(find("half-up").is_some() && find("no such").is_none());
    }
}
