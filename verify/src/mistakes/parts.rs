//! What the real size of an accumulator's step is made of.

use super::variant::{Form, OfParts};

/// The factors of c_i (eq. 8); in the absolute conventions s_W and S_I alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// s_Wi of the channel.
    pub own: f64,
    /// s_I; in the absolute conventions the scale of the layer's input.
    pub input: f64,
    /// (s_Wj, s_Oj) of the layers before, of the relative convention.
    pub history: Vec<(f64, f64)>,
}

impl Parts {
    /// The ways to leave the earlier layers out, whole or in part.
    pub(super) const WITHOUT_HISTORY: [Form<OfParts>; 4] = [
        ("", Self::without_history),
        ("only the last layer's kept", Self::with_last),
        ("only weight scales kept", Self::with_weights),
        ("only output scales kept", Self::with_outputs),
    ];

    /// All of them, in the order of eq. 8.
    pub fn all(&self) -> f64 {
        self.history
            .iter()
            .fold(self.own * self.input, |c, (w, o)| c * w * o)
    }

    /// Without s_Wi.
    pub fn without_own(&self) -> f64 {
        let others = Self {
            own: 1.0,
            ..self.clone()
        };
        others.all()
    }

    /// Without s_I.
    pub fn without_input(&self) -> f64 {
        let others = Self {
            input: 1.0,
            ..self.clone()
        };
        others.all()
    }

    /// Without all that came before.
    pub fn without_history(&self) -> f64 {
        self.own * self.input
    }

    /// With the scales of the last layer before only.
    pub fn with_last(&self) -> f64 {
        let last = (self.history.last()).map_or(1.0, |(w, o)| w * o);
        self.own * self.input * last
    }

    /// With the weight scales of the layers before only.
    pub fn with_weights(&self) -> f64 {
        (self.history.iter()).fold(self.own * self.input, |c, (w, _)| c * w)
    }

    /// With the output scales of the layers before only.
    pub fn with_outputs(&self) -> f64 {
        (self.history.iter()).fold(self.own * self.input, |c, (_, o)| c * o)
    }
}
