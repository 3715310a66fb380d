//! `docs/mistakes/` has a page for each mistake, and no other.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

#[test]
fn every_page_is_what_the_registry_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/mistakes");
    let expected: BTreeMap<String, String> = verify::mistakes::pages().into_iter().collect();
    let files = fs::read_dir(&folder).unwrap().map(|file| file.unwrap());
    let found: BTreeMap<String, String> = files
        .map(|file| {
            let name = file.file_name().into_string().unwrap();
            (name, fs::read_to_string(file.path()).unwrap())
        })
        .collect();
    let names = found.keys().chain(expected.keys());
    let wrong: Vec<&String> = names
        .filter(|name| found.get(*name) != expected.get(*name))
        .collect();
    assert!(
        wrong.is_empty(),
        "missing, surplus or stale: {wrong:?}; `cargo xtask mistakes --write` writes them anew"
    );
}
