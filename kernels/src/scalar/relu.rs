//! The rectifier on codes.

/// `q = max(0, q)`.
pub(super) fn relu_s8_scalar(codes: &mut [i8]) {
    for code in codes {
        *code = (*code).max(0);
    }
}
