//! Sizes that bounds tell of.

use super::{Demand, Expr, Kind, Relation, SizeSource, Sized, Solver};

impl Solver<'_> {
    /// As many tokens or frames as tables of positions have room for, where that is less than the first usual size.
    pub(super) fn most(&self, index: usize) -> Option<Sized> {
        let kind = self.unknown(index).kind;
        let usual = *kind
            .usual_sizes()
            .first()
            .filter(|_| matches!(kind, Kind::Tokens | Kind::Frames))?;
        let bounds = self
            .demands(index)
            .filter(|demand| matches!(demand.relation, Relation::AtMost(..)));
        let bounds: Vec<&Demand> = bounds.collect();
        let broken = |size: u64| {
            bounds
                .iter()
                .copied()
                .find(|demand| !self.meets(index, demand, size))
        };
        broken(usual)?;
        let size = (1..usual).rev().find(|&size| broken(size).is_none())?;
        Some(demanded(size, broken(size + 1)?))
    }

    /// As many columns as operators read for sure: where they take more as well, nothing tells how many there are.
    pub(super) fn least(&self, index: usize) -> Option<Sized> {
        let is_features = self.unknown(index).kind == Kind::Features;
        let least = |demand: &Demand| match &demand.relation {
            Relation::AtLeast(Expr::Dim(dim), least) if *dim == index && is_features => {
                Some(*least)
            }
            _ => None,
        };
        let bounds = self
            .demands(index)
            .filter_map(|demand| Some((least(demand)?, demand)));
        bounds
            .max_by_key(|(size, _)| *size)
            .map(|(size, demand)| demanded(size, demand))
    }
}

fn demanded(size: u64, demand: &Demand) -> Sized {
    Sized {
        size,
        source: SizeSource::Demand {
            reason: demand.reason.clone(),
        },
    }
}
