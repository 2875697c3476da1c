//! Knowledge that a walk over a graph gathers: demands, roles, and which dimensions are alike.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Display;

use super::expr::{Expr, number};
use super::{Demand, DimRole, OpenDim, Relation};

/// Demands beyond which no further ones are kept: so many say nothing new.
const DEMANDS_LIMIT: usize = 400;

/// Whether what operators demand is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
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

/// A relation of a size to a number.
pub(super) type Bound = fn(Expr, u64) -> Relation;

pub(super) struct Side {
    pub dims: Vec<Expr>,
    pub is_stored: bool,
}

struct Length {
    size: Expr,
    /// The number, if a stored operand has it.
    stored: Option<i64>,
}

impl Side {
    /// The size of an axis of so many, the first of which it may lack.
    fn size(&self, axis: usize, rank: usize) -> Expr {
        let place = (axis + self.dims.len()).checked_sub(rank);
        place.map_or(number(1), |place| self.dims[place].clone())
    }

    fn at(&self, axis: usize, rank: usize) -> Length {
        let size = self.size(axis, rank);
        Length {
            stored: size.number().filter(|_| self.is_stored),
            size,
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

    fn demand(&mut self, relation: Relation, reason: impl Display) {
        if self.keeps_more() && self.seen.insert(relation.clone()) {
            let reason = reason.to_string();
            self.demands.push(Demand { relation, reason });
        }
    }

    fn keeps_more(&self) -> bool {
        self.keeping != Keeping::Nothing && self.demands.len() < DEMANDS_LIMIT
    }

    /// Demands a relation of an open size.
    pub(super) fn bound(
        &mut self,
        relation: Bound,
        size: &Expr,
        number: i64,
        reason: impl Display,
    ) {
        if let Ok(number) = u64::try_from(number)
            && !matches!(size, Expr::Number(_) | Expr::Unknown)
        {
            self.demand(relation(size.clone(), number), reason);
        }
    }

    pub(super) fn multiple(&mut self, size: &Expr, of: i64, reason: impl Display) {
        if of > 1 && multiple_within(size, of) != *size {
            self.bound(Relation::MultipleOf, size, of, reason);
        }
    }

    pub(super) fn equal(&mut self, one: &Expr, other: &Expr, reason: impl Display) -> Expr {
        let found = self.found_equal(one, other);
        if let Some(size) = found.or_else(|| self.equal_within(one, other)) {
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
        other.number().map_or_else(|| one.clone(), number)
    }

    /// The size that two sizes share where that need not be demanded; absent where it must be.
    fn found_equal(&self, one: &Expr, other: &Expr) -> Option<Expr> {
        match (one, other) {
            (Expr::Unknown, known) | (known, Expr::Unknown) => Some(known.clone()),
            (Expr::Number(_), Expr::Number(_)) => Some(one.clone()),
            _ if self.same(one, other) => Some(one.clone()),
            // What broadcasts to a size is as large, or was demanded to be.
            (Expr::Broadcast(a, b), size) | (size, Expr::Broadcast(a, b))
                if **a == *size || **b == *size =>
            {
                Some(size.clone())
            }
            _ => None,
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
            let reason = format!("a stored table has {most} positions");
            self.bound(Relation::AtMost, &size, most, reason);
        }
        Some(free)
    }

    /// From here on, the two count as one.
    fn join(&mut self, one: &Expr, other: &Expr) {
        if self.keeping != Keeping::Everything {
            return;
        }
        let (dim, size) = match (self.settled(one), self.settled(other)) {
            (Expr::Dim(one), Expr::Dim(other)) if one != other => {
                (one.max(other), Expr::Dim(one.min(other)))
            }
            (Expr::Dim(dim), size @ Expr::Number(_)) | (size @ Expr::Number(_), Expr::Dim(dim)) => {
                (dim, size)
            }
            _ => return,
        };
        for known in self.same.values_mut() {
            *known = known.replaced(&|found| (found == dim).then(|| size.clone()));
        }
        self.same.insert(dim, size);
    }

    /// The axes that operands come to. Where one is stored and not 1 long, the other must be as
    /// long; two that are open must be alike or 1 long.
    pub(super) fn broadcast(&mut self, one: &Side, other: &Side, words: &impl Display) -> Side {
        let rank = one.dims.len().max(other.dims.len());
        let lengths = (0..rank).map(|axis| [one, other].map(|side| side.at(axis, rank)));
        Side {
            dims: lengths
                .map(|[one, other]| self.broadcast_axis(&one, &other, words))
                .collect(),
            is_stored: one.is_stored && other.is_stored,
        }
    }

    fn broadcast_axis(&mut self, one: &Length, other: &Length, words: &impl Display) -> Expr {
        let (a, b) = (&one.size, &other.size);
        match (a, b) {
            (Expr::Number(1) | Expr::Unknown, _)
            | (_, Expr::Number(1) | Expr::Unknown)
            | (Expr::Number(_), Expr::Number(_)) => return a.broadcast(b),
            _ if self.same(a, b) => return a.clone(),
            _ => {}
        }
        let stored = one.stored.map(|count| (b, count));
        if let Some((open, count)) = stored.or(other.stored.map(|count| (a, count))) {
            let reason = format_args!("{words} computes with {count} stored numbers");
            return self.equal(open, &number(count), reason);
        }
        let within = self.equal_within(a, b);
        within.unwrap_or_else(|| self.open_broadcast(a, b, words))
    }

    fn open_broadcast(&mut self, one: &Expr, other: &Expr, words: &impl Display) -> Expr {
        let both = one.broadcast(other);
        if both != *one && both != *other || both.number().is_some() {
            let relation = Relation::Broadcast(one.clone(), other.clone());
            self.demand(relation, format_args!("{words} computes with both"));
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
        // The first of several may have its role of the last, and those between of the first.
        for _ in 0..2 {
            for (&dim, size) in &self.same {
                let Expr::Dim(first) = *size else { continue };
                let role = self.dims[first].role.or(self.dims[dim].role);
                self.dims[first].role = role;
                self.dims[dim].role = self.dims[dim].role.or(role);
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
    (times > 1 && multiple_within(size, times) == *other).then_some(times)
}

/// The largest multiple of a number that a size holds.
fn multiple_within(size: &Expr, number: i64) -> Expr {
    let part = Expr::Number(number);
    size.over(&part).times(&part)
}

/// The size if no bound cuts it, and the bounds that would. Of a bound and a size, the bound stands
/// first.
fn unbounded(size: &Expr, bounds: &mut Vec<(Expr, i64)>) -> Expr {
    if let Expr::Min(most, open) = size
        && let Some(most) = most.number()
    {
        let open = unbounded(open, bounds);
        bounds.push((open.clone(), most));
        return open;
    }
    match size {
        Expr::Max(least, open) if **least == number(0) => unbounded(open, bounds),
        Expr::Sum(_) | Expr::Product(_) => size.rebuilt(|part| unbounded(part, bounds)),
        _ => size.clone(),
    }
}
