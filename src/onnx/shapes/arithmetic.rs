//! Arithmetic of expressions, which keeps their normal form: a sum of products with whole
//! coefficients.

use std::collections::BTreeMap;

use super::Expr;

/// Terms beyond which an expression says too little.
const TERMS_LIMIT: usize = 16;

/// Coefficients by the factors that they stand before, which are sorted; no factors for the number
/// itself.
type Terms = BTreeMap<Vec<Expr>, i64>;

impl Expr {
    pub(super) fn plus(&self, other: &Expr) -> Expr {
        match (self, other) {
            (Expr::Number(one), Expr::Number(other)) => {
                one.checked_add(*other).map_or(Expr::Unknown, Expr::Number)
            }
            (Expr::Number(0), sum) | (sum, Expr::Number(0)) => sum.clone(),
            _ => sum(self, other).bounded(),
        }
    }

    pub(super) fn times(&self, other: &Expr) -> Expr {
        match (self, other) {
            (Expr::Number(one), Expr::Number(other)) => {
                one.checked_mul(*other).map_or(Expr::Unknown, Expr::Number)
            }
            (Expr::Number(1), product) | (product, Expr::Number(1)) => product.clone(),
            _ => product(self, other).bounded(),
        }
    }

    pub(super) fn minus(&self, other: &Expr) -> Expr {
        if self.is_known() && self == other {
            Expr::Number(0)
        } else {
            self.plus(&other.times(&Expr::Number(-1)))
        }
    }

    pub(super) fn over(&self, other: &Expr) -> Expr {
        match (self, other) {
            (_, Expr::Number(0)) => Expr::Unknown,
            (Expr::Number(one), Expr::Number(other)) => one
                .checked_div_euclid(*other)
                .map_or(Expr::Unknown, Expr::Number),
            (whole, Expr::Number(1)) => whole.clone(),
            _ => quotient(self, other).bounded(),
        }
    }

    /// The quotient by a number above 0, rounded up.
    pub(super) fn over_up(&self, number: i64) -> Expr {
        self.plus(&Expr::Number(number.saturating_sub(1)))
            .over(&Expr::Number(number))
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
        let (one, other) = if self <= other {
            (self, other)
        } else {
            (other, self)
        };
        make(Box::new(one.clone()), Box::new(other.clone())).bounded()
    }

    /// Whether it is at least 0 whatever the sizes are; sizes themselves are.
    pub(super) fn is_not_negative(&self) -> bool {
        match self {
            Expr::Number(number) => *number >= 0,
            Expr::Dim(_) | Expr::Broadcast(..) => true,
            Expr::Sum(parts) | Expr::Product(parts) => parts.iter().all(Expr::is_not_negative),
            Expr::Quotient(one, other) | Expr::Min(one, other) => {
                one.is_not_negative() && other.is_not_negative()
            }
            Expr::Max(one, other) => one.is_not_negative() || other.is_not_negative(),
            Expr::Unknown => false,
        }
    }

    /// The expression with open dimensions replaced; what is replaced is put into normal form anew.
    pub(super) fn replaced(&self, with: &impl Fn(usize) -> Option<Expr>) -> Expr {
        match self {
            Expr::Dim(dim) => with(*dim).unwrap_or_else(|| self.clone()),
            Expr::Sum(parts) => parts
                .iter()
                .fold(Expr::Number(0), |sum, part| sum.plus(&part.replaced(with))),
            Expr::Product(parts) => parts
                .iter()
                .fold(Expr::Number(1), |all, part| all.times(&part.replaced(with))),
            Expr::Quotient(one, other) => one.replaced(with).over(&other.replaced(with)),
            Expr::Max(one, other) => one.replaced(with).larger(&other.replaced(with)),
            Expr::Min(one, other) => one.replaced(with).smaller(&other.replaced(with)),
            Expr::Broadcast(one, other) => one.replaced(with).broadcast(&other.replaced(with)),
            Expr::Number(_) | Expr::Unknown => self.clone(),
        }
    }

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
                .try_fold(one, |product, part| multiplied(&product, &terms(part)?))
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

fn multiplied(one: &Terms, other: &Terms) -> Option<Terms> {
    let mut product = Terms::new();
    for (some, count) in one {
        for (more, times) in other {
            let mut factors = [some.as_slice(), more.as_slice()].concat();
            factors.sort();
            product = added(
                product,
                Terms::from([(factors, count.checked_mul(*times)?)]),
            )?;
        }
    }
    Some(product)
}

fn expression(terms: &Terms) -> Expr {
    let mut parts: Vec<Expr> = terms
        .iter()
        .map(|(factors, count)| term(factors, *count))
        .collect();
    match parts.len() {
        0 => Expr::Number(0),
        1 => parts.remove(0),
        _ => Expr::Sum(parts),
    }
}

fn term(factors: &[Expr], count: i64) -> Expr {
    match (factors, count) {
        ([], _) => Expr::Number(count),
        ([factor], 1) => factor.clone(),
        (_, 1) => Expr::Product(factors.to_vec()),
        _ => Expr::Product(
            std::iter::once(Expr::Number(count))
                .chain(factors.iter().cloned())
                .collect(),
        ),
    }
}

fn sum(one: &Expr, other: &Expr) -> Expr {
    let sum = match (terms(one), terms(other)) {
        (Some(one), Some(other)) => added(one, other),
        _ => None,
    };
    sum.map_or(Expr::Unknown, |sum| expression(&sum))
}

fn product(one: &Expr, other: &Expr) -> Expr {
    let product = match (terms(one), terms(other)) {
        (Some(one), Some(other)) => multiplied(&one, &other),
        _ => None,
    };
    product.map_or(Expr::Unknown, |product| expression(&product))
}

/// Common factors go out of the quotient; the rest is rounded down once.
fn quotient(whole: &Expr, part: &Expr) -> Expr {
    let (Some(whole_terms), Some(part_terms)) = (terms(whole), terms(part)) else {
        return Expr::Unknown;
    };
    if whole == part {
        return Expr::Number(1);
    }
    let Some((factors, &count)) = part_terms
        .first_key_value()
        .filter(|_| part_terms.len() == 1)
    else {
        return quotient_of_sum(whole, part, &whole_terms);
    };
    let (divided, rest) = divided(&whole_terms, factors, count);
    if rest.is_empty() {
        return expression(&divided);
    }
    let rest = match (expression(&rest), part) {
        (Expr::Quotient(inner, by), Expr::Number(number)) if *number > 0 && is_positive(&by) => {
            return expression(&divided).plus(&inner.over(&by.times(part)));
        }
        (Expr::Number(number), Expr::Number(by)) => number
            .checked_div_euclid(*by)
            .map_or(Expr::Unknown, Expr::Number),
        (rest, part) => Expr::Quotient(Box::new(rest), Box::new(part.clone())),
    };
    expression(&divided).plus(&rest)
}

fn is_positive(expr: &Expr) -> bool {
    expr.number().is_some_and(|number| number > 0)
}

/// A sum divides what is a multiple of it: `(a + b) * c` by `a + b`, where one term tells the
/// factor.
fn quotient_of_sum(whole: &Expr, part: &Expr, whole_terms: &Terms) -> Expr {
    let rounded = || Expr::Quotient(Box::new(whole.clone()), Box::new(part.clone()));
    let Expr::Sum(parts) = part else {
        return rounded();
    };
    let Some(Some(first)) = parts.first().map(terms) else {
        return rounded();
    };
    let Some((factors, &count)) = first.first_key_value() else {
        return rounded();
    };
    let (guess, _) = divided(whole_terms, factors, count);
    let candidates = std::iter::once(guess.clone()).chain(
        guess
            .iter()
            .map(|(key, value)| Terms::from([(key.clone(), *value)])),
    );
    candidates
        .map(|guess| expression(&guess))
        .find(|guess| product(guess, part) == *whole)
        .unwrap_or_else(rounded)
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
            Some(left)
                if left.is_empty()
                    && factors.is_empty()
                    && times.checked_rem_euclid(count).is_some() =>
            {
                divided.insert(Vec::new(), times.div_euclid(count));
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
        let place = left.iter().position(|factor| factor == divisor)?;
        left.remove(place);
    }
    Some(left)
}

#[cfg(test)]
mod tests {
    use super::super::value::number;
    use super::*;

    fn dim(index: usize) -> Expr {
        Expr::Dim(index)
    }

    #[test]
    fn an_expression_follows_its_dimensions() {
        let half = Expr::Quotient(
            Box::new(Expr::Sum(vec![dim(0), number(1)])),
            Box::new(number(2)),
        );
        let size = |dim| (dim == 0).then_some(224);
        assert_eq!(half.evaluate(&size), Some(112));
        assert_eq!(
            Expr::Product(vec![half.clone(), half]).evaluate(&size),
            Some(112 * 112)
        );
        assert_eq!(Expr::Sum(vec![dim(1)]).evaluate(&size), None);
        assert_eq!(
            Expr::Quotient(Box::new(dim(0)), Box::new(number(0))).evaluate(&size),
            None
        );
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
