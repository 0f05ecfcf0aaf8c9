//! Keys in files.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use trident::PublicKey;
use trident::signature::SIGNATURE_LEN;

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// There is one already.
    #[error("{} is there already; a key is never overwritten", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// It is no key of the kind that is needed.
    #[error("{} is not an ed25519 {kind} key in PEM form; `trident key new` makes a pair", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
        /// Private or public.
        kind: &'static str,
    },
    /// Others may read it.
    #[error("{} can be read by others (mode {mode:03o}), so it is no secret; `chmod 600` it, if it was never copied", path.display())]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Weights could be forged for it.
    #[error("{} holds a weak key; `trident key new` makes a sound one", path.display())]
    Weak {
        /// The file.
        path: PathBuf,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
}

impl KeyError {
    fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::AlreadyExists => Self::Exists { path },
            _ => Self::Io { action, path, source },
        }
    }
}

/// A key to sign with.
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// A new one, from the system's random numbers.
    ///
    /// # Errors
    /// [`KeyError::Random`].
    pub fn random() -> Result<Self, KeyError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(KeyError::Random)?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// Writes the key to `path`, readable by its owner only, and its public half to `path` with `.pub` behind it, which it gives. Neither
    /// file may be there.
    ///
    /// # Errors
    /// [`KeyError`]; nothing is left behind then.
    pub fn save(&self, path: &Path) -> Result<PathBuf, KeyError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".pub");
        let public_path = PathBuf::from(name);
        let no_key = |_| KeyError::NoKey {
            path: path.to_owned(),
            kind: "private",
        };
        let secret = self.0.to_pkcs8_pem(LineEnding::LF).map_err(no_key)?;
        let public = self.0.verifying_key().to_public_key_pem(LineEnding::LF);
        let public = public.map_err(|error| no_key(error.into()))?;
        write_new(path, 0o600, secret.as_bytes())?;
        write_new(&public_path, 0o644, public.as_bytes()).inspect_err(|_| {
            // The error that counts is the one before.
            let _ = std::fs::remove_file(path);
        })?;
        Ok(public_path)
    }

    /// Reads a key.
    ///
    /// # Errors
    /// [`KeyError`]: it is none, or others may read it.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let metadata = std::fs::metadata(path).map_err(KeyError::io("read", path))?;
        let mode = metadata.mode() & 0o777;
        if mode & 0o077 != 0 {
            let path = path.to_owned();
            return Err(KeyError::Readable { path, mode });
        }
        let text = std::fs::read_to_string(path).map_err(KeyError::io("read", path))?;
        let key = SigningKey::from_pkcs8_pem(&text).map_err(|_| KeyError::NoKey {
            path: path.to_owned(),
            kind: "private",
        })?;
        Ok(Self(key))
    }

    /// The key that its signatures are checked with.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_LEN] {
        self.0.sign(message).to_bytes()
    }
}

/// Reads a public key.
///
/// # Errors
/// [`KeyError`]: it is none, or a weak one.
pub fn public_key(path: &Path) -> Result<PublicKey, KeyError> {
    let text = std::fs::read_to_string(path).map_err(KeyError::io("read", path))?;
    let key = VerifyingKey::from_public_key_pem(&text).map_err(|_| KeyError::NoKey {
        path: path.to_owned(),
        kind: "public",
    })?;
    let key = PublicKey(key.to_bytes());
    if !key.is_sound() {
        return Err(KeyError::Weak { path: path.to_owned() });
    }
    Ok(key)
}

fn write_new(path: &Path, mode: u32, bytes: &[u8]) -> Result<(), KeyError> {
    let mut file: File = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .map_err(KeyError::io("write", path))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(|error| {
        // Half a key is none; the error that counts is the one before.
        let _ = std::fs::remove_file(path);
        KeyError::io("write", path)(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_written_once_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.key");
        let key = SecretKey::random().unwrap();
        let public = key.save(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(SecretKey::load(&path).unwrap().public(), key.public());
        assert_eq!(public_key(&public).unwrap(), key.public());
        let before = std::fs::read(&path).unwrap();
        let again = SecretKey::random().unwrap().save(&path);
        assert!(matches!(again, Err(KeyError::Exists { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), before);
        // With the public half alone there, nothing is left of the other.
        std::fs::remove_file(&path).unwrap();
        let again = SecretKey::random().unwrap().save(&path);
        assert!(matches!(again, Err(KeyError::Exists { .. })));
        assert!(!path.exists());
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.key");
        let public = SecretKey::random().unwrap().save(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            SecretKey::load(&path),
            Err(KeyError::Readable { mode: 0o640, .. })
        ));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(public_key(&path), Err(KeyError::NoKey { kind: "public", .. })));
        std::fs::set_permissions(&public, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(
            SecretKey::load(&public),
            Err(KeyError::NoKey { kind: "private", .. })
        ));
    }
}
