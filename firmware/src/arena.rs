//! Memory for a network's tensors.

use trident::blob::ALIGNMENT;

/// Memory for the arena, aligned as a network wants it.
#[repr(C, align(16))]
pub struct Arena<const LEN: usize>(pub [u8; LEN]);

const _: () = assert!(align_of::<Arena<16>>() == ALIGNMENT);
