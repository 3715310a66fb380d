//! Where a tensor differs: channel by position, over all images.

use serde::{Deserialize, Serialize};

use crate::model::Values;

/// In how many images each value of a tensor differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorMap {
    /// Channels, rows, columns; a vector is one row.
    pub shape: [usize; 3],
    /// How many images there are.
    pub images: usize,
    /// Row-major; none where nothing differs.
    pub counts: Vec<u32>,
}

impl ErrorMap {
    /// Of two tensors of one shape [N, …].
    pub(super) fn new(expected: &Values, observed: &Values) -> Self {
        let shape = match *expected.shape() {
            [_, c, h, w] => [c, h, w],
            _ => [1, 1, expected.item_len()],
        };
        let images = expected.shape().first().copied().unwrap_or(0);
        let mut counts = vec![0; expected.item_len()];
        for image in 0..images {
            let pairs = expected.item(image).iter().zip(observed.item(image));
            for (count, (a, b)) in counts.iter_mut().zip(pairs) {
                *count += u32::from(a != b);
            }
        }
        if counts.iter().all(|&count| count == 0) {
            counts.clear();
        }
        Self {
            shape,
            images,
            counts,
        }
    }

    /// One SVG path for each of [`SHADES`] shades, of the cells that differ in that share of the
    /// images; channels side by side, `per_row` in a row, a cell apart. Its width and height in
    /// cells.
    pub(super) fn paths(&self, per_row: usize) -> (Vec<String>, [usize; 2]) {
        let [channels, height, width] = self.shape;
        let per_row = per_row.clamp(1, channels.max(1));
        let mut paths = vec![String::new(); SHADES];
        for (at, &count) in self
            .counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
        {
            let (channel, y, x) = (at / (height * width), at / width % height, at % width);
            let left = channel % per_row * (width + 1) + x;
            let top = channel / per_row * (height + 1) + y;
            let shade = (count as usize * SHADES).div_ceil(self.images.max(1)) - 1;
            paths[shade.min(SHADES - 1)].push_str(&format!("M{left} {top}h1v1h-1z"));
        }
        let rows = channels.div_ceil(per_row);
        (paths, [per_row * (width + 1) - 1, rows * (height + 1) - 1])
    }
}

/// How many shades a map is drawn in.
pub(super) const SHADES: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use reference::Tensor;

    #[test]
    fn a_map_counts_images_and_draws_each_cell_once() {
        let expected = Tensor::full(&[4, 2, 2, 3], 0.0).unwrap();
        let mut observed = expected.clone();
        for image in 0..4 {
            observed[[image, 1, 0, 2]] = 1.0;
        }
        observed[[2, 0, 1, 1]] = 1.0;
        for image in 0..2 {
            observed[[image, 0, 1, 2]] = 1.0;
        }
        let map = ErrorMap::new(&expected, &observed);
        assert_eq!((map.shape, map.images), ([2, 2, 3], 4));
        assert_eq!(map.counts.iter().sum::<u32>(), 7);
        let (paths, size) = map.paths(8);
        assert_eq!(size, [7, 2]);
        assert_eq!(paths, ["M1 1h1v1h-1z", "M2 1h1v1h-1z", "", "M6 0h1v1h-1z"]);
        // Below each other.
        let (paths, size) = map.paths(1);
        assert_eq!(size, [3, 5]);
        assert_eq!(paths[3], "M2 3h1v1h-1z");
        // Read from a file, which may say anything.
        let map = ErrorMap {
            shape: [1, 1, 1],
            images: 1,
            counts: vec![9],
        };
        assert_eq!(map.paths(1).0[3], "M0 0h1v1h-1z");
        assert!(ErrorMap::new(&expected, &expected).counts.is_empty());
    }
}
