//! Arithmetic of expressions, which keeps their normal form: a sum of products with whole
//! coefficients.

use std::collections::BTreeMap;

use super::expr::{Expr, number};

/// Terms beyond which an expression says too little.
const TERMS_LIMIT: usize = 16;

/// Coefficients by the factors that they stand before, which are sorted; no factors for the number
/// itself.
type Terms = BTreeMap<Vec<Expr>, i64>;

impl Expr {
    pub(super) fn plus(&self, other: &Expr) -> Expr {
        self.computed(other, 0, i64::checked_add, added)
    }

    pub(super) fn times(&self, other: &Expr) -> Expr {
        self.computed(other, 1, i64::checked_mul, multiplied)
    }

    /// Result of a computation, of numbers in one way and of terms in another, where one number
    /// leaves the other side as it is.
    fn computed(
        &self,
        other: &Expr,
        neutral: i64,
        of_numbers: fn(i64, i64) -> Option<i64>,
        of_terms: fn(Terms, Terms) -> Option<Terms>,
    ) -> Expr {
        match (self, other) {
            (Expr::Number(one), Expr::Number(other)) => checked(of_numbers(*one, *other)),
            (Expr::Number(number), whole) | (whole, Expr::Number(number)) if *number == neutral => {
                whole.clone()
            }
            _ => {
                let both = terms(self).zip(terms(other));
                let made = both.and_then(|(one, other)| of_terms(one, other));
                made.map(|made| expression(&made).bounded())
                    .unwrap_or_default()
            }
        }
    }

    pub(super) fn minus(&self, other: &Expr) -> Expr {
        if self.is_known() && self == other {
            number(0)
        } else {
            self.plus(&other.times(&number(-1)))
        }
    }

    pub(super) fn over(&self, other: &Expr) -> Expr {
        match (self, other) {
            (_, Expr::Number(0)) => Expr::Unknown,
            (Expr::Number(one), Expr::Number(other)) => checked(one.checked_div_euclid(*other)),
            (whole, Expr::Number(1)) => whole.clone(),
            _ => quotient(self, other).bounded(),
        }
    }

    /// The quotient by a number above 0, rounded up.
    pub(super) fn over_up(&self, by: i64) -> Expr {
        self.plus(&number(by.saturating_sub(1))).over(&number(by))
    }

    pub(super) fn smaller(&self, other: &Expr) -> Expr {
        match () {
            () if other.is_at_least(self) => self.clone(),
            () if self.is_at_least(other) => other.clone(),
            () => self.pair(other, Expr::Min),
        }
    }

    pub(super) fn larger(&self, other: &Expr) -> Expr {
        match () {
            () if self.is_at_least(other) => self.clone(),
            () if other.is_at_least(self) => other.clone(),
            () => self.pair(other, Expr::Max),
        }
    }

    fn pair(&self, other: &Expr, make: fn(Box<Expr>, Box<Expr>) -> Expr) -> Expr {
        if !self.is_known() || !other.is_known() {
            return Expr::Unknown;
        }
        let [one, other] = [self.min(other), self.max(other)].map(|side| side.clone().into());
        make(one, other).bounded()
    }

    /// Whether it is as large as the other or larger whatever the sizes are.
    pub(super) fn is_at_least(&self, other: &Expr) -> bool {
        self.minus(other).is_not_negative()
    }

    /// Whether it is at least 0 whatever the sizes are; sizes themselves are.
    pub(super) fn is_not_negative(&self) -> bool {
        match self {
            Expr::Number(number) => *number >= 0,
            Expr::Dim(_) | Expr::Broadcast(..) => true,
            Expr::Max(one, other) => one.is_not_negative() || other.is_not_negative(),
            Expr::Unknown => false,
            Expr::Sum(_) | Expr::Product(_) | Expr::Quotient(..) | Expr::Min(..) => {
                self.parts().into_iter().all(Expr::is_not_negative)
            }
        }
    }

    /// The expression with open dimensions replaced; what is replaced is put into normal form anew.
    pub(super) fn replaced(&self, with: &impl Fn(usize) -> Option<Expr>) -> Expr {
        if let Expr::Dim(dim) = self
            && let Some(size) = with(*dim)
        {
            return size;
        }
        self.rebuilt(|part| part.replaced(with))
    }

    /// The same of other parts.
    pub(super) fn rebuilt(&self, mut with: impl FnMut(&Expr) -> Expr) -> Expr {
        match self {
            Expr::Sum(parts) => parts
                .iter()
                .fold(number(0), |sum, part| sum.plus(&with(part))),
            Expr::Product(parts) => parts
                .iter()
                .fold(number(1), |all, part| all.times(&with(part))),
            Expr::Quotient(one, other) => with(one).over(&with(other)),
            Expr::Max(one, other) => with(one).larger(&with(other)),
            Expr::Min(one, other) => with(one).smaller(&with(other)),
            Expr::Broadcast(one, other) => with(one).broadcast(&with(other)),
            Expr::Number(_) | Expr::Dim(_) | Expr::Unknown => self.clone(),
        }
    }

    pub(super) fn broadcast(&self, other: &Expr) -> Expr {
        match (self, other) {
            (Expr::Number(1), size) | (size, Expr::Number(1)) => size.clone(),
            (Expr::Number(size), _) | (_, Expr::Number(size)) if *size > 1 => number(*size),
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

fn checked(found: Option<i64>) -> Expr {
    found.map(number).unwrap_or_default()
}

fn terms(expr: &Expr) -> Option<Terms> {
    match expr {
        Expr::Unknown => None,
        Expr::Number(number) => Some(Terms::from([(Vec::new(), *number)])),
        Expr::Sum(parts) => parts
            .iter()
            .try_fold(Terms::new(), |sum, part| added(sum, terms(part)?)),
        Expr::Product(parts) => {
            let one = Terms::from([(Vec::new(), 1)]);
            parts
                .iter()
                .try_fold(one, |product, part| multiplied(product, terms(part)?))
        }
        factor => Some(Terms::from([(vec![factor.clone()], 1)])),
    }
}

fn added(mut sum: Terms, other: Terms) -> Option<Terms> {
    for (factors, count) in other {
        let total = sum.entry(factors).or_default();
        *total = total.checked_add(count)?;
    }
    sum.retain(|_, count| *count != 0);
    (sum.len() <= TERMS_LIMIT).then_some(sum)
}

fn multiplied(one: Terms, other: Terms) -> Option<Terms> {
    let mut product = Terms::new();
    for (some, count) in &one {
        for (more, times) in &other {
            let mut factors = [&some[..], more].concat();
            factors.sort();
            let term = (factors, count.checked_mul(*times)?);
            product = added(product, Terms::from([term]))?;
        }
    }
    Some(product)
}

fn expression(terms: &Terms) -> Expr {
    match terms.len() {
        0 => number(0),
        _ => one_or(each(terms).collect(), Expr::Sum),
    }
}

/// Terms as expressions, one by one.
fn each(terms: &Terms) -> impl Iterator<Item = Expr> {
    terms.iter().map(|(factors, &count)| term(factors, count))
}

fn term(factors: &[Expr], count: i64) -> Expr {
    let mut all = factors.to_vec();
    if count != 1 || all.is_empty() {
        all.insert(0, number(count));
    }
    one_or(all, Expr::Product)
}

/// The one part, or what is made of several.
fn one_or(mut parts: Vec<Expr>, several: fn(Vec<Expr>) -> Expr) -> Expr {
    match parts.len() {
        1 => parts.remove(0),
        _ => several(parts),
    }
}

/// Common factors go out of the quotient; the rest is rounded down once.
fn quotient(whole: &Expr, part: &Expr) -> Expr {
    let (Some(whole_terms), Some(part_terms)) = (terms(whole), terms(part)) else {
        return Expr::Unknown;
    };
    let Some((factors, &count)) = part_terms.first_key_value() else {
        return rounded(whole, part);
    };
    if whole == part {
        return number(1);
    }
    let (divided, rest) = divided(&whole_terms, factors, count);
    if part_terms.len() > 1 {
        return times_of_sum(whole, part, &divided).unwrap_or_else(|| rounded(whole, part));
    }
    let divided = expression(&divided);
    if rest.is_empty() {
        return divided;
    }
    let rest = match (&expression(&rest), part) {
        (Expr::Quotient(inner, by), Expr::Number(1..)) if matches!(**by, Expr::Number(1..)) => {
            inner.over(&by.times(part))
        }
        (rest @ Expr::Number(_), Expr::Number(_)) => rest.over(part),
        (rest, part) => rounded(rest, part),
    };
    divided.plus(&rest)
}

fn rounded(whole: &Expr, part: &Expr) -> Expr {
    Expr::Quotient(whole.clone().into(), part.clone().into())
}

/// A sum divides what is a multiple of it: `(a + b) * c` by `a + b`, where what is divided by its
/// first term tells the factor, or one term of that does.
fn times_of_sum(whole: &Expr, part: &Expr, divided: &Terms) -> Option<Expr> {
    std::iter::once(expression(divided))
        .chain(each(divided))
        .find(|guess| guess.times(part) == *whole)
}

/// Terms that are multiples of the divisor, divided, and those that are not. A number above a
/// divisor that is one is parted, so that what is left of it lies below.
fn divided(whole: &Terms, factors: &[Expr], count: i64) -> (Terms, Terms) {
    let (mut divided, mut rest) = (Terms::new(), Terms::new());
    for (term, &times) in whole {
        match without(term, factors) {
            Some(left) if times.checked_rem(count) == Some(0) => {
                divided.insert(left, times / count);
            }
            Some(left) if term.is_empty() && times.checked_rem_euclid(count).is_some() => {
                divided.insert(left, times.div_euclid(count));
                rest.insert(Vec::new(), times.rem_euclid(count));
            }
            _ => drop(rest.insert(term.clone(), times)),
        }
    }
    divided.retain(|_, times| *times != 0);
    (divided, rest)
}

/// The factors that are left without those; none where one of those is not among them.
fn without(factors: &[Expr], divisors: &[Expr]) -> Option<Vec<Expr>> {
    let mut left = factors.to_vec();
    for divisor in divisors {
        left.remove(left.iter().position(|factor| factor == divisor)?);
    }
    Some(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dim(index: usize) -> Expr {
        Expr::Dim(index)
    }

    #[test]
    fn an_expression_follows_its_dimensions() {
        let half = rounded(&Expr::Sum(vec![dim(0), number(1)]), &number(2));
        let size = |dim| (dim == 0).then_some(224);
        assert_eq!(half.evaluate(&size), Some(112));
        assert_eq!(
            Expr::Product(vec![half.clone(), half]).evaluate(&size),
            Some(112 * 112)
        );
        assert_eq!(Expr::Sum(vec![dim(1)]).evaluate(&size), None);
        assert_eq!(rounded(&dim(0), &number(0)).evaluate(&size), None);
    }

    #[test]
    fn equal_expressions_compare_equal_however_they_are_made() {
        let sum = dim(0).plus(&dim(1));
        assert_eq!(sum, dim(1).plus(&dim(0)));
        assert_eq!(sum.minus(&dim(1)), dim(0));
        let square = sum.times(&sum);
        let spelt = dim(0)
            .times(&dim(0))
            .plus(&dim(1).times(&dim(1)))
            .plus(&number(2).times(&dim(0)).times(&dim(1)));
        assert_eq!(square, spelt);
        assert_eq!(
            dim(0)
                .times(&number(6))
                .times(&dim(1))
                .over(&dim(1).times(&number(3))),
            dim(0).times(&number(2))
        );
    }

    #[test]
    fn quotients_of_quotients_are_one_and_whole_parts_come_out() {
        let quarter = dim(0).over(&number(2)).over(&number(2));
        assert_eq!(quarter, dim(0).over(&number(4)));
        assert_eq!(
            dim(0).plus(&number(5)).over(&number(2)),
            dim(0).plus(&number(1)).over(&number(2)).plus(&number(2))
        );
        for size in 0..40 {
            let at = |expr: &Expr| expr.evaluate(&|_| Some(size));
            assert_eq!(at(&quarter), Some(size as i64 / 4));
            assert_eq!(
                at(&dim(0).plus(&number(-3)).over_up(4)),
                Some((size as i64 - 3 + 3).div_euclid(4))
            );
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
        assert_eq!(
            (at(1, 0), at(5, 1), at(5, 5), at(5, 4)),
            (Some(0), Some(5), Some(5), None)
        );
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
