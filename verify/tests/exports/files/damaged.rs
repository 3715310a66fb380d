//! Exports that are damaged, and what reading them says.

use std::fs;
use std::path::Path;

use verify::export::{MANIFEST, Manifest, publish, read};

use super::{lab, of};

/// An export in a folder, with one file changed, and what reading it says.
fn said(format: &str, change: impl FnOnce(&Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    publish(&lab().export(format, &of(1)).unwrap(), &out).unwrap();
    change(&out);
    read(&out).unwrap_err().why
}

/// Rewrites a file, and its entry in the manifest.
fn forge(out: &Path, file: &str, old: &str, new: &str) {
    let path = out.join(file);
    let bytes = fs::read_to_string(&path).unwrap();
    let forged = bytes.replacen(old, new, 1);
    assert_ne!(bytes, forged, "{old}");
    fs::write(&path, &forged).unwrap();
    if file != MANIFEST {
        let mut manifest: Manifest =
            serde_json::from_slice(&fs::read(out.join(MANIFEST)).unwrap()).unwrap();
        let entry = manifest
            .files
            .iter_mut()
            .find(|entry| entry.path == file)
            .unwrap();
        entry.bytes = forged.len() as u64;
        entry.sha256 = fixtures::sha256(forged.as_bytes());
        fs::write(
            out.join(MANIFEST),
            serde_json::to_string(&manifest).unwrap(),
        )
        .unwrap();
    }
}

#[test]
fn damaged_exports_are_refused() {
    let cases: [(&str, &str, &str, &str, &str); 12] = [
        (
            "npy",
            MANIFEST,
            "\"version\": 1",
            "\"version\": 2",
            "version 2, expected 1",
        ),
        (
            "npy",
            MANIFEST,
            "\"format\": \"npy\"",
            "\"format\": \"tar\"",
            "format \"tar\"",
        ),
        (
            "npy",
            MANIFEST,
            "\"path\": \"input.npy\"",
            "\"path\": \"../input.npy\"",
            "outside of the folder",
        ),
        (
            "npy",
            MANIFEST,
            "\"file\": \"conv1.npy\"",
            "\"file\": \"conv9.npy\"",
            "no file \"conv9.npy\"",
        ),
        (
            "npy",
            MANIFEST,
            "\"dtype\": \"uint8\"",
            "\"dtype\": \"int8\"",
            "pixels.npy: dtype \"|u1\", expected \"|i1\"",
        ),
        (
            "csv",
            "conv1.weight.csv",
            "\n",
            "\nx\n",
            "\"x\", value 1, is no number",
        ),
        (
            "csv",
            "conv1.weight.csv",
            "\n",
            "\n128\n",
            "\"128\", value 1, is no int8",
        ),
        (
            "csv",
            "conv1.weight.csv",
            "\n",
            "\n0\n",
            "451 values, the manifest says shape [6, 3, 5, 5]",
        ),
        (
            "hex",
            "weights.hex",
            "\n",
            "\n0000000x\n",
            "line 2: \"0000000x\" is unknown",
        ),
        (
            "hex",
            "weights.hex",
            "\n",
            "\n@1\n",
            "no word at address 0 + 0",
        ),
        ("dory", "out_layer0.txt", ",", "", "a line without a comma"),
        (
            "dory",
            "input.txt",
            "\n",
            "\n0.5,\n",
            "\"0.5\", value 1, is no int8",
        ),
    ];
    for (format, file, old, new, expected) in cases {
        let said = said(format, |out| forge(out, file, old, new));
        assert!(said.contains(expected), "{format} {file} {new}: {said}");
    }
    let changed = said("csv", |out| fs::write(out.join("fc3.csv"), "1\n").unwrap());
    assert!(
        changed.contains("fc3.csv is not the file of the manifest"),
        "{changed}"
    );
    let missing = said("hex", |out| {
        fs::remove_file(out.join("weights.hex")).unwrap()
    });
    assert!(missing.contains("weights.hex cannot be read"), "{missing}");
    let none = said("npy", |out| fs::remove_file(out.join(MANIFEST)).unwrap());
    assert!(none.contains("manifest.json cannot be read"), "{none}");
}

/// Addresses and shapes that would take all memory, or none, are errors.
#[test]
fn a_hostile_map_of_addresses_is_refused() {
    for (old, new) in [
        ("\"words\": ", "\"words\": 9999999999"),
        (
            "\"base_address\": 0",
            "\"base_address\": 18446744073709551615",
        ),
        ("\"row\": 5", "\"row\": 0"),
        ("\"padded_row\": 5", "\"padded_row\": 4"),
        ("\"padded_row\": 5", "\"padded_row\": 18446744073709551615"),
        ("\"values_per_word\": 4", "\"values_per_word\": 0"),
        ("\"values_per_word\": 4", "\"values_per_word\": 1"),
        ("\"word_bits\": 32", "\"word_bits\": 0"),
        ("\"word_bits\": 32", "\"word_bits\": 8"),
        ("\"images\": 1,", "\"images\": 18446744073709551615,"),
    ] {
        let said = said("hex", |out| forge(out, MANIFEST, old, new));
        assert!(!said.is_empty());
    }
}
