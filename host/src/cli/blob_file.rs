//! A blob that a command was pointed to, by its file or by the run folder that holds it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use trident::Blob;

use crate::export::BLOB;
use crate::quantize::writer::AlignedBytes;

/// The blob's file and its bytes, which have passed all checks of a blob.
///
/// # Errors
/// There is none, or it is refused.
pub fn read(model: &Path) -> anyhow::Result<(PathBuf, Vec<u8>)> {
    let is_run = model.is_dir();
    let path = if is_run { model.join(BLOB) } else { model.to_owned() };
    let bytes = std::fs::read(&path).map_err(|error| {
        if is_run && error.kind() == ErrorKind::NotFound {
            anyhow!("{0} holds no {BLOB}; `trident quantize {0}` makes it", model.display())
        } else {
            anyhow::Error::new(error).context(format!("cannot read {}", path.display()))
        }
    })?;
    let aligned = AlignedBytes::copy_of(&bytes);
    Blob::new_exact(aligned.as_ref()).with_context(|| format!("{} is refused", path.display()))?;
    Ok((path, bytes))
}
