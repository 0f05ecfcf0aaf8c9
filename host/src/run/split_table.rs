//! `split.csv`: which row of the data serves what, for programs that shall not learn from the held-out rows either.
//!
//! `head,row,part`: rows count from 0 in the order of the file, or of the pictures' names; the part is `train`, `validation` or
//! `test`.

use std::fmt::Write;

use trident::spec::Head;

use crate::data::Split;

/// The table of these heads' splits.
pub(crate) fn split_table<'s>(heads: impl Iterator<Item = (Head, &'s Split)>) -> String {
    let mut table = String::from("head,row,part\n");
    for (head, split) in heads {
        let parts = [
            ("train", &split.train),
            ("validation", &split.validation),
            ("test", &split.test),
        ];
        let mut rows: Vec<(usize, &str)> = Vec::new();
        for (part, members) in parts {
            rows.extend(members.iter().map(|&row| (row, part)));
        }
        rows.sort_unstable();
        for (row, part) in rows {
            let _ = writeln!(table, "{},{row},{part}", head.name());
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_their_order() {
        let split = Split {
            train: vec![3, 0],
            validation: vec![2],
            test: vec![1],
        };
        assert_eq!(
            split_table([(Head::Regression, &split)].into_iter()),
            "head,row,part\nregression,0,train\nregression,1,test\nregression,2,validation\nregression,3,train\n"
        );
    }
}
