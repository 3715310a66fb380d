//! Every layer's tensor as npy: codes in one byte, accumulators in four.

use super::{Artifact, Dump, ExportError, Format, Request};
use crate::files::npy_bytes;

pub(super) const FORMAT: Format = Format {
    name: "npy",
    what: "every layer's tensor before and after requantization, ReLU and pooling",
    make,
};

fn make(request: &Request) -> Result<Vec<Artifact>, ExportError> {
    let dump = Dump::new(request)?;
    let file = |layer: &super::Layer| {
        let (shape, data) = (layer.values.shape(), layer.values.data());
        let bytes = match (layer.is_accumulators, layer.is_signed) {
            (true, _) => npy_bytes(shape, &data.iter().map(|&x| x as i32).collect::<Vec<_>>()),
            (_, true) => npy_bytes(shape, &data.iter().map(|&x| x as i8).collect::<Vec<_>>()),
            (_, false) => npy_bytes(shape, &data.iter().map(|&x| x as u8).collect::<Vec<_>>()),
        };
        Ok(Artifact::bytes(format!("{}.npy", layer.name), bytes?))
    };
    dump.layers.iter().map(file).collect()
}
