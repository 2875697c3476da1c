//! Rows as CSV, which people open in spreadsheets, and how texts and numbers stand in them.

use serde::{Serialize, Serializer};

use crate::text::plain_whole;

/// The header stands without rows as well. Writing into memory does not fail.
pub(super) fn table<R: Serialize + Default>(
    rows: impl IntoIterator<Item = R>,
) -> Result<Vec<u8>, csv::Error> {
    let mut rows = rows.into_iter().peekable();
    let is_empty = rows.peek().is_none();
    let mut writer = csv::Writer::from_writer(Vec::new());
    if is_empty {
        writer.serialize(R::default())?;
    }
    rows.try_for_each(|row| writer.serialize(row))?;
    let mut text = writer
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))?;
    if is_empty {
        text.truncate(
            text.iter()
                .position(|byte| *byte == b'\n')
                .map_or(0, |end| end + 1),
        );
    }
    Ok(text)
}

/// Thirteen significant digits, in plain notation: without the noise of the last binary digits.
#[derive(Clone, Copy)]
pub(super) struct Digits(pub(super) f64);

impl Digits {
    fn rounded(self) -> f64 {
        format!("{:.12e}", self.0).parse().unwrap_or(self.0)
    }

    pub(super) fn text(self) -> String {
        self.rounded().to_string()
    }
}

impl Serialize for Digits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.rounded())
    }
}

/// In either width.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// How names and other texts stand in CSV: on one line, without anything that a terminal would act
/// on. Columns of numbers are numbers either way.
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
            Names::Guarded if text.starts_with(FORMULA) || shown.starts_with(FORMULA) => {
                format!("'{shown}")
            }
            Names::Guarded | Names::Raw => shown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default, Serialize)]
    struct Row {
        name: &'static str,
        value: Option<Digits>,
    }

    #[test]
    fn values_keep_thirteen_digits_and_no_exponent() {
        let text = table(
            [22_634_166.000_000_02, 1.0 / 3.0, 0.0, 8_589_934_592_000.0].map(|value| Row {
                name: "a",
                value: Some(Digits(value)),
            }),
        )
        .unwrap();
        let expected = "name,value\na,22634166\na,0.3333333333333\na,0\na,8589934592000\n";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }

    #[test]
    fn the_header_stands_without_rows_and_absent_values_are_empty() {
        assert_eq!(table(Vec::<Row>::new()).unwrap(), b"name,value\n");
        assert_eq!(
            table([Row {
                name: "a,b",
                value: None
            }])
            .unwrap(),
            b"name,value\n\"a,b\",\n"
        );
    }
    #[test]
    fn what_a_spreadsheet_would_compute_gets_an_apostrophe() {
        for text in [
            "=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", " =1", "\u{a0}=1", "＝1", "-0.5",
        ] {
            assert_eq!(
                Names::Guarded.field(text),
                format!("'{}", plain_whole(text)),
                "{text:?}"
            );
            assert_eq!(Names::Raw.field(text), plain_whole(text), "{text:?}");
        }
        for text in ["fp32", "a=b", "", "'=1", "1-2", "seq=64"] {
            assert_eq!(Names::Guarded.field(text), text);
        }
    }
}
