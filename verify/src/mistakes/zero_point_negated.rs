//! `zero-point-negated`.

use quant::contracts::Channel;

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "zero-point-negated",
    group: Group::ZeroPoints,
    what: "a zero point has the wrong sign",
    right: "q − z_I and w − z_W go into the sum, z_O is added to the quotient (eq. 22)",
    shows: "in the accumulators of a layer, the codes that a layer's accumulators become",
    mend: "say whether a constant is the zero point or the offset that is added, its negative",
    source: "libraries that store the negated zero point",
    variants: |site| {
        let wrong = |z: i32| -z;
        let forms = [
            site.sums("of the input", |sums| {
                sums.input_zero_point = wrong(sums.input_zero_point)
            }),
            site.sums("of the weights", |sums| {
                for z in &mut sums.weight_zero_points {
                    *z = wrong(*z);
                }
            }),
            site.rescaled("of the output", |_, channel| {
                Some(Channel {
                    output_zero_point: wrong(channel.output_zero_point),
                    ..channel
                })
            }),
        ];
        forms.into_iter().flatten().collect()
    },
};
