//! Blobs that come from a file, and what they say.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use trident::Blob;

use crate::export::BLOB;
use crate::quantize::writer::AlignedBytes;
use crate::run::Run;

/// The longest blob that is read, in bytes: far above any flash that it could be meant for.
pub const MOST_BLOB_BYTES: u64 = 64 << 20;

/// The largest arena that is made for a blob, in bytes.
const MOST_ARENA_BYTES: usize = 256 << 20;

/// Reads a whole file, as long as it may be a blob. A device that never ends is none.
///
/// # Errors
/// The file's own, and [`ErrorKind::FileTooLarge`].
pub fn read(path: &Path) -> io::Result<AlignedBytes> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BLOB_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BLOB_BYTES {
        let reason = format!("it has more than {} MiB, no blob is that long", MOST_BLOB_BYTES >> 20);
        return Err(io::Error::new(ErrorKind::FileTooLarge, reason));
    }
    Ok(AlignedBytes::copy_of(&bytes))
}

/// The file that a run folder or the name of a blob stands for, and its bytes, whatever they are.
///
/// # Errors
/// There is none.
pub fn of(model: &Path) -> anyhow::Result<(PathBuf, AlignedBytes)> {
    if !model.is_dir() {
        let bytes =
            read(model).with_context(|| format!("cannot read {}; name a run folder or a blob", model.display()))?;
        return Ok((model.to_owned(), bytes));
    }
    let path = model.join(BLOB);
    match read(&path) {
        Ok(bytes) => Ok((path, bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let run = Run::open(model)?;
            let folder = run.folder().display();
            Err(anyhow!(
                "{folder} has no {BLOB} yet; `trident quantize {folder}` makes it"
            ))
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// The same, where the bytes have passed all checks of a blob.
///
/// # Errors
/// There is none, or it is refused.
pub fn checked(model: &Path) -> anyhow::Result<(PathBuf, Vec<u8>)> {
    let (path, bytes) = of(model)?;
    Blob::new_exact(bytes.as_ref()).with_context(|| format!("{} is refused", path.display()))?;
    Ok((path, bytes.as_ref().to_vec()))
}

/// An arena of the length that a blob from anywhere asks for.
///
/// # Errors
/// It is longer than any microcontroller's memory.
pub fn arena_for(blob: &Blob<'_>) -> anyhow::Result<AlignedBytes> {
    let len = blob.graph().arena_len();
    if len > MOST_ARENA_BYTES {
        bail!(
            "it asks for an arena of {len} bytes; no microcontroller has more than {} MiB",
            MOST_ARENA_BYTES >> 20
        );
    }
    Ok(AlignedBytes::zeroed(len))
}

/// Words out of a blob for a terminal: what would steer it, or turn the direction of what follows, is written as `\u{…}`,
/// and a backslash as two.
pub fn printable(words: &str) -> String {
    let steers = |c: char| {
        c.is_control() || matches!(c, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut out = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            c if steers(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_steer_a_terminal_is_written_out() {
        assert_eq!(printable("bare ground, °C"), "bare ground, °C");
        assert_eq!(printable("a\x1b[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(printable("a\r\n\t\x07\x7f"), "a\\u{d}\\u{a}\\u{9}\\u{7}\\u{7f}");
        // The one-character form of ESC [, and a turn to the left.
        assert_eq!(printable("\u{9b}1A \u{202e}"), "\\u{9b}1A \\u{202e}");
        assert_eq!(printable("\\u{1b}"), "\\\\u{1b}");
    }

    #[test]
    fn a_file_without_end_is_no_blob() {
        let error = read(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
    }
}
