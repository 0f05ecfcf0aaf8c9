//! Inputs that a blob carries with it.

use trident::spec::InputSlot;
use trident::{Blob, Inputs};

/// The inputs of the blob's first golden vector; `None` if it has none.
pub fn inputs<'a>(blob: &Blob<'a>) -> Option<Inputs<'a>> {
    let golden = blob.metadata().golden.iter().next()?;
    let bytes = |slot: InputSlot| {
        let span = golden.inputs[slot as usize];
        span.of(blob.parameters()).filter(|bytes| !bytes.is_empty())
    };
    let readings = |slot| bytes(slot).and_then(|bytes| bytemuck::try_cast_slice(bytes).ok());
    Some(Inputs {
        classification: readings(InputSlot::Classification),
        picture: bytes(InputSlot::Picture),
        regression: readings(InputSlot::Regression),
    })
}
