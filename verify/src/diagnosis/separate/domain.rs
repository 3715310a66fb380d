//! What the values of a segment's input may be.

use crate::model::{Node, Step};

/// A range with its zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Domain {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) zero: f64,
}

impl Domain {
    /// Of the output of the last of these nodes, the first nodes of a model; before them all it
    /// is pixels.
    pub(super) fn after(nodes: &[Node]) -> Self {
        let Some((last, before)) = nodes.split_last() else {
            return Self {
                low: 0.0,
                high: 255.0,
                zero: 0.0,
            };
        };
        let [low, high] = match (&last.params, &last.step) {
            (Some(params), _) => {
                return Self {
                    low: params.grid.low().into(),
                    high: params.grid.high().into(),
                    zero: params.zero_point.into(),
                };
            }
            (None, Step::Accumulate(sums)) => {
                let codes = codes_of(before.last());
                (0..sums.outputs())
                    .map(|o| sums.ends(o, codes).map(|end| end as f64))
                    .fold([0.0, 0.0], |all: [f64; 2], one| {
                        [all[0].min(one[0]), all[1].max(one[1])]
                    })
            }
            _ => [i32::MIN.into(), i32::MAX.into()],
        };
        Self {
            low,
            high,
            zero: 0.0,
        }
    }
}

/// The lowest and the highest code of a node's output; of 8 bits with a sign or without where
/// it says none.
pub(super) fn codes_of(node: Option<&Node>) -> [i32; 2] {
    let params = node.and_then(|node| node.params);
    params.map_or([-128, 255], |params| {
        [params.grid.low(), params.grid.high()]
    })
}

#[cfg(test)]
mod tests {
    use quant::Scale;
    use quant::scheme::{Grid, QuantParams};
    use reference::Tensor;

    use super::*;
    use crate::model::{Accumulate, Accumulator};

    fn node(step: Step, params: Option<QuantParams>) -> Node {
        Node {
            name: "it".into(),
            step,
            shape: vec![1, 2],
            params,
            weighted: None,
        }
    }

    fn codes() -> Node {
        let params = QuantParams {
            scale: Scale::new(0.5).unwrap(),
            zero_point: -3,
            grid: Grid {
                bits: 4,
                signed: true,
                narrow: false,
            },
        };
        node(Step::Relu { low: -3.0 }, Some(params))
    }

    /// Two channels of two inputs, of codes −8 to 7 around −3.
    fn sums() -> Accumulate {
        Accumulate {
            geometry: None,
            weight: Tensor::new(&[2, 2], vec![3, -2, 11, 10]).unwrap(),
            weight_zero_points: vec![0, 10],
            bias: vec![100, -7],
            input_zero_point: -3,
            padding: -3,
            accumulator: Accumulator::Exact,
        }
    }

    #[test]
    fn a_domain_is_what_the_last_node_gives() {
        let of = |nodes: &[Node]| {
            let Domain { low, high, zero } = Domain::after(nodes);
            [low, high, zero]
        };
        assert_eq!(of(&[]), [0.0, 255.0, 0.0]);
        assert_eq!(of(&[codes()]), [-8.0, 7.0, -3.0]);
        let accumulators = node(Step::Accumulate(sums()), None);
        // 100 − 5·3 − 10·2 and 100 + 10·3 + 5·2; −7 − 5 and −7 + 10.
        assert_eq!(of(&[codes(), accumulators]), [-12.0, 140.0, 0.0]);
        let unknown = node(Step::Relu { low: 0.0 }, None);
        let int32 = [-2147483648.0, 2147483647.0, 0.0];
        assert_eq!(of(&[codes(), unknown]), int32);
        assert_eq!(codes_of(Some(&codes())), [-8, 7]);
        assert_eq!(codes_of(None), [-128, 255]);
    }
}
