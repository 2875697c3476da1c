//! Sizes as expressions of open dimensions.

/// A size, or another whole number that follows from sizes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Expr {
    /// A number.
    Number(i64),
    /// An open dimension, by its index in [`ShapeFacts::dims`](super::ShapeFacts::dims).
    Dim(usize),
    /// A sum.
    Sum(Vec<Expr>),
    /// A product.
    Product(Vec<Expr>),
    /// A quotient, rounded down.
    Quotient(Box<Expr>, Box<Expr>),
    /// The larger one.
    Max(Box<Expr>, Box<Expr>),
    /// Not known.
    Unknown,
}

impl Expr {
    /// The number with these sizes of the open dimensions; absent where one that matters is not known.
    pub fn evaluate(&self, size: &impl Fn(usize) -> Option<u64>) -> Option<i64> {
        match self {
            Expr::Number(number) => Some(*number),
            Expr::Dim(dim) => i64::try_from(size(*dim)?).ok(),
            Expr::Sum(terms) => terms.iter().try_fold(0_i64, |sum, term| sum.checked_add(term.evaluate(size)?)),
            Expr::Product(factors) => {
                factors.iter().try_fold(1_i64, |product, factor| product.checked_mul(factor.evaluate(size)?))
            }
            Expr::Quotient(whole, part) => {
                let part = part.evaluate(size).filter(|&part| part != 0)?;
                Some(whole.evaluate(size)?.div_euclid(part))
            }
            Expr::Max(one, other) => Some(one.evaluate(size)?.max(other.evaluate(size)?)),
            Expr::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_follows_its_dimensions() {
        let half = Expr::Quotient(Box::new(Expr::Sum(vec![Expr::Dim(0), Expr::Number(1)])), Box::new(Expr::Number(2)));
        let size = |dim| (dim == 0).then_some(224);
        assert_eq!(half.evaluate(&size), Some(112));
        assert_eq!(Expr::Product(vec![half.clone(), half]).evaluate(&size), Some(112 * 112));
        assert_eq!(Expr::Sum(vec![Expr::Dim(1)]).evaluate(&size), None);
        assert_eq!(Expr::Quotient(Box::new(Expr::Dim(0)), Box::new(Expr::Number(0))).evaluate(&size), None);
    }
}
