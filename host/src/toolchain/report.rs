//! What `trident doctor` shows.

use serde::Serialize;

use super::{Compiler, Emulator, Toolchain, compiler};
use crate::device::BOARDS;

/// All tools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether nothing is missing.
    pub ready: bool,
    /// One by one.
    pub tools: Vec<Tool>,
}

/// One tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tool {
    /// What it is.
    pub name: String,
    /// What it is for.
    pub purpose: &'static str,
    /// The version that was found; `None` if it is missing.
    pub found: Option<String>,
    /// What to type to get it; `None` if it is there.
    pub install: Option<String>,
}

impl Tool {
    fn new(name: String, purpose: &'static str, found: Option<String>, install: impl FnOnce() -> String) -> Self {
        let install = found.is_none().then(install);
        Self {
            name,
            purpose,
            found,
            install,
        }
    }
}

impl Report {
    pub(super) fn new(toolchain: &Toolchain) -> Self {
        let root = toolchain.workspace.root().display().to_string();
        let mut tools = vec![Tool::new(
            "sources".into(),
            "firmware is built from them",
            Some(root),
            String::new,
        )];
        for emulator in Emulator::all() {
            tools.push(Tool::new(
                emulator.program.into(),
                "emulates boards",
                emulator.version(),
                || emulator.commands(),
            ));
        }
        for target in targets() {
            let found = Compiler::find(target).map(|compiler| compiler.to_string());
            tools.push(Tool::new(
                format!("rustc for {target}"),
                "builds the firmware",
                found,
                || compiler::commands(target),
            ));
        }
        let ready = tools.iter().all(|tool| tool.found.is_some());
        Self { ready, tools }
    }
}

/// The targets of all boards, each once.
pub(super) fn targets() -> Vec<&'static str> {
    let mut targets: Vec<_> = BOARDS.iter().map(|board| board.target).collect();
    targets.sort_unstable();
    targets.dedup();
    targets
}
