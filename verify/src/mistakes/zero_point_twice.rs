//! `zero-point-twice`.

use quant::contracts::Channel;

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "zero-point-twice",
    group: Group::ZeroPoints,
    what: "a zero point is applied twice",
    right: "q − z_I and w − z_W go into the sum, z_O is added to the quotient (eq. 22)",
    shows: "in the accumulators of a layer, the codes that a layer's accumulators become",
    mend: "apply it in the sum or in the packed bias, not in both",
    source: "kernels that fold z_I into the bias and subtract it again",
    variants: |site| {
        let wrong = |z: i32| 2 * z;
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
