//! What counts instructions.

/// A counter of instructions; a board has one.
pub trait Counter {
    /// A moment.
    type Mark: Copy;

    /// Now.
    fn mark(&self) -> Self::Mark;

    /// Instructions from `start` to now, without those of counting.
    fn since(&self, start: Self::Mark) -> u64;
}
