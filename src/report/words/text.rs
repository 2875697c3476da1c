//! Text made fit for Markdown and for narrow columns, and names in a sentence.

use std::collections::HashSet;
use std::fmt::Display;

use super::number;
use crate::text::Plain;
pub use crate::text::{is_acted_on, plain, plain_whole};

/// Operators that a line names before it only counts them.
const NAMED_OPERATORS: usize = 6;

/// `text` with everything escaped that Markdown (CommonMark with tables) would act on within a
/// line.
pub(in crate::report) fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(
            character,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '#'
        ) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

/// `text` escaped as [`markdown`] has it, but for words between backticks, which are code.
pub(in crate::report) fn markdown_prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let are_pairs = !parts.len().is_multiple_of(2);
    let is_apart =
        |index: usize| index == 0 || index + 1 == parts.len() || !parts[index].is_empty();
    if !are_pairs || !(0..parts.len()).all(is_apart) {
        return markdown(text);
    }
    let parts = parts.iter().enumerate();
    parts
        .map(|(index, part)| match index % 2 {
            1 if is_span(part) => code(part),
            1 => format!("\\`{}\\`", markdown(part)),
            _ => markdown(part),
        })
        .collect()
}

/// Whether a text stays what it is as a code span, also in a table, and where a service takes HTML
/// before it takes code.
fn is_span(text: &str) -> bool {
    !text.trim().is_empty() && !text.contains(['|', '<', '\n'])
}

/// `text` as a code span of Markdown, outside of tables.
pub(in crate::report) fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// `text` cut to at most `limit` characters, with an ellipsis where something was cut.
pub(in crate::report) fn shortened(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let kept: String = text.chars().take(limit.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// Names in at most `width` characters each that differ as the whole ones do: cut at their end, else
/// without what all of them begin with, else by their numbers.
pub(in crate::report) fn distinct_names<T: AsRef<str>>(names: &[T], width: usize) -> Vec<String> {
    let whole: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let cut = all_shortened(whole.iter().copied(), width);
    if differ_alike(&cut, &whole) {
        return cut;
    }
    let start = common_start(&whole);
    let rests = whole.iter().map(|name| without_start(name, start));
    let rests: Vec<String> = rests.collect();
    let cut = all_shortened(rests.iter().map(String::as_str), width);
    if differ_alike(&cut, &whole) {
        return cut;
    }
    let numbered = rests.iter().zip(1..);
    numbered
        .map(|(rest, number)| shortened(&format!("{number}: {rest}"), width))
        .collect()
}

fn all_shortened<'a>(names: impl Iterator<Item = &'a str>, width: usize) -> Vec<String> {
    names.map(|name| shortened(name, width)).collect()
}

/// Whether names that were cut differ wherever the whole ones do.
fn differ_alike(cut: &[String], whole: &[&str]) -> bool {
    let cut: HashSet<&String> = cut.iter().collect();
    let whole: HashSet<&&str> = whole.iter().collect();
    cut.len() == whole.len()
}

/// Characters at the end of each name that stay, whatever all of them begin with.
const KEPT: usize = 4;

/// Characters that all names begin with, as far as each goes on behind them.
fn common_start(names: &[&str]) -> usize {
    let Some(first) = names.first() else {
        return 0;
    };
    let common = names.iter().map(|name| common_length(first, name)).min();
    let shortest = names.iter().map(|name| name.chars().count()).min();
    common
        .unwrap_or(0)
        .min(shortest.unwrap_or(0).saturating_sub(KEPT))
}

fn without_start(name: &str, start: usize) -> String {
    if start < 2 {
        return name.to_owned();
    }
    let rest: String = name.chars().skip(start).collect();
    format!("…{rest}")
}

/// Characters that both begin with.
pub(in crate::report) fn common_length(one: &str, other: &str) -> usize {
    one.chars()
        .zip(other.chars())
        .take_while(|(one, other)| one == other)
        .count()
}

/// `text` with a capital letter first.
pub(in crate::report) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(letters)
        .collect()
}

/// `a, b and c`.
pub(in crate::report) fn listed<T: Display>(names: impl IntoIterator<Item = T>) -> String {
    let names = names.into_iter().map(|name| name.to_string());
    match names.collect::<Vec<String>>().as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

/// `a; b; c`, with what stands between them.
pub(in crate::report) fn joined<T: Display>(
    parts: impl IntoIterator<Item = T>,
    between: &str,
) -> String {
    let parts = parts.into_iter().map(|part| part.to_string());
    parts.collect::<Vec<String>>().join(between)
}

pub(in crate::report) fn on_or_off(on: bool) -> String {
    if on { "on" } else { "off" }.into()
}

/// `2 intra-op threads`.
pub(in crate::report) fn number_of(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", plural(count))
}

/// `12,345 cells`.
pub(in crate::report) fn counted_noun(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", number::count(count), plural(count))
}

pub(in crate::report) fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// `Conv`, or `2 Conv`.
fn several(operator: &Plain, count: u64) -> String {
    match count {
        1 => plain(operator),
        several => format!("{several} {operator}"),
    }
}

/// `Conv, Relu, 3 more operators`.
pub(in crate::report) fn first_operators<'a>(
    counts: impl IntoIterator<Item = (&'a Plain, &'a u64)>,
) -> String {
    let counts = counts.into_iter();
    first_names(counts.map(|(operator, &count)| several(operator, count)))
}

/// The first names, and how many more operators there are.
pub(in crate::report) fn first_names(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = names.collect();
    let more = names.len().saturating_sub(NAMED_OPERATORS);
    names.truncate(NAMED_OPERATORS);
    if more > 0 {
        names.push(number_of(more as u64, "more operator"));
    }
    names.join(", ")
}

/// Each of the values once, where it comes up first.
pub(in crate::report) fn once<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut once = Vec::new();
    for value in values {
        if !once.contains(&value) {
            once.push(value);
        }
    }
    once
}

/// Values by the keys that they share, in the order in which the keys come up.
pub(in crate::report) fn grouped<K: PartialEq, V>(
    pairs: impl Iterator<Item = (K, V)>,
) -> Vec<(K, Vec<V>)> {
    let mut groups: Vec<(K, Vec<V>)> = Vec::new();
    for (key, value) in pairs {
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, values)) => values.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_in_a_name_stays_text() {
        assert_eq!(markdown("a|b_*[x](y)<i>"), "a\\|b\\_\\*\\[x\\](y)\\<i\\>");
        for (text, expected) in [
            (
                "give `--ep-option a_b=1`, x_y",
                "give `--ep-option a_b=1`, x\\_y",
            ),
            ("`<i>`", "\\`\\<i\\>\\`"),
            ("a name with one ` and *", "a name with one \\` and \\*"),
            ("`a|b`", "\\`a\\|b\\`"),
            ("` `", "\\` \\`"),
            ("``a``", "\\`\\`a\\`\\`"),
            ("`a``b`", "\\`a\\`\\`b\\`"),
        ] {
            assert_eq!(markdown_prose(text), expected);
        }
    }

    #[test]
    fn code_spans_hold_backticks_and_pipes() {
        assert_eq!(code("a`b|c"), "``a`b|c``");
        assert_eq!(code("`"), "`` ` ``");
    }

    #[test]
    fn names_that_are_cut_differ_as_the_whole_ones_do() {
        let cut = |names: &[&str]| distinct_names(names, 12);
        assert_eq!(cut(&["fp32", "int8-dynamic"]), ["fp32", "int8-dynamic"]);
        assert_eq!(
            cut(&["fp32", "int8-dynamic-per-channel"]),
            ["fp32", "int8-dynami…"]
        );
        assert_eq!(
            cut(&["my-production-model-fp32", "my-production-model-int8"]),
            ["…fp32", "…int8"]
        );
        assert_eq!(
            cut(&["my-production-model", "my-production-model-int8"]),
            ["…odel", "…odel-int8"]
        );
        let long = "n".repeat(40);
        let one = format!("{long}a{long}");
        let other = format!("{long}b{long}");
        assert_eq!(cut(&[&one, &other]), ["…annnnnnnnn…", "…bnnnnnnnnn…"]);
        let third = format!("x{long}c");
        let fourth = format!("x{long}d");
        let cut = distinct_names(&[one, other, third, fourth], 12);
        assert_eq!(cut.iter().collect::<HashSet<_>>().len(), 4, "{cut:?}");
    }

    #[test]
    fn long_text_is_cut_with_an_ellipsis() {
        assert_eq!(shortened("abcdef", 4), "abc…");
        assert_eq!(shortened("abcd", 4), "abcd");
    }
}
