//! Files that a tool left: read if they are plain ones of a likely size, else never opened.

use std::fs::{FileType, OpenOptions};
use std::io::Read;
use std::path::Path;

/// The bytes of a plain file, at most this many. No link is followed, and no pipe waited for.
///
/// # Errors
/// What is wrong with the file, in words.
pub fn plain(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let refuse = |kind: FileType| match what(kind) {
        "a plain file" => Ok(()),
        other => Err(format!("is {other}; write the file itself")),
    };
    let read = |error: std::io::Error| format!("cannot be read: {error}");
    refuse(path.symlink_metadata().map_err(read)?.file_type())?;
    let mut options = OpenOptions::new();
    options.read(true);
    // Should another file take its place in between, it is neither followed nor waited for.
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    }
    let file = options.open(path).map_err(read)?;
    let metadata = file.metadata().map_err(read)?;
    refuse(metadata.file_type())?;
    let too_long = |length: u64| format!("is {length} bytes long, expected at most {most}");
    if metadata.len() > most {
        return Err(too_long(metadata.len()));
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(read)?;
    match bytes.len() as u64 {
        0 => Err("is empty".into()),
        length if length > most => Err(too_long(length)),
        _ => Ok(bytes),
    }
}

/// In words.
pub(super) fn what(kind: FileType) -> &'static str {
    if kind.is_file() {
        return "a plain file";
    }
    if kind.is_dir() {
        return "a folder";
    }
    if kind.is_symlink() {
        return "a symbolic link, which is not followed";
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "a pipe (FIFO)";
        }
        if kind.is_socket() {
            return "a socket";
        }
    }
    "a device"
}
