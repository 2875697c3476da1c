//! Expressions of sizes: renaming, and words for people.

use crate::onnx::Expr;

pub(super) fn renamed(expr: &Expr, rename: &impl Fn(usize) -> usize) -> Expr {
    let all = |parts: &[Expr]| parts.iter().map(|part| renamed(part, rename)).collect();
    let boxed = |part: &Expr| Box::new(renamed(part, rename));
    match expr {
        Expr::Dim(dim) => Expr::Dim(rename(*dim)),
        Expr::Sum(terms) => Expr::Sum(all(terms)),
        Expr::Product(factors) => Expr::Product(all(factors)),
        Expr::Quotient(whole, part) => Expr::Quotient(boxed(whole), boxed(part)),
        Expr::Max(one, other) => Expr::Max(boxed(one), boxed(other)),
        Expr::Min(one, other) => Expr::Min(boxed(one), boxed(other)),
        Expr::Broadcast(one, other) => Expr::Broadcast(boxed(one), boxed(other)),
        Expr::Number(_) | Expr::Unknown => expr.clone(),
    }
}

/// Whether nothing in it is unknown, in normal form or not.
pub(super) fn is_known(expr: &Expr) -> bool {
    *expr != Expr::Unknown && expr.parts().into_iter().all(is_known)
}

/// The expression as people write it: `past + 1`.
pub(super) fn words(expr: &Expr, name: &impl Fn(usize) -> String) -> String {
    let joined = |parts: &[Expr], sign: &str| {
        let word = |part: &Expr| match part {
            Expr::Sum(_) if sign != " + " => format!("({})", words(part, name)),
            _ => words(part, name),
        };
        parts.iter().map(word).collect::<Vec<_>>().join(sign)
    };
    match expr {
        Expr::Number(number) => number.to_string(),
        Expr::Dim(dim) => name(*dim),
        Expr::Sum(terms) => joined(terms, " + ").replace("+ -", "- "),
        Expr::Product(factors) => joined(factors, " x "),
        Expr::Quotient(whole, part) => joined(&[(**whole).clone(), (**part).clone()], " / "),
        Expr::Max(one, other) => format!("max({}, {})", words(one, name), words(other, name)),
        Expr::Min(one, other) => format!("min({}, {})", words(one, name), words(other, name)),
        // One of them is 1 long, or both are alike.
        Expr::Broadcast(one, other) => format!("{} or {}", words(one, name), words(other, name)),
        Expr::Unknown => "?".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_what_binds_closer() {
        let sum = Expr::Sum(vec![Expr::Dim(0), Expr::Number(-1)]);
        let half = Expr::Quotient(Box::new(sum), Box::new(Expr::Number(2)));
        assert_eq!(words(&half, &|dim| format!("d{dim}")), "(d0 - 1) / 2");
        assert_eq!(half.dims(), [0]);
        assert!(!is_known(&Expr::Product(vec![half, Expr::Unknown])));
    }
}
