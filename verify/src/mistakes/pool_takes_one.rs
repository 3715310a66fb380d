//! `pool-takes-one`.

use reference::PoolGeometry;

use super::variant::part;
use super::{Group, Mistake, Variant};
use crate::model::{Function, Step};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "pool-takes-one",
    group: Group::Layout,
    what: "the pool takes one position of the window, the first mostly: a stride without a maximum",
    right: "the network's pool takes the maximum of the window (eq. 7)",
    shows: "in the codes after a pool",
    mend: "compare all positions of the window",
    source: "strided copies in place of pools",
    variants: |site| match site.step {
        Step::MaxPool(window) if window.padding == [0, 0] && window.kernel != [1, 1] => {
            let [rows, columns] = window.kernel;
            (0..rows.min(MOST))
                .flat_map(|row| (0..columns.min(MOST)).map(move |column| [row, column]))
                .map(|[row, column]| {
                    let form = format!("row {row}, column {column}");
                    taking(&form, *window, [row, column])
                })
                .collect()
        }
        _ => Vec::new(),
    },
};

/// So many rows and columns of a window are tried.
const MOST: usize = 3;

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

    #[test]
    fn every_place_of_a_window_is_tried() {
        let (fixture, images) = {
            let fixtures = fixtures::Fixtures::open(fixtures::Fixtures::committed_root()).unwrap();
            let fixture = fixtures::NetworkFixture::load(&fixtures, "lab").unwrap();
            let images = fixtures::ImageSet::load(&fixtures, &fixture.data).unwrap();
            (fixture, images)
        };
        let scheme = crate::model::MODELS[0];
        let model = crate::model::Model::new(&fixture, &images, scheme, crate::model::GOLDEN);
        let mut model = model.unwrap();
        let node = model.position("pool1").unwrap();
        let mut forms = |kernel: [usize; 2], padding: [usize; 2]| -> Vec<String> {
            model.nodes[node].step = Step::MaxPool(PoolGeometry {
                kernel,
                stride: [2, 2],
                padding,
            });
            let variants = (MISTAKE.variants)(&super::super::Site::new(&model, node));
            variants.into_iter().map(|of| of.parameters).collect()
        };
        let of = |places: &[[usize; 2]]| -> Vec<String> {
            let form = |[row, column]: &[usize; 2]| format!("row {row}, column {column}");
            places.iter().map(form).collect()
        };
        assert_eq!(forms([2, 2], [0, 0]), of(&[[0, 0], [0, 1], [1, 0], [1, 1]]));
        assert_eq!(forms([1, 2], [0, 0]), of(&[[0, 0], [0, 1]]));
        assert_eq!(forms([5, 4], [0, 0]).len(), 9);
        assert_eq!(forms([1, 1], [0, 0]), of(&[]));
        assert_eq!(forms([2, 2], [1, 0]), of(&[]));
    }

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
