//! The small numbers that a kernel takes beside its tensors: `Sx_Infos`.

/// The infos of a convolution or a linear layer in 8 bits; all that is not here is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Infos {
    relu: Option<i8>,
}

impl Infos {
    /// Of a layer with a ReLU in it, given the zero point of its output, or of one without.
    ///
    /// The ReLU keeps the scale: its multiplier is 1 and its shift 0.
    pub fn new(relu: Option<i8>) -> Self {
        Self { relu }
    }

    /// The 13 bytes of release 4.22: multiplier and shift of the activation, A0, B0 and C0 of two
    /// bytes each, then bias shift, shift, output scale, its shift, and shift before scaling.
    ///
    /// A0 is the ReLU's zero. Its high byte stays 0 where it is negative: the 8-bit kernels read
    /// the low byte alone.
    pub fn bytes(self) -> [i8; 13] {
        let mut bytes = [0; 13];
        if let Some(zero) = self.relu {
            (bytes[0], bytes[2]) = (1, zero);
        }
        bytes
    }

    /// The 9 bytes of release 4.0.0: multiplier and shift of the activation, A0, B0, C0, bias
    /// shift, shift, output scale, its shift.
    pub fn bytes_of_4_0(self) -> [i8; 9] {
        let mut bytes = [0; 9];
        if let Some(zero) = self.relu {
            (bytes[0], bytes[2]) = (1, zero);
        }
        bytes
    }
}
