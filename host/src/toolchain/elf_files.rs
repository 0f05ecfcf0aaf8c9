//! Built firmware where it is run from: one ELF file per board, image, and key or model.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

use trident::{Pin, PublicKey};

use super::ToolchainError;
use crate::hex;

/// How long firmware with a key, or for one model, is kept after it was last asked for.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// What stands behind the image's name in the name of its file, where a key is in it.
pub(super) fn key_suffix(key: &PublicKey) -> String {
    format!("-{}", hex::encode(&key.0[..8]))
}

/// What stands behind the image's name in the name of its file, where it is for one model.
pub(super) fn pin_suffix(pin: &Pin) -> String {
    format!("-{:08x}", pin.header.crc)
}

/// Copies `built` to `elf` in one step, unless it is there already: an emulator may be about to read it. Either way `elf` is as of now.
pub(super) fn place(built: &Path, elf: &Path) -> Result<(), ToolchainError> {
    let new = std::fs::read(built).map_err(ToolchainError::io("read", built))?;
    if std::fs::read(elf).is_ok_and(|old| old == new) {
        let touched = File::options().append(true).open(elf);
        let touched = touched.and_then(|file| file.set_modified(SystemTime::now()));
        return touched.map_err(ToolchainError::io("write", elf));
    }
    let partial = elf.with_extension("elf.partial");
    std::fs::write(&partial, new).map_err(ToolchainError::io("write", &partial))?;
    std::fs::rename(&partial, elf).map_err(ToolchainError::io("write", elf))
}

/// Removes firmware beside `elf` that differs from it in its key or model only and was not asked for lately: each makes a file of its own.
pub(super) fn forget_others(elf: &Path) -> Result<(), ToolchainError> {
    let (Some(folder), Some(image)) = (elf.parent(), without_suffix(elf)) else {
        return Ok(());
    };
    let entries = std::fs::read_dir(folder).map_err(ToolchainError::io("read", folder))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        let age = path.metadata().and_then(|file| file.modified());
        let is_old = age.is_ok_and(|age| age.elapsed().is_ok_and(|age| age > KEPT));
        if path != elf && is_old && without_suffix(&path) == Some(image) {
            std::fs::remove_file(&path).map_err(ToolchainError::io("remove", &path))?;
        }
    }
    Ok(())
}

/// What stands before the key or model in the name of firmware that has one: see [`key_suffix`] and [`pin_suffix`].
fn without_suffix(elf: &Path) -> Option<&str> {
    let (image, suffix) = elf.file_name()?.to_str()?.strip_suffix(".elf")?.rsplit_once('-')?;
    let is_one = [8, 16].contains(&suffix.len()) && suffix.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_one.then_some(image)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn firmware_with_another_key_goes_when_nobody_asked_for_it_lately() {
        let folder = tempfile::tempdir().unwrap();
        let built = folder.path().join("built");
        std::fs::write(&built, "firmware").unwrap();
        let placed = |name: &str, days: u64| {
            let elf = folder.path().join(name);
            place(&built, &elf).unwrap();
            let then = SystemTime::now() - Duration::from_secs(days * 24 * 60 * 60);
            File::options()
                .append(true)
                .open(&elf)
                .unwrap()
                .set_modified(then)
                .unwrap();
            elf
        };
        let key = |byte: u8| key_suffix(&PublicKey([byte; 32]));
        let own = placed(&format!("board{}.elf", key(1)), 9);
        let lately = placed(&format!("board{}.elf", key(2)), 0);
        let old = placed(&format!("board{}.elf", key(3)), 2);
        let others = [
            format!("board-recovery{}.elf", key(3)),
            format!("board-b{}.elf", key(3)),
            "board.elf".to_owned(),
            "board-engine-1-3.elf".to_owned(),
            format!("board{}.elf.partial", key(3)),
        ];
        let others = others.map(|name| placed(&name, 9));
        // What is asked for again is as of now.
        place(&built, &own).unwrap();
        assert!(own.metadata().unwrap().modified().unwrap().elapsed().unwrap() < KEPT);
        forget_others(&own).unwrap();
        assert!(own.exists() && lately.exists() && others.iter().all(|other| other.exists()));
        assert!(!old.exists());
    }
}
