//! Sizes as expressions of open dimensions.

use super::poly;

/// Parts that an expression may have; a larger one says too little to be worth its cost.
const PARTS_LIMIT: usize = 48;

/// A size, or another whole number that follows from sizes.
///
/// The functions here keep a normal form (sums of products, factors and terms sorted), so that equal ones compare equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
            Expr::Quotient(whole, part) => whole.evaluate(size)?.checked_div_euclid(part.evaluate(size)?),
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

    /// The one open dimension that it mentions, however often; none where there are several.
    #[must_use]
    pub fn only_dim(&self) -> Option<usize> {
        let dims = self.dims();
        match dims.as_slice() {
            [first, rest @ ..] if rest.iter().all(|dim| dim == first) => Some(*first),
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

    fn parts(&self) -> Vec<&Expr> {
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

    fn bounded(self) -> Expr {
        if self.size() > PARTS_LIMIT { Expr::Unknown } else { self }
    }

    pub(super) fn plus(&self, other: &Expr) -> Expr {
        match (self, other) {
            (Expr::Number(one), Expr::Number(other)) => one.checked_add(*other).map_or(Expr::Unknown, Expr::Number),
            (Expr::Number(0), sum) | (sum, Expr::Number(0)) => sum.clone(),
            _ => poly::sum(self, other).bounded(),
        }
    }

    pub(super) fn times(&self, other: &Expr) -> Expr {
        match (self, other) {
            (Expr::Number(one), Expr::Number(other)) => one.checked_mul(*other).map_or(Expr::Unknown, Expr::Number),
            (Expr::Number(1), product) | (product, Expr::Number(1)) => product.clone(),
            _ => poly::product(self, other).bounded(),
        }
    }

    pub(super) fn minus(&self, other: &Expr) -> Expr {
        if self.is_known() && self == other { Expr::Number(0) } else { self.plus(&other.times(&Expr::Number(-1))) }
    }

    /// The quotient, rounded down.
    pub(super) fn over(&self, other: &Expr) -> Expr {
        match (self, other) {
            (_, Expr::Number(0)) => Expr::Unknown,
            (Expr::Number(one), Expr::Number(other)) => {
                one.checked_div_euclid(*other).map_or(Expr::Unknown, Expr::Number)
            }
            (whole, Expr::Number(1)) => whole.clone(),
            _ => poly::quotient(self, other).bounded(),
        }
    }

    /// The quotient by a number above 0, rounded up.
    pub(super) fn over_up(&self, number: i64) -> Expr {
        self.plus(&Expr::Number(number.saturating_sub(1))).over(&Expr::Number(number))
    }

    pub(super) fn smaller(&self, other: &Expr) -> Expr {
        let gap = other.minus(self);
        match () {
            () if gap.is_not_negative() => self.clone(),
            () if self.minus(other).is_not_negative() => other.clone(),
            () => self.pair(other, Expr::Min),
        }
    }

    pub(super) fn larger(&self, other: &Expr) -> Expr {
        let gap = self.minus(other);
        match () {
            () if gap.is_not_negative() => self.clone(),
            () if other.minus(self).is_not_negative() => other.clone(),
            () => self.pair(other, Expr::Max),
        }
    }

    pub(super) fn pair(&self, other: &Expr, make: fn(Box<Expr>, Box<Expr>) -> Expr) -> Expr {
        if !self.is_known() || !other.is_known() {
            return Expr::Unknown;
        }
        let (one, other) = if self <= other { (self, other) } else { (other, self) };
        make(Box::new(one.clone()), Box::new(other.clone())).bounded()
    }

    /// Whether it is at least 0 whatever the sizes are; sizes themselves are.
    pub(super) fn is_not_negative(&self) -> bool {
        match self {
            Expr::Number(number) => *number >= 0,
            Expr::Dim(_) | Expr::Broadcast(..) => true,
            Expr::Sum(parts) | Expr::Product(parts) => parts.iter().all(Expr::is_not_negative),
            Expr::Quotient(one, other) | Expr::Min(one, other) => one.is_not_negative() && other.is_not_negative(),
            Expr::Max(one, other) => one.is_not_negative() || other.is_not_negative(),
            Expr::Unknown => false,
        }
    }

    /// The expression with open dimensions replaced; what is replaced is put into normal form anew.
    pub(super) fn replaced(&self, with: &impl Fn(usize) -> Option<Expr>) -> Expr {
        match self {
            Expr::Dim(dim) => with(*dim).unwrap_or_else(|| self.clone()),
            Expr::Sum(parts) => parts.iter().fold(Expr::Number(0), |sum, part| sum.plus(&part.replaced(with))),
            Expr::Product(parts) => parts.iter().fold(Expr::Number(1), |all, part| all.times(&part.replaced(with))),
            Expr::Quotient(one, other) => one.replaced(with).over(&other.replaced(with)),
            Expr::Max(one, other) => one.replaced(with).larger(&other.replaced(with)),
            Expr::Min(one, other) => one.replaced(with).smaller(&other.replaced(with)),
            Expr::Broadcast(one, other) => one.replaced(with).broadcast(&other.replaced(with)),
            Expr::Number(_) | Expr::Unknown => self.clone(),
        }
    }

    /// The size that two axes come to which must be alike unless one of them has size 1.
    pub(super) fn broadcast(&self, other: &Expr) -> Expr {
        match (self, other) {
            (Expr::Number(1), size) | (size, Expr::Number(1)) => size.clone(),
            (Expr::Number(size), _) | (_, Expr::Number(size)) if *size > 1 => Expr::Number(*size),
            (one, other) if one == other => one.clone(),
            (whole @ Expr::Broadcast(a, b), part) | (part, whole @ Expr::Broadcast(a, b))
                if **a == *part || **b == *part =>
            {
                whole.clone()
            }
            _ => self.pair(other, Expr::Broadcast),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dim(index: usize) -> Expr {
        Expr::Dim(index)
    }

    fn number(number: i64) -> Expr {
        Expr::Number(number)
    }

    #[test]
    fn an_expression_follows_its_dimensions() {
        let half = Expr::Quotient(Box::new(Expr::Sum(vec![dim(0), number(1)])), Box::new(number(2)));
        let size = |dim| (dim == 0).then_some(224);
        assert_eq!(half.evaluate(&size), Some(112));
        assert_eq!(Expr::Product(vec![half.clone(), half]).evaluate(&size), Some(112 * 112));
        assert_eq!(Expr::Sum(vec![dim(1)]).evaluate(&size), None);
        assert_eq!(Expr::Quotient(Box::new(dim(0)), Box::new(number(0))).evaluate(&size), None);
    }

    #[test]
    fn equal_expressions_compare_equal_however_they_are_made() {
        let sum = dim(0).plus(&dim(1));
        assert_eq!(sum, dim(1).plus(&dim(0)));
        assert_eq!(sum.minus(&dim(1)), dim(0));
        let square = sum.times(&sum);
        let spelt = dim(0).times(&dim(0)).plus(&dim(1).times(&dim(1))).plus(&number(2).times(&dim(0)).times(&dim(1)));
        assert_eq!(square, spelt);
        assert_eq!(dim(0).times(&number(6)).times(&dim(1)).over(&dim(1).times(&number(3))), dim(0).times(&number(2)));
    }

    #[test]
    fn quotients_of_quotients_are_one_and_whole_parts_come_out() {
        let quarter = dim(0).over(&number(2)).over(&number(2));
        assert_eq!(quarter, dim(0).over(&number(4)));
        assert_eq!(dim(0).plus(&number(5)).over(&number(2)), dim(0).plus(&number(1)).over(&number(2)).plus(&number(2)));
        for size in 0..40 {
            let at = |expr: &Expr| expr.evaluate(&|_| Some(size));
            assert_eq!(at(&quarter), Some(size as i64 / 4));
            assert_eq!(at(&dim(0).plus(&number(-3)).over_up(4)), Some((size as i64 - 3 + 3).div_euclid(4)));
        }
    }

    #[test]
    fn what_is_smaller_for_sure_needs_no_minimum() {
        assert_eq!(dim(0).smaller(&dim(0).plus(&number(3))), dim(0));
        assert_eq!(dim(0).larger(&number(0)), dim(0));
        assert!(matches!(dim(0).smaller(&number(512)), Expr::Min(..)));
        assert_eq!(Expr::Unknown.smaller(&number(512)), Expr::Unknown);
    }

    #[test]
    fn sizes_of_1_and_0_broadcast() {
        let both = dim(0).broadcast(&dim(1));
        let at = |one, other| both.evaluate(&|dim| Some([one, other][dim]));
        assert_eq!((at(1, 0), at(5, 1), at(5, 5), at(5, 4)), (Some(0), Some(5), Some(5), None));
        assert_eq!(both.broadcast(&dim(1)), both);
    }

    #[test]
    fn what_grows_without_bound_ends_as_unknown() {
        let mut grown = number(1);
        for index in 0..12 {
            grown = grown.times(&dim(index).plus(&number(1)));
        }
        assert_eq!(grown, Expr::Unknown);
    }
}
