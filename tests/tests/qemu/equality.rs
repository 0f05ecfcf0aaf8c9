//! Every output value of every test row, bit for bit, over every link; and what a device tells of itself.

use trident::wire::{SelfTest, Statistics};
use trident::{Blob, Head, HeadSet, Network};
use trident_host::device::LinkKind;
use trident_host::eval::{Output, compare};
use trident_host::quantize::writer::AlignedBytes;

use crate::{BOARD, boot, model};

#[test]
fn both_links_give_what_the_host_gives() {
    let model = model();
    let host = model.on_host(&model.blob);
    for link in [LinkKind::Fifo, LinkKind::Uart] {
        let mut client = boot(link, model.blob.as_ref());
        let device = model.on_device(&mut client);
        let comparison = compare(&host, &device);
        let (rows, pictures) = (&model.rows, model.rows.head(Head::Segmentation).len());
        let expected =
            rows.head(Head::Classification).len() + pictures * 16 * 16 * 3 + rows.head(Head::Regression).len();
        assert_eq!(comparison.compared_values, expected as u64, "{link:?}");
        assert_eq!(comparison.differing_values, 0, "{link:?}\n{}", client.log());
        assert!(host == device, "{link:?}");
    }
}

#[test]
fn heads_run_together_give_what_they_give_alone() {
    let model = model();
    let mut inputs = model.first(Head::Classification);
    inputs.picture = model.first(Head::Segmentation).picture;
    inputs.regression = model.first(Head::Regression).regression;
    let blob = Blob::new_exact(model.blob.as_ref()).unwrap();
    let mut arena = AlignedBytes::zeroed(blob.graph().arena_len());
    let mut network = Network::load(blob, arena.as_mut()).unwrap();
    let outputs = network.run(HeadSet::ALL, &inputs).unwrap();
    let mut client = boot(LinkKind::Fifo, model.blob.as_ref());
    let result = client.run(HeadSet::ALL, &inputs).unwrap();
    assert_eq!(
        result.classification.map(Output::Probabilities),
        Output::of(&outputs, Head::Classification)
    );
    assert_eq!(
        result.segmentation.map(Output::Codes),
        Output::of(&outputs, Head::Segmentation)
    );
    assert_eq!(
        result.regression.map(Output::Value),
        Output::of(&outputs, Head::Regression)
    );
    let mut mask = vec![0; 16 * 16];
    outputs.segmentation().unwrap().mask(&mut mask);
    assert_eq!(client.mask().unwrap(), mask);
}

#[test]
fn a_run_takes_the_same_instructions_each_time() {
    let model = model();
    for head in Head::ALL {
        let inputs = model.first(head);
        let counts: Vec<u64> = (0..2)
            .flat_map(|_| {
                let mut client = boot(LinkKind::Fifo, model.blob.as_ref());
                [(); 2].map(|()| client.run(head.into(), &inputs).unwrap().instructions)
            })
            .collect();
        assert!(
            counts[0] > 0 && counts.iter().all(|&count| count == counts[0]),
            "{head:?}: {counts:?}"
        );
    }
}

#[test]
fn what_it_takes_is_told_and_within_the_board() {
    let model = model();
    let blob = Blob::new_exact(model.blob.as_ref()).unwrap();
    let mut client = boot(LinkKind::Fifo, model.blob.as_ref());
    let info = client.info().clone();
    assert_eq!(info.board, BOARD.name);
    assert_eq!(info.arena_capacity as usize, BOARD.arena_len);
    assert_eq!(info.picture_capacity as usize, BOARD.picture_len);
    let served = *client.model().unwrap();
    assert_eq!(served.blob_crc, blob.header().crc);
    assert_eq!(served.blob_len, blob.header().total_len);
    assert_eq!(served.address, BOARD.slots[0].address);

    let booted = client.statistics().unwrap();
    assert_eq!((booted.runs, booted.faults, booted.self_test), (0, 0, SelfTest::Passed));
    is_sane(&booted, &blob);
    client
        .run(Head::Classification.into(), &model.first(Head::Classification))
        .unwrap();
    // Its readings are missing, so this is refused and counted.
    client
        .run(Head::Regression.into(), &model.first(Head::Classification))
        .unwrap_err();
    let after = client.statistics().unwrap();
    assert_eq!((after.runs, after.faults), (1, 1), "{after:?}\n{}", client.log());
    assert!(after.stack_high_water >= booted.stack_high_water);
    is_sane(&after, &blob);
}

fn is_sane(statistics: &Statistics, blob: &Blob<'_>) {
    assert_eq!(statistics.arena_used as usize, blob.graph().arena_len());
    assert_eq!(statistics.arena_capacity as usize, BOARD.arena_len);
    assert!(
        0 < statistics.stack_high_water && statistics.stack_high_water < statistics.stack_capacity,
        "{statistics:?}"
    );
    assert!(
        0 < statistics.network_len && statistics.network_len < statistics.stack_high_water,
        "{statistics:?}"
    );
    assert!(
        0 < statistics.image_len && (statistics.image_len as usize) < BOARD.flash_len,
        "{statistics:?}"
    );
    assert!((statistics.other_static_len as usize) < BOARD.ram_len, "{statistics:?}");
    assert!(
        0 < statistics.load_instructions && 0 < statistics.self_test_instructions,
        "{statistics:?}"
    );
}
