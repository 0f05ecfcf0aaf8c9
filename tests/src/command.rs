//! The `trident` command in a folder of its own, as a user types it.
//!
//! ```text
//! Folder::new(program) ─► write files ─► trident("train -c trident.toml -o run") ─► Said ─► succeeds() or fails(…)
//! ```

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use image::{GrayImage, Luma, Rgb, RgbImage};
use serde_json::Value;
use tempfile::TempDir;

/// A temporary folder, and the program that is run in it.
#[derive(Debug)]
pub struct Folder {
    folder: TempDir,
    program: PathBuf,
}

/// What a command said, and how it ended.
#[derive(Debug)]
pub struct Said {
    /// The words that were typed.
    pub words: String,
    /// The exit status; `None` if a signal ended it.
    pub status: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Folder {
    /// An empty folder for that program.
    ///
    /// # Panics
    /// If there is no room for temporary files.
    pub fn new(program: &str) -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            program: program.into(),
        }
    }

    /// A copy of everything in it.
    ///
    /// # Panics
    /// If a file cannot be copied.
    pub fn copy(&self) -> Self {
        let copy = Self::new(&self.program.to_string_lossy());
        copy_all(self.folder.path(), copy.folder.path());
        copy
    }

    /// The path of a file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, and the folders above it.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.with_parents(name), bytes).expect("the file is written");
    }

    /// The bytes of a file.
    ///
    /// # Panics
    /// If it cannot be read.
    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Writes an RGB picture of that width and height, in the format that the name asks for.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn picture(&self, name: &str, [width, height]: [u32; 2], pixel: impl Fn(u32, u32) -> [u8; 3]) {
        let picture = RgbImage::from_fn(width, height, |x, y| Rgb(pixel(x, y)));
        picture.save(self.with_parents(name)).expect("the picture is written");
    }

    /// Writes a grey picture of class numbers.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn indices(&self, name: &str, [width, height]: [u32; 2], class: impl Fn(u32, u32) -> u8) {
        let picture = GrayImage::from_fn(width, height, |x, y| Luma([class(x, y)]));
        picture.save(self.with_parents(name)).expect("the mask is written");
    }

    /// Names of all files below it, sorted.
    pub fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        list(self.folder.path(), self.folder.path(), &mut files);
        files.sort();
        files
    }

    /// The program with those words, separated by spaces, ready to start in the folder.
    pub fn command(&self, words: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(words.split_whitespace())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program with those words, separated by spaces.
    ///
    /// # Panics
    /// If it does not start.
    pub fn trident(&self, words: &str) -> Said {
        let output = self.command(words).output().expect("the program starts");
        Said {
            words: format!("trident {words}"),
            status: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    fn with_parents(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        let parent = path.parent().expect("a file in the folder");
        std::fs::create_dir_all(parent).expect("the folder is made");
        path
    }
}

impl Said {
    /// Asserts that the thing asked for happened.
    ///
    /// # Panics
    /// If it did not.
    #[track_caller]
    pub fn succeeds(self) -> Self {
        assert_eq!(self.status, Some(0), "should succeed: {self:#?}");
        self
    }

    /// Asserts a failure as the command line promises it: status 1, nothing on standard output, an error on standard error that
    /// holds every phrase.
    ///
    /// # Panics
    /// If it was otherwise.
    #[track_caller]
    pub fn fails(self, phrases: &[&str]) -> Self {
        assert_eq!(self.status, Some(1), "should fail with status 1: {self:#?}");
        assert_eq!(self.stdout, "", "should print nothing: {self:#?}");
        let start = self.stderr.find("error: ");
        let error = &self.stderr[start.unwrap_or_else(|| panic!("should say `error: `: {self:#?}"))..];
        for phrase in phrases {
            assert!(error.contains(phrase), "should say `{phrase}`: {self:#?}");
        }
        self
    }

    /// Standard output as one JSON value.
    ///
    /// # Panics
    /// If it is not JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("should print JSON ({error}): {self:#?}"))
    }
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("the folder is made");
    for entry in std::fs::read_dir(from).expect("the folder is read").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_all(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("the file is copied");
        }
    }
}

fn list(root: &Path, folder: &Path, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("the folder is read").flatten() {
        let path = entry.path();
        let name = path.strip_prefix(root).expect("below the root").display();
        files.push(name.to_string());
        if path.is_dir() {
            list(root, &path, files);
        }
    }
}
