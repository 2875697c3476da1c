//! Triton's `config.pbtxt`: protobuf's way to write messages as text.

use std::iter::{Peekable, from_fn};
use std::str::Chars;
use std::vec::IntoIter;

/// Messages within messages that are read: those of a configuration are a few levels deep.
const DEPTH: usize = 8;

/// Fields of a message, in its order; one that is a list stands there once for each of its
/// elements.
type Message = Vec<(String, Held)>;

enum Held {
    Scalar(String),
    Message(Message),
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// A name, a number, or a text without its quotes.
    Word(String),
    Sign(char),
}

/// Sizes of inputs by their names and axes. A configuration leaves the batch out where it lets a
/// model have one.
pub(super) fn axes(text: &str) -> Vec<(String, usize, u64)> {
    let root = message(&mut tokens(text).into_iter().peekable(), DEPTH);
    let batch = scalars(&root, "max_batch_size")
        .next()
        .and_then(|size| size.parse::<i64>().ok());
    let first = usize::from(batch.is_some_and(|batch| batch > 0));
    root.iter()
        .filter(|(name, _)| name == "input")
        .flat_map(|(_, input)| axes_of(input, first))
        .collect()
}

/// Sizes of an input's axes, of which the one that `dims` begins with is the `first`.
fn axes_of(input: &Held, first: usize) -> Vec<(String, usize, u64)> {
    let Held::Message(input) = input else {
        return Vec::new();
    };
    // Such an input has another shape in the model.
    if input.iter().any(|(name, _)| name == "reshape") {
        return Vec::new();
    }
    let Some(name) = scalars(input, "name").next() else {
        return Vec::new();
    };
    scalars(input, "dims")
        .enumerate()
        .filter_map(|(place, size)| Some((name.to_owned(), first + place, size.parse().ok()?)))
        .collect()
}

fn scalars<'m>(message: &'m [(String, Held)], field: &'m str) -> impl Iterator<Item = &'m str> {
    message.iter().filter_map(move |(name, held)| match held {
        Held::Scalar(text) if name == field => Some(text.as_str()),
        _ => None,
    })
}

type Tokens = Peekable<IntoIter<Token>>;

fn message(tokens: &mut Tokens, depth: usize) -> Message {
    let mut fields = Message::new();
    while let Some(token) = tokens.next() {
        match token {
            Token::Word(name) => field(tokens, &name, depth, &mut fields),
            Token::Sign('}' | '>') => break,
            Token::Sign(_) => {}
        }
    }
    fields
}

/// The values behind the name of a field: one, or several in a list.
fn field(tokens: &mut Tokens, name: &str, depth: usize, fields: &mut Message) {
    tokens.next_if_eq(&Token::Sign(':'));
    let is_list = tokens.next_if_eq(&Token::Sign('[')).is_some();
    while let Some(token) = tokens.next() {
        match token {
            Token::Word(text) => fields.push((name.to_owned(), Held::Scalar(text))),
            Token::Sign('{' | '<') if depth > 0 => {
                fields.push((name.to_owned(), Held::Message(message(tokens, depth - 1))));
            }
            Token::Sign(']') => return,
            Token::Sign(_) => {}
        }
        if !is_list {
            return;
        }
    }
}

/// The words and signs of a text, without its comments.
fn tokens(text: &str) -> Vec<Token> {
    let mut letters = text.chars().peekable();
    let mut found = Vec::new();
    while let Some(letter) = letters.next() {
        match letter {
            '#' => while letters.next_if(|&letter| letter != '\n').is_some() {},
            '"' | '\'' => {
                found.push(Token::Word(
                    letters
                        .by_ref()
                        .take_while(|&next| next != letter)
                        .collect(),
                ));
            }
            '{' | '}' | '[' | ']' | '<' | '>' | ':' => found.push(Token::Sign(letter)),
            ',' | ';' => {}
            letter if letter.is_whitespace() => {}
            first => found.push(Token::Word(word(&mut letters, first))),
        }
    }
    found
}

fn word(letters: &mut Peekable<Chars<'_>>, first: char) -> String {
    let mut word = String::from(first);
    word.extend(from_fn(|| {
        letters.next_if(|&next| next.is_alphanumeric() || "_-+.".contains(next))
    }));
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(name: &str, axis: usize, size: u64) -> (String, usize, u64) {
        (name.to_owned(), axis, size)
    }

    #[test]
    fn sizes_are_read_in_every_way_to_write_them() {
        let expected = [axis("x", 1, 3), axis("x", 3, 48)];
        for input in [
            r#"input [ { name: "x" data_type: TYPE_FP32 dims: [ 3, -1, 48 ] } ]"#,
            "input {\n name: 'x'\n dims: 3 # colours: [ 4 ]\n dims: -1\n dims: 48\n}",
            r#"input: < dims: [3,-1,48]; name: "x", format: FORMAT_NCHW >"#,
        ] {
            assert_eq!(
                axes(&format!("name: \"input_dims\"\nmax_batch_size: 8\n{input}")),
                expected,
                "{input}"
            );
        }
    }

    #[test]
    fn without_a_batch_axes_count_from_0_and_outputs_are_no_inputs() {
        let text = r#"
            input [ { name: "a", dims: [ 5 ] }, { name: "b", dims: [ 6, 7 ] } ]
            input [ { name: "c", dims: [ 1 ], reshape { shape: [ ] } } ]
            output [ { name: "a", dims: [ 9 ] } ]
            instance_group [ { count: 2, kind: KIND_CPU } ]"#;
        let expected = [axis("a", 0, 5), axis("b", 0, 6), axis("b", 1, 7)];
        assert_eq!(axes(text), expected);
        assert_eq!(axes(&format!("max_batch_size: 0 {text}")), expected);
    }

    #[test]
    fn what_is_no_configuration_has_no_sizes() {
        let deep = "input {".repeat(100_000);
        for text in [
            "",
            "}",
            "input",
            "input [",
            "input { name: \"x",
            "]: {",
            "input: 3",
            deep.as_str(),
        ] {
            assert!(axes(text).is_empty(), "{}", &text[..text.len().min(20)]);
        }
    }
}
