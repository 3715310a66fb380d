//! How codes of a grid are stored.

use quant::scheme::QuantParams;

/// Codes of one tensor, stored as bytes or words: each less an origin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    pub(super) params: QuantParams,
    pub(super) element: Element,
    origin: i32,
}

/// What a code is stored in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    /// u8, from the lowest code on.
    Byte,
    /// s16, from the zero point on; where that does not fit, from the lowest code, which is
    /// then −2¹⁵.
    Word,
}

impl Form {
    /// Bytes, if there are no more codes than they hold.
    pub(super) fn new(params: QuantParams) -> Self {
        let grid = params.grid;
        let element = match grid.steps() <= i32::from(u8::MAX) {
            true => Element::Byte,
            false => Element::Word,
        };
        let far = [grid.low(), grid.high()].map(|code| code - params.zero_point);
        let origin = match element {
            Element::Byte => grid.low(),
            Element::Word if far.iter().all(|&v| i16::try_from(v).is_ok()) => params.zero_point,
            Element::Word => grid.low() - i32::from(i16::MIN),
        };
        Self {
            params,
            element,
            origin,
        }
    }

    /// The stored zero point.
    pub(super) fn zero(&self) -> i32 {
        self.params.zero_point - self.origin
    }

    /// The least and the largest stored code.
    pub(super) fn stored(&self) -> [i32; 2] {
        [self.params.grid.low(), self.params.grid.high()].map(|code| code - self.origin)
    }

    /// A code as it is stored.
    pub(super) fn store(&self, code: i32) -> i32 {
        code - self.origin
    }
}
