//! A product of powers of scales.

use std::collections::BTreeMap;
use std::fmt;

use num_rational::BigRational;
use num_traits::{One, Signed, Zero};

use super::expression::Tensor;

/// A scale, as an indeterminate. Layers count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scale {
    /// s_I.
    Input,
    /// s_Wi.
    Weight(u32),
    /// s_Oi: of an accumulator (relative) or of an activation (absolute).
    Output(u32),
    /// max|β_i|, which no scale is made from.
    BiasRange(u32),
    /// max(x) without |·|: one side of a range.
    Highest(Tensor, u32),
    /// min(x): the other.
    Lowest(Tensor, u32),
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input => f.write_str("s_I"),
            Self::Weight(i) => write!(f, "s_W{i}"),
            Self::Output(i) => write!(f, "s_O{i}"),
            Self::BiasRange(i) => write!(f, "max|beta{i}|"),
            Self::Highest(tensor, i) => write!(f, "max({})", tensor.name(*i)),
            Self::Lowest(tensor, i) => write!(f, "min({})", tensor.name(*i)),
        }
    }
}

/// Scales with their powers, none of them 0.
pub type Powers = BTreeMap<Scale, i64>;

/// A rational times powers of scales; no power is 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monomial {
    coefficient: BigRational,
    powers: Powers,
}

impl Monomial {
    /// A number times powers of scales.
    pub(super) fn new(coefficient: BigRational, powers: Powers) -> Self {
        Self {
            coefficient,
            powers,
        }
    }

    /// A number.
    pub fn number(coefficient: BigRational) -> Self {
        Self {
            coefficient,
            powers: BTreeMap::new(),
        }
    }

    /// 1.
    pub fn one() -> Self {
        Self::number(BigRational::one())
    }

    /// One scale.
    pub fn scale(scale: Scale) -> Self {
        let mut one = Self::one();
        one.powers.insert(scale, 1);
        one
    }

    /// The number before the scales.
    pub fn coefficient(&self) -> &BigRational {
        &self.coefficient
    }

    /// The scales with their powers.
    pub fn powers(&self) -> &Powers {
        &self.powers
    }

    /// The product of two.
    pub fn times(&self, other: &Self) -> Self {
        let mut product = self.clone();
        product.coefficient *= &other.coefficient;
        for (&scale, power) in &other.powers {
            let sum = product.powers.remove(&scale).unwrap_or(0) + power;
            if sum != 0 {
                product.powers.insert(scale, sum);
            }
        }
        product
    }

    /// 1 over this; `None` if its coefficient is 0.
    pub fn inverse(&self) -> Option<Self> {
        (!self.coefficient.is_zero()).then(|| Self {
            coefficient: BigRational::one() / &self.coefficient,
            powers: self
                .powers
                .iter()
                .map(|(&scale, power)| (scale, -power))
                .collect(),
        })
    }

    /// With a positive coefficient.
    pub fn abs(&self) -> Self {
        Self {
            coefficient: self.coefficient.abs(),
            powers: self.powers.clone(),
        }
    }

    /// Whether this is 1.
    pub fn is_one(&self) -> bool {
        self.coefficient.is_one() && self.powers.is_empty()
    }
}

impl Monomial {
    /// Written with n = 1/s for every scale.
    pub fn in_inverses(&self) -> String {
        self.written(|scale, power| match scale {
            Scale::Input | Scale::Weight(_) | Scale::Output(_) => {
                (scale.to_string().replacen('s', "n", 1), -power)
            }
            Scale::BiasRange(_) | Scale::Highest(..) | Scale::Lowest(..) => {
                (scale.to_string(), power)
            }
        })
    }

    fn written(&self, name: impl Fn(&Scale, i64) -> (String, i64)) -> String {
        let named: Vec<(String, i64)> = (self.powers.iter())
            .map(|(scale, &power)| name(scale, power))
            .collect();
        let product = |sign: i64| -> Vec<String> {
            let of_sign = named.iter().filter(|(_, power)| power.signum() == sign);
            of_sign
                .map(|(name, power)| match power.abs() {
                    1 => name.clone(),
                    power => format!("{name}^{power}"),
                })
                .collect()
        };
        let (mut above, mut below) = (product(1), product(-1));
        let (numer, denom) = (self.coefficient.numer(), self.coefficient.denom());
        if !numer.is_one() || above.is_empty() {
            above.insert(0, numer.to_string());
        }
        if !denom.is_one() {
            below.insert(0, denom.to_string());
        }
        let above = above.join("·");
        match below.len() {
            0 => above,
            1 => format!("{above}/{}", below[0]),
            _ => format!("{above}/({})", below.join("·")),
        }
    }
}

impl fmt::Display for Monomial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written(|scale, power| (scale.to_string(), power)))
    }
}
