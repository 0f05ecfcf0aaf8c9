//! QEMU, of which each architecture has its own program, in a package of its own.

use std::path::{Path, PathBuf};

use super::{install, version};
use crate::device::{BOARDS, Board};

/// An emulator of an architecture's boards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Emulator {
    /// What it is, in words.
    pub what: &'static str,
    /// Its program.
    pub program: &'static str,
    /// Debian's and Ubuntu's package that it comes in.
    pub package: &'static str,
    /// What it has to be told besides what all are told.
    pub arguments: &'static [&'static str],
}

const ARM: Emulator = Emulator {
    what: "QEMU for ARM",
    program: "qemu-system-arm",
    package: "qemu-system-arm",
    arguments: &[],
};

const RISCV32: Emulator = Emulator {
    what: "QEMU for RISC-V",
    program: "qemu-system-riscv32",
    package: "qemu-system-misc",
    // Else it starts firmware of its own first.
    arguments: &["-bios", "none"],
};

impl Emulator {
    /// The emulator of a board's architecture.
    pub fn of(board: &Board) -> &'static Self {
        if board.target.starts_with("riscv32") {
            &RISCV32
        } else {
            &ARM
        }
    }

    /// The emulators of all boards, each once.
    pub(super) fn all() -> Vec<&'static Self> {
        let mut all: Vec<&Self> = BOARDS.iter().map(Self::of).collect();
        all.sort_unstable_by_key(|emulator| emulator.program);
        all.dedup();
        all
    }

    /// The version that is here, if any.
    pub(super) fn version(&self) -> Option<String> {
        version(Path::new(self.program))
    }

    /// Where it is.
    pub(super) fn path(&self) -> PathBuf {
        PathBuf::from(self.program)
    }

    /// What to type to get it.
    pub(super) fn commands(&self) -> String {
        install::commands(&[self.package])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_board_has_the_emulator_of_its_architecture() {
        for board in BOARDS {
            let riscv = board.target.starts_with("riscv");
            assert_eq!(
                Emulator::of(board).program.contains("riscv"),
                riscv,
                "{}: {}",
                board.name,
                board.target
            );
        }
    }

    #[test]
    fn the_command_names_the_package_and_not_the_program() {
        let emulator = Emulator::of(Board::named("virt-riscv32").expect("a board"));
        assert!(
            emulator.commands().ends_with(" qemu-system-misc"),
            "{}",
            emulator.commands()
        );
    }
}
