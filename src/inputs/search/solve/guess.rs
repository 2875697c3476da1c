//! Guesses of sizes that nothing else tells: usual ones that break no demand, or others near them.

use super::{Broken, Kind, SizeSource, Sized, Solver};

/// Largest size that is looked for where no usual one meets the demands.
const SCAN_LIMIT: u64 = 2048;

impl Solver<'_> {
    /// Takes the first usual size that breaks least, or one nearby that breaks nothing.
    pub(super) fn guess(&mut self, index: usize) {
        let Some((broken, usual)) = self.least_broken(index) else {
            return;
        };
        let found = if broken != (0, 0) {
            self.nearby(index, broken, usual.size).unwrap_or(usual)
        } else if matches!(usual.source, SizeSource::MadeUp) {
            Sized {
                source: self.source(index, usual.size),
                ..usual
            }
        } else {
            usual
        };
        if let Some(pair) = self.pair(index) {
            self.sizes[pair] = Some(found.clone());
        }
        self.sizes[index] = Some(found);
    }

    /// The first of the usual sizes that break least.
    fn least_broken(&self, index: usize) -> Option<(Broken, Sized)> {
        let mut best: Option<(Broken, Sized)> = None;
        for sized in self.usual(index) {
            let broken = self.broken_with(index, sized.size);
            if best.as_ref().is_none_or(|(least, _)| broken < *least) {
                best = Some((broken, sized));
            }
            if broken == (0, 0) {
                break;
            }
        }
        best
    }

    /// Of all sizes that break less, the one that breaks least and lies next to the usual one.
    fn nearby(&self, index: usize, broken: Broken, usual: u64) -> Option<Sized> {
        let (_, size) = (1..=SCAN_LIMIT)
            .map(|size| (self.broken_with(index, size), size))
            .filter(|(other, _)| *other < broken)
            .min_by_key(|(other, size)| (*other, size.abs_diff(usual)))?;
        Some(Sized {
            size,
            source: self.demand(index, size),
        })
    }

    /// Sizes that are worth a try: those that files tell first, then what bounds tell and the usual
    /// ones.
    fn usual(&self, index: usize) -> Vec<Sized> {
        let told = self.told.get(&index).cloned().unwrap_or_default();
        let kind = self.unknown(index).kind;
        let (usual, others) = kind.usual_sizes().split_at(1);
        let usual = self
            .least(index)
            .into_iter()
            .chain(usual.iter().map(made_up))
            .chain(self.most(index))
            .chain(others.iter().map(made_up));
        self.first(kind)
            .iter()
            .map(made_up)
            .chain(told)
            .chain(usual)
            .collect()
    }

    /// The length that goes before all others, beside a past or a prompt.
    fn first(&self, kind: Kind) -> &'static [u64] {
        match (
            kind,
            self.problem
                .of_kind(Kind::Past)
                .find_map(|past| self.size(past)),
        ) {
            // After a past comes one token.
            (Kind::Tokens, Some(1..)) => &[1],
            // A prompt has no past.
            (Kind::Past, _) if self.is_prompt() => &[0],
            _ => &[],
        }
    }

    fn is_prompt(&self) -> bool {
        self.problem
            .of_kind(Kind::Tokens)
            .any(|tokens| self.unknown(tokens).asked.is_some_and(|size| size > 1))
    }

    /// The demand that a size meets and the usual one does not.
    fn demand(&self, index: usize, size: u64) -> SizeSource {
        let usual = self.usual(index).first().map_or(size, |sized| sized.size);
        let reason = self
            .demands(index)
            .find(|demand| self.meets(index, demand, size) && !self.meets(index, demand, usual))
            .map_or_else(
                || "sizes must agree".to_owned(),
                |demand| demand.reason.clone(),
            );
        SizeSource::Demand {
            reason: reason.into(),
        }
    }

    /// The source of a usual size: a demand, where sizes before it break one.
    fn source(&self, index: usize, found: u64) -> SizeSource {
        match self.usual(index).first() {
            Some(first) if first.size != found && !self.concerned[index].is_empty() => {
                self.demand(index, found)
            }
            _ => SizeSource::MadeUp,
        }
    }
}

fn made_up(&size: &u64) -> Sized {
    Sized {
        size,
        source: SizeSource::MadeUp,
    }
}
