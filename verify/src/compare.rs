//! What "equal" means: exactly, within a derived bound, or by hash.

use std::fmt::{self, Debug};

use num_traits::ToPrimitive;
use reference::Tensor;
use serde::Serialize;

/// The result of one comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Outcome {
    /// Every value is equal.
    Equal {
        /// How many values were compared.
        compared: usize,
    },
    /// Every value is within its bound.
    Within {
        /// How many values were compared.
        compared: usize,
        /// The largest |difference| / bound.
        used: f64,
        /// |difference| there.
        error: f64,
        /// The bound there.
        bound: f64,
        /// Where that is.
        worst: Vec<usize>,
    },
    /// Some values are not.
    Differs {
        /// How many values were compared.
        compared: usize,
        /// How many of them differ (by more than their bound).
        differing: usize,
        /// The first of them, or under a bound the worst.
        position: Vec<usize>,
        /// PyTorch's value there.
        expected: String,
        /// Karat's value there.
        got: String,
        /// The bound on their difference, if it was not to be zero.
        bound: Option<f64>,
    },
    /// Nothing could be compared.
    Incomparable {
        /// Why.
        reason: String,
    },
}

impl Outcome {
    /// Whether the claim holds.
    pub fn holds(&self) -> bool {
        matches!(self, Self::Equal { .. } | Self::Within { .. })
    }

    /// A comparison that could not be made.
    pub fn incomparable(reason: impl ToString) -> Self {
        Self::Incomparable {
            reason: reason.to_string(),
        }
    }

    /// How many values were compared.
    pub fn compared(&self) -> usize {
        match self {
            Self::Equal { compared }
            | Self::Within { compared, .. }
            | Self::Differs { compared, .. } => *compared,
            Self::Incomparable { .. } => 0,
        }
    }
}

/// A share in percent, rounded up so that it never looks smaller than it is.
pub fn percent_up(share: f64) -> String {
    format!("{:.2} %", (share * 1e4).ceil() / 100.0)
}

/// In words.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equal { .. } => f.write_str("equal"),
            Self::Within { used, .. } => {
                write!(f, "{} of its bound", percent_up(*used))
            }
            Self::Differs {
                compared,
                differing,
                expected,
                got,
                bound,
                ..
            } => {
                write!(
                    f,
                    "DIFFERS in {differing} of {compared}: expected {expected}, got {got}"
                )?;
                match bound {
                    Some(bound) => write!(f, " (may differ by {bound:.3e})"),
                    None => Ok(()),
                }
            }
            Self::Incomparable { reason } => write!(f, "FAILS: {reason}"),
        }
    }
}

/// A number that can be the same as another: floats of one value (0 and −0 are one)
/// or both NaN, integers that are equal.
pub trait Same: Copy + Debug {
    /// Whether the two are the same.
    fn same(self, other: Self) -> bool;
}

macro_rules! same {
    ($($type:ty),*) => {$(
        impl Same for $type {
            #[allow(clippy::eq_op)] // NaN is what is not equal to itself
            fn same(self, other: Self) -> bool {
                self == other || (self != self && other != other)
            }
        }
    )*};
}
same!(u8, i8, u16, i32, f32, f64, half::f16, half::bf16);

/// Every value is the same; nothing compared is no agreement.
pub fn exact<E: Same>(expected: &Tensor<E>, got: &Tensor<E>) -> Outcome {
    if let Some(outcome) = incomparable(expected, got) {
        return outcome;
    }
    let pairs = || expected.data().iter().zip(got.data());
    let differs = |(expected, got): &(&E, &E)| !expected.same(**got);
    match pairs().position(|pair| differs(&pair)) {
        None => Outcome::Equal {
            compared: expected.data().len(),
        },
        Some(first) => Outcome::Differs {
            compared: expected.data().len(),
            differing: pairs().filter(differs).count(),
            position: expected.position(first),
            expected: format!("{:?}", expected.data()[first]),
            got: format!("{:?}", got.data()[first]),
            bound: None,
        },
    }
}

/// [`exact`] for plain lists.
pub fn exact_list<E: Same>(expected: &[E], got: &[E]) -> Outcome {
    let list = |values: &[E]| Tensor::new(&[values.len()], values.to_vec());
    match (list(expected), list(got)) {
        (Ok(expected), Ok(got)) => exact(&expected, &got),
        (Err(error), _) | (_, Err(error)) => Outcome::incomparable(error),
    }
}

/// Every |difference| is at most its bound, which `quant::bounds` derived.
pub fn within<E: Same + ToPrimitive>(
    expected: &Tensor<E>,
    got: &Tensor<E>,
    bound: &Tensor<f64>,
) -> Outcome {
    if let Some(outcome) = incomparable(expected, got) {
        return outcome;
    }
    if bound.shape() != expected.shape() {
        return Outcome::incomparable("the bound has another shape");
    }
    let (mut differing, mut worst, mut used) = (0, 0, 0.0);
    let values = expected.data().iter().zip(got.data()).zip(bound.data());
    for (i, ((&expected, &got), &bound)) in values.enumerate() {
        let share = share_of_bound(expected, got, bound);
        // NaN is beyond every bound.
        if share.is_nan() || share > 1.0 {
            differing += 1;
        }
        if share.is_nan() || share > used {
            (worst, used) = (i, if share.is_nan() { f64::INFINITY } else { share });
        }
    }
    let compared = expected.data().len();
    let position = expected.position(worst);
    if differing == 0 {
        let bound = bound.data()[worst];
        return Outcome::Within {
            compared,
            used,
            error: if used > 0.0 { used * bound } else { 0.0 },
            bound,
            worst: position,
        };
    }
    Outcome::Differs {
        compared,
        differing,
        position,
        expected: format!("{:?}", expected.data()[worst]),
        got: format!("{:?}", got.data()[worst]),
        bound: Some(bound.data()[worst]),
    }
}

/// |expected − got| / bound; 0 for the same values, NaN if nothing can be said.
fn share_of_bound<E: Same + ToPrimitive>(expected: E, got: E, bound: f64) -> f64 {
    let wide = |value: E| value.to_f64().unwrap_or(f64::NAN);
    if bound.is_nan() || wide(expected).is_nan() || wide(got).is_nan() {
        f64::NAN
    } else if expected.same(got) {
        0.0
    } else {
        (wide(expected) - wide(got)).abs() / bound
    }
}

/// The values have the hash that PyTorch's had, and the shape that the layer gives.
pub fn hash(expected: &str, shape: &[usize], values: &Tensor<impl LittleEndian>) -> Outcome {
    if values.shape() != shape || values.data().is_empty() {
        let got = values.shape();
        return Outcome::incomparable(format!("expected shape {shape:?}, got {got:?}"));
    }
    let bytes: Vec<u8> = values
        .data()
        .iter()
        .flat_map(|value| value.bytes())
        .collect();
    let got = fixtures::store::sha256(&bytes);
    if got == expected {
        return Outcome::Equal {
            compared: values.data().len(),
        };
    }
    Outcome::Incomparable {
        reason: format!("sha256 of the values is {got}, expected {expected}"),
    }
}

/// A value as little-endian bytes.
pub trait LittleEndian: Copy {
    /// The bytes.
    fn bytes(self) -> Vec<u8>;
}

impl LittleEndian for f32 {
    fn bytes(self) -> Vec<u8> {
        self.to_le_bytes().to_vec()
    }
}

impl LittleEndian for i8 {
    fn bytes(self) -> Vec<u8> {
        self.to_le_bytes().to_vec()
    }
}

fn incomparable<E: Copy>(expected: &Tensor<E>, got: &Tensor<E>) -> Option<Outcome> {
    if expected.shape() != got.shape() {
        return Some(Outcome::Incomparable {
            reason: format!(
                "expected shape {:?}, got {:?}",
                expected.shape(),
                got.shape()
            ),
        });
    }
    (expected.data().is_empty()).then(|| Outcome::incomparable("there is no value to compare"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor<E: Copy>(values: &[E]) -> Tensor<E> {
        Tensor::new(&[1, values.len()], values.to_vec()).unwrap()
    }

    #[test]
    fn exact_counts_and_names_the_first() {
        let outcome = exact(&tensor(&[1i8, 2, 3, 4]), &tensor(&[1, 2, 0, 5]));
        assert_eq!(
            outcome,
            Outcome::Differs {
                compared: 4,
                differing: 2,
                position: vec![0, 2],
                expected: "3".into(),
                got: "0".into(),
                bound: None
            }
        );
        assert!(!outcome.holds());
        assert_eq!(outcome.compared(), 4);
        let equal = exact(&tensor(&[1i8]), &tensor(&[1]));
        assert_eq!(equal, Outcome::Equal { compared: 1 });
        assert!(equal.holds());
    }

    #[test]
    fn nan_is_the_same_as_nan_and_zero_as_minus_zero() {
        assert!(exact(&tensor(&[f32::NAN, 0.0]), &tensor(&[f32::NAN, -0.0])).holds());
        assert!(!exact(&tensor(&[f32::NAN]), &tensor(&[0.0f32])).holds());
        assert!(!exact(&tensor(&[0.0f32]), &tensor(&[f32::NAN])).holds());
    }

    #[test]
    fn nothing_compared_is_no_agreement() {
        assert!(!exact_list::<i8>(&[], &[]).holds());
        assert!(!exact_list(&[1i8], &[1, 2]).holds());
        assert!(!within(&tensor::<f32>(&[]), &tensor(&[]), &tensor(&[])).holds());
        assert_eq!(Outcome::incomparable("x").compared(), 0);
    }

    #[test]
    fn within_reports_the_share_of_the_bound() {
        let (expected, bound) = (tensor(&[1.0f32, 2.0, 3.0]), tensor(&[0.5, 1.0, 4.0]));
        assert_eq!(
            within(&expected, &tensor(&[1.25, 2.75, 3.0]), &bound),
            Outcome::Within {
                compared: 3,
                used: 0.75,
                error: 0.75,
                bound: 1.0,
                worst: vec![0, 1]
            }
        );
        assert!(within(&expected, &tensor(&[1.5, 3.0, 7.0]), &bound).holds());
        assert_eq!(
            within(&expected, &tensor(&[1.25, 3.5, 7.5]), &bound),
            Outcome::Differs {
                compared: 3,
                differing: 2,
                position: vec![0, 1],
                expected: "2.0".into(),
                got: "3.5".into(),
                bound: Some(1.0)
            }
        );
    }

    #[test]
    fn no_bound_admits_nan_and_a_bound_of_zero_admits_only_the_same() {
        let infinite = tensor(&[f64::INFINITY]);
        assert!(!within(&tensor(&[1.0f32]), &tensor(&[f32::NAN]), &infinite).holds());
        assert!(!within(&tensor(&[f32::NAN]), &tensor(&[f32::NAN]), &infinite).holds());
        assert!(!within(&tensor(&[1.0f32]), &tensor(&[1.0]), &tensor(&[f64::NAN])).holds());
        let zero = tensor(&[0.0]);
        assert!(within(&tensor(&[1.0f32]), &tensor(&[1.0]), &zero).holds());
        assert!(!within(&tensor(&[1.0f32]), &tensor(&[1.0f32.next_up()]), &zero).holds());
    }

    #[test]
    fn hash_is_of_the_little_endian_values() {
        // printf '\x00\x00\x80\x3f' | sha256sum
        let one = "e00e5eb9444182f352323374ef4e08ebcb784725fdd4fd612d7730540b3e0c8c";
        let outcome = hash(one, &[1, 1], &tensor(&[1.0f32]));
        assert!(!hash(one, &[1], &tensor(&[1.0f32])).holds());
        assert!(!hash(one, &[1, 1], &tensor(&[1.0f32.next_up()])).holds());
        assert!(!hash(one, &[1, 1], &tensor(&[1i8])).holds());
        assert!(outcome.holds(), "{outcome:?}");
    }
}
