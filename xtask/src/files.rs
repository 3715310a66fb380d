//! Files that commands write.

pub(crate) use verify::files::{make, replace, replace_npy};
