//! `identify`, `certify`, `contracts` as a user meets them.

mod certify;
mod identify;
mod matrices;
mod operands;

use std::fs;
use std::path::Path;

pub(crate) use crate::front_door::{text, xtask};

pub(crate) fn npy(path: &Path, descr: &str, shape: &str, data: &[u8]) {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    let bytes = [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat();
    fs::write(path, bytes).unwrap();
}
