//! Sizes that bounds tell of.

use super::{Demand, Expr, Kind, Relation, SizeSource, Sized, Solver};

impl Solver<'_> {
    /// As many tokens or frames as tables of positions have room for, where that is less than the
    /// first usual size.
    pub(super) fn most(&self, index: usize) -> Option<Sized> {
        let kind = self.unknown(index).kind;
        let usual = *kind
            .usual_sizes()
            .first()
            .filter(|_| matches!(kind, Kind::Tokens | Kind::Frames))?;
        self.too_small(index, usual)?;
        let size = (1..usual)
            .rev()
            .find(|&size| self.too_small(index, size).is_none())?;
        Some(demanded(size, self.too_small(index, size + 1)?))
    }

    /// The first table of positions that has no room for so many.
    fn too_small(&self, index: usize, size: u64) -> Option<&Demand> {
        self.demands(index)
            .filter(|demand| matches!(demand.relation, Relation::AtMost(..)))
            .find(|demand| !self.meets(index, demand, size))
    }

    /// As many columns as operators read for sure: where they take more as well, nothing tells how
    /// many there are.
    pub(super) fn least(&self, index: usize) -> Option<Sized> {
        if self.unknown(index).kind != Kind::Features {
            return None;
        }
        self.demands(index)
            .filter_map(|demand| Some((columns_read(&demand.relation, index)?, demand)))
            .max_by_key(|(size, _)| *size)
            .map(|(size, demand)| demanded(size, demand))
    }
}

fn columns_read(relation: &Relation, index: usize) -> Option<u64> {
    match relation {
        Relation::AtLeast(Expr::Dim(dim), least) if *dim == index => Some(*least),
        _ => None,
    }
}

fn demanded(size: u64, demand: &Demand) -> Sized {
    Sized {
        size,
        source: SizeSource::Demand {
            reason: demand.reason.clone().into(),
        },
    }
}
