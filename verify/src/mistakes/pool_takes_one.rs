//! `pool-takes-one`.

use reference::PoolGeometry;
use reference::geometry::rank;

use super::variant::part;
use super::{Group, Mistake, Variant};
use crate::model::{Function, Step};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "pool-takes-one",
    group: Group::Layout,
    what: "the pool takes one position of the window: a stride without a maximum",
    right: "the network's pool takes the maximum of the window (eq. 7)",
    shows: "in the codes after a pool",
    mend: "compare all positions of the window",
    source: "strided copies in place of pools",
    variants: |site| match site.step {
        Step::MaxPool(window) if window.padding == [0, 0] && window.kernel != [1, 1] => {
            let last = window.kernel.map(|size| size - 1);
            vec![
                taking("the first", *window, [0, 0]),
                taking("the last", *window, last),
            ]
        }
        _ => Vec::new(),
    },
};

/// The value at this place of every window.
fn taking(form: &str, window: PoolGeometry, place: [usize; 2]) -> Variant {
    let one = PoolGeometry {
        kernel: [1, 1],
        ..window
    };
    let step = Step::MaxPool(one);
    let function = Function::new(move |input| {
        let [_, _, height, width] = rank("input of a pool", input.shape())?;
        let [rows, columns] = window.kernel;
        let places = [height + 1 - rows, width + 1 - columns];
        step.run(&part(input, place, places)?)
    });
    Variant::named(form, Step::Other(function))
}
