//! Memory that all modules share, one after the other.

/// Guard bytes or words on each side of an output.
pub const MARGIN: usize = 8;

/// Inputs, and outputs twice: of the assembly, and of plain Rust.
pub struct Buffers {
    /// Parameters.
    pub stream: [u32; 20_000],
    /// Widened codes.
    pub words: [[u32; 6_000]; 2],
    /// Codes.
    pub codes: [[i8; 9_000]; 2],
    /// Codes, outputs.
    pub out: [[i8; 9_000]; 2],
    /// Sums, outputs.
    pub sums: [[i32; 1_000]; 2],
    /// Wide codes, outputs.
    pub wide: [[i16; 1_000]; 2],
    /// Arenas that layers read and write.
    pub arenas: [Arena; 2],
}

/// Bytes that begin at a word.
#[repr(align(4))]
pub struct Arena([u8; 6_000]);

impl AsMut<[u8]> for Arena {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Buffers {
    /// All zero.
    pub const fn new() -> Self {
        Self {
            stream: [0; 20_000],
            words: [[0; 6_000]; 2],
            codes: [[0; 9_000]; 2],
            out: [[0; 9_000]; 2],
            sums: [[0; 1_000]; 2],
            wide: [[0; 1_000]; 2],
            arenas: [Arena([0; 6_000]), Arena([0; 6_000])],
        }
    }
}

/// Gives the asserted-equal part of two outputs to functions that fill them, with guards before and behind.
///
/// `offset` moves the part, so that outputs lie at any address.
///
/// # Panics
/// If the two differ anywhere, or a guard changed.
pub fn same<T: Copy + PartialEq + core::fmt::Debug>(
    [ours, plain]: &mut [impl AsMut<[T]>; 2],
    (offset, len, guard): (usize, usize, T),
    run_ours: impl FnOnce(&mut [T]),
    run_plain: impl FnOnce(&mut [T]),
) {
    let start = MARGIN + offset;
    let [ours, plain] = [ours, plain].map(|out| &mut out.as_mut()[..start + len + MARGIN]);
    ours.fill(guard);
    plain.fill(guard);
    run_ours(&mut ours[start..start + len]);
    run_plain(&mut plain[start..start + len]);
    if let Some(index) = (0..ours.len()).find(|&index| ours[index] != plain[index]) {
        panic!(
            "at {} of {len}: {:?}, not {:?}",
            index as isize - start as isize,
            ours[index],
            plain[index]
        );
    }
}
