//! Several names in a sentence, and what shares a word.

use crate::report::words::plain;
use crate::text::Plain;

/// Operators that a line names before it only counts them.
const NAMED_OPERATORS: usize = 6;

/// `a, b and c`.
pub(in crate::report) fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

pub(in crate::report) fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// `Conv`, or `2 Conv`.
pub(in crate::report) fn several((operator, count): (&Plain, &u64)) -> String {
    match count {
        1 => plain(operator),
        several => format!("{several} {}", plain(operator)),
    }
}

/// `Conv, Relu, 3 more operators`.
pub(in crate::report) fn first_operators(mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(NAMED_OPERATORS);
    names.truncate(NAMED_OPERATORS);
    if more > 0 {
        names.push(format!("{more} more operator{}", plural(more as u64)));
    }
    names.join(", ")
}

/// Values by the keys that they share, in the order in which the keys come up.
pub(in crate::report) fn grouped<K: PartialEq, V>(pairs: impl Iterator<Item = (K, V)>) -> Vec<(K, Vec<V>)> {
    let mut groups: Vec<(K, Vec<V>)> = Vec::new();
    for (key, value) in pairs {
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, values)) => values.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    groups
}
