//! Names and other texts in tables for programs, which people open in spreadsheets.

use crate::text::plain_whole;

/// In either width.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// How names and other texts stand in CSV: on one line, without anything that a terminal would act on. Columns of numbers are
/// numbers either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Names {
    /// With an apostrophe before what a spreadsheet would take for a formula.
    #[default]
    Guarded,
    /// Without.
    Raw,
}

impl Names {
    pub(super) fn field(self, text: &str) -> String {
        let shown = plain_whole(text);
        match self {
            Names::Guarded if text.starts_with(FORMULA) || shown.starts_with(FORMULA) => format!("'{shown}"),
            Names::Guarded | Names::Raw => shown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_compute_gets_an_apostrophe() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", " =1", "\u{a0}=1", "＝1", "-0.5"] {
            assert_eq!(Names::Guarded.field(text), format!("'{}", plain_whole(text)), "{text:?}");
            assert_eq!(Names::Raw.field(text), plain_whole(text), "{text:?}");
        }
        for text in ["fp32", "a=b", "", "'=1", "1-2", "seq=64"] {
            assert_eq!(Names::Guarded.field(text), text);
        }
    }
}
