//! Which operators this engine was built with.
//!
//! A device that runs one model needs that model's operators alone. Each is a feature of this crate (`op-conv2d` and so on;
//! `all-operators`, the default, is all of them). A graph with an operator that is not built in is refused when its blob is checked,
//! and the code behind it vanishes, since [`BUILT_IN`] is a constant.

use super::Op;

/// A set of operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpSet(u32);

const _: () = assert!(Op::ALL.len() <= 32);

impl OpSet {
    /// No operator.
    pub const NONE: Self = Self(0);

    /// A set of these.
    pub const fn of(ops: &[Op]) -> Self {
        let mut set = Self::NONE;
        let mut index = 0;
        while index < ops.len() {
            set = set.with(ops[index]);
            index += 1;
        }
        set
    }

    /// This set and one more operator.
    pub const fn with(self, op: Op) -> Self {
        Self(self.0 | (1 << op as u8))
    }

    /// Operators of both sets.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether the other set has all of its operators.
    pub const fn is_subset_of(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether an operator is one of them.
    #[inline(always)]
    pub const fn contains(self, op: Op) -> bool {
        self.0 & (1 << op as u8) != 0
    }

    /// Its operators, in order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = Op> {
        Op::ALL.into_iter().filter(move |&op| self.contains(op))
    }
}

impl FromIterator<Op> for OpSet {
    fn from_iter<I: IntoIterator<Item = Op>>(ops: I) -> Self {
        ops.into_iter().fold(Self::NONE, Self::with)
    }
}

/// Features of this crate, each with whether it is on.
macro_rules! operators {
    ($($op:ident = $feature:literal,)*) => {
        /// The operators that this engine was built with.
        pub const BUILT_IN: OpSet = {
            let mut set = OpSet::NONE;
            $(if cfg!(feature = $feature) {
                set = set.with(Op::$op);
            })*
            set
        };

        impl Op {
            /// The feature of this crate that builds it in.
            pub const fn feature(self) -> &'static str {
                match self {
                    $(Self::$op => $feature,)*
                }
            }

            /// Itself, where the blob's checks have proven that it is built in: of a match on it, the arms of others vanish.
            #[inline(always)]
            pub(crate) const fn built_in(self) -> Self {
                match self {
                    $(Self::$op if cfg!(feature = $feature) => Self::$op,)*
                    _ => unreachable!(),
                }
            }
        }
    };
}

operators! {
    Readings = "op-readings",
    Picture = "op-picture",
    Linear = "op-linear",
    Conv2d = "op-conv2d",
    DepthwiseConv2d = "op-depthwise-conv2d",
    MaxPool2d = "op-max-pool2d",
    Upsample2d = "op-upsample2d",
    Concat = "op-concat",
    Add = "op-add",
    Lut = "op-lut",
    Probabilities = "op-probabilities",
    Logits = "op-logits",
    Value = "op-value",
    DepthwiseConv3x3 = "op-depthwise-conv3x3",
    CompactConv2d = "op-compact-conv2d",
    UpsampledConv3x3 = "op-upsampled-conv3x3",
    UpsampledDepthwiseConv3x3 = "op-upsampled-depthwise-conv3x3",
    WinogradConv3x3 = "op-winograd-conv3x3",
    NarrowLinear = "op-narrow-linear",
    UpsampledAdd = "op-upsampled-add",
}

impl Op {
    /// Whether this engine was built with it.
    #[inline(always)]
    pub const fn is_built_in(self) -> bool {
        BUILT_IN.contains(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_hold_what_they_are_made_of() {
        let set = OpSet::of(&[Op::Add, Op::Readings]);
        assert!(set.iter().eq([Op::Readings, Op::Add]));
        assert_eq!(set, set.iter().collect());
        assert_eq!(set.and(OpSet::of(&[Op::Add, Op::Lut])), OpSet::of(&[Op::Add]));
        assert!(OpSet::NONE.is_empty() && !set.is_empty() && OpSet::NONE.iter().next().is_none());
    }

    #[test]
    #[cfg(feature = "all-operators")]
    fn all_operators_are_all_of_them() {
        assert_eq!(BUILT_IN, OpSet::of(&Op::ALL));
    }
}
