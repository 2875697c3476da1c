//! Words for a model's classes, as metadata and configurations write them.

use std::collections::BTreeMap;
use std::iter::{Peekable, from_fn};
use std::str::Chars;

use serde_json::Value;

/// The words that a text lists in JSON's way or in Python's; absent where it is something else.
pub(super) fn of_text(text: &str) -> Option<Vec<String>> {
    match serde_json::from_str::<Value>(text) {
        Ok(value) => of_json(&value),
        Err(_) => of_python(text),
    }
}

/// The words of a list, or of an object in which each has its class's number for a key.
pub(super) fn of_json(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(items) => all(items.iter().map(word_of)),
        Value::Object(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| numbered(key, word_of(value)?));
            in_order(entries.collect::<Option<_>>()?)
        }
        _ => None,
    }
}

fn numbered(number: &str, word: String) -> Option<(u64, String)> {
    Some((number.trim().parse().ok()?, word))
}

fn word_of(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// The words, where there are some and each is one.
fn all(words: impl Iterator<Item = Option<String>>) -> Option<Vec<String>> {
    words
        .collect::<Option<Vec<_>>>()
        .filter(|words| !words.is_empty())
}

/// Words by their numbers, which count from 0.
fn in_order(words: BTreeMap<u64, String>) -> Option<Vec<String>> {
    let is_counted = words.keys().copied().eq(0..words.len() as u64);
    all(words.into_values().map(Some)).filter(|_| is_counted)
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Text(String),
    Number(u64),
    Colon,
    Comma,
}

/// The words of a list, tuple or dictionary as Python writes it: `{0: 'cat', 1: "dog's"}`.
fn of_python(text: &str) -> Option<Vec<String>> {
    if let Some(entries) = within(text, '{', '}') {
        return in_order(parts(&tokens(entries)?).map(entry).collect::<Option<_>>()?);
    }
    let tokens = tokens(within(text, '[', ']').or_else(|| within(text, '(', ')'))?)?;
    all(parts(&tokens).map(word))
}

fn within(text: &str, open: char, close: char) -> Option<&str> {
    text.trim().strip_prefix(open)?.strip_suffix(close)
}

/// A number and its word.
fn entry(part: &[Token]) -> Option<(u64, String)> {
    match part {
        [Token::Number(number), Token::Colon, Token::Text(word)] => Some((*number, word.clone())),
        [Token::Text(number), Token::Colon, Token::Text(word)] => numbered(number, word.clone()),
        _ => None,
    }
}

fn word(part: &[Token]) -> Option<String> {
    let [Token::Text(word)] = part else {
        return None;
    };
    Some(word.clone())
}

/// The parts between commas; nothing behind the last one.
fn parts(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    tokens
        .strip_suffix(&[Token::Comma])
        .unwrap_or(tokens)
        .split(|token| *token == Token::Comma)
}

/// The tokens of what stands in brackets; absent where there is anything but texts and whole
/// numbers.
fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut letters = text.chars().peekable();
    let mut found = Vec::new();
    while let Some(letter) = letters.next() {
        found.push(match letter {
            quote @ ('\'' | '"') => Token::Text(quoted(&mut letters, quote)?),
            ':' => Token::Colon,
            ',' => Token::Comma,
            letter if letter.is_whitespace() => continue,
            digit if digit.is_ascii_digit() => Token::Number(number(&mut letters, digit)?),
            _ => return None,
        });
    }
    Some(found)
}

fn number(letters: &mut Peekable<Chars<'_>>, first: char) -> Option<u64> {
    let mut digits = String::from(first);
    digits.extend(from_fn(|| letters.next_if(char::is_ascii_digit)));
    digits.parse().ok()
}

/// The text up to its closing quote. A backslash makes a quote, or another backslash, part of it.
fn quoted(letters: &mut Peekable<Chars<'_>>, quote: char) -> Option<String> {
    let mut text = String::new();
    loop {
        match letters.next()? {
            '\\' => text.push(letters.next()?),
            letter if letter == quote => return Some(text),
            letter => text.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_numbered_words_are_read_as_json_and_python_write_them() {
        for text in [
            r#"["cat", "dog's"]"#,
            r#"{"1": "dog's", "0": "cat"}"#,
            r#"{0: 'cat', 1: "dog's"}"#,
            r"{1: 'dog\'s', 0: 'cat',}",
            r#"{'0': 'cat', '1': "dog's"}"#,
            r#"['cat', "dog's"]"#,
            r#" ('cat', "dog's",) "#,
        ] {
            assert_eq!(
                of_text(text).as_deref(),
                Some(&["cat".to_owned(), "dog's".to_owned()][..]),
                "{text}"
            );
        }
        let many: BTreeMap<String, String> = (0..12)
            .map(|class| (class.to_string(), format!("w{class}")))
            .collect();
        let words = of_text(&serde_json::to_string(&many).unwrap()).unwrap();
        assert_eq!(
            (words.len(), words[2].as_str(), words[11].as_str()),
            (12, "w2", "w11"),
            "by number, not by text"
        );
    }

    #[test]
    fn anything_else_names_no_classes() {
        let short = [
            "",
            "cat",
            "3",
            "[]",
            "{}",
            "()",
            "[,]",
            "['cat'",
            "[1, 2]",
            "['cat', 1]",
            "{0: cat}",
            "{'cat': 0}",
        ];
        let long = [
            "['cat' 'dog']",
            "{1: 'cat', 2: 'dog'}",
            "{0: {1: 'cat'}}",
            r#"{"0": ["cat"]}"#,
        ];
        for text in short.into_iter().chain(long) {
            assert_eq!(of_text(text), None, "{text}");
        }
    }
}
