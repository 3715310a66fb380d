//! Is the bound of eq. 18 to 21 sound, and is it tight?
//!
//! Random layers of every scheme and random networks look for a code outside it; an
//! adversary lines the rounding errors up to come as near as it can.

mod adversary;
mod layer;
mod network;
mod random;

pub use adversary::{Attack, attack};
pub use layer::layer;
pub use network::{network, random_network};
pub use random::Random;

/// What one random case showed.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The largest share of the bound that any code used; above 1 is a violation.
    pub share: f64,
    /// The same among the outputs that the codes can reach: where clamping is not all.
    pub inside: f64,
    /// What the case had in it.
    pub covered: Vec<&'static str>,
}

impl Finding {
    /// Whether a code lies outside its bound.
    pub fn is_violation(&self) -> bool {
        self.share > 1.0
    }
}
