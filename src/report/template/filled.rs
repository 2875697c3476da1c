//! Fields of the template with the values that a run gives them.

use std::collections::BTreeMap;

use super::fill::found;
use super::found::{Found, or_why};
use super::given::Context;
use super::keys::Key;
use super::outline::labels;
use crate::report::words::Source;
use crate::report::words::item::Item;

/// Values of every field of the template.
#[derive(Clone, Debug, PartialEq)]
pub struct Filled(BTreeMap<Key, Found>);

impl Filled {
    pub(in crate::report) fn by(source: Source<'_>) -> Self {
        Filled(
            Key::ALL
                .iter()
                .map(|&key| (key, found(key, source)))
                .collect(),
        )
    }

    pub(super) fn with(&self, given: &Context, key: Key) -> String {
        match (given.get(key), self.0.get(&key)) {
            (Some(given), Some(Ok(found))) if !key.is_for_people() => {
                format!("{given}; measured by onnxprof: {found}")
            }
            (Some(given), _) => given.to_owned(),
            (None, Some(found)) => or_why(found.clone()),
            (None, None) => String::new(),
        }
    }
}

pub(in crate::report) fn items(source: Source<'_>, wanted: impl Fn(Key) -> bool) -> Vec<Item> {
    labels(wanted)
        .map(|(key, label)| Item::new(label, or_why(found(key, source))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::keys::{Inference, Overview};
    use super::super::outline::name;
    use super::*;

    fn holds(found: Found, key: Key, given: Option<&str>) -> String {
        let filled = Filled(BTreeMap::from([(key, found)]));
        let line = |given: &str| {
            let (table, name) = name(key).rsplit_once('.').unwrap();
            Context::parse(&format!("[{table}]\n{name} = \"{given}\"\n")).unwrap()
        };
        filled.with(&given.map(line).unwrap_or_default(), key)
    }

    #[test]
    fn what_was_measured_stands_beside_what_was_given_but_for_what_people_know_better() {
        let latency = Key::Inference(Inference::SinglePredictionLatency);
        let component = Key::Overview(Overview::SystemComponent);
        let absent = || crate::report::template::found::not_measured("no cell");
        // A text that only looks like a reason is none.
        let name = "not measured, by name: 2 ms";
        for (found, key, given, shown) in [
            (
                Ok("2 ms".into()),
                latency,
                Some("1 ms"),
                "1 ms; measured by onnxprof: 2 ms",
            ),
            (
                Ok(name.into()),
                latency,
                Some("1 ms"),
                "1 ms; measured by onnxprof: not measured, by name: 2 ms",
            ),
            (absent(), latency, Some("1 ms"), "1 ms"),
            (absent(), latency, None, "not measured: no cell"),
            (
                Ok("the model x".into()),
                component,
                Some("search"),
                "search",
            ),
            (Ok("the model x".into()), component, None, "the model x"),
        ] {
            assert_eq!(holds(found, key, given), shown, "{key:?}, given {given:?}");
        }
    }
}
