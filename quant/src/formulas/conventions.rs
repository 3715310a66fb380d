//! Three ways to write the same scales.
//!
//! Over rationals the conversions are exact and undo each other; over floats each
//! `*` and `/` below rounds once, so a converted network is a new network.

use std::ops::{Div, Mul};

use num_traits::One;

/// How a layer's constant is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convention {
    /// `round(acc / s_Oi)`: s_Oi scales an accumulator (eq. 6, 7).
    Relative,
    /// `round(acc · n_Oi)`: n = 1/s for every scale (eq. 12).
    Multiply,
    /// `round(acc · M_i)`, `M_i = s_Wi · S_O(i−1) / S_Oi`: S_Oi is the real value of
    /// one output code (eq. 13).
    Absolute,
}

impl Convention {
    /// Every convention.
    pub const ALL: [Self; 3] = [Self::Relative, Self::Multiply, Self::Absolute];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Relative => "relative",
            Self::Multiply => "multiply",
            Self::Absolute => "absolute",
        }
    }
}

/// The constants of one weighted layer, in some convention.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerScales<T> {
    /// s_Wi, or n_Wi in the multiply convention.
    pub weight: T,
    /// s_Oi, n_Oi or S_Oi.
    pub output: T,
}

/// All scales of a network in one convention, over any field `T`.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkScales<T> {
    /// How to read the numbers.
    pub convention: Convention,
    /// s_I, or n_I in the multiply convention.
    pub input: T,
    /// The weighted layers, first layer first.
    pub layers: Vec<LayerScales<T>>,
}

impl<T: Clone + One + Mul<Output = T> + Div<Output = T>> NetworkScales<T> {
    /// The same scales in another convention.
    pub fn to(&self, convention: Convention) -> Self {
        match (self.convention, convention) {
            (from, to) if from == to => self.clone(),
            (_, Convention::Relative) => self.to_relative(),
            (_, Convention::Multiply) => self.to_relative().inverted(Convention::Multiply),
            (_, Convention::Absolute) => self.to_relative().relative_to_absolute(),
        }
    }

    /// `M_i = s_Wi · S_O(i−1) / S_Oi` of each layer, `S_O0 = s_I` (eq. 13).
    pub fn multipliers(&self) -> Vec<T> {
        let absolute = self.to(Convention::Absolute);
        let mut previous = absolute.input;
        (absolute.layers.into_iter())
            .map(|layer| {
                let multiplier = layer.weight * previous.clone() / layer.output.clone();
                previous = layer.output;
                multiplier
            })
            .collect()
    }

    fn to_relative(&self) -> Self {
        match self.convention {
            Convention::Relative => self.clone(),
            Convention::Multiply => self.inverted(Convention::Relative),
            Convention::Absolute => self.absolute_to_relative(),
        }
    }

    /// Eq. 12: s = 1/n, n = 1/s.
    fn inverted(&self, convention: Convention) -> Self {
        let invert = |value: &T| T::one() / value.clone();
        Self {
            convention,
            input: invert(&self.input),
            layers: (self.layers.iter())
                .map(|layer| LayerScales {
                    weight: invert(&layer.weight),
                    output: invert(&layer.output),
                })
                .collect(),
        }
    }

    /// Eq. 13: `S_Oi = S_O(i−1) · s_Wi · s_Oi`.
    fn relative_to_absolute(&self) -> Self {
        self.chain(Convention::Absolute, |previous, layer| {
            let absolute = previous.clone() * layer.weight.clone() * layer.output.clone();
            (absolute.clone(), absolute)
        })
    }

    /// Eq. 13, solved for `s_Oi = S_Oi / (S_O(i−1) · s_Wi)`.
    fn absolute_to_relative(&self) -> Self {
        self.chain(Convention::Relative, |previous, layer| {
            let relative = layer.output.clone() / (previous.clone() * layer.weight.clone());
            (relative, layer.output.clone())
        })
    }

    /// Rewrites each output scale; `rewrite` gets S_O(i−1) and gives (the new
    /// scale, S_Oi).
    fn chain(
        &self,
        convention: Convention,
        rewrite: impl Fn(&T, &LayerScales<T>) -> (T, T),
    ) -> Self {
        let mut previous = self.input.clone();
        let mut layers = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let (output, absolute) = rewrite(&previous, layer);
            previous = absolute;
            layers.push(LayerScales {
                weight: layer.weight.clone(),
                output,
            });
        }
        Self {
            convention,
            input: self.input.clone(),
            layers,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigInt;
    use num_rational::BigRational;
    use proptest::prelude::*;

    fn rational(value: f32) -> BigRational {
        BigRational::from_float(value).unwrap()
    }

    fn scales() -> impl Strategy<Value = NetworkScales<BigRational>> {
        let scale = || (1e-4f32..1e3).prop_map(rational);
        let layer = (scale(), scale()).prop_map(|(weight, output)| LayerScales { weight, output });
        (scale(), prop::collection::vec(layer, 0..9)).prop_map(|(input, layers)| NetworkScales {
            convention: Convention::Relative,
            input,
            layers,
        })
    }

    proptest! {
        #[test]
        fn every_round_trip_is_exact_on_rationals(relative in scales()) {
            for there in Convention::ALL {
                for back in Convention::ALL {
                    let converted = relative.to(there).to(back);
                    prop_assert_eq!(converted.convention, back);
                    prop_assert_eq!(&converted.to(Convention::Relative), &relative);
                }
            }
        }

        #[test]
        fn the_multiplier_is_the_inverse_relative_scale(relative in scales()) {
            let n = relative.to(Convention::Multiply);
            for convention in Convention::ALL {
                let multipliers = relative.to(convention).multipliers();
                prop_assert_eq!(multipliers.len(), relative.layers.len());
                for ((m, layer), n) in multipliers.iter().zip(&relative.layers).zip(&n.layers) {
                    prop_assert_eq!(m * &layer.output, rational(1.0));
                    prop_assert_eq!(m, &n.output);
                    prop_assert_eq!(&n.weight * &layer.weight, rational(1.0));
                }
            }
        }
    }

    #[test]
    fn staying_in_a_convention_rounds_nothing() {
        // 1/(1/x) and (x·y)/y are other floats for many values; these are among them.
        let value = (1..)
            .map(|i| i as f32 / 7.0)
            .find(|x| 1.0 / (1.0 / x) != *x)
            .unwrap();
        for convention in Convention::ALL {
            let scales = NetworkScales {
                convention,
                input: value,
                layers: vec![
                    LayerScales {
                        weight: value,
                        output: value
                    };
                    3
                ],
            };
            assert_eq!(scales.to(convention), scales);
        }
    }

    #[test]
    fn absolute_scales_are_the_product_chain() {
        let int = |v: i64| BigRational::from(BigInt::from(v));
        let relative = NetworkScales {
            convention: Convention::Relative,
            input: int(2),
            layers: vec![
                LayerScales {
                    weight: int(3),
                    output: int(5),
                },
                LayerScales {
                    weight: int(7),
                    output: int(11),
                },
            ],
        };
        let absolute = relative.to(Convention::Absolute);
        assert_eq!(absolute.layers[0].output, int(30));
        assert_eq!(absolute.layers[1].output, int(2310));
        assert_eq!(absolute.layers[1].weight, int(7));
        assert_eq!(relative.to(Convention::Multiply).input, int(1) / int(2));
    }
}
