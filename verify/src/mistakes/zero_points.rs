//! Zero points that are all wrong in one way.

use quant::contracts::Channel;

use super::{Site, Variant};

/// z_I, z_W and z_O under `wrong`, a form each.
pub(super) fn made(site: &Site, wrong: fn(i32) -> i32) -> Vec<Variant> {
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
}
