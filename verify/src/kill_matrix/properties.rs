//! Checks that need no golden tensor: what every right layer does, whatever its weights.

use reference::{ShapeError, Tensor};

use crate::model::{Accumulate, Node, Requantize, Step, Values};

/// A law that a right step keeps.
pub struct Property {
    /// Short and unique.
    pub name: &'static str,
    /// What is asked.
    pub law: &'static str,
    /// Whether the step of this node, right or not, keeps it for this input; true where it says
    /// nothing of such a step.
    holds: fn(&Node, &Step, &Values) -> Result<bool, ShapeError>,
}

impl Property {
    /// Whether a step at a node breaks it for this input.
    pub(super) fn is_broken(
        &self,
        node: &Node,
        step: &Step,
        input: &Values,
    ) -> Result<bool, ShapeError> {
        Ok(!(self.holds)(node, step, input)?)
    }
}

/// Every law.
pub const PROPERTIES: [Property; 6] = [
    Property {
        name: "codes",
        law: "every output is a code of its grid",
        holds: |node, step, input| {
            let Some(grid) = node.params.map(|params| params.grid) else {
                return Ok(true);
            };
            let codes = f64::from(grid.low())..=f64::from(grid.high());
            let output = step.run(input)?;
            Ok((output.data().iter()).all(|code| code.fract() == 0.0 && codes.contains(code)))
        },
    },
    Property {
        name: "zero",
        law: "zero makes the bias; a sum of zero makes the zero point",
        holds: |node, step, input| match step {
            Step::Accumulate(_) => {
                let Step::Accumulate(right) = &node.step else {
                    return Ok(true);
                };
                let zero = input.map(|_| f64::from(right.input_zero_point));
                let output = step.run(&zero)?;
                let bias = |o: usize| right.bias[o] as f64;
                Ok(output == output.map_along(1, |o, _| bias(o)))
            }
            Step::Requantize(requantize) => {
                let output = step.run(&input.map(|_| 0.0))?;
                let z = zero_point(node);
                Ok(requantize.channels.is_empty() || output.data().iter().all(|&code| code == z))
            }
            _ => Ok(true),
        },
    },
    Property {
        name: "additive",
        law: "sums of a sum of inputs are the sum of their sums, less the bias",
        holds: |node, step, input| match (&node.step, step) {
            (Step::Accumulate(right), Step::Accumulate(_)) => additive(right, step, input),
            _ => Ok(true),
        },
    },
    Property {
        name: "monotone",
        law: "a larger accumulator makes no smaller code",
        holds: |_, step, input| match step {
            Step::Requantize(requantize) => monotone(requantize, step, input),
            _ => Ok(true),
        },
    },
    Property {
        name: "odd",
        law: "without zero point the negated accumulator makes the negated code, −128 aside",
        holds: |node, step, input| match step {
            Step::Requantize(_) if is_signed(node) && zero_point(node) == 0.0 => {
                let codes = step.run(input)?;
                let negated = step.run(&input.map(|acc| -acc))?;
                let pairs = codes.data().iter().zip(negated.data());
                Ok(pairs.into_iter().all(|(a, b)| a.abs() >= 127.0 || *a == -b))
            }
            _ => Ok(true),
        },
    },
    Property {
        name: "again",
        law: "ReLU of a ReLU is itself; a window of one code makes that code",
        holds: |node, step, input| match &node.step {
            Step::Relu { .. } => {
                let once = step.run(input)?;
                let z = zero_point(node);
                Ok(step.run(&once)? == once && once.data().iter().all(|&code| code >= z))
            }
            Step::MaxPool(_) | Step::AveragePool(_) => {
                let even = input.map(|_| input.data().first().copied().unwrap_or(0.0));
                let output = step.run(&even)?;
                Ok(output
                    .data()
                    .iter()
                    .all(|code| even.data().first() == Some(code)))
            }
            _ => Ok(true),
        },
    },
];

fn zero_point(node: &Node) -> f64 {
    node.params.map_or(0.0, |params| params.zero_point.into())
}

fn is_signed(node: &Node) -> bool {
    node.params.is_some_and(|params| params.grid.signed)
}

/// `acc(x) + acc(y) = acc(x + y − z) + β`, where x has the first half of an image's values and y
/// the others, zero points elsewhere.
fn additive(right: &Accumulate, step: &Step, input: &Values) -> Result<bool, ShapeError> {
    let z = f64::from(right.input_zero_point);
    let half = input.item_len() / 2;
    let part = |first: bool| -> Result<Values, ShapeError> {
        let data = (input.data().iter().enumerate())
            .map(
                |(at, &code)| match (at % input.item_len() < half) == first {
                    true => code,
                    false => z,
                },
            )
            .collect();
        Tensor::new(input.shape(), data)
    };
    let [whole, first, second] = [input.clone(), part(true)?, part(false)?].map(|x| step.run(&x));
    let (whole, first, second) = (whole?, first?, second?);
    let sums = first.data().iter().zip(second.data());
    let sum = Tensor::new(whole.shape(), sums.map(|(a, b)| a + b).collect())?;
    Ok(sum == whole.map_along(1, |o, acc| acc + right.bias[o % right.bias.len()] as f64))
}

/// Accumulators of each channel in order, and the codes made of them.
fn monotone(requantize: &Requantize, step: &Step, input: &Values) -> Result<bool, ShapeError> {
    let codes = step.run(input)?;
    if codes.shape() != input.shape() {
        return Ok(false);
    }
    let channels = requantize.channels.len().max(1);
    let mut pairs: Vec<Vec<(f64, f64)>> = vec![Vec::new(); channels];
    let inner: usize = input.shape().iter().skip(requantize.axis + 1).product();
    for (at, pair) in input
        .data()
        .iter()
        .copied()
        .zip(codes.data().iter().copied())
        .enumerate()
    {
        pairs[at / inner.max(1) % channels].push(pair);
    }
    Ok(pairs.iter_mut().all(|pairs| {
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        pairs.windows(2).all(|two| two[0].1 <= two[1].1)
    }))
}

#[cfg(test)]
mod tests {
    use quant::Scale;
    use quant::scheme::{Grid, QuantParams};
    use reference::PoolGeometry;

    use super::*;
    use crate::model::Function;

    fn broken(right: Step, wrong: &Step, input: &Values) -> Vec<&'static str> {
        let grid = Grid {
            bits: 8,
            signed: true,
            narrow: false,
        };
        let node = Node {
            name: "it".into(),
            step: right,
            shape: input.shape().to_vec(),
            params: Some(QuantParams {
                scale: Scale::new(1.0).unwrap(),
                zero_point: -5,
                grid,
            }),
            weighted: None,
        };
        let laws = PROPERTIES.iter();
        laws.filter(|law| law.is_broken(&node, wrong, input).unwrap())
            .map(|law| law.name)
            .collect()
    }

    fn other(f: impl Fn(f64) -> f64 + Send + Sync + 'static) -> Step {
        Step::Other(Function::new(move |x: &Values| Ok(x.map(&f))))
    }

    #[test]
    fn a_relu_leaves_nothing_below_zero_and_a_second_nothing_to_do() {
        let relu = || Step::Relu { low: -5.0 };
        let input = Tensor::new(&[1, 4], vec![-128.0, -6.0, -5.0, 127.0]).unwrap();
        assert_eq!(broken(relu(), &relu(), &input), [""; 0]);
        // Below, though a second time changes nothing.
        assert_eq!(broken(relu(), &Step::Identity, &input), ["again"]);
        // Not below, though a second time changes something.
        let halved = other(|x| ((x + 5.0).max(0.0) / 2.0).floor() - 5.0);
        assert_eq!(broken(relu(), &halved, &input), ["again"]);
        assert_eq!(broken(relu(), &other(|_| 128.0), &input), ["codes"]);
        assert_eq!(broken(relu(), &other(|_| 0.5), &input), ["codes"]);
    }

    #[test]
    fn a_window_of_one_code_makes_that_code() {
        let window = PoolGeometry {
            kernel: [2, 2],
            stride: [2, 2],
            padding: [0, 0],
        };
        let input = Tensor::new(&[1, 1, 2, 2], vec![7.0, -3.0, 0.0, 1.0]).unwrap();
        let pool = || Step::MaxPool(window);
        assert_eq!(broken(pool(), &pool(), &input), [""; 0]);
        assert_eq!(broken(pool(), &other(|x| x - 1.0), &input), ["again"]);
        assert_eq!(broken(pool(), &Step::Identity, &input), [""; 0]);
    }
}
