//! `serial:` devices: the firmware on its UART behind a pseudo terminal, which this computer opens as it opens the port of a real board.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use trident::spec::InputSlot;
use trident::wire::State;
use trident::{Blob, HeadSet, Inputs};
use trident_host::device::{BOARDS, Client, Target};
use trident_host::sign::renumbered;
use trident_host::toolchain::Toolchain;
use trident_tests::aligned::Aligned;
use trident_tests::command::Folder;
use trident_tests::golden::workspace;
use trident_tests::parity::{assert_same, on_host};

/// The program under test.
const TRIDENT: &str = env!("CARGO_BIN_EXE_trident-under-test");

/// An emulator whose UART is a terminal of this computer. Nothing but its name is known to the host, as with a real board.
struct BoardOnPort {
    emulator: Child,
    port: String,
    _folder: TempDir,
}

impl BoardOnPort {
    /// Boots the first board with those weights in its flash.
    fn new(blob: &[u8]) -> Self {
        let toolchain = Toolchain::new().expect("the sources are there");
        let board = &BOARDS[0];
        let flash = board.flash.expect("memory for weights");
        let folder = tempfile::tempdir().expect("a folder");
        let mut memory = vec![0; flash.memory_len as usize];
        memory[flash.offset as usize..][..blob.len()].copy_from_slice(blob);
        std::fs::write(folder.path().join("flash"), memory).expect("written");
        let output = std::fs::File::create(folder.path().join("output")).expect("a file");
        let len = flash.memory_len;
        let emulator = Command::new(toolchain.qemu(board).expect("QEMU is there"))
            .current_dir(folder.path())
            .args(["-M", board.qemu_machine, "-nographic", "-monitor", "none"])
            .args(["-semihosting-config", "enable=on,target=native", "-icount", "shift=10"])
            .args(["-machine", "memory-backend=flash", "-m", &format!("{len}B"), "-object"])
            .arg(format!(
                "memory-backend-file,id=flash,size={len},share=on,mem-path=flash"
            ))
            .args(["-chardev", "pty,id=uart", "-serial", "chardev:uart", "-kernel"])
            .arg(toolchain.firmware(board, None).expect("the firmware builds"))
            .stdin(Stdio::null())
            .stderr(output.try_clone().expect("a handle"))
            .stdout(output)
            .spawn()
            .expect("QEMU starts");
        let mut board = Self {
            emulator,
            port: String::new(),
            _folder: folder,
        };
        board.port = port_in(&board._folder.path().join("output"));
        board
    }

    fn words(&self) -> String {
        format!("serial:{}", self.port)
    }

    fn target(&self) -> Target {
        self.words().parse().expect("a device")
    }

    /// As if its cable was pulled.
    fn vanish(&mut self) {
        self.emulator.kill().expect("it runs");
        self.emulator.wait().expect("it has ended");
    }
}

impl Drop for BoardOnPort {
    fn drop(&mut self) {
        // An error means that it is gone already.
        let _ = self.emulator.kill();
        let _ = self.emulator.wait();
    }
}

/// QEMU says first of all which terminal it has made: `char device redirected to /dev/pts/3 (label uart)`.
fn port_in(output: &Path) -> String {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(10) {
        let said = String::from_utf8_lossy(&std::fs::read(output).expect("QEMU's output")).into_owned();
        let port = said
            .split_once(" redirected to ")
            .and_then(|(_, rest)| rest.split_once(' '));
        if let Some((port, _)) = port {
            return port.to_owned();
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("QEMU names no terminal");
}

fn edge() -> Vec<u8> {
    std::fs::read(workspace().join("tests/golden/edge.tri")).expect("the golden blob")
}

/// Every golden vector of the blob gives on the device what it gives here, to the bit.
fn assert_golden(client: &mut Client, bytes: &[u8]) {
    let aligned = Aligned::copy_of(bytes);
    let blob = Blob::new_exact(aligned.bytes()).expect("a blob");
    let metadata = blob.metadata();
    assert!(metadata.golden.iter().count() > 0);
    for golden in metadata.golden.iter() {
        let input = |slot: InputSlot| golden.inputs[slot as usize].of(blob.parameters()).expect("inside");
        let inputs = Inputs {
            classification: Some(bytemuck::cast_slice(input(InputSlot::Classification))),
            picture: Some(input(InputSlot::Picture)),
            regression: Some(bytemuck::cast_slice(input(InputSlot::Regression))),
        };
        let run = client
            .run(HeadSet::ALL, &inputs)
            .unwrap_or_else(|error| panic!("{error}"));
        assert_same(&run, &on_host(bytes, HeadSet::ALL, &inputs));
    }
}

#[track_caller]
fn assert_refused(board: &BoardOnPort, blob: &[u8], phrase: &str) {
    match board.target().connect(blob) {
        Err(error) => assert!(error.to_string().contains(phrase), "{error}"),
        Ok(_) => panic!("{phrase:?} was due"),
    }
}

fn served(client: &Client) -> Option<u32> {
    match &client.info().state {
        State::Serving(model) => Some(model.sequence),
        State::NoModel(_) => None,
    }
}

#[test]
fn a_board_on_a_port_computes_what_the_host_computes_and_takes_an_update() {
    let (one, two) = (
        renumbered(&edge(), 1).expect("a blob"),
        renumbered(&edge(), 2).expect("a blob"),
    );
    let board = BoardOnPort::new(&one);
    let mut client = board.target().connect(&one).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        (client.info().board.as_str(), served(&client)),
        (BOARDS[0].name, Some(1))
    );
    assert_golden(&mut client, &one);
    drop(client);

    let folder = Folder::new(TRIDENT);
    folder.write("two.tri", &two);
    let said = folder.trident(&format!("update two.tri --on {} --json", board.words()));
    let printed = said.succeeds().json();
    assert_eq!((&printed["sequence"], &printed["slot"]), (&2.into(), &"B".into()));

    let mut client = board.target().connect(&two).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(served(&client), Some(2));
    assert_golden(&mut client, &two);
    // One client at a time.
    assert_refused(&board, &one, "does another program use it?");
    drop(client);
    assert_refused(&board, &one, "the device runs a model with CRC");
}

#[test]
fn a_board_that_goes_away_is_told_with_what_to_do() {
    let blob = edge();
    let mut board = BoardOnPort::new(&blob);
    let mut client = board.target().open(None).unwrap_or_else(|error| panic!("{error}"));
    assert_golden(&mut client, &blob);
    board.vanish();
    let begin = Instant::now();
    let error = client.statistics().expect_err("nobody is there").to_string();
    let advice = format!("{} is gone: check the board's power and cable", board.port);
    assert!(error.contains(&advice), "{error}");
    assert!(
        begin.elapsed() < Duration::from_secs(5),
        "it took {:?}",
        begin.elapsed()
    );

    let folder = Folder::new(TRIDENT);
    folder.write("edge.tri", &blob);
    let words = format!("update edge.tri --on {}", board.words());
    folder
        .trident(&words)
        .fails(&["cannot open", &board.port, "is the board connected?"]);
}
