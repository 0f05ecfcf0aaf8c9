//! That a difference is seen: a device with one weight changed.

use trident::Head;
use trident_host::device::LinkKind;
use trident_host::eval::compare;
use trident_host::quantize::writer::AlignedBytes;
use trident_tests::tamper::Parts;

use crate::{boot, model};

#[test]
fn one_changed_weight_on_the_device_is_seen_in_its_head_alone() {
    let model = model();
    let host = model.on_host(&model.blob);
    for head in Head::ALL {
        let changed = with_a_weight_that_matters(head);
        let mut client = boot(LinkKind::Fifo, changed.as_ref());
        let device = model.on_device(&mut client);
        assert!(
            compare(&host, &device).differing_values > 0,
            "{head:?}: nothing differs"
        );
        for other in Head::ALL {
            assert_eq!(
                host.head(other) == device.head(other),
                other != head,
                "{head:?} changed, {other:?} looked at"
            );
        }
        let itself = compare(&model.on_host(&changed), &device);
        assert_eq!(itself.differing_values, 0, "the changed blob runs alike on both");
    }
}

/// The model without golden vectors, so that it boots, and with one weight of that head changed that some test row depends on:
/// weights behind a unit that is never active do not show.
fn with_a_weight_that_matters(head: Head) -> AlignedBytes {
    let model = model();
    let host = model.on_host(&model.blob);
    let changed = (0..16).map(|number| {
        let mut parts = Parts::of(model.blob.as_ref());
        parts.golden.clear();
        parts.flip_weight(head, number);
        parts.pack()
    });
    let mut matters = changed.filter(|blob| model.on_host(blob).head(head) != host.head(head));
    matters.next().expect("one of sixteen weights matters")
}
