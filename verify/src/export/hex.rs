//! Memory images for `$readmemh`: one for each kind of tensor, words in hexadecimal.
//!
//! ```text
//! weights.hex           the weights of all layers, one behind the other
//! biases.hex            the biases, a 32-bit word each
//! golden00.hex          of image 0: the input's codes, then the codes that each layer gives
//! accumulators00.hex    of image 0: the sums of each weighted layer, a 32-bit word each
//! tb_<layer>.v, mac.v   a test bench of one layer
//! ```
//!
//! The manifest says at which word of its file each tensor begins.

mod bench;
mod layout;
mod options;
mod readmemh;

pub use layout::{Layout, Place};
pub use options::{First, HexOptions, Word};

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write;

use readmemh::Memory;

use super::manifest::{Manifest, TensorEntry, image_field, image_file, with_manifest};
use super::{Array, Artifact, ExportError, Files, Format, Kind, Request, arrays};

pub(super) const FORMAT: Format = Format {
    name: "hex",
    what: "memory images for $readmemh with a map of their addresses, and a Verilog test bench",
    next: "weights.hex, biases.hex (if there are biases) and of each image golden<image>.hex and\n\
           accumulators<image>.hex for $readmemh; manifest.txt says at which word each tensor begins.\n\
           The test bench of a layer, in that folder:\n\n    \
           iverilog -o tb tb_*.v mac.v requantize.v && vvp tb",
    make,
};

/// The file of a kind of tensor.
fn file(kind: Kind, images: usize) -> Option<String> {
    let field = image_field(images);
    match kind {
        Kind::Pixels => None,
        Kind::Weights => Some("weights.hex".into()),
        Kind::Biases => Some("biases.hex".into()),
        Kind::Accumulators => Some(format!("accumulators{field}.hex")),
        Kind::Codes => Some(format!("golden{field}.hex")),
    }
}

fn make(request: &Request) -> Result<Vec<Artifact>, ExportError> {
    let (options, images) = (&request.options.hex, request.options.images);
    let mut arrays = arrays(request, FORMAT.name)?;
    // Pixels become codes before the memory that a design has.
    arrays.retain(|array| array.kind != Kind::Pixels);
    let (mut tensors, mut artifacts) = (Vec::new(), Vec::new());
    for kind in [Kind::Weights, Kind::Biases, Kind::Codes, Kind::Accumulators] {
        let Some(file) = file(kind, images) else {
            continue;
        };
        let placed = place(arrays.iter().filter(|array| array.kind == kind), options);
        if placed.is_empty() {
            continue;
        }
        let copies = if kind.is_per_image() { images } else { 1 };
        for image in 0..copies {
            let text = text(&placed, image, options);
            artifacts.push(Artifact::text(image_file(&file, image), text));
        }
        tensors.extend(placed.into_iter().map(|(array, place)| TensorEntry {
            place: Some(place),
            ..TensorEntry::new(array, array.item_shape(), &file)
        }));
    }
    // In the order in which they are needed.
    tensors.sort_by_key(|tensor| arrays.iter().position(|array| array.name == tensor.name));
    artifacts.extend(bench::make(request, &tensors)?);
    with_manifest(request, FORMAT.name, tensors, artifacts)
}

/// The tensors of a file, one behind the other.
fn place<'a>(
    arrays: impl Iterator<Item = &'a Array>,
    options: &HexOptions,
) -> Vec<(&'a Array, Place)> {
    let mut base_address = 0;
    let place = |array: &'a Array| {
        let layout = Layout::new(array, options);
        let words = layout.words(array.item(0).len());
        let place = Place {
            base_address,
            words,
            layout,
        };
        base_address += words;
        (array, place)
    };
    arrays.map(place).collect()
}

/// One word a line.
fn text(placed: &[(&Array, Place)], image: usize, options: &HexOptions) -> String {
    let mut text = String::new();
    for (array, place) in placed {
        if options.comments {
            let shape = array.item_shape();
            let (name, dtype) = (&array.name, array.dtype.name());
            let from = place.base_address;
            let to = from + place.words;
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "// {name} {dtype} {shape:?}: words {from} to {}",
                to.saturating_sub(1)
            );
        }
        let digits = place.layout.word_bits as usize / 4;
        for word in place.layout.pack(array.item(image)) {
            let _ = writeln!(text, "{word:0digits$X}");
        }
    }
    text
}

pub(super) fn decode(manifest: &Manifest, files: &Files) -> Result<Vec<Array>, String> {
    let mut memories = Memories {
        files,
        read: BTreeMap::new(),
    };
    let read = |tensor| memories.array(tensor, manifest.images);
    manifest.tensors.iter().map(read).collect()
}

/// The files as memories, each read once: of several widths if it is asked for so.
struct Memories<'a> {
    files: &'a Files,
    read: BTreeMap<(String, u32), Memory>,
}

impl Memories<'_> {
    fn array(&mut self, tensor: &TensorEntry, images: usize) -> Result<Array, String> {
        let of = |why: String| format!("{}: {why}", tensor.name);
        let place = (tensor.place.as_ref()).ok_or_else(|| of("no address".into()))?;
        let len = super::read::volume(&tensor.shape)
            .filter(|&len| place.layout.checked_words(len, tensor.dtype) == Some(place.words));
        let len = len.ok_or_else(|| {
            of(format!(
                "shape {:?} of {} is not {} words, {}",
                tensor.shape,
                tensor.dtype.name(),
                place.words,
                place.layout
            ))
        })?;
        let copies = if tensor.kind.is_per_image() {
            images
        } else {
            1
        };
        let mut values = Vec::new();
        for image in 0..copies {
            let file = tensor.file_of(image);
            let memory = self.memory(&file, place.layout.word_bits)?;
            let words = memory.words(place.base_address, place.words);
            let read = words.and_then(|words| place.layout.unpack(&words, len, tensor.dtype));
            values.append(&mut read.map_err(|why| of(format!("{file}: {why}")))?);
        }
        let shape = match tensor.kind.is_per_image() {
            true => [&[images], &tensor.shape[..]].concat(),
            false => tensor.shape.clone(),
        };
        Ok(tensor.array(shape, values))
    }

    fn memory(&mut self, file: &str, bits: u32) -> Result<&Memory, String> {
        Ok(match self.read.entry((file.to_owned(), bits)) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(vacant) => {
                let memory = readmemh::parse(self.files.text(file)?, bits);
                vacant.insert(memory.map_err(|why| format!("{file}: {why}"))?)
            }
        })
    }
}
