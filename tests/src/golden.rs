//! Golden files: text beside the tests, rewritten by `BLESS=1` and compared otherwise.

use std::path::{Path, PathBuf};

/// Whether golden files are to be rewritten.
pub fn blessing() -> bool {
    std::env::var_os("BLESS").is_some_and(|value| value == "1")
}

/// The workspace's folder.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Asserts that the golden file of that name holds `actual`; with `BLESS=1` it does so afterwards.
///
/// # Panics
/// If it does not, or cannot be read or written.
pub fn assert_golden(name: &str, actual: &str) {
    let path = workspace().join("tests/golden").join(name);
    if blessing() {
        std::fs::write(&path, actual).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        expected == actual,
        "{} differs; if that is meant, run again with BLESS=1\nexpected:\n{expected}\nactual:\n{actual}",
        path.display()
    );
}
