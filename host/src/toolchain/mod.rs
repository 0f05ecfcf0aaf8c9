//! The tools that emulating a device takes: QEMU, a compiler for the target, a linker. Finds them, installs them, builds firmware.
//!
//! [`Toolchain::firmware`] and [`Toolchain::qemu`] are all that the rest needs: they give a path, and install what is missing
//! first if they may. `trident doctor` shows the same findings as a [`Report`].
//!
//! | variable | effect |
//! |---|---|
//! | `TRIDENT_NO_INSTALL=1` | nothing is ever installed; what is missing is an error with the commands that would |
//! | `TRIDENT_NO_RUSTUP=1` | rustup is not asked for the target |
//! | `TRIDENT_WORKSPACE=DIR` | where the sources are, if they were moved after building |

mod compiler;
mod elf_files;
mod emulator;
mod install;
mod report;
mod workspace;

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

pub use compiler::Compiler;
pub use emulator::Emulator;
pub use report::{Report, Tool};
pub use workspace::Workspace;

use trident::graph::OpSet;
use trident::{Pin, PublicKey};

use crate::device::Board;
use crate::{hex, pin};

/// Why a tool is not there, or firmware not built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ToolchainError {
    /// The workspace was moved or deleted after this program was built.
    #[error(
        "the sources of trident are no longer in {path}: set TRIDENT_WORKSPACE to the folder that holds `firmware` and `shared`"
    )]
    WorkspaceGone {
        /// Where they were.
        path: PathBuf,
    },
    /// Something has to be installed first, and was not.
    #[error("{what} is missing, and {why}. To install it:\n{commands}")]
    Missing {
        /// The tool.
        what: &'static str,
        /// Why it was not installed.
        why: &'static str,
        /// Shell commands, one per line.
        commands: String,
    },
    /// A command of an installation failed.
    #[error("installing {what} failed: `{command}` ended with {status}")]
    Install {
        /// The tool.
        what: &'static str,
        /// The command.
        command: String,
        /// How it ended.
        status: String,
    },
    /// The firmware does not build.
    #[error("building firmware for {board} failed: `{command}` ended with {status}\n{output}")]
    Build {
        /// The board.
        board: &'static str,
        /// The command.
        command: String,
        /// How it ended.
        status: String,
        /// What the compiler said.
        output: String,
    },
    /// A file or program could not be used.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl ToolchainError {
    fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

/// The tools of this machine.
#[derive(Debug)]
pub struct Toolchain {
    workspace: Workspace,
}

impl Toolchain {
    /// Finds the workspace. Tools are looked for when they are needed.
    ///
    /// # Errors
    /// [`ToolchainError::WorkspaceGone`].
    pub fn new() -> Result<Self, ToolchainError> {
        let workspace = Workspace::find()?;
        Ok(Self { workspace })
    }

    /// The sources, and where what is built from them lies.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// QEMU for a board, installed if it was missing.
    ///
    /// # Errors
    /// It is missing and could not be installed.
    pub fn qemu(&self, board: &Board) -> Result<PathBuf, ToolchainError> {
        self.emulator(Emulator::of(board))
    }

    fn emulator(&self, emulator: &Emulator) -> Result<PathBuf, ToolchainError> {
        if emulator.version().is_none() {
            let _lock = self.workspace.lock()?;
            if emulator.version().is_none() {
                install::packages(emulator.what, &[emulator.package])?;
            }
        }
        Ok(emulator.path())
    }

    /// A compiler for the target, installed if it was missing.
    ///
    /// # Errors
    /// It is missing and could not be installed.
    pub fn compiler(&self, target: &'static str) -> Result<Compiler, ToolchainError> {
        let _lock = self.workspace.lock()?;
        Compiler::find_or_install(target)
    }

    /// Builds the firmware for a board, with a key that weights must be signed with or none, unless it is up to date, and gives
    /// its ELF file.
    ///
    /// Calls of several threads and programs wait for each other, so that one builds and the others find it built.
    ///
    /// # Errors
    /// The compiler is missing and could not be installed, or the build failed.
    pub fn firmware(&self, board: &Board, key: Option<&PublicKey>) -> Result<PathBuf, ToolchainError> {
        self.build(board, Image::Serving, key.map_or(For::AnyModel, For::Signed))
    }

    /// As [`Toolchain::firmware`], any of the firmware's images that take any model.
    ///
    /// # Errors
    /// As [`Toolchain::firmware`].
    pub fn image(&self, board: &Board, image: Image) -> Result<PathBuf, ToolchainError> {
        self.build(board, image, For::AnyModel)
    }

    /// As [`Toolchain::image`], with no other operators than these.
    ///
    /// # Errors
    /// As [`Toolchain::firmware`].
    pub fn image_of(&self, board: &Board, image: Image, operators: OpSet) -> Result<PathBuf, ToolchainError> {
        self.build(board, image, For::Operators(operators))
    }

    /// As [`Toolchain::firmware`], the engine alone, for the one model that is pinned.
    ///
    /// # Errors
    /// As [`Toolchain::firmware`].
    pub fn pinned(&self, board: &Board, pin: &Pin) -> Result<PathBuf, ToolchainError> {
        self.build(board, Image::Pinned, For::Pinned(pin))
    }

    fn build(&self, board: &Board, image: Image, models: For<'_>) -> Result<PathBuf, ToolchainError> {
        let lock = self.workspace.lock()?;
        let compiler = Compiler::find_or_install(board.target)?;
        let folder = self
            .workspace
            .firmware_folder()
            .join(board.target_cpu.unwrap_or(board.target));
        let name = format!("{}{}{}.elf", board.name, image.suffix(), models.suffix());
        let elf = self.workspace.firmware_folder().join(name);
        let mut command = compiler.cargo("build", board.target);
        if let For::Signed(key) = models {
            command.env("TRIDENT_PUBLIC_KEY", hex::encode(&key.0));
        }
        if let Some(cpu) = board.target_cpu {
            command.env("RUSTFLAGS", format!("-Ctarget-cpu={cpu}"));
        }
        command
            .current_dir(self.workspace.root())
            .args(["--locked", "--package", "trident-firmware", "--profile", "firmware"])
            .args(["--no-default-features", "--features", board.feature, "--features"])
            .arg(models.features());
        if let For::Pinned(pin) = models {
            let source = folder.join("pin.rs");
            std::fs::create_dir_all(&folder).map_err(ToolchainError::io("make", &folder))?;
            write_changed(&source, &pin::source(pin))?;
            command.args(["--features", "pinned"]).env("TRIDENT_PIN", source);
        }
        let program = image.program();
        command.args(["--bin", program]).arg("--target-dir").arg(&folder);
        let notice = format!("building firmware for {} with {compiler}", board.name);
        saying_if_slow(notice, || run_build(board, command))?;
        let built = folder.join(board.target).join("firmware").join(program);
        elf_files::place(&built, &elf)?;
        if matches!(models, For::Signed(_) | For::Pinned(_)) {
            elf_files::forget_others(&elf)?;
        }
        drop(lock);
        Ok(elf)
    }

    /// What is here and what is missing, for the boards' targets. Installs nothing.
    pub fn report(&self) -> Report {
        Report::new(self)
    }

    /// Installs all that is missing.
    ///
    /// # Errors
    /// The first thing that could not be installed.
    pub fn install_missing(&self) -> Result<(), ToolchainError> {
        for emulator in Emulator::all() {
            self.emulator(emulator)?;
        }
        for target in report::targets() {
            self.compiler(target)?;
        }
        Ok(())
    }
}

/// The models that an image takes.
#[derive(Clone, Copy)]
enum For<'a> {
    AnyModel,
    /// Those that are signed with a key.
    Signed(&'a PublicKey),
    /// Those that need no other operators.
    Operators(OpSet),
    /// One.
    Pinned(&'a Pin),
}

impl For<'_> {
    /// What stands behind the image's name in the name of its file.
    fn suffix(self) -> String {
        match self {
            Self::AnyModel => String::new(),
            Self::Signed(key) => elf_files::key_suffix(key),
            Self::Operators(operators) => operators_suffix(operators),
            Self::Pinned(pin) => elf_files::pin_suffix(pin),
        }
    }

    /// The features that build its operators in.
    fn features(self) -> String {
        match self {
            Self::AnyModel | Self::Signed(_) => "all-operators".to_owned(),
            Self::Operators(operators) => operator_features(operators),
            Self::Pinned(pin) => operator_features(pin.operators),
        }
    }
}

/// What can be booted on a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Image {
    /// Serves a model to a host.
    Serving,
    /// Measures a model and ends.
    Measuring,
    /// Runs a model once and ends: the engine alone.
    Engine,
    /// The same for one model: [`Toolchain::pinned`] builds it.
    Pinned,
    /// Compares the kernels' inner loops with their portable twins and ends.
    Selftest,
    /// As `Serving`, and fails when the host asks for it.
    Recovery,
    /// The README's example.
    Example,
}

impl Image {
    /// What Cargo calls it.
    const fn program(self) -> &'static str {
        match self {
            Self::Serving => "trident-firmware",
            Self::Measuring => "trident-bench",
            Self::Engine => "trident-engine",
            Self::Pinned => "trident-pinned",
            Self::Selftest => "kernels-selftest",
            Self::Recovery => "trident-recovery",
            Self::Example => "three-heads",
        }
    }

    /// What stands behind the board's name in the name of its file.
    const fn suffix(self) -> &'static str {
        match self {
            Self::Serving => "",
            Self::Measuring => "-bench",
            Self::Engine => "-engine",
            Self::Pinned => "-pinned",
            Self::Selftest => "-selftest",
            Self::Recovery => "-recovery",
            Self::Example => "-example",
        }
    }
}

/// Writes a source file unless it holds these words already: what is built from it is then up to date.
fn write_changed(path: &Path, words: &str) -> Result<(), ToolchainError> {
    if std::fs::read_to_string(path).is_ok_and(|old| old == words) {
        return Ok(());
    }
    std::fs::write(path, words).map_err(ToolchainError::io("write", path))
}

/// The features of `trident` that build these operators in.
fn operator_features(operators: OpSet) -> String {
    let features = operators.iter().map(|op| format!("trident/{}", op.feature()));
    features.collect::<Vec<_>>().join(",")
}

/// What stands behind the image's name in the name of its file, where it has some operators only.
fn operators_suffix(operators: OpSet) -> String {
    operators.iter().map(|op| format!("-{}", op as u8)).collect()
}

/// Does something, and says what if that takes long enough to wonder.
fn saying_if_slow<T>(notice: String, work: impl FnOnce() -> T) -> T {
    const LONG: Duration = Duration::from_secs(2);
    thread::scope(|scope| {
        let (finished, finish) = mpsc::channel::<()>();
        scope.spawn(move || {
            // Dropping the sender ends the wait at once; nothing is ever sent.
            if finish.recv_timeout(LONG) == Err(RecvTimeoutError::Timeout) {
                crate::progress::tell!("{notice}");
            }
        });
        let result = work();
        drop(finished);
        result
    })
}

fn run_build(board: &Board, mut command: Command) -> Result<(), ToolchainError> {
    let program = PathBuf::from(command.get_program());
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(ToolchainError::io("run", &program))?;
    if output.status.success() {
        return Ok(());
    }
    Err(ToolchainError::Build {
        board: board.name,
        command: words(&command),
        status: output.status.to_string(),
        output: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// The first line of `program --version`, if it can be run.
pub(crate) fn version(program: &Path) -> Option<String> {
    let output = workspace::clean(program).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output
        .status
        .success()
        .then(|| text.lines().next().unwrap_or_default().to_owned())
}

/// A command as one would type it.
pub(crate) fn words(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
