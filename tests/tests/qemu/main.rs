//! Firmware under QEMU: the same bits as the host over every link, and an answer to every blob that is not in order.
//!
//! The tests call the code that `demo` calls to find or install QEMU and a compiler. Where that is not possible they fail and say
//! what to install; none is skipped.

mod differences;
mod equality;
mod fused;
mod refusals;
mod report;
mod seed;
mod selftest;
mod soak;
mod sweep;

use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

use trident::{Head, Inputs};
use trident_host::data::Dataset;
use trident_host::device::{BOARDS, Board, Client, DeviceError, LinkKind, Target};
use trident_host::eval::{self, AllOutputs, Rows};
use trident_host::progress::Progress;
use trident_host::quantize::writer::AlignedBytes;
use trident_host::run::Run;
use trident_tests::command::Folder;
use trident_tests::own_data::three_heads;

/// The program under test.
const TRIDENT: &str = env!("CARGO_BIN_EXE_trident-under-test");

/// The board that all these tests boot.
const BOARD: &Board = &BOARDS[0];

/// A small model of three heads, and its data.
struct Model {
    blob: AlignedBytes,
    dataset: Dataset,
    rows: Rows,
}

/// Trains it, once for all tests.
fn model() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| {
        let folder = Folder::new(TRIDENT);
        three_heads(&folder);
        folder.trident("train -o run --epochs 5").succeeds();
        folder.trident("quantize run").succeeds();
        let dataset = Run::open(&folder.path("run"))
            .and_then(|run| run.dataset())
            .expect("the data are read");
        Model {
            blob: AlignedBytes::copy_of(&folder.read("run/model.tri")),
            rows: Rows::test(&dataset),
            dataset,
        }
    })
}

impl Model {
    /// What the host computes with that blob.
    fn on_host(&self, blob: &AlignedBytes) -> AllOutputs {
        eval::int8(blob.as_ref(), &self.dataset, &self.rows).expect("the host computes")
    }

    /// What a device computes.
    fn on_device(&self, client: &mut Client) -> AllOutputs {
        let outputs = eval::on_device(
            client,
            &self.dataset,
            &self.rows,
            &Progress::silent(),
            &AtomicBool::new(false),
        );
        outputs.unwrap_or_else(|error| panic!("{error}\n{}", client.log())).0
    }

    /// The first test row of a head.
    fn first(&self, head: Head) -> Inputs<'_> {
        eval::inputs(&self.dataset, head, self.rows.head(head)[0])
    }
}

fn board(link: LinkKind) -> Target {
    Target::Qemu {
        board: BOARD,
        link,
        flash: None,
        key: None,
    }
}

/// Boots the board with a blob that it should serve.
#[track_caller]
fn boot(link: LinkKind, blob: &[u8]) -> Client {
    board(link).connect(blob).unwrap_or_else(|error| panic!("{error}"))
}

/// Boots the board with bytes that it should not serve, and gives its reason.
#[track_caller]
fn refused(bytes: Option<&[u8]>) -> (Client, String) {
    let client = board(LinkKind::Fifo)
        .open(bytes)
        .unwrap_or_else(|error| panic!("{error}"));
    match client.model() {
        Err(DeviceError::NoModel { reason, .. }) => (client, reason),
        Err(other) => panic!("{other}\n{}", client.log()),
        Ok(model) => panic!("it serves {model:?}\n{}", client.log()),
    }
}
