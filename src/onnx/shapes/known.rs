//! What a walk over a graph gathers: demands, roles, and which dimensions are alike.

use std::collections::{BTreeMap, HashSet};

use super::{Demand, DimRole, Expr, OpenDim, Relation};

/// Demands beyond which no further ones are kept: so many say nothing new.
const DEMANDS_LIMIT: usize = 400;

/// Whether what operators demand is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Keeping {
    /// It is, and sizes that must be alike count as one from there on.
    #[default]
    Everything,
    /// It is, and binds nothing: the operators may not run.
    Demands,
    /// It is not: the operators may not run, or are walked again.
    Nothing,
}

#[derive(Debug, Default)]
pub(super) struct Known {
    pub dims: Vec<OpenDim>,
    pub demands: Vec<Demand>,
    pub keeping: Keeping,
    pub ranks: Vec<usize>,
    seen: HashSet<Relation>,
    /// The size that a dimension counts as from where it must be alike.
    same: BTreeMap<usize, Expr>,
}

pub(super) struct Side<'a> {
    pub dims: &'a [Expr],
    pub is_stored: bool,
}

struct Length {
    size: Expr,
    is_stored: bool,
}

impl Side<'_> {
    /// The length along an axis of so many, the first of which it may lack.
    fn at(&self, axis: usize, rank: usize) -> Length {
        let place = (axis + self.dims.len()).checked_sub(rank);
        Length {
            size: place.map_or(Expr::Number(1), |place| self.dims[place].clone()),
            is_stored: self.is_stored,
        }
    }
}

impl Known {
    pub(super) fn new(dims: Vec<OpenDim>, ranks: Vec<usize>) -> Known {
        Known {
            dims,
            ranks,
            ..Known::default()
        }
    }

    fn settled(&self, expr: &Expr) -> Expr {
        if self.same.is_empty() {
            expr.clone()
        } else {
            expr.replaced(&|dim| self.same.get(&dim).cloned())
        }
    }

    pub(super) fn same(&self, one: &Expr, other: &Expr) -> bool {
        one.is_known()
            && other.is_known()
            && (one == other || self.settled(one) == self.settled(other))
    }

    pub(super) fn demand(&mut self, relation: Relation, reason: impl FnOnce() -> String) {
        let may = self.keeping != Keeping::Nothing && self.demands.len() < DEMANDS_LIMIT;
        if may && self.seen.insert(relation.clone()) {
            self.demands.push(Demand {
                relation,
                reason: reason(),
            });
        }
    }

    pub(super) fn at_least(&mut self, size: &Expr, least: i64, reason: impl FnOnce() -> String) {
        if let Ok(least) = u64::try_from(least)
            && least > 1
            && !matches!(size, Expr::Number(_) | Expr::Unknown)
        {
            self.demand(Relation::AtLeast(size.clone(), least), reason);
        }
    }

    pub(super) fn at_most(&mut self, size: &Expr, most: i64, reason: impl FnOnce() -> String) {
        if let Ok(most) = u64::try_from(most)
            && !matches!(size, Expr::Number(_) | Expr::Unknown)
        {
            self.demand(Relation::AtMost(size.clone(), most), reason);
        }
    }

    pub(super) fn multiple(&mut self, size: &Expr, of: i64, reason: impl FnOnce() -> String) {
        let divides = size.over(&Expr::Number(of)).times(&Expr::Number(of)) == *size;
        if let Ok(of) = u64::try_from(of)
            && of > 1
            && !divides
            && !matches!(size, Expr::Number(_) | Expr::Unknown)
        {
            self.demand(Relation::MultipleOf(size.clone(), of), reason);
        }
    }

    pub(super) fn equal(
        &mut self,
        one: &Expr,
        other: &Expr,
        reason: impl FnOnce() -> String,
    ) -> Expr {
        match (one, other) {
            (Expr::Unknown, known) | (known, Expr::Unknown) => return known.clone(),
            (Expr::Number(_), Expr::Number(_)) => return one.clone(),
            _ if self.same(one, other) => return one.clone(),
            // What broadcasts to a size is as large, or was demanded to be.
            (Expr::Broadcast(a, b), size) | (size, Expr::Broadcast(a, b))
                if **a == *size || **b == *size =>
            {
                return size.clone();
            }
            _ => {}
        }
        if let Some(size) = self.equal_within(one, other) {
            return size;
        }
        if let Some(times) = factor(one, other) {
            self.multiple(one, times, reason);
        } else if let Some(times) = factor(other, one) {
            self.multiple(other, times, reason);
        } else {
            self.demand(Relation::Equal(one.clone(), other.clone()), reason);
        }
        self.join(one, other);
        if matches!(other, Expr::Number(_)) {
            other.clone()
        } else {
            one.clone()
        }
    }

    /// Sizes that are alike as long as no bound cuts one: the bounds are what is demanded.
    fn equal_within(&mut self, one: &Expr, other: &Expr) -> Option<Expr> {
        let mut bounds = Vec::new();
        let (free, other) = (unbounded(one, &mut bounds), unbounded(other, &mut bounds));
        if bounds.is_empty() || !self.same(&free, &other) {
            return None;
        }
        for (size, most) in bounds {
            self.at_most(&size, most, || {
                format!("a stored table has {most} positions")
            });
        }
        Some(free)
    }

    /// From here on, the two count as one.
    fn join(&mut self, one: &Expr, other: &Expr) {
        if self.keeping != Keeping::Everything {
            return;
        }
        let (one, other) = (self.settled(one), self.settled(other));
        let (dim, size) = match (one, other) {
            (Expr::Dim(one), Expr::Dim(other)) => (one.max(other), Expr::Dim(one.min(other))),
            (Expr::Dim(dim), size @ Expr::Number(_)) | (size @ Expr::Number(_), Expr::Dim(dim)) => {
                (dim, size)
            }
            _ => return,
        };
        if size == Expr::Dim(dim) {
            return;
        }
        for known in self.same.values_mut() {
            *known = known.replaced(&|found| (found == dim).then(|| size.clone()));
        }
        self.same.insert(dim, size);
    }

    /// The axes that operands come to. Where one is stored and not 1 long, the other must be as
    /// long; two that are open must be alike or 1 long.
    pub(super) fn broadcast(
        &mut self,
        one: &Side<'_>,
        other: &Side<'_>,
        words: &dyn Fn() -> String,
    ) -> Vec<Expr> {
        let rank = one.dims.len().max(other.dims.len());
        (0..rank)
            .map(|axis| self.broadcast_axis(&one.at(axis, rank), &other.at(axis, rank), words))
            .collect()
    }

    fn broadcast_axis(&mut self, one: &Length, other: &Length, words: &dyn Fn() -> String) -> Expr {
        let (a, b) = (&one.size, &other.size);
        match (a, b) {
            (Expr::Number(1), size) | (size, Expr::Number(1)) => return size.clone(),
            (Expr::Number(_), Expr::Number(_)) => return a.broadcast(b),
            _ if self.same(a, b) => return a.clone(),
            (Expr::Unknown, Expr::Number(size)) | (Expr::Number(size), Expr::Unknown)
                if *size > 1 =>
            {
                return Expr::Number(*size);
            }
            (Expr::Unknown, _) | (_, Expr::Unknown) => return Expr::Unknown,
            _ => {}
        }
        let stored = [(one, b), (other, a)]
            .into_iter()
            .find(|(side, _)| side.is_stored && side.size.number().is_some());
        if let Some((Length { size, .. }, open)) = stored {
            let count = size.number().unwrap_or(0);
            return self.equal(open, size, || {
                format!("{} computes with {count} stored numbers", words())
            });
        }
        if let Some(size) = self.equal_within(a, b) {
            return size;
        }
        let both = a.broadcast(b);
        if both != *a && both != *b || matches!(both, Expr::Number(_)) {
            self.demand(Relation::Broadcast(a.clone(), b.clone()), || {
                format!("{} computes with both", words())
            });
        }
        both
    }

    pub(super) fn role(&mut self, size: &Expr, role: DimRole) {
        if let Expr::Dim(dim) = size
            && let Some(open) = self.dims.get_mut(*dim)
        {
            open.role.get_or_insert(role);
        }
    }

    /// Dimensions that must be alike count the same.
    pub(super) fn share_roles(&mut self) {
        for (&dim, size) in &self.same {
            let Expr::Dim(first) = *size else { continue };
            let role = self.dims[first].role.or(self.dims[dim].role);
            self.dims[first].role = role;
        }
        for (&dim, size) in &self.same {
            if let Expr::Dim(first) = *size {
                self.dims[dim].role = self.dims[dim].role.or(self.dims[first].role);
            }
        }
    }
}

/// How much larger the other is where it is a multiple of what the size holds of it: `h` and `2 *
/// (h / 2)`.
fn factor(size: &Expr, other: &Expr) -> Option<i64> {
    let Expr::Product(factors) = other else {
        return None;
    };
    let times = factors.first()?.number()?;
    let part = Expr::Number(times);
    (times > 1 && size.over(&part).times(&part) == *other).then_some(times)
}

/// The size if no bound cuts it, and the bounds that would.
fn unbounded(size: &Expr, bounds: &mut Vec<(Expr, i64)>) -> Expr {
    match size {
        Expr::Min(one, other) => match (&**one, &**other) {
            (Expr::Number(most), open) | (open, Expr::Number(most)) => {
                let open = unbounded(open, bounds);
                bounds.push((open.clone(), *most));
                open
            }
            _ => size.clone(),
        },
        Expr::Max(one, other) => match (&**one, &**other) {
            (Expr::Number(0), open) | (open, Expr::Number(0)) => unbounded(open, bounds),
            _ => size.clone(),
        },
        Expr::Sum(parts) => parts.iter().fold(Expr::Number(0), |sum, part| {
            sum.plus(&unbounded(part, bounds))
        }),
        Expr::Product(parts) => parts.iter().fold(Expr::Number(1), |all, part| {
            all.times(&unbounded(part, bounds))
        }),
        _ => size.clone(),
    }
}
