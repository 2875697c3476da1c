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

/// The expression that a name spells; `dim` gives the dimension of a name within it. Absent where
/// it is a plain name.
pub(super) fn expression(text: &str, dim: &mut impl FnMut(&str) -> Expr) -> Option<Expr> {
    let tokens = tokens(text)?;
    if !tokens.iter().any(is_operator) {
        return None;
    }
    // Names are looked up only once the whole text is known to be an expression.
    parse(&tokens, &mut |_| Expr::Unknown)?;
    parse(&tokens, dim)
}

fn is_operator(token: &Token) -> bool {
    matches!(token, Token::Sign('+' | '-' | '*' | '/'))
}

fn parse(tokens: &[Token], dim: &mut impl FnMut(&str) -> Expr) -> Option<Expr> {
    let mut reader = Reader { tokens, at: 0, dim };
    let parsed = reader.sum()?;
    (reader.at == tokens.len()).then_some(parsed)
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
        let taken = match rest {
            _ if word > 0 => {
                found.push(named(rest[..word].iter().collect(), &found));
                word
            }
            [' ', ..] => 1,
            ['/', '/', ..] => {
                found.push(Token::Sign('/'));
                2
            }
            _ => {
                found.push(sign(rest)?);
                1
            }
        };
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
    let after_operand = matches!(
        before.last(),
        Some(Token::Name(_) | Token::Number(_) | Token::Sign(')'))
    );
    if after_operand && word.eq_ignore_ascii_case("x") {
        Token::Sign('*')
    } else {
        Token::Name(word)
    }
}

struct Reader<'t, F> {
    tokens: &'t [Token],
    at: usize,
    dim: &'t mut F,
}

impl<F: FnMut(&str) -> Expr> Reader<'_, F> {
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
        Some(if terms.len() == 1 {
            terms.remove(0)
        } else {
            Expr::Sum(terms)
        })
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
            Token::Name(word) => Some((self.dim)(&word)),
            Token::Sign('(') => {
                let inner = self.sum()?;
                (self.take()? == Token::Sign(')')).then_some(inner)
            }
            _ => None,
        }
    }
}

pub(super) fn renamed(expr: &Expr, rename: &impl Fn(usize) -> usize) -> Expr {
    let boxed = |part: &Expr| Box::new(renamed(part, rename));
    match expr {
        Expr::Dim(dim) => Expr::Dim(rename(*dim)),
        Expr::Sum(terms) => Expr::Sum(all_renamed(terms, rename)),
        Expr::Product(factors) => Expr::Product(all_renamed(factors, rename)),
        Expr::Quotient(whole, part) => Expr::Quotient(boxed(whole), boxed(part)),
        Expr::Max(one, other) => Expr::Max(boxed(one), boxed(other)),
        Expr::Min(one, other) => Expr::Min(boxed(one), boxed(other)),
        Expr::Broadcast(one, other) => Expr::Broadcast(boxed(one), boxed(other)),
        Expr::Number(_) | Expr::Unknown => expr.clone(),
    }
}

fn all_renamed(parts: &[Expr], rename: &impl Fn(usize) -> usize) -> Vec<Expr> {
    parts.iter().map(|part| renamed(part, rename)).collect()
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
        Expr::Sum(terms) => joined(terms, " + ", name).replace("+ -", "- "),
        Expr::Product(factors) => joined(factors, " x ", name),
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

fn joined(parts: &[Expr], sign: &str, name: &impl Fn(usize) -> String) -> String {
    let words: Vec<String> = parts
        .iter()
        .map(|part| match sign {
            " + " => words(part, name),
            _ => operand(part, name),
        })
        .collect();
    words.join(sign)
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
        expression(text, &mut |name| Expr::Number(name.len() as i64))?.evaluate(&|_| None)
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
