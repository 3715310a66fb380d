//! Inputs that know nothing of the hypotheses.

use reference::{ShapeError, Tensor};

use super::domain::Domain;
use super::random::Random;
use crate::model::Values;

/// How many inputs of each random kind there are.
const RANDOM: u64 = 16;

/// Extremes and all values in a row; then a few values on a ground of zeros, any values, edges
/// alone, small numbers.
pub(super) struct Undirected {
    ground: Values,
    domain: Domain,
    random: Random,
    made: u64,
}

impl Undirected {
    /// # Errors
    /// A shape of more values than there is memory for.
    pub(super) fn new(shape: &[usize], domain: Domain) -> Result<Self, ShapeError> {
        Ok(Self {
            ground: Tensor::full(shape, domain.zero)?,
            domain,
            random: Random(0),
            made: 0,
        })
    }
}

impl Iterator for Undirected {
    type Item = Values;

    fn next(&mut self) -> Option<Values> {
        let Domain { low, high, zero } = self.domain;
        let random = &mut self.random;
        let mut input = self.ground.clone();
        let values = input.data_mut();
        match self.made {
            0 => values.fill(high),
            1 => values.fill(low),
            2 => {
                for (at, value) in values.iter_mut().enumerate() {
                    *value = if at % 2 == 0 { high } else { low };
                }
            }
            3 => {
                let levels = (high - low) as usize + 1;
                for (at, value) in values.iter_mut().enumerate() {
                    *value = low + (at % levels) as f64;
                }
            }
            4 => {}
            made => match (made - 5) / RANDOM {
                0 if !values.is_empty() => {
                    for _ in 0..=random.below(4) {
                        let at = random.below(values.len() as u64) as usize;
                        values[at] = random.within(low, high);
                    }
                }
                0 => {}
                1 => values.fill_with(|| random.within(low, high)),
                2 => {
                    let edges = [
                        low,
                        low + 1.0,
                        zero - 1.0,
                        zero,
                        zero + 1.0,
                        high - 1.0,
                        high,
                    ];
                    let edges = edges.map(|x| x.clamp(low, high));
                    values.fill_with(|| edges[random.below(edges.len() as u64) as usize]);
                }
                // Sums that do not saturate.
                3 => values.fill_with(|| random.within(zero - 8.0, zero + 8.0).clamp(low, high)),
                _ => return None,
            },
        }
        self.made += 1;
        Some(input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODES: Domain = Domain {
        low: -128.0,
        high: 127.0,
        zero: -3.0,
    };

    fn of(count: usize, domain: Domain) -> Vec<Vec<f64>> {
        let inputs = Undirected::new(&[1, count], domain).unwrap();
        inputs.map(Tensor::into_data).collect()
    }

    /// What occurs, each once, in order.
    fn met(inputs: &[Vec<f64>]) -> Vec<f64> {
        let mut met = inputs.concat();
        met.sort_by(f64::total_cmp);
        met.dedup();
        met
    }

    #[test]
    fn the_first_are_extremes_and_all_values_in_a_row() {
        let few = Domain {
            low: -2.0,
            high: 1.0,
            zero: 0.0,
        };
        let expected = [
            [1.0; 6],
            [-2.0; 6],
            [1.0, -2.0, 1.0, -2.0, 1.0, -2.0],
            [-2.0, -1.0, 0.0, 1.0, -2.0, -1.0],
            [0.0; 6],
        ];
        assert_eq!(of(6, few)[..5], expected);
    }

    #[test]
    fn the_rest_are_random_of_four_kinds() {
        let inputs = of(256, CODES);
        assert_eq!(inputs.len(), 5 + 4 * 16);
        let kinds: Vec<&[Vec<f64>]> = inputs[5..].chunks(16).collect();
        for input in kinds[0] {
            let changed = input.iter().filter(|&&x| x != CODES.zero).count();
            assert!((1..=4).contains(&changed), "{changed}");
        }
        let every: Vec<f64> = (-128..=127).map(f64::from).collect();
        assert_eq!(met(kinds[1]), every);
        let edges = [-128.0, -127.0, -4.0, -3.0, -2.0, 126.0, 127.0];
        assert_eq!(met(kinds[2]), edges);
        let small: Vec<f64> = (-11..=5).map(f64::from).collect();
        assert_eq!(met(kinds[3]), small);
    }

    #[test]
    fn no_value_leaves_its_domain() {
        let pixels = Domain {
            low: 0.0,
            high: 255.0,
            zero: 0.0,
        };
        let inputs = of(64, pixels);
        assert!(inputs.concat().iter().all(|x| (0.0..=255.0).contains(x)));
        assert_eq!(of(0, CODES), vec![Vec::<f64>::new(); 69]);
    }
}
