//! Files that commands write.

pub(crate) use verify::files::{make, new_folder, replace, replace_npy, vacant};
