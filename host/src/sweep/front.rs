//! Which of many are worth looking at: those that nothing else beats in every respect (Pareto, 1906).

use super::cost::Cost;

/// Of every entry, whether no other is at least as good (`figure`, larger is better) and costs no more in flash, arena and work,
/// and is better in one of these. Equal entries stay together.
pub fn front(entries: &[(f64, Cost)]) -> Vec<bool> {
    let beats = |one: &(f64, Cost), other: &(f64, Cost)| {
        let as_good = one.0 >= other.0 && one.1.within(&other.1);
        let better = one.0 > other.0 || !other.1.within(&one.1);
        as_good && better
    };
    entries
        .iter()
        .map(|entry| !entries.iter().any(|other| beats(other, entry)))
        .collect()
}

/// Every choice of one index per list, `lens` their lengths; none if a list is empty.
pub fn choices(lens: &[usize]) -> Vec<Vec<usize>> {
    lens.iter().fold(vec![Vec::new()], |choices, &len| {
        let longer = |choice: &Vec<usize>| {
            let choice = choice.clone();
            (0..len).map(move |index| [&choice[..], &[index]].concat())
        };
        choices.iter().flat_map(longer).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(blob_bytes: u64, arena_bytes: u64, macs: u64) -> Cost {
        Cost {
            blob_bytes,
            arena_bytes,
            macs,
            instructions: None,
            parameters: 0,
        }
    }

    #[test]
    fn what_another_beats_is_left_out() {
        let entries = [
            (0.9, cost(10, 10, 10)),
            (0.8, cost(10, 10, 10)),
            (0.8, cost(9, 10, 10)),
            (0.9, cost(10, 10, 10)),
            (0.95, cost(11, 9, 11)),
            (0.7, cost(20, 20, 5)),
            (0.7, cost(20, 20, 6)),
        ];
        assert_eq!(front(&entries), [true, false, true, true, true, true, false]);
        assert_eq!(front(&[]), [false; 0]);
    }

    #[test]
    fn every_choice_is_there_once() {
        assert_eq!(choices(&[2, 1, 2]).len(), 4);
        assert_eq!(choices(&[2, 2]), [[0, 0], [0, 1], [1, 0], [1, 1]]);
        assert!(choices(&[2, 0]).is_empty());
    }
}
