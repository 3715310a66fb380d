//! Why shapes do not fit together.

/// A shape that an operator or a network cannot take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// The number of values is not the product of the shape.
    #[error("shape {shape:?} holds {expected} values, got {got}")]
    Length {
        /// The shape asked for.
        shape: Vec<usize>,
        /// The product of the shape.
        expected: usize,
        /// The number of values given.
        got: usize,
    },
    /// The product of the shape is more than is allocated here, or than a `usize` holds.
    #[error("shape {shape:?} holds too many values to allocate")]
    TooLarge {
        /// The shape asked for.
        shape: Vec<usize>,
    },
    /// A tensor has the wrong number of axes.
    #[error("{what}: expected {expected} axes, got shape {got:?}")]
    Rank {
        /// Which tensor.
        what: &'static str,
        /// The number of axes that it must have.
        expected: usize,
        /// Its shape.
        got: Vec<usize>,
    },
    /// Two sizes that must agree do not.
    #[error("{what}: expected {expected}, got {got}")]
    Mismatch {
        /// Which size.
        what: &'static str,
        /// What it must be.
        expected: usize,
        /// What it is.
        got: usize,
    },
    /// Two shapes that must agree do not.
    #[error("{what}: expected shape {expected:?}, got {got:?}")]
    Shapes {
        /// Which tensor.
        what: &'static str,
        /// The shape that it must have.
        expected: Vec<usize>,
        /// Its shape.
        got: Vec<usize>,
    },
    /// A size, kernel, stride, padding, dilation or group count that means nothing.
    #[error("geometry: {0}")]
    Geometry(String),
    /// The same, in a named layer of a network.
    #[error("network {network}, layer {layer}: {source}")]
    Layer {
        /// The network's name.
        network: String,
        /// The layer's name.
        layer: String,
        /// What is wrong with it.
        source: Box<ShapeError>,
    },
}
