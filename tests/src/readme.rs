//! Parts of the README that tests write: each stands between two comments, `<!-- name -->` and `<!-- /name -->`.

use std::sync::Mutex;

use crate::golden::{blessing, workspace};

/// The README.
///
/// # Panics
/// If it cannot be read.
pub fn readme() -> String {
    std::fs::read_to_string(workspace().join("README.md")).expect("the README is there")
}

/// The README has exactly `expected` between the marker's comments. `BLESS=1` writes it there.
///
/// # Panics
/// If it has something else, or no such comments.
#[track_caller]
pub fn assert_shows(marker: &str, expected: &str) {
    // Tests run at the same time; both would write the one file.
    static README: Mutex<()> = Mutex::new(());
    let _guard = README.lock();
    let readme = readme();
    let (start, end) = (format!("<!-- {marker} -->\n"), format!("<!-- /{marker} -->"));
    let (_, rest) = readme.split_once(&start).expect("the block begins");
    let (found, _) = rest.split_once(&end).expect("the block ends");
    if blessing() {
        let blessed = readme.replace(&format!("{start}{found}{end}"), &format!("{start}{expected}{end}"));
        std::fs::write(workspace().join("README.md"), blessed).expect("the README can be written");
    } else {
        assert_eq!(found, expected, "BLESS=1 writes it into the README");
    }
}
