//! A device watched from outside: what it says of its health, poll by poll, and rows to run it on where nobody else does.

mod poll;
mod replay;

pub use poll::{HeadLine, Names, Poll};
pub use replay::Replay;
