//! Where a simulation's codes are not another run's, and whether float32 explains it.

use reference::{Op, ShapeError, Tensor, network::apply};

use super::Simulation;
use crate::bounds::{disagreement, to_rounding_boundary};
use crate::scheme::QuantParams;

/// One code that is not the other run's.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The weighted layer.
    pub layer: String,
    /// Where in its output.
    pub position: Vec<usize>,
    /// Our value before it was made a code.
    pub value: f32,
    /// Our code.
    pub code: i32,
    /// The other run's.
    pub expected: i32,
    /// How far value/s lies from the nearest rounding boundary, in steps.
    pub to_boundary: f64,
    /// How far it may, since sums in another order differ.
    pub allowed: f64,
}

impl Difference {
    /// The codes are neighbours, and the value is so near the boundary between two codes that
    /// sums in another order may round to either.
    pub fn is_explained(&self) -> bool {
        (self.code - self.expected).abs() == 1 && self.to_boundary <= self.allowed
    }
}

impl Simulation {
    /// The codes that are not those of another run, `others`, one tensor a weighted layer.
    /// Each layer is given the other run's codes, so that no difference makes another.
    ///
    /// # Errors
    /// Images that are not of the network's input shape, or codes that are not of its layers.
    pub fn differences(
        &self,
        images: &Tensor<f32>,
        others: &[Tensor<i16>],
    ) -> Result<Vec<Difference>, ShapeError> {
        let (mut found, mut x) = (Vec::new(), self.input(images));
        let mut others = others.iter();
        let mut outputs = self.outputs();
        for layer in self.network().layers() {
            let y = apply(&layer.op, &x)?;
            let params = match layer.op {
                Op::Conv2d { .. } | Op::Linear { .. } => outputs.next(),
                _ => None,
            };
            let Some(params) = params else {
                x = y;
                continue;
            };
            let codes = others.next().map_or(&[][..], Tensor::data);
            if codes.len() != y.data().len() {
                return Err(ShapeError::Mismatch {
                    what: "codes of a layer",
                    expected: y.data().len(),
                    got: codes.len(),
                });
            }
            let apart = disagreement(&layer.op, &x, &y, &x.map(|_| 0.0))?;
            for (i, &expected) in codes.iter().enumerate() {
                let (value, expected) = (y.data()[i], i32::from(expected));
                if params.quantize(value) != expected {
                    let position = y.position(i);
                    let name = layer.name.clone();
                    let apart = apart.data()[i];
                    found.push(difference(name, position, value, expected, apart, params));
                }
            }
            let real = codes.iter().map(|&code| params.dequantize(code.into()));
            x = Tensor::new(y.shape(), real.collect())?;
        }
        Ok(found)
    }
}

fn difference(
    layer: String,
    position: Vec<usize>,
    value: f32,
    expected: i32,
    apart: f64,
    params: &QuantParams,
) -> Difference {
    let v = f64::from(value) / params.scale.wide();
    Difference {
        layer,
        position,
        value,
        code: params.quantize(value),
        expected,
        to_boundary: ((v - v.floor()) - 0.5).abs(),
        allowed: to_rounding_boundary(value, apart, params.scale),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scale;
    use crate::scheme::Grid;

    /// The difference of a value whose code PyTorch has as `expected`; s = 1/4.
    fn of(value: f32, expected: i32, apart: f64) -> Difference {
        let params = QuantParams {
            scale: Scale::new(0.25).unwrap(),
            zero_point: 3,
            grid: Grid {
                bits: 8,
                signed: true,
                narrow: false,
            },
        };
        difference("fc".into(), vec![0, 1], value, expected, apart, &params)
    }

    #[test]
    fn only_a_neighbour_near_a_boundary_is_explained() {
        // 0.625 is two and a half steps: a tie, rounded to 2.
        let tie = of(0.625, 6, 0.0);
        assert_eq!((tie.code, tie.to_boundary), (5, 0.0));
        assert!(tie.is_explained());
        assert!(!of(0.625, 7, 0.0).is_explained(), "two codes apart");
        // A sixteenth of a step beyond the tie, which float32 sums do not make up for.
        let beyond = of(0.640625, 5, 0.0);
        assert_eq!((beyond.code, beyond.to_boundary), (6, 0.0625));
        assert!(!beyond.is_explained());
        // But sums that may be a sixteenth of a step apart do; likewise below zero.
        assert!(of(0.640625, 5, 0.015625).is_explained());
        assert!(of(-0.640625, 1, 0.015625).is_explained());
        assert!(!of(-0.640625, 1, 0.0078125).is_explained());
    }
}
