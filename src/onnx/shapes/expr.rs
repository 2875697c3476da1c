//! Sizes as expressions of open dimensions.

/// Parts that an expression may have; a larger one says too little to be worth its cost.
const PARTS_LIMIT: usize = 48;

/// A size, or another whole number that follows from sizes.
///
/// The functions here keep a normal form (sums of products, factors and terms sorted), so that
/// equal ones compare equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
    /// The smaller one.
    Min(Box<Expr>, Box<Expr>),
    /// The size that two axes come to which must be alike unless one of them has size 1.
    Broadcast(Box<Expr>, Box<Expr>),
    /// Not known.
    #[default]
    Unknown,
}

pub(super) fn number(number: i64) -> Expr {
    Expr::Number(number)
}

impl Expr {
    /// A size that a file states; unknown where it is larger than any.
    pub(super) fn of_size(size: u64) -> Expr {
        size.try_into().map(Expr::Number).unwrap_or_default()
    }

    /// The number with these sizes of the open dimensions; absent where one that matters is not
    /// known.
    pub fn evaluate(&self, size: &impl Fn(usize) -> Option<u64>) -> Option<i64> {
        match self {
            Expr::Number(number) => Some(*number),
            Expr::Dim(dim) => i64::try_from(size(*dim)?).ok(),
            Expr::Sum(terms) => terms
                .iter()
                .try_fold(0_i64, |sum, term| sum.checked_add(term.evaluate(size)?)),
            Expr::Product(factors) => factors.iter().try_fold(1_i64, |product, factor| {
                product.checked_mul(factor.evaluate(size)?)
            }),
            Expr::Quotient(whole, part) => whole
                .evaluate(size)?
                .checked_div_euclid(part.evaluate(size)?),
            Expr::Max(one, other) => Some(one.evaluate(size)?.max(other.evaluate(size)?)),
            Expr::Min(one, other) => Some(one.evaluate(size)?.min(other.evaluate(size)?)),
            Expr::Broadcast(one, other) => match (one.evaluate(size)?, other.evaluate(size)?) {
                (1, size) | (size, 1) => Some(size),
                (one, other) => (one == other).then_some(one),
            },
            Expr::Unknown => None,
        }
    }

    /// The number, if it is one.
    #[must_use]
    pub fn number(&self) -> Option<i64> {
        match self {
            Expr::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The open dimensions that it mentions, one an occurrence.
    #[must_use]
    pub fn dims(&self) -> Vec<usize> {
        match self {
            Expr::Dim(dim) => vec![*dim],
            _ => self.parts().into_iter().flat_map(Expr::dims).collect(),
        }
    }

    /// Whether nothing in it is unknown.
    #[must_use]
    pub fn is_known(&self) -> bool {
        *self != Expr::Unknown
    }

    pub(crate) fn parts(&self) -> Vec<&Expr> {
        match self {
            Expr::Sum(parts) | Expr::Product(parts) => parts.iter().collect(),
            Expr::Quotient(one, other)
            | Expr::Max(one, other)
            | Expr::Min(one, other)
            | Expr::Broadcast(one, other) => vec![one, other],
            Expr::Number(_) | Expr::Dim(_) | Expr::Unknown => Vec::new(),
        }
    }

    fn size(&self) -> usize {
        1 + self.parts().into_iter().map(Expr::size).sum::<usize>()
    }

    pub(super) fn bounded(self) -> Expr {
        if self.size() > PARTS_LIMIT {
            Expr::Unknown
        } else {
            self
        }
    }
}
