//! A manifest as a table to read.

use comfy_table::{CellAlignment, Table, presets};

use super::Manifest;

/// A heading, a line for each tensor, the files.
pub(super) fn table(manifest: &Manifest) -> String {
    let Manifest {
        network,
        scheme,
        contract,
        requantization,
        images,
        ..
    } = manifest;
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    let placed = manifest.tensors.iter().any(|tensor| tensor.place.is_some());
    let mut header = vec![
        "tensor",
        "kind",
        "type",
        "shape",
        "scale",
        "zero point",
        "file",
    ];
    if placed {
        header.extend(["address", "words", "layout"]);
    }
    table.set_header(&header);
    for tensor in &manifest.tensors {
        let mut row = vec![
            tensor.name.clone(),
            tensor.kind.name().into(),
            tensor.dtype.name().into(),
            shape(&tensor.shape),
            several(&tensor.scales, |scale| format!("{scale:.6e}")),
            several(&tensor.zero_points, i32::to_string),
            tensor.file.clone(),
        ];
        if let Some(place) = &tensor.place {
            row.extend([
                place.base_address.to_string(),
                place.words.to_string(),
                place.layout.to_string(),
            ]);
        }
        table.add_row(row);
    }
    for (column, name) in table.column_iter_mut().zip(&header) {
        column.set_padding((0, 2));
        if ["zero point", "address", "words"].contains(name) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    format!(
        "{network}, scheme {scheme}, contract {contract}; images: {images}\n\
         requantization: {requantization}\n\n{}\n\n{} files, {} bytes; sha256 in {}\n",
        table.trim_fmt(),
        manifest.files.len(),
        manifest.files.iter().map(|file| file.bytes).sum::<u64>(),
        super::MANIFEST,
    )
}

fn shape(shape: &[usize]) -> String {
    let extents: Vec<String> = shape.iter().map(ToString::to_string).collect();
    extents.join("×")
}

/// One value, or the first of one an output channel and how many there are.
fn several<T>(values: &[T], text: impl Fn(&T) -> String) -> String {
    match values {
        [] => String::new(),
        [value] => text(value),
        [first, ..] => format!("{} … ({})", text(first), values.len()),
    }
}
