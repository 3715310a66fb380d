//! What one kernel of the device computes, and NNTool's rules that look for it.

use reference::Op;

/// A rule of NNTool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// As NNTool calls it.
    pub name: &'static str,
    /// What it does.
    pub what: &'static str,
}

/// The rules of `--scale8`, NNTool's group `scaled`, in the order in which they are applied here.
pub const SCALE8: [Rule; 5] = [
    Rule {
        name: "move_pooling_scale8",
        what: "a max pool behind a ReLU or a concat moves up behind the filter",
    },
    Rule {
        name: "move_activations_up",
        what: "an activation behind a reshape, a transpose or a concat moves up",
    },
    Rule {
        name: "remove_reshapes_before_linear",
        what: "a linear layer reads a map as it is stored",
    },
    Rule {
        name: "fuse_gap_convs",
        what: "conv with an activation, a pool, or both",
    },
    Rule {
        name: "fuse_gap_linear",
        what: "linear with an activation",
    },
];

/// A group of rules that NNTool knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// As it is asked for.
    pub option: &'static str,
    /// For which kernels.
    pub what: &'static str,
    /// Its rules, where they are applied here.
    pub rules: Option<&'static [Rule]>,
}

/// The groups.
pub const GROUPS: [Group; 2] = [
    Group {
        option: "--scale8",
        what: "kernels on 8-bit codes with a multiplier and a shift a channel (SQ8)",
        rules: Some(&SCALE8),
    },
    Group {
        option: "--pow2",
        what: "kernels on codes whose scales are powers of two; not applied here",
        rules: None,
    },
];

/// The part of a layer in a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Conv,
    Linear,
    Activation,
    MaxPool,
    AveragePool,
}

/// Each begins with a filter; and each filter with each single layer that may follow it is one.
const KERNELS: [&[Part]; 7] = [
    &[Part::Conv, Part::Activation],
    &[Part::Conv, Part::MaxPool],
    &[Part::Conv, Part::AveragePool],
    &[Part::Conv, Part::MaxPool, Part::Activation],
    &[Part::Conv, Part::AveragePool, Part::Activation],
    &[Part::Conv, Part::Activation, Part::MaxPool],
    &[Part::Linear, Part::Activation],
];

fn part<W>(op: &Op<W>) -> Option<Part> {
    match op {
        Op::Conv2d { .. } => Some(Part::Conv),
        Op::Linear { .. } => Some(Part::Linear),
        Op::Relu => Some(Part::Activation),
        Op::MaxPool2d(_) => Some(Part::MaxPool),
        Op::AveragePool2d(_) => Some(Part::AveragePool),
        Op::Flatten | Op::LogSoftmax => None,
    }
}

/// Whether it is a convolution or a linear layer.
pub(in crate::graph) fn is_filter<W>(op: &Op<W>) -> bool {
    matches!(part(op), Some(Part::Conv | Part::Linear))
}

/// Whether it is an activation or a pool: part of a kernel, but not its filter.
pub(in crate::graph) fn follows_filter<W>(op: &Op<W>) -> bool {
    part(op).is_some() && !is_filter(op)
}

/// Whether one kernel computes these, in this order.
pub(in crate::graph) fn is_kernel<W>(ops: &[&Op<W>]) -> bool {
    let parts: Option<Vec<Part>> = ops.iter().map(|op| part(op)).collect();
    parts.is_some_and(|parts| KERNELS.contains(&parts.as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_is_a_filter_and_what_may_follow_it() {
        let filters = [Part::Conv, Part::Linear];
        assert!(KERNELS.iter().all(|parts| filters.contains(&parts[0])));
        assert!(
            KERNELS
                .iter()
                .all(|parts| parts[1..].iter().all(|part| !filters.contains(part)))
        );
        for follower in [Part::Activation, Part::MaxPool, Part::AveragePool] {
            assert!(KERNELS.contains(&&[Part::Conv, follower][..]));
        }
        // No pool reads a vector.
        assert!(KERNELS.contains(&&[Part::Linear, Part::Activation][..]));
    }
}
