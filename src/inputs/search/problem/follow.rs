//! Which unknowns follow from others, as demands make them.

use super::super::names::is_known;
use super::{Demand, Derivation, Expr, Kind, Problem, alike};

impl Problem {
    /// Takes what demands fix, and what they make of one unknown alone.
    pub(super) fn follow_demands(&mut self) {
        for Demand { relation, reason } in self.demands.clone() {
            let Some([one, other]) = alike(&relation) else {
                continue;
            };
            for (lone, expr) in [(one, other), (other, one)] {
                self.follow_rows(lone, expr);
                match (lone, expr) {
                    (Expr::Dim(index), &Expr::Number(size)) if size > 1 => {
                        self.unknowns[*index]
                            .fixed
                            .get_or_insert((size.unsigned_abs(), reason.clone()));
                    }
                    (Expr::Dim(_), Expr::Dim(_)) => {}
                    (Expr::Dim(index), expr) => self.derive(*index, expr.clone(), self.words(expr)),
                    _ => {}
                }
            }
        }
    }

    /// Where rows that an input begins with are parted into samples, so many to each, they follow
    /// the samples that another input begins with: `rows / 3` there is one of those.
    fn follow_rows(&mut self, lone: &Expr, expr: &Expr) {
        let (Expr::Dim(samples), Some((rows, each))) = (lone, parted(expr)) else {
            return;
        };
        if self.unknowns[*samples].is_first() && self.unknowns[rows].is_first() {
            let product = Expr::Product(vec![Expr::Number(each), Expr::Dim(*samples)]);
            self.derive(rows, product.clone(), self.words(&product));
        }
    }

    /// Adds an expression that an unknown follows, unless it goes in a circle or the unknown is one
    /// that others follow.
    pub fn derive(&mut self, index: usize, expr: Expr, from: String) {
        let unknown = &self.unknowns[index];
        let leads = match unknown.kind {
            Kind::Past | Kind::Height | Kind::Width => true,
            Kind::Tokens => unknown.is_shown,
            _ => false,
        };
        let is_new = unknown
            .derived
            .iter()
            .all(|derivation| derivation.expr != expr);
        let says_something = !expr.dims().is_empty() && is_known(&expr) && is_new;
        let in_circle = self.reaches(&expr, index, self.unknowns.len());
        if says_something && !in_circle && (unknown.name == from || !leads) {
            self.unknowns[index].derived.push(Derivation { expr, from });
        }
    }

    fn reaches(&self, expr: &Expr, index: usize, limit: usize) -> bool {
        limit > 0
            && expr.dims().iter().any(|&dim| {
                let derived = &self.unknowns[dim].derived;
                dim == index
                    || derived
                        .iter()
                        .any(|derivation| self.reaches(&derivation.expr, index, limit - 1))
            })
    }
}

/// The dimension that an expression is the so manieth part of, as in `2 x rows / 6`; `None` of any
/// other.
fn parted(expr: &Expr) -> Option<(usize, i64)> {
    let Expr::Quotient(whole, part) = expr else {
        return None;
    };
    let part = part.number().filter(|&part| part > 1)?;
    let (times, rows) = match whole.as_ref() {
        Expr::Dim(rows) => (1, *rows),
        Expr::Product(factors) => match factors[..] {
            [Expr::Number(times), Expr::Dim(rows)] => (times, rows),
            _ => return None,
        },
        _ => return None,
    };
    (times > 0 && part % times == 0 && part > times).then(|| (rows, part / times))
}
