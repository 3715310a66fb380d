//! How far the sums of a layer reach, and codes that make a sum.

use super::Accumulate;

impl Accumulate {
    /// The least and the largest accumulator of an output channel, its bias included, over
    /// codes from `low` to `high`, both among them; no padding is met.
    ///
    /// # Panics
    /// A channel that there is not.
    pub fn ends(&self, channel: usize, [low, high]: [i32; 2]) -> [i64; 2] {
        let [low, high] = [low, high].map(|code| i64::from(code - self.input_zero_point));
        let mut ends = [self.bias[channel]; 2];
        for w in self.weights_of(channel) {
            ends[0] += (w * low).min(w * high);
            ends[1] += (w * low).max(w * high);
        }
        ends
    }

    /// Codes of a window, in the order of the weights, whose accumulator is `acc`, bias included:
    /// from `low` to `high` where the window is `free`, given its place in that order, the zero
    /// point elsewhere. None where greedy choice finds none: the largest weights first, each as
    /// far as it leads.
    ///
    /// # Panics
    /// A channel that there is not.
    pub fn window(
        &self,
        channel: usize,
        acc: i64,
        [low, high]: [i32; 2],
        free: impl Fn(usize) -> bool,
    ) -> Option<Vec<i32>> {
        let z = self.input_zero_point;
        let [low, high] = [low, high].map(|code| i64::from(code - z));
        let weights: Vec<i64> = self.weights_of(channel).collect();
        let mut order: Vec<usize> = (0..weights.len())
            .filter(|&at| weights[at] != 0 && free(at))
            .collect();
        order.sort_by_key(|&at| std::cmp::Reverse(weights[at].abs()));
        let mut window = vec![z; weights.len()];
        let mut rest = acc - self.bias[channel];
        for at in order {
            let steps = (rest / weights[at]).clamp(low, high);
            rest -= steps * weights[at];
            window[at] += steps as i32;
        }
        (rest == 0).then_some(window)
    }

    /// `w − z_W` of a channel.
    fn weights_of(&self, channel: usize) -> impl Iterator<Item = i64> {
        let z = self.weight_zero_points[channel];
        let weights = self.weight.item(channel).iter();
        weights.map(move |&w| i64::from(w - z))
    }
}

#[cfg(test)]
mod tests {
    use reference::Tensor;

    use super::*;
    use crate::model::Accumulator;

    /// Weights 3, 0 and −3 behind a bias of 10 in the second channel; codes are steps from 1.
    fn sums() -> Accumulate {
        Accumulate {
            geometry: None,
            weight: Tensor::new(&[2, 3], vec![7, 7, 7, 5, 2, -1]).unwrap(),
            weight_zero_points: vec![0, 2],
            bias: vec![0, 10],
            input_zero_point: 1,
            padding: 1,
            accumulator: Accumulator::Exact,
        }
    }

    #[test]
    fn the_ends_are_where_every_product_is_least_and_largest() {
        // −9 to 6 steps.
        assert_eq!(sums().ends(1, [-8, 7]), [10 - 27 - 18, 10 + 18 + 27]);
        assert_eq!(sums().ends(0, [-8, 7]), [-189, 126]);
        // Codes of one side of the zero point alone.
        assert_eq!(sums().ends(1, [3, 4]), [10 + 6 - 9, 10 + 9 - 6]);
    }

    #[test]
    fn a_window_makes_its_accumulator_or_there_is_none() {
        let window = |acc: i64| {
            let window = sums().window(1, acc, [-8, 7], |_| true)?;
            let products = window.iter().zip([3, 0, -3]);
            let sum: i32 = products.map(|(code, w)| (code - 1) * w).sum();
            assert_eq!(i64::from(sum) + 10, acc);
            Some(window)
        };
        assert_eq!(window(10).unwrap(), [1, 1, 1]);
        assert_eq!(window(16).unwrap(), [3, 1, 1]);
        assert_eq!(window(-2).unwrap(), [-3, 1, 1]);
        // As far as 6 steps lead, the rest by the other.
        assert_eq!(window(10 + 18 + 6).unwrap(), [7, 1, -1]);
        assert_eq!(window(10 - 27 - 18).unwrap(), [-8, 1, 7]);
        assert_eq!(window(11), None);
        assert_eq!(window(10 + 18 + 27 + 3), None);
        // The largest weight first, whatever its sign.
        let mut other = sums();
        other.weight.data_mut()[3..].copy_from_slice(&[3, 4, -5]);
        let window = other.window(1, 18, [-8, 7], |_| true);
        assert_eq!(window.unwrap(), [2, 1, 0]);
        // Toward zero: −7 is one step of 5 and one of 2 down, not two of 5.
        let mut uneven = sums();
        uneven.weight.data_mut()[3..].copy_from_slice(&[7, 4, 2]);
        let window = uneven.window(1, 10 - 7, [-8, 7], |_| true);
        assert_eq!(window.unwrap(), [0, 0, 1]);
        // The others, where it is not free.
        let window = other.window(1, 18, [-8, 7], |at| at < 2);
        assert_eq!(window.unwrap(), [1, 5, 1]);
    }
}
