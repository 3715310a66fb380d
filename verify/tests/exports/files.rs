//! npy, csv, hex, DORY's text.

use verify::export::Options;
use verify::model::{GOLDEN, ModelScheme};

use crate::subject::Subject;

#[test]
fn every_node_is_a_file() {
    let subject = Subject::new("lab", ModelScheme::MaxAbs, GOLDEN);
    let options = Options { images: 1 };
    let artifacts = subject.export("npy", &options).unwrap();
    for node in &subject.model.nodes {
        let path = format!("{}.npy", node.name);
        assert!(artifacts.iter().any(|file| file.path == path), "{path}");
    }
    assert_eq!(artifacts.len(), subject.model.nodes.len());
}
