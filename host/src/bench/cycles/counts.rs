//! What the tracer counted: how often each instruction was executed, and what followed it.

use std::num::ParseIntError;

/// One instruction's counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Where it lies.
    pub address: u32,
    /// Its length, in bytes.
    pub length: u32,
    /// How often it was executed. Instructions that an `IT` skips count too.
    pub executions: u64,
    /// How often something else than the instruction behind it came next.
    pub departures: u64,
    /// Bus transfers, beyond one each, that its unaligned accesses took.
    pub extra_transfers: u64,
}

impl Count {
    /// The address behind it.
    pub fn end(&self) -> u32 {
        self.address.wrapping_add(self.length)
    }

    /// How often the instruction behind it came next.
    pub fn passages(&self) -> u64 {
        self.executions - self.departures
    }
}

/// Counts of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Where the instruction lies that called.
    pub call_address: u32,
    /// Per instruction, by address.
    pub instructions: Vec<Count>,
}

/// A line that the tracer does not write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the counts is {text:?}")]
pub struct BadLine {
    /// Its number, from 1.
    pub line: usize,
    /// What it says.
    pub text: String,
}

impl Counts {
    /// Reads what the tracer wrote.
    ///
    /// # Errors
    /// [`BadLine`].
    pub fn parse(text: &str) -> Result<Self, BadLine> {
        let bad = |index: usize, text: &str| BadLine {
            line: index + 1,
            text: text.to_owned(),
        };
        let call = text.lines().next().unwrap_or_default();
        let address = call
            .strip_prefix("call ")
            .and_then(|word| u32::from_str_radix(word, 16).ok());
        let call_address = address.ok_or_else(|| bad(0, call))?;
        let mut instructions: Vec<Count> = Vec::new();
        for (index, line) in text.lines().enumerate().skip(1) {
            let ascending = |count: &Count| instructions.last().is_none_or(|last| last.end() <= count.address);
            let count = count(line).filter(|count| count.departures <= count.executions && ascending(count));
            instructions.push(count.ok_or_else(|| bad(index, line))?);
        }
        Ok(Self {
            call_address,
            instructions,
        })
    }
}

fn count(line: &str) -> Option<Count> {
    let numbers = |(index, word): (usize, &str)| u64::from_str_radix(word, if index == 0 { 16 } else { 10 });
    let numbers: Result<Vec<u64>, ParseIntError> = line.split(' ').enumerate().map(numbers).collect();
    let [address, length, executions, departures, extra_transfers] = numbers.ok()?.try_into().ok()?;
    Some(Count {
        address: address.try_into().ok()?,
        length: length.try_into().ok()?,
        executions,
        departures,
        extra_transfers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_the_tracer_writes_them() {
        let counts = Counts::parse("call 1f0\n9c 2 3 2 0\n9e 4 1 0 2\n").unwrap();
        assert_eq!(counts.call_address, 0x1f0);
        let [branch, load] = counts.instructions[..] else {
            panic!("{counts:?}")
        };
        assert_eq!((branch.address, branch.end(), branch.passages()), (0x9c, 0x9e, 1));
        assert_eq!((load.executions, load.extra_transfers), (1, 2));
    }

    #[test]
    fn other_lines_are_refused_by_number() {
        for (line, text) in [
            (1, ""),
            (1, "call x\n"),
            (2, "call 0\n9c 2 3 2\n"),
            (2, "call 0\n9c 2 3 4 0\n"),
            (3, "call 0\n9c 4 3 2 0\n9e 2 1 0 0\n"),
        ] {
            assert_eq!(Counts::parse(text).unwrap_err().line, line, "{text:?}");
        }
    }
}
