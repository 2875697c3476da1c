//! Values as the command line reads them.

use crate::units::{Nanos, Ratio};

pub(super) fn list(values: impl IntoIterator<Item: ToString>) -> String {
    let values = values.into_iter().map(|value| value.to_string());
    values.collect::<Vec<_>>().join(",")
}

/// A time as the command line reads it: `20s`, `10ms`.
pub(super) fn time(time: Nanos) -> String {
    match time.0 {
        0 => "0".into(),
        nanos if nanos % 1_000_000_000 == 0 => format!("{}s", nanos / 1_000_000_000),
        nanos if nanos % 1_000_000 == 0 => format!("{}ms", nanos / 1_000_000),
        nanos => format!("{nanos}ns"),
    }
}

/// The shortest number of percent that is this share.
pub(super) fn percent(share: Ratio) -> String {
    let percent = share.0 * 100.0;
    (0..17)
        .map(|digits| format!("{percent:.digits$}"))
        .find(|written| is_percent_of(share, written))
        .unwrap_or_else(|| percent.to_string())
}

fn is_percent_of(share: Ratio, written: &str) -> bool {
    written
        .parse::<f64>()
        .is_ok_and(|percent| percent / 100.0 == share.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_shares_are_written_as_the_command_line_reads_them() {
        let words =
            [0, 20_000_000_000, 1_500_000_000, 10_000_000, 1_234].map(|nanos| time(Nanos(nanos)));
        assert_eq!(words, ["0", "20s", "1500ms", "10ms", "1234ns"]);
        assert_eq!(
            [0.02, 0.07, 0.0137, 1e-6].map(|share| percent(Ratio(share))),
            ["2", "7", "1.37", "0.0001"]
        );
    }
}
