//! The normal form of an expression: a sum of products with whole coefficients.

use std::collections::BTreeMap;

use super::Expr;

/// Terms beyond which an expression says too little.
const TERMS_LIMIT: usize = 16;

/// Coefficients by the factors that they stand before, which are sorted; no factors for the number itself.
type Terms = BTreeMap<Vec<Expr>, i64>;

fn terms(expr: &Expr) -> Option<Terms> {
    match expr {
        Expr::Unknown => None,
        Expr::Number(number) => Some(Terms::from([(Vec::new(), *number)])),
        Expr::Sum(parts) => parts.iter().try_fold(Terms::new(), |sum, part| added(sum, terms(part)?)),
        Expr::Product(parts) => {
            let one = Terms::from([(Vec::new(), 1)]);
            parts.iter().try_fold(one, |product, part| multiplied(&product, &terms(part)?))
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
            product = added(product, Terms::from([(factors, count.checked_mul(*times)?)]))?;
        }
    }
    Some(product)
}

fn expression(terms: &Terms) -> Expr {
    let mut parts: Vec<Expr> = terms.iter().map(|(factors, count)| term(factors, *count)).collect();
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
        _ => Expr::Product(std::iter::once(Expr::Number(count)).chain(factors.iter().cloned()).collect()),
    }
}

pub(super) fn sum(one: &Expr, other: &Expr) -> Expr {
    let both = || added(terms(one)?, terms(other)?);
    both().map_or(Expr::Unknown, |sum| expression(&sum))
}

pub(super) fn product(one: &Expr, other: &Expr) -> Expr {
    let both = || multiplied(&terms(one)?, &terms(other)?);
    both().map_or(Expr::Unknown, |product| expression(&product))
}

/// Common factors go out of the quotient; the rest is rounded down once.
pub(super) fn quotient(whole: &Expr, part: &Expr) -> Expr {
    let (Some(whole_terms), Some(part_terms)) = (terms(whole), terms(part)) else { return Expr::Unknown };
    if whole == part {
        return Expr::Number(1);
    }
    let Some((factors, &count)) = part_terms.first_key_value().filter(|_| part_terms.len() == 1) else {
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
        (Expr::Number(number), Expr::Number(by)) => number.checked_div_euclid(*by).map_or(Expr::Unknown, Expr::Number),
        (rest, part) => Expr::Quotient(Box::new(rest), Box::new(part.clone())),
    };
    expression(&divided).plus(&rest)
}

fn is_positive(expr: &Expr) -> bool {
    expr.number().is_some_and(|number| number > 0)
}

/// A sum divides what is a multiple of it: `(a + b) * c` by `a + b`, where one term tells the factor.
fn quotient_of_sum(whole: &Expr, part: &Expr, whole_terms: &Terms) -> Expr {
    let rounded = || Expr::Quotient(Box::new(whole.clone()), Box::new(part.clone()));
    let Expr::Sum(parts) = part else { return rounded() };
    let Some(Some(first)) = parts.first().map(terms) else { return rounded() };
    let Some((factors, &count)) = first.first_key_value() else { return rounded() };
    let (guess, _) = divided(whole_terms, factors, count);
    let candidates =
        std::iter::once(guess.clone()).chain(guess.iter().map(|(key, value)| Terms::from([(key.clone(), *value)])));
    candidates.map(|guess| expression(&guess)).find(|guess| product(guess, part) == *whole).unwrap_or_else(rounded)
}

/// Terms that are multiples of the divisor, divided, and those that are not. A number above a divisor that is one is
/// parted, so that what is left of it lies below.
fn divided(whole: &Terms, factors: &[Expr], count: i64) -> (Terms, Terms) {
    let (mut divided, mut rest) = (Terms::new(), Terms::new());
    for (term, &times) in whole {
        match without(term, factors) {
            Some(left) if times.checked_rem(count) == Some(0) => drop(divided.insert(left, times / count)),
            Some(left) if left.is_empty() && factors.is_empty() && times.checked_rem_euclid(count).is_some() => {
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
