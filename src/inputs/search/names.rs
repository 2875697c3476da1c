//! Expressions of sizes as names of dimensions spell them, `past_length + 1` or `batch_size x
//! num_heads`, and as people read them.

use crate::onnx::Expr;

const LENGTH_LIMIT: usize = 120;

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Name(String),
    Number(i64),
    /// One of `+-*/()`, however the name spells it.
    Sign(char),
}

/// An expression that a name spells: its dimensions are places among the names within it.
#[derive(Debug, PartialEq)]
pub(super) struct Spelled {
    pub expr: Expr,
    pub names: Vec<String>,
}

/// The expression that a name spells. Absent where it is a plain name.
pub(super) fn expression(text: &str) -> Option<Spelled> {
    let tokens = tokens(text)?;
    if !tokens.iter().any(is_operator) {
        return None;
    }
    let mut reader = Reader {
        tokens: &tokens,
        at: 0,
        names: Vec::new(),
    };
    let expr = reader.sum()?;
    let names = reader.names;
    (reader.at == tokens.len()).then_some(Spelled { expr, names })
}

fn is_operator(token: &Token) -> bool {
    matches!(token, Token::Sign('+' | '-' | '*' | '/'))
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() > LENGTH_LIMIT {
        return None;
    }
    let mut found = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let rest = &letters[at..];
        let word = rest.iter().take_while(|letter| is_word(**letter)).count();
        let (token, taken) = match rest {
            _ if word > 0 => (named(rest[..word].iter().collect(), &found), word),
            [' ', ..] => {
                at += 1;
                continue;
            }
            ['/', '/', ..] => (Token::Sign('/'), 2),
            _ => (sign(rest)?, 1),
        };
        found.push(token);
        at += taken;
    }
    Some(found)
}

/// The sign that a text begins with.
fn sign(text: &[char]) -> Option<Token> {
    match text {
        // Of `seq-len` the hyphen is a part, and of `past - 1` and `n-1` it is not.
        ['-', next, ..] if next.is_alphabetic() => None,
        [sign @ ('+' | '-' | '*' | '/' | '(' | ')'), ..] => Some(Token::Sign(*sign)),
        ['\u{d7}', ..] => Some(Token::Sign('*')),
        _ => None,
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '.' | ':')
}

/// A number, a name, or the cross of a product that stands after an operand.
fn named(word: String, before: &[Token]) -> Token {
    if let Ok(number) = word.parse() {
        return Token::Number(number);
    }
    match before.last() {
        Some(Token::Name(_) | Token::Number(_) | Token::Sign(')'))
            if word.eq_ignore_ascii_case("x") =>
        {
            Token::Sign('*')
        }
        _ => Token::Name(word),
    }
}

struct Reader<'t> {
    tokens: &'t [Token],
    at: usize,
    names: Vec<String>,
}

impl Reader<'_> {
    fn take(&mut self) -> Option<Token> {
        self.at += 1;
        self.tokens.get(self.at - 1).cloned()
    }

    fn sum(&mut self) -> Option<Expr> {
        let mut terms = vec![self.product()?];
        while let Some(sign) = self.take_one_of(&['+', '-']) {
            let term = self.product()?;
            terms.push(match sign {
                '+' => term,
                _ => Expr::Product(vec![Expr::Number(-1), term]),
            });
        }
        match terms.len() {
            1 => terms.pop(),
            _ => Some(Expr::Sum(terms)),
        }
    }

    /// The next token, if it is one of these signs.
    fn take_one_of(&mut self, signs: &[char]) -> Option<char> {
        match self.tokens.get(self.at)? {
            Token::Sign(sign) if signs.contains(sign) => {
                self.at += 1;
                Some(*sign)
            }
            _ => None,
        }
    }

    fn product(&mut self) -> Option<Expr> {
        let mut whole = self.factor()?;
        while let Some(sign) = self.take_one_of(&['*', '/']) {
            let factor = self.factor()?;
            whole = match sign {
                '*' => Expr::Product(vec![whole, factor]),
                _ => Expr::Quotient(Box::new(whole), Box::new(factor)),
            };
        }
        Some(whole)
    }

    fn factor(&mut self) -> Option<Expr> {
        match self.take()? {
            Token::Number(number) => Some(Expr::Number(number)),
            Token::Name(word)
                if word == "floor" && self.tokens.get(self.at) == Some(&Token::Sign('(')) =>
            {
                self.factor()
            }
            Token::Name(word) => {
                self.names.push(word);
                Some(Expr::Dim(self.names.len() - 1))
            }
            Token::Sign('(') => {
                let inner = self.sum()?;
                (self.take()? == Token::Sign(')')).then_some(inner)
            }
            _ => None,
        }
    }
}

/// Gives each dimension of an expression another number.
pub(super) fn rename(expr: &mut Expr, to: &[usize]) {
    match expr {
        Expr::Dim(dim) => *dim = to[*dim],
        Expr::Sum(parts) | Expr::Product(parts) => {
            parts.iter_mut().for_each(|part| rename(part, to));
        }
        Expr::Quotient(one, other)
        | Expr::Max(one, other)
        | Expr::Min(one, other)
        | Expr::Broadcast(one, other) => {
            rename(one, to);
            rename(other, to);
        }
        Expr::Number(_) | Expr::Unknown => {}
    }
}

/// Whether nothing in it is unknown, in normal form or not.
pub(super) fn is_known(expr: &Expr) -> bool {
    *expr != Expr::Unknown && expr.parts().into_iter().all(is_known)
}

/// The expression as people write it: `past + 1`.
pub(super) fn words(expr: &Expr, name: &impl Fn(usize) -> String) -> String {
    match expr {
        Expr::Number(number) => number.to_string(),
        Expr::Dim(dim) => name(*dim),
        Expr::Sum(terms) => {
            joined(terms.iter().map(|term| words(term, name)), " + ").replace("+ -", "- ")
        }
        Expr::Product(factors) => joined(factors.iter().map(|factor| operand(factor, name)), " x "),
        Expr::Quotient(whole, part) => {
            format!("{} / {}", operand(whole, name), operand(part, name))
        }
        Expr::Max(one, other) => format!("max({}, {})", words(one, name), words(other, name)),
        Expr::Min(one, other) => format!("min({}, {})", words(one, name), words(other, name)),
        // One of them is 1 long, or both are alike.
        Expr::Broadcast(one, other) => format!("{} or {}", words(one, name), words(other, name)),
        Expr::Unknown => "?".to_owned(),
    }
}

fn joined(words: impl Iterator<Item = String>, sign: &str) -> String {
    words.collect::<Vec<_>>().join(sign)
}

/// A part that something binds closer than a sum.
fn operand(part: &Expr, name: &impl Fn(usize) -> String) -> String {
    match part {
        Expr::Sum(_) => format!("({})", words(part, name)),
        _ => words(part, name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value of an expression whose names have as many letters as their sizes.
    fn value(text: &str) -> Option<i64> {
        let Spelled { expr, names } = expression(text)?;
        expr.evaluate(&|dim| Some(names[dim].len() as u64))
    }

    #[test]
    fn sums_products_and_quotients_are_read() {
        assert_eq!(value("past_ + 1"), Some(6));
        assert_eq!(value("batch x heads"), Some(25));
        assert_eq!(value("batch*heads+1"), Some(26));
        assert_eq!(value("(past + 10)//2 - 1"), Some(6));
        assert_eq!(value("floor((past + 10) / 4)"), Some(3));
    }

    #[test]
    fn plain_names_and_other_texts_are_no_expressions() {
        for text in [
            "past",
            "x",
            "DynamicDimension.1",
            "a b",
            "+",
            "a +",
            "(a",
            "?",
            "",
            "a + b)",
            "a % b",
            "seq-len",
        ] {
            assert_eq!(value(text), None, "{text}");
        }
    }

    #[test]
    fn words_keep_what_binds_closer() {
        let sum = Expr::Sum(vec![Expr::Dim(0), Expr::Number(-1)]);
        let half = Expr::Quotient(Box::new(sum), Box::new(Expr::Number(2)));
        assert_eq!(words(&half, &|dim| format!("d{dim}")), "(d0 - 1) / 2");
        assert_eq!(half.dims(), [0]);
        assert!(!is_known(&Expr::Product(vec![half, Expr::Unknown])));
    }
}
