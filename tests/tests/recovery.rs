//! A board whose program fails, in every way there is, comes back: it says why, remembers it, and answers as before. The README's
//! table is written from what happened.
//!
//! The image is the serving one, but that it fails when the host asks for it (`firmware/src/recovery.rs`).

use std::io;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use trident::wire::{Faults, SelfTest, State};
use trident::{Head, HeadSet, Inputs};
use trident_host::device::{BOARDS, Board, Client, DeviceError, LinkKind, Qemu, Transport, Weights};
use trident_host::toolchain::{Image, Toolchain};
use trident_tests::parity::{assert_same, on_host};
use trident_tests::readme::assert_shows;
use trident_tests::tiny;

/// Boards without a watchdog that QEMU models.
const UNWATCHED: [&str; 3] = ["netduinoplus2", "microbit", "virt-riscv32"];
/// The board that QEMU lets read where nothing is.
const OBLIVIOUS: &str = "lm3s6965evb";

/// What the host asks for, and what the device says of it.
const PANIC: (&str, &str) = ("p", "panic: src/provoke.rs:");
const UNDEFINED: (&str, &str) = ("u", "hard fault at 0x");
const BUS: (&str, &str) = ("b", "hard fault at 0x");
const OVERFLOW: (&str, &str) = ("s", "stack overflow");
const HANG: (&str, &str) = ("h", "watchdog at 0x");

/// A link that the test and a client share.
#[derive(Clone)]
struct Shared(Arc<Mutex<Box<dyn Transport>>>);

impl Transport for Shared {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.lock().unwrap().send(bytes)
    }

    fn receive(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize> {
        self.0.lock().unwrap().receive(buffer, timeout)
    }

    fn window(&self) -> usize {
        1
    }

    /// What a device read before it failed is lost, whatever the link.
    fn patience(&self) -> (Duration, u32) {
        (Duration::from_secs(3), 20)
    }
}

/// A booted board.
struct Device {
    link: Shared,
    client: Client,
    blob: Vec<u8>,
    heads: HeadSet,
}

impl Device {
    fn boot(board: &'static Board, link: LinkKind) -> Self {
        let toolchain = Toolchain::new().expect("the sources are there");
        let blob = tiny::tiny().pack().bytes().to_vec();
        let (qemu, transport) =
            Qemu::launch_image(&toolchain, board, Image::Recovery, None, Weights::Blob(&blob), link)
                .unwrap_or_else(|error| panic!("{}: {error}", board.name));
        let link = Shared(Arc::new(Mutex::new(transport)));
        let client = Client::new(Box::new(link.clone()), Some(qemu));
        let client = client.unwrap_or_else(|error| panic!("{}: {error}", board.name));
        // A board without room for a picture has none for that head.
        let heads = if board.picture_len == 0 {
            HeadSet::from(Head::Classification).union(Head::Regression.into())
        } else {
            HeadSet::ALL
        };
        Self {
            link,
            client,
            blob,
            heads,
        }
    }

    /// Asks for a failure, without waiting for it.
    fn provoke(&mut self, letter: &str) {
        self.link.send(format!("provoke:{letter}").as_bytes()).unwrap();
    }

    /// Asks for a failure and waits until the device has logged all those words and come back from its `number`th fault.
    #[track_caller]
    fn fail(&mut self, (letter, words): (&str, &str), number: u32) -> String {
        self.provoke(letter);
        let back = self.line(&format!("back after fault {number}, "));
        assert!(back.contains(words), "{back}");
        back
    }

    /// The first line of the log with those words, once it is there.
    #[track_caller]
    fn line(&self, words: &str) -> String {
        let end = Instant::now() + Duration::from_secs(120);
        loop {
            let log = self.client.log();
            if let Some(line) = log.lines().find(|line| line.contains(words)) {
                return line.to_owned();
            }
            assert!(Instant::now() < end, "no line with `{words}` in\n{log}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn run(&mut self) -> Result<(), DeviceError> {
        let picture = tiny::picture();
        let inputs = Inputs {
            picture: self.heads.contains(Head::Segmentation).then_some(&picture[..]),
            ..tiny::inputs(&picture)
        };
        let result = self.client.run(self.heads, &inputs)?;
        assert_same(&result, &on_host(&self.blob, self.heads, &inputs));
        Ok(())
    }

    #[track_caller]
    fn answers(&mut self) {
        if let Err(error) = self.run() {
            panic!("{error}\n{}", self.client.log());
        }
    }

    /// The model, or the reason why there is none, as the device says now.
    fn state(&self) -> State {
        let client = Client::new(Box::new(self.link.clone()), None);
        client.unwrap_or_else(|error| panic!("{error}")).info().state.clone()
    }
}

/// The half-word of the image at that address.
fn instruction(board: &Board, address: u32) -> u16 {
    let toolchain = Toolchain::new().expect("the sources are there");
    // Where the device's own build has left it: boards share a compiler's folder, so asking for it again may mean building again.
    let folder = toolchain.workspace().firmware_folder();
    let elf = folder.join(format!("{}-recovery.elf", board.name));
    let elf = std::fs::read(elf).expect("it is there");
    let word = |at: usize| u32::from_le_bytes(elf[at..at + 4].try_into().unwrap());
    let half = |at: usize| u16::from_le_bytes(elf[at..at + 2].try_into().unwrap());
    // ELF for 32 bits: offset, size and count of the program headers; in each, offset, address and length of a segment.
    let (headers, size, count) = (word(28) as usize, usize::from(half(42)), usize::from(half(44)));
    let segments = (0..count).map(|number| headers + number * size);
    let offset = segments
        .map(|at| (word(at + 4), word(at + 8), word(at + 16)))
        .find_map(|(offset, start, len)| {
            (start..start + len)
                .contains(&address)
                .then(|| offset + address - start)
        });
    half(offset.expect("the address lies in the image") as usize)
}

/// The address behind those words of a line.
fn address(line: &str, words: &str) -> u32 {
    let (_, rest) = line.split_once(words).expect("the line has the words");
    u32::from_str_radix(&rest[..8], 16).expect("an address")
}

fn first() -> &'static Board {
    &BOARDS[0]
}

#[test]
fn every_board_comes_back_from_every_fault_and_says_why() {
    let one = |board: &'static Board| {
        let mut device = Device::boot(board, LinkKind::Fifo);
        device.answers();
        let mut number = 0;
        let mut row = format!("| `{}` | {} |", board.name, board.core);
        for fault in [PANIC, UNDEFINED, BUS, OVERFLOW, HANG] {
            if fault == HANG && UNWATCHED.contains(&board.name) {
                row.push_str(" no watchdog in QEMU |");
                continue;
            }
            if fault == BUS && board.name == OBLIVIOUS {
                row.push_str(" none in QEMU |");
                continue;
            }
            number += 1;
            let back = device.fail(fault, number);
            device.line(&format!("error {}", fault.1));
            println!("{}: {}", board.name, back.trim());
            assert!(back.contains("1 in a row"), "{}: {back}", board.name);
            // Cortex-M0 does not tell what was wrong.
            let detail = match fault {
                _ if board.core == "Cortex-M0" => "",
                UNDEFINED => "undefined instruction",
                BUS => "bus error at 0xe0100000",
                _ => "",
            };
            assert!(back.contains(detail), "{}: {back}", board.name);
            if fault == UNDEFINED {
                // `udf #0`, or `c.unimp`.
                let undefined: u16 = if board.target.starts_with("riscv") { 0 } else { 0xDE00 };
                assert_eq!(
                    instruction(board, address(&back, UNDEFINED.1)),
                    undefined,
                    "{}: {back}",
                    board.name
                );
            }
            device.answers();
            row.push_str(" back |");
        }
        assert_eq!(device.client.statistics().unwrap().self_test, SelfTest::Passed);
        row
    };
    // Two at a time: an emulator keeps one core busy.
    let (even, odd): (Vec<_>, Vec<_>) = BOARDS.iter().enumerate().partition(|(number, _)| number % 2 == 0);
    let run = |boards: Vec<(usize, &'static Board)>| -> Vec<(usize, String)> {
        boards.into_iter().map(|(number, board)| (number, one(board))).collect()
    };
    let mut rows = thread::scope(|scope| {
        let other = scope.spawn(|| run(odd));
        let mut rows = run(even);
        rows.extend(other.join().expect("the other half passes"));
        rows
    });
    rows.sort();
    let mut table = "| board | core | panic | undefined instruction | bus error | stack overflow | hang |\n\
        |---|---|---|---|---|---|---|\n"
        .to_owned();
    for (_, row) in rows {
        table.push_str(&row);
        table.push('\n');
    }
    assert_shows("recovery", &table);
}

/// Requests that were under way when the program failed are lost; the same client repeats them.
#[test]
fn a_client_goes_on_over_faults() {
    let mut device = Device::boot(first(), LinkKind::Fifo);
    for (letter, _) in [PANIC, UNDEFINED, BUS, OVERFLOW] {
        device.answers();
        device.provoke(letter);
        // Its inputs may be gone with the reset; then it has to send them again.
        match device.run() {
            Ok(()) => {}
            Err(DeviceError::Refused(refusal)) => assert!(refusal.to_string().contains("missing"), "{refusal}"),
            Err(error) => panic!("{error}\n{}", device.client.log()),
        }
        device.answers();
    }
    device.line("back after fault 4, 1 in a row: stack overflow");
    let faults = device.client.faults().unwrap();
    assert_eq!((faults.total, faults.last.as_str()), (4, "stack overflow"));
}

#[test]
fn a_loop_of_faults_ends_in_a_state_that_answers() {
    let mut device = Device::boot(first(), LinkKind::Fifo);
    device.answers();
    device.fail(PANIC, 1);
    device.fail(UNDEFINED, 2);
    assert!(
        matches!(device.state(), State::Serving(_)),
        "an answer between faults ends the row"
    );
    for (number, fault) in [(3, PANIC), (4, OVERFLOW), (5, UNDEFINED)] {
        device.fail(fault, number);
    }
    let State::NoModel(reason) = device.state() else {
        panic!("three faults in a row, and it serves\n{}", device.client.log());
    };
    assert!(
        reason.starts_with("safe state after 3 faults in a row: hard fault at 0x"),
        "{reason}"
    );
    let refused = device.client.run(Head::Regression.into(), &Inputs::default());
    assert!(matches!(refused, Err(DeviceError::Refused(_))), "{refused:?}");
    // It has answered, so the next reset is a new beginning.
    device.fail(PANIC, 6);
    assert!(matches!(device.state(), State::Serving(_)));
    device.answers();
}

#[test]
fn over_the_uart_it_comes_back_too_and_waiting_is_no_hang() {
    let mut device = Device::boot(first(), LinkKind::Uart);
    device.answers();
    device.fail(HANG, 1);
    device.answers();
    // Polling the UART takes virtual time: this is longer than the hang was allowed to last.
    thread::sleep(Duration::from_secs(8));
    device.answers();
    let log = device.client.log();
    assert!(!log.contains("back after fault 2"), "{log}");
}

#[test]
fn a_board_that_did_not_fail_says_nothing_of_faults() {
    let mut device = Device::boot(first(), LinkKind::Fifo);
    device.answers();
    let log = device.client.log();
    assert!(!log.contains("fault") && !log.contains("safe state"), "{log}");
    assert_eq!(device.client.faults().unwrap(), Faults::default());
}
