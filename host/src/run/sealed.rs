//! Binary files that notice damage, and files that are there whole or not at all.
//!
//! A sealed file: a line that says what it is, the CRC-32/ISO-HDLC of the rest (little-endian), a postcard value.

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a sealed file cannot be read or made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// It starts otherwise.
    #[error("it is not a `{0}` file of this version")]
    Kind(&'static str),
    /// Its bytes changed.
    #[error("it is damaged: its checksum does not fit")]
    Checksum,
    /// Its contents have another form.
    #[error("its contents do not fit this version: {0}")]
    Contents(#[from] postcard::Error),
}

impl SealError {
    /// Whether the file is whole, and of a form that this version does not know.
    pub(crate) fn is_other_version(&self) -> bool {
        matches!(self, Self::Kind(_) | Self::Contents(_))
    }
}

/// The bytes of a sealed file.
///
/// # Errors
/// If postcard cannot hold the value.
pub fn seal<T: Serialize>(kind: &'static str, value: &T) -> Result<Vec<u8>, SealError> {
    let body = postcard::to_stdvec(value)?;
    let mut bytes = first_line(kind).into_bytes();
    bytes.extend(checksum(&body).to_le_bytes());
    bytes.extend(body);
    Ok(bytes)
}

/// The value of a sealed file.
///
/// # Errors
/// If it is of another kind, or damaged.
pub fn unseal<T: DeserializeOwned>(kind: &'static str, bytes: &[u8]) -> Result<T, SealError> {
    let rest = bytes
        .strip_prefix(first_line(kind).as_bytes())
        .ok_or(SealError::Kind(kind))?;
    let (stored, body) = rest.split_first_chunk::<4>().ok_or(SealError::Checksum)?;
    if u32::from_le_bytes(*stored) != checksum(body) {
        return Err(SealError::Checksum);
    }
    Ok(postcard::from_bytes(body)?)
}

/// Writes a file under another name and renames it, so that a reader never meets half of it.
///
/// # Errors
/// Whatever the file system says.
pub fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    // Left to itself, a temporary file is for its owner's eyes only; a run's files are as public as the umask lets files be.
    let permissions = Permissions::from_mode(0o666);
    let mut file = tempfile::Builder::new()
        .prefix(".writing-")
        .permissions(permissions)
        .tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn first_line(kind: &str) -> String {
    format!("trident {kind} 1\n")
}

fn checksum(bytes: &[u8]) -> u32 {
    crc::Crc::<u32, crc::Table<16>>::new(&crc::CRC_32_ISO_HDLC).checksum(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_noticed() {
        let value = vec![1.5f32, -0.0, f32::MIN_POSITIVE];
        let bytes = seal("test", &value).unwrap();
        assert_eq!(unseal::<Vec<f32>>("test", &bytes).unwrap(), value);
        assert!(matches!(
            unseal::<Vec<f32>>("other", &bytes),
            Err(SealError::Kind("other"))
        ));
        for index in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[index] ^= 4;
            assert!(unseal::<Vec<f32>>("test", &damaged).is_err(), "byte {index}");
            assert!(unseal::<Vec<f32>>("test", &bytes[..index]).is_err(), "cut at {index}");
        }
    }

    #[test]
    fn a_file_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        write_whole(&path, b"one").unwrap();
        write_whole(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing else is left"
        );
    }
}
