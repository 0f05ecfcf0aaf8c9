//! Inputs that a blob carries with it.

use trident::blob::Span;
use trident::spec::InputSlot;
use trident::{Blob, Inputs};

/// The inputs of the blob's first golden vector; `None` if it has none.
pub fn inputs<'a>(blob: &Blob<'a>) -> Option<Inputs<'a>> {
    let golden = blob.metadata().golden.iter().next()?;
    Some(inputs_in(&golden.inputs, blob.parameters()))
}

/// The inputs that lie there in a blob's parameters, by the slot's number.
pub fn inputs_in<'a>(spans: &[Span; 3], parameters: &'a [u8]) -> Inputs<'a> {
    let bytes = |slot: InputSlot| spans[slot as usize].of(parameters).filter(|bytes| !bytes.is_empty());
    let readings = |slot| bytes(slot).and_then(|bytes| bytemuck::try_cast_slice(bytes).ok());
    Inputs {
        classification: readings(InputSlot::Classification),
        picture: bytes(InputSlot::Picture),
        regression: readings(InputSlot::Regression),
    }
}
