//! Values of a field: what people gave, and what was found.

use super::fill::{Fill, found};
use super::found::{Found, Kind};
use super::keys::Key;
use crate::report::words;

/// The lines of a field: what people gave, and what was found.
pub(super) fn values(fill: Fill<'_>, key: Key) -> Vec<String> {
    with(
        fill.beside.context.get(key),
        found(key, fill),
        key.is_for_people(),
    )
}

fn with(given: Option<&[String]>, found: Found, is_for_people: bool) -> Vec<String> {
    let (Some(given), Ok(found)) = (given, &found) else {
        return match (given, found) {
            (Some(given), _) => given.to_vec(),
            (None, Ok(found)) => found.lines,
            (None, Err(absent)) => vec![absent.to_string()],
        };
    };
    let label = match found.kind {
        Kind::Whole => return found.lines.clone(),
        Kind::Measured | Kind::Stated if is_for_people => return given.to_vec(),
        Kind::Measured => "measured by onnxprof: ",
        Kind::Stated => "",
    };
    let found = found.lines.iter().map(|line| match is_absence(line) {
        true => line.clone(),
        false => format!("{label}{line}"),
    });
    given.iter().cloned().chain(found).collect()
}

/// A line among figures that says of what there is none: `GPU memory not measured: no session ran
/// on a GPU`.
fn is_absence(line: &str) -> bool {
    let absence = words::not_measured("");
    line.starts_with(&absence) || line.contains(&format!(" {absence}"))
}

#[cfg(test)]
mod tests {
    use super::super::found::{measured, not_measured, stated};
    use super::*;

    #[test]
    fn what_was_measured_stands_beside_what_was_given_but_for_what_people_know_better() {
        let given = ["1 ms".to_owned()];
        // A text that only looks like a reason is none.
        let name = "not measured, by name: 2 ms";
        for (found, is_for_people, given, shown) in [
            (
                measured("2 ms"),
                false,
                Some(&given[..]),
                &["1 ms", "measured by onnxprof: 2 ms"][..],
            ),
            (
                measured(name),
                false,
                Some(&given),
                &["1 ms", "measured by onnxprof: not measured, by name: 2 ms"],
            ),
            (
                stated("`onnxprof gate`"),
                false,
                Some(&given),
                &["1 ms", "`onnxprof gate`"],
            ),
            (
                super::super::found::told(Kind::Whole, vec!["1 ms: met".into()]),
                false,
                Some(&given),
                &["1 ms: met"],
            ),
            (not_measured("no cell"), false, Some(&given), &["1 ms"]),
            (
                not_measured("no cell"),
                false,
                None,
                &["not measured: no cell"],
            ),
            (stated("the model x"), true, Some(&given), &["1 ms"]),
            (stated("the model x"), true, None, &["the model x"]),
        ] {
            let context = format!("{found:?}, given {given:?}");
            assert_eq!(with(given, found, is_for_people), shown, "{context}");
        }
    }
}
