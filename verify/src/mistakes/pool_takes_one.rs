//! `pool-takes-one`.

use reference::PoolGeometry;

use super::variant::part;
use super::{Group, Mistake, Variant};
use crate::model::{Function, Step};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "pool-takes-one",
    group: Group::Layout,
    what: "the pool takes the first or the last position of the window: a stride without a maximum",
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
        let [_, _, rows, columns] = window.output_shape(input.shape())?;
        let [down, right] = window.stride;
        step.run(&part(input, place, [(rows - 1) * down + 1, (columns - 1) * right + 1])?)
    });
    Variant::named(form, Step::Other(function))
}

#[cfg(test)]
mod tests {
    use reference::Tensor;

    use super::*;

    /// Of a map that counts its 4 × 5 values, windows of 2 × 3.
    fn taken(stride: [usize; 2], place: [usize; 2]) -> Vec<f64> {
        let window = PoolGeometry {
            kernel: [2, 3],
            stride,
            padding: [0, 0],
        };
        let map = Tensor::new(&[1, 1, 4, 5], (0..20).map(f64::from).collect()).unwrap();
        let taken = taking("", window, place).step.run(&map).unwrap();
        assert_eq!(taken.shape(), window.output_shape(map.shape()).unwrap());
        taken.into_data()
    }

    #[test]
    fn the_place_of_every_window_is_taken() {
        assert_eq!(taken([2, 2], [0, 0]), [0.0, 2.0, 10.0, 12.0]);
        assert_eq!(taken([2, 2], [1, 2]), [7.0, 9.0, 17.0, 19.0]);
        // Windows that overlap, and a last row that none reaches.
        assert_eq!(taken([3, 1], [0, 0]), [0.0, 1.0, 2.0]);
        assert_eq!(taken([3, 1], [1, 2]), [7.0, 8.0, 9.0]);
    }
}
