//! What an axis spans, and how its numbers are written.

/// One axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// What it counts.
    pub label: String,
    /// Where it begins.
    pub low: f64,
    /// Where it ends.
    pub high: f64,
    /// Whether equal factors take equal room.
    pub log: bool,
    /// Whether it counts, so that only whole numbers have a meaning.
    pub whole: bool,
}

/// Values further apart than this factor are drawn on a logarithmic axis, if one was offered.
const LOG_FROM: f64 = 30.0;
/// Room at both ends, as a share of what is spanned.
const MARGIN: f64 = 0.04;

impl Axis {
    /// From one number to another.
    pub fn new(label: impl Into<String>, low: f64, high: f64) -> Self {
        Self {
            label: label.into(),
            low,
            high,
            log: false,
            whole: false,
        }
    }

    /// Of a count, from one number to another.
    pub fn counting(label: impl Into<String>, low: f64, high: f64) -> Self {
        Self {
            whole: true,
            ..Self::new(label, low, high)
        }
    }

    /// Around finite values, with a little room; around one value alone as well.
    pub fn around(label: impl Into<String>, values: impl Iterator<Item = f64>) -> Self {
        let [low, high] = span(values);
        let room = if high > low {
            (high - low) * MARGIN
        } else {
            (low.abs() * 0.5).max(1e-6)
        };
        Self::new(label, low - room, high + room)
    }

    /// Around values, logarithmic if all are positive and lie far apart.
    pub fn log_around(label: impl Into<String>, values: impl Iterator<Item = f64> + Clone) -> Self {
        let [low, high] = span(values.clone());
        if low > 0.0 && high / low >= LOG_FROM {
            return Self {
                label: label.into(),
                low: low / 1.2,
                high: high * 1.2,
                log: true,
                whole: false,
            };
        }
        Self::around(label, values)
    }

    /// What is written at a mark.
    pub fn mark(&self, value: f64) -> String {
        match self.whole && (value - value.round()).abs() > 1e-9 {
            true => String::new(),
            false => tick(value),
        }
    }
}

fn span(values: impl Iterator<Item = f64>) -> [f64; 2] {
    let span = values
        .filter(|value| value.is_finite())
        .fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| {
            [low.min(value), high.max(value)]
        });
    if span[0] > span[1] { [0.0, 1.0] } else { span }
}

/// A number in as few digits as tell it from its neighbours on an axis.
pub fn tick(value: f64) -> String {
    let size = value.abs();
    if size < 1e-12 {
        return "0".into();
    }
    let text = if !(1e-4..1e6).contains(&size) {
        let exact = format!("{size:.3e}");
        let (digits, power) = exact.split_once('e').unwrap_or((&exact, "0"));
        format!("{}e{power}", trimmed(digits))
    } else {
        let digits = (3.0 - size.log10().floor()).clamp(0.0, 7.0) as usize;
        trimmed(&format!("{size:.digits$}")).to_owned()
    };
    if value < 0.0 { format!("−{text}") } else { text }
}

fn trimmed(digits: &str) -> &str {
    match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.'),
        false => digits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let told = [
            0.0,
            0.30000000000000004,
            -2.5,
            120.0,
            0.002,
            1e-5,
            0.93,
            12000.0,
            2_500_000.0,
        ]
        .map(tick);
        assert_eq!(
            told,
            ["0", "0.3", "−2.5", "120", "0.002", "1e-5", "0.93", "12000", "2.5e6"]
        );
    }

    #[test]
    fn an_axis_spans_its_values() {
        let axis = Axis::around("x", [1.0, 2.0, f64::NAN].into_iter());
        assert!(axis.low < 1.0 && axis.high > 2.0 && axis.high < 2.1);
        let one = Axis::around("x", [3.0].into_iter());
        assert!(one.low < 3.0 && one.high > 3.0);
        assert_eq!(
            [1.0, 1.5].map(|value| Axis::counting("epoch", 1.0, 2.0).mark(value)),
            ["1", ""]
        );
        let none = Axis::around("x", std::iter::empty());
        assert!(none.low < none.high);
        assert!(Axis::log_around("x", [0.01, 10.0].into_iter()).log);
        assert!(!Axis::log_around("x", [0.0, 10.0].into_iter()).log);
        assert!(!Axis::log_around("x", [5.0, 10.0].into_iter()).log);
    }
}
