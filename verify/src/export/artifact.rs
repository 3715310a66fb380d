//! A file before it is written.

/// A file of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Below the folder of the export, `/` between folders; never absolute, no `..`.
    pub path: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

impl Artifact {
    /// A file of text.
    pub fn text(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            bytes: text.into().into_bytes(),
        }
    }

    /// A file of bytes.
    pub fn bytes(path: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self {
            path: path.into(),
            bytes,
        }
    }
}
