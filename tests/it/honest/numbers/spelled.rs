//! Numbers in a text, with the words around them.

/// A number as it is spelled.
#[derive(Clone, Debug, PartialEq)]
pub struct Spelled {
    /// The number's own characters, separators included.
    pub text: String,
    pub value: f64,
    /// What the last of its digits that counts is worth.
    pub step: f64,
    /// What follows without which it is another quantity: `µs`, `%`, `x`.
    pub unit: String,
    /// Words before, numbers among them as `#`.
    pub before: Vec<String>,
    /// Words behind.
    pub behind: Vec<String>,
}

/// Words before and behind a number by which it is known again.
const BEFORE: usize = 5;
const BEHIND: usize = 3;

impl Spelled {
    /// The words around it, with its own.
    pub fn told(&self) -> String {
        let (before, behind) = (self.before.join(" "), self.behind.join(" "));
        format!("{before} «{}»{} {behind}", self.text, self.unit)
    }

    /// The place that numbers of another rendering share.
    pub fn place(&self) -> String {
        let (before, behind) = (self.before.join(" "), self.behind.join(" "));
        format!("{before}|{behind}")
    }
}

/// A word of a text, or a number in it.
enum Token {
    Word(String),
    Number(Spelled),
}

/// The numbers of `text`; those within names (`int8`, `p99`, `1.31.1`) are none.
pub fn numbers(text: &str) -> Vec<Spelled> {
    let tokens: Vec<Token> = text.split_whitespace().flat_map(tokens_of).collect();
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let Token::Number(number) = token else {
            continue;
        };
        let before = &tokens[at.saturating_sub(BEFORE)..at];
        let behind = &tokens[at + 1..(at + 1 + BEHIND).min(tokens.len())];
        found.push(Spelled {
            before: before.iter().map(neutral).collect(),
            behind: behind.iter().map(neutral).collect(),
            ..number.clone()
        });
    }
    found
}

const UNITS: [&str; 22] = [
    "ns", "µs", "ms", "s", "min", "h", "B", "KiB", "MiB", "GiB", "kB", "MB", "GB", "J", "mJ", "µJ",
    "nJ", "W", "%", "x", "/s", "GB/s",
];

/// A token as any rendering has it.
fn neutral(token: &Token) -> String {
    match token {
        Token::Word(word) if UNITS.contains(&word.as_str()) => "u".into(),
        Token::Word(word) => word.clone(),
        Token::Number(_) => "#".into(),
    }
}

fn is_of_number(letter: char) -> bool {
    letter.is_ascii_digit() || letter == ',' || letter == '.'
}

/// The tokens of a word between blanks.
fn tokens_of(word: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = word;
    while let Some(at) = rest.find(|letter: char| letter.is_ascii_digit()) {
        let before = &rest[..at];
        let end = rest[at..]
            .find(|letter| !is_of_number(letter))
            .map_or(rest.len(), |length| at + length);
        let digits = first_of_list(rest[at..end].trim_end_matches([',', '.']));
        let end = at + digits.len();
        let behind = &rest[end..];
        if is_name(before, digits, behind) {
            // The whole word is one name.
            tokens.push(Token::Word(word.to_owned()));
            return tokens;
        }
        push_words(&mut tokens, before);
        let (unit, behind) = unit(behind);
        tokens.push(Token::Number(spelled(digits, unit)));
        rest = behind;
    }
    push_words(&mut tokens, rest);
    tokens
}

/// The first number of several with commas between; all of one whose commas part thousands.
fn first_of_list(digits: &str) -> &str {
    let whole = digits.split('.').next().unwrap_or(digits);
    let mut groups = whole.split(',').skip(1);
    match groups.all(|group| group.len() == 3) {
        true => digits,
        false => digits.split(',').next().unwrap_or(digits),
    }
}

fn push_words(tokens: &mut Vec<Token>, text: &str) {
    let text = text.trim_matches(|letter: char| "|*_`()[]:;,.".contains(letter));
    if !text.is_empty() {
        tokens.push(Token::Word(text.to_owned()));
    }
}

fn is_name(before: &str, digits: &str, behind: &str) -> bool {
    let joins = |letter: char| letter.is_alphabetic() || letter == '_' || letter == '/';
    let follows = before.trim_end_matches(['-', '+']).ends_with(joins);
    let goes_on = unit(behind).1.starts_with(joins) || digits.matches('.').count() > 1;
    follows || goes_on
}

/// The unit that `text` begins with, and the rest.
fn unit(text: &str) -> (&str, &str) {
    let end = text
        .find(|letter: char| !(letter.is_alphabetic() || letter == '%' || letter == '/'))
        .unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    if UNITS.contains(&word) {
        (word, rest)
    } else {
        ("", text)
    }
}

fn spelled(digits: &str, unit: &str) -> Spelled {
    let plain = digits.replace(',', "");
    let value: f64 = plain.parse().unwrap_or(f64::NAN);
    let step = match plain.split_once('.') {
        Some((_, decimals)) => 10f64.powi(-(decimals.len() as i32)),
        None => {
            let zeros = plain.len() - plain.trim_end_matches('0').len();
            10f64.powi(zeros.min(plain.len().saturating_sub(2)) as i32)
        }
    };
    Spelled {
        text: digits.to_owned(),
        value,
        step,
        unit: unit.to_owned(),
        before: Vec::new(),
        behind: Vec::new(),
    }
}

#[test]
fn numbers_are_found_with_their_units_and_names_are_none() {
    let text = "int8 (p99 ≤ 1,300 µs; 2.1x, 98.8%) from 1.31.1 at top-1 in 3-4, -5 points";
    let found: Vec<String> = numbers(text)
        .iter()
        .map(|number| format!("{}{}", number.text, number.unit))
        .collect();
    assert_eq!(found, ["1,300", "2.1x", "98.8%", "3", "4", "5"]);
}
