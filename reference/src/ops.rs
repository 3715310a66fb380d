//! The operators, one a file.

mod add;
mod average_pool2d;
mod conv2d;
mod flatten;
mod linear;
mod log_softmax;
mod max_pool2d;
mod relu;

pub use add::add;
pub use average_pool2d::{AveragePoolGeometry, average_pool2d};
pub use conv2d::{conv2d, conv2d_sums};
pub(crate) use flatten::flat_shape;
pub use flatten::flatten;
pub(crate) use linear::check_bias;
pub use linear::{linear, linear_shape, linear_sums};
pub use log_softmax::log_softmax;
pub use max_pool2d::max_pool2d;
pub use relu::relu;
