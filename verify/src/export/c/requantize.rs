//! Requantization in C: one function for each of [`Steps`], its constants one struct a channel.
//!
//! No function relies on what C leaves open: nothing signed overflows, nothing negative is
//! shifted left, and what is shifted right goes through `floor_shift`.

use quant::Rounding;
use quant::contracts::{Recipe, Steps};

use super::constants::{float32, float64, int32};

/// How accumulators become codes, in C.
pub(super) struct Requantization {
    /// The members of `struct rescale`.
    members: &'static str,
    /// Functions that it calls, in order.
    helpers: &'static [Helper],
    /// The body of `requantize`.
    body: String,
    /// Whether it computes with floats.
    pub(super) floats: Option<Float>,
}

/// Which floats must be exactly those of IEEE 754.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Float {
    Single,
    Double,
}

/// A function of C text, with what it does.
type Helper = &'static str;

impl Requantization {
    /// None where C cannot say it: a rounding that no contract has.
    pub(super) fn new(steps: &Steps) -> Option<Self> {
        let single = |members, helpers, body: &str| Self {
            members,
            helpers,
            body: body.into(),
            floats: Some(Float::Single),
        };
        let fixed = |members, helpers, body: &str| Self {
            members,
            helpers,
            body: body.into(),
            floats: None,
        };
        Some(match steps {
            Steps::Multiply { .. } => single(
                "float multiplier;",
                &[WITHIN, NEAREST_EVEN],
                "\
    const float y = (float)acc * by->multiplier;
    const float near = within(y, (float)(low - zero_point), (float)(high - zero_point));
    return nearest_even(near) + zero_point;
",
            ),
            Steps::MultiplySaturated { .. } => single(
                "float multiplier;",
                &[WITHIN, NEAREST_EVEN, TO_CODE],
                "\
    const float y = (float)acc * by->multiplier;
    /* What int32 does not hold becomes its lowest value; then saturated to int16. */
    const float held = y >= -2147483648.0f && y < 2147483648.0f ? y : -2147483648.0f;
    return to_code(nearest_even(within(held, -32768.0f, 32767.0f)) + zero_point, low, high);
",
            ),
            Steps::MultiplyTwice { .. } => single(
                "float first, second;",
                &[WITHIN, NEAREST_EVEN],
                "\
    const float real = (float)acc * by->first;
    const float y = real * by->second;
    const float near = within(y, (float)(low - zero_point), (float)(high - zero_point));
    return nearest_even(near) + zero_point;
",
            ),
            Steps::MultiplyThenShift { .. } => single(
                "float first, second, third;",
                &[WITHIN, NEAREST_EVEN],
                "\
    const float partial = (float)acc * by->first;
    const float real = partial * by->second;
    const float y = real * by->third;
    const float code = y + (float)zero_point;
    return nearest_even(within(code, (float)low, (float)high));
",
            ),
            Steps::Divide { .. } => single(
                "float divisor;",
                &[WITHIN, NEAREST_EVEN],
                "\
    const float y = (float)acc / by->divisor;
    const float near = within(y, (float)(low - zero_point), (float)(high - zero_point));
    return nearest_even(near) + zero_point;
",
            ),
            Steps::MultiplyDouble { rounding, .. } => Self {
                members: "double multiplier;",
                helpers: match rounding {
                    Rounding::TiesToEven => &[WITHIN_DOUBLE, NEAREST_EVEN_DOUBLE],
                    Rounding::TiesAwayFromZero => &[WITHIN_DOUBLE, NEAREST_AWAY_DOUBLE],
                    _ => return None,
                },
                body: "\
    const double y = (double)acc * by->multiplier;
    const double near = within(y, (double)(low - zero_point), (double)(high - zero_point));
    return nearest(near) + zero_point;
"
                .into(),
                floats: Some(Float::Double),
            },
            Steps::Scale { rounding, .. } => {
                let half = match rounding {
                    Rounding::HalfUp => " + ((int64_t)1 << by->shift) / 2",
                    Rounding::Floor => "",
                    _ => return None,
                };
                fixed(
                    "int32_t multiplier; uint8_t shift;",
                    &[FLOOR_SHIFT, TO_CODE],
                    &format!(
                        "\
    const int64_t sum = (int64_t)acc * by->multiplier{half};
    return to_code(floor_shift(sum, by->shift) + zero_point, low, high);
"
                    ),
                )
            }
            Steps::HighProduct { rounding, .. } => {
                let divide = match rounding {
                    Rounding::HalfUp => {
                        "\
    const int64_t y = floor_shift(high_product + half, by->right);
"
                    }
                    Rounding::TiesAwayFromZero => {
                        "\
    const int64_t size = ((high_product < 0 ? -high_product : high_product) + half) >> by->right;
    const int64_t y = high_product < 0 ? -size : size;
"
                    }
                    _ => return None,
                };
                fixed(
                    "int32_t multiplier; uint8_t left, right;",
                    &[FLOOR_SHIFT, LOW_32, TO_CODE],
                    &format!(
                        "\
    const int64_t product = (int64_t)low_32((uint32_t)acc << by->left) * by->multiplier;
    const int64_t rounded = floor_shift(product + 1073741824, 31);
    const int64_t high_product = rounded > INT32_MAX ? INT32_MAX : rounded;
    const int64_t half = ((int64_t)1 << by->right) / 2;
    {divide}    return to_code(y + zero_point, low, high);
"
                    ),
                )
            }
            Steps::ScaleTwice { .. } => fixed(
                "int32_t multiplier; uint8_t shift;",
                &[FLOOR_SHIFT, TO_CODE],
                "\
    const int64_t product = (int64_t)acc * by->multiplier;
    const int64_t half = (int64_t)1 << (by->shift - 1);
    const int64_t second = by->shift <= 31 ? 0 : acc < 0 ? -1073741824 : 1073741824;
    return to_code(floor_shift(product + half + second, by->shift) + zero_point, low, high);
",
            ),
            Steps::ScaleThenHalve { .. } => fixed(
                "int32_t multiplier; uint8_t shift;",
                &[FLOOR_SHIFT, LOW_32, TO_CODE],
                "\
    const int64_t product = (int64_t)acc * by->multiplier;
    const uint32_t twice = (uint32_t)floor_shift(product, by->shift);
    return to_code(floor_shift(low_32(twice + 1u), 1) + zero_point, low, high);
",
            ),
            Steps::Wrapping { bits, .. } => {
                let (narrow, helpers): (_, &[Helper]) = match bits {
                    16 => (
                        "(low_32((uint32_t)shifted << 16) / 65536)",
                        &[FLOOR_SHIFT, LOW_32, TO_CODE],
                    ),
                    32 => ("shifted", &[FLOOR_SHIFT, LOW_32, TO_CODE]),
                    _ => return None,
                };
                fixed(
                    "int32_t offset, multiplier, half; uint8_t shift;",
                    helpers,
                    &format!(
                        "\
    const uint32_t biased = (uint32_t)acc + (uint32_t)by->offset;
    const uint32_t sum = biased * (uint32_t)by->multiplier + (uint32_t)by->half;
    const int64_t shifted = floor_shift(low_32(sum), by->shift);
    return to_code({narrow} + zero_point, low, high);
"
                    ),
                )
            }
        })
    }

    /// `struct rescale`, the helpers, `requantize`.
    pub(super) fn text(&self, says: &str) -> String {
        let Self { members, body, .. } = self;
        let helpers = self.helpers.join("\n");
        format!(
            "{helpers}
/* Constants of an output channel. */
struct rescale {{ {members} }};

/* An accumulator becomes a code: {says}. */
static inline int32_t requantize(int32_t acc, const struct rescale *by, int32_t zero_point,
                                 int32_t low, int32_t high)
{{
    {body}}}
"
        )
    }
}

/// The members of `struct rescale` of a channel; None of a float that is no factor.
pub(super) fn members(recipe: &Recipe) -> Option<String> {
    let list = |values: &[f32]| {
        let literals: Option<Vec<String>> = values.iter().map(|&value| float32(value)).collect();
        Some(literals?.join(", "))
    };
    let members = match &recipe.steps {
        &Steps::Multiply { multiplier } | &Steps::MultiplySaturated { multiplier } => {
            list(&[multiplier])?
        }
        Steps::MultiplyTwice { multipliers } => list(multipliers)?,
        Steps::MultiplyThenShift { multipliers } => list(multipliers)?,
        &Steps::Divide { divisor } => list(&[divisor])?,
        &Steps::MultiplyDouble { multiplier, .. } => float64(multiplier)?,
        Steps::Scale {
            multiplier, shift, ..
        } => format!("{multiplier}, {shift}"),
        Steps::HighProduct {
            mantissa,
            left,
            right,
            ..
        } => format!("{mantissa}, {left}, {right}"),
        Steps::ScaleTwice { mantissa, shift } | Steps::ScaleThenHalve { mantissa, shift } => {
            format!("{mantissa}, {shift}")
        }
        &Steps::Wrapping {
            offset,
            multiplier,
            half,
            shift,
            ..
        } => format!("{}, {multiplier}, {half}, {shift}", int32(offset)),
    };
    Some(format!("{{ {members} }}"))
}

/// Bytes of a `struct rescale`, as compilers lay it out.
pub(super) fn size(steps: &Steps) -> usize {
    match steps {
        Steps::Multiply { .. } | Steps::MultiplySaturated { .. } | Steps::Divide { .. } => 4,
        Steps::MultiplyTwice { .. }
        | Steps::MultiplyDouble { .. }
        | Steps::Scale { .. }
        | Steps::HighProduct { .. }
        | Steps::ScaleTwice { .. }
        | Steps::ScaleThenHalve { .. } => 8,
        Steps::MultiplyThenShift { .. } => 12,
        Steps::Wrapping { .. } => 16,
    }
}

const FLOOR_SHIFT: Helper = "\
/* floor(x / 2^n), n from 0 to 62. C leaves >> of what is negative to the compiler. */
static inline int64_t floor_shift(int64_t x, int n)
{
    return x < 0 ? ~(~x >> n) : x >> n;
}
";

const LOW_32: Helper = "\
/* The int32 of these 32 bits. C leaves the cast of what is too large to the compiler. */
static inline int32_t low_32(uint32_t x)
{
    return x <= INT32_MAX ? (int32_t)x : -(int32_t)(UINT32_MAX - x) - 1;
}
";

const TO_CODE: Helper = "\
static inline int32_t to_code(int64_t y, int32_t low, int32_t high)
{
    return y < low ? low : y > high ? high : (int32_t)y;
}
";

const WITHIN: Helper = "\
static inline float within(float x, float low, float high)
{
    return x < low ? low : x > high ? high : x;
}
";

const NEAREST_EVEN: Helper = "\
/* To the nearest integer, halves to even, |x| < 2^22: floats beside 3 * 2^22 are 1 apart. */
static inline int32_t nearest_even(float x)
{
    const float sum = x + 12582912.0f;
    return (int32_t)(sum - 12582912.0f);
}
";

const WITHIN_DOUBLE: Helper = "\
static inline double within(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}
";

const NEAREST_EVEN_DOUBLE: Helper = "\
/* To the nearest integer, halves to even, |x| < 2^51: doubles beside 3 * 2^51 are 1 apart. */
static inline int32_t nearest(double x)
{
    const double sum = x + 6755399441055744.0;
    return (int32_t)(sum - 6755399441055744.0);
}
";

const NEAREST_AWAY_DOUBLE: Helper = "\
/* To the nearest integer, halves away from zero, |x| < 2^31. */
static inline int32_t nearest(double x)
{
    const int32_t whole = (int32_t)x;
    const double rest = x - (double)whole;
    return rest >= 0.5 ? whole + 1 : rest <= -0.5 ? whole - 1 : whole;
}
";

impl Float {
    /// What refuses to compile where floats are not those that Karat computed with.
    pub(super) fn guard(self) -> String {
        let (name, bits, digits, wider, fused) = match self {
            Self::Single => ("float", 32, "FLT_MANT_DIG != 24", "", "__FP_FAST_FMAF"),
            Self::Double => (
                "double",
                64,
                "DBL_MANT_DIG != 53",
                " && FLT_EVAL_METHOD != 1",
                "__FP_FAST_FMA",
            ),
        };
        format!(
            "\
#include <float.h>

#if FLT_RADIX != 2 || {digits}
#error \"{name} is not the {bits} bits of IEEE 754: codes would differ\"
#endif
#if FLT_EVAL_METHOD != 0{wider}
#error \"{name} is computed in more bits: codes would differ; on x86 compile with -msse2 -mfpmath=sse\"
#endif
#if defined(__FAST_MATH__)
#error \"-ffast-math changes how floats round: codes would differ\"
#endif
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__) && defined({fused}) && !defined(__STRICT_ANSI__)
#error \"products and sums may be fused: codes would differ; compile with -std=c99\"
#endif
"
        )
    }
}
