//! What is tried after a refusal: the smallest change that its words suggest, then one size at a time.

use super::Search;
use super::kind::Kind;
use super::refusal::Refusal;
use super::solve::{self, Choice, Sized};
use crate::record::SizeSource;

pub(super) fn after(search: &Search, refusal: &Refusal) -> Vec<Choice> {
    let Ok(sizes) = solve::solve(&search.problem, &search.attempts.base, &search.told) else {
        return Vec::new();
    };
    let sizes: Vec<u64> = sizes
        .iter()
        .map(|sized| sized.as_ref().map_or(0, |sized| sized.size))
        .collect();
    let changes = Changes {
        search,
        sizes: &sizes,
    };
    let sizes = changes
        .wanted(refusal)
        .into_iter()
        .chain(changes.agreeing(refusal))
        .chain(changes.usual(refusal));
    let fills = other_fills(search).into_iter();
    let mut choices: Vec<Choice> = if refusal.is_index {
        fills.chain(sizes).collect()
    } else {
        sizes.chain(fills).collect()
    };
    choices.extend(changes.alike());
    choices
}

/// Other ways to fill inputs, one input at a time.
pub(super) fn other_fills(search: &Search) -> Vec<Choice> {
    let ways = search.ways(&search.attempts.base);
    let mut choices = Vec::new();
    for way in 1..ways.iter().copied().max().unwrap_or(0) {
        for input in (0..ways.len()).filter(|&input| ways[input] > way) {
            let mut choice = search.attempts.base.clone();
            choice.fills.insert(input, way);
            choices.push(choice);
        }
    }
    choices
}

fn probed(size: u64, reason: &str) -> Sized {
    Sized {
        size,
        source: SizeSource::Probe {
            reason: reason.to_owned(),
        },
    }
}

struct Changes<'s> {
    search: &'s Search,
    sizes: &'s [u64],
}

impl Changes<'_> {
    /// Unknowns whose size may be another.
    fn free(&self) -> Vec<usize> {
        let unknowns = &self.search.problem.unknowns;
        let is_free = |&index: &usize| {
            unknowns[index].asked.is_none() && !self.search.attempts.base.batch.contains(&index)
        };
        (0..unknowns.len()).filter(is_free).collect()
    }

    fn with(&self, index: usize, size: u64, reason: &str) -> Choice {
        let mut choice = self.search.attempts.base.clone();
        choice.sizes.insert(index, probed(size, reason));
        // The sides of an image go together as long as they are alike.
        if let Some(pair) = self.pair(index) {
            choice.sizes.insert(pair, probed(size, reason));
        }
        choice
    }

    fn pair(&self, index: usize) -> Option<usize> {
        let unknowns = &self.search.problem.unknowns;
        let other = match unknowns[index].kind {
            Kind::Height => Kind::Width,
            Kind::Width => Kind::Height,
            _ => return None,
        };
        let alike = |&pair: &usize| {
            let beside = |input: &str| {
                unknowns[index]
                    .places
                    .iter()
                    .any(|place| place.input == input)
            };
            unknowns[pair]
                .places
                .iter()
                .any(|place| beside(&place.input))
                && self.sizes[pair] == self.sizes[index]
        };
        self.free()
            .into_iter()
            .filter(|&pair| unknowns[pair].kind == other)
            .find(alike)
    }

    fn wanted(&self, refusal: &Refusal) -> Option<Choice> {
        let wrong = refusal.input.as_ref()?;
        let index = self.search.problem.at(&wrong.input, wrong.axis)?;
        Some(self.with(index, wrong.expected, "the model takes no other size"))
    }

    /// Sizes that agree where two did not: those that are the size itself first, then parts of one.
    fn agreeing(&self, refusal: &Refusal) -> Vec<Choice> {
        let reason = format!("{} refuses others", refusal.place);
        let mut choices = Vec::new();
        for &(found, wanted) in &refusal.pairs {
            for index in self
                .free()
                .into_iter()
                .filter(|&index| self.sizes[index] == found)
            {
                choices.push(self.with(index, wanted, &reason));
            }
        }
        for &(found, wanted) in &refusal.pairs {
            for index in self.free() {
                let size = self.sizes[index];
                let shifted = size
                    .checked_add(wanted)
                    .and_then(|sum| sum.checked_sub(found))
                    .filter(|_| size != found);
                let product = size
                    .checked_mul(wanted)
                    .filter(|product| found > 0 && product.is_multiple_of(found));
                let scaled = product.map(|product| product / found);
                let sizes = scaled
                    .into_iter()
                    .chain(shifted)
                    .filter(|&other| other > 0 && other != size);
                choices.extend(sizes.map(|other| self.with(index, other, &reason)));
            }
        }
        choices
    }

    /// The usual sizes of each unknown, first of those whose size the refusal names, one after the other.
    fn usual(&self, refusal: &Refusal) -> Vec<Choice> {
        let named = |size: u64| {
            refusal.sizes.contains(&size)
                || refusal
                    .pairs
                    .iter()
                    .any(|&(one, other)| one == size || other == size)
        };
        let unknowns = &self.search.problem.unknowns;
        let mut free = self.free();
        free.sort_by_key(|&index| {
            (
                !named(self.sizes[index]),
                !unknowns[index].derived.is_empty(),
                unknowns[index].kind,
            )
        });
        let usual = |index: usize| {
            let kind = unknowns[index].kind.usual_sizes().iter().copied();
            let others = refusal
                .sizes
                .iter()
                .copied()
                .filter(move |_| named(self.sizes[index]));
            let sizes = kind
                .chain(others)
                .filter(move |&size| size != self.sizes[index]);
            sizes.collect::<Vec<u64>>()
        };
        let by_unknown: Vec<(usize, Vec<u64>)> = free
            .into_iter()
            .map(|index| (index, usual(index)))
            .collect();
        let longest = by_unknown
            .iter()
            .map(|(_, sizes)| sizes.len())
            .max()
            .unwrap_or(0);
        let mut choices = Vec::new();
        for turn in 0..longest {
            for (index, sizes) in &by_unknown {
                let size = sizes.get(turn).copied();
                choices.extend(
                    size.map(|size| {
                        self.with(*index, size, "the first that ran of the usual sizes")
                    }),
                );
            }
        }
        choices
    }

    /// The same size for all unknowns that nothing is known of.
    fn alike(&self) -> Vec<Choice> {
        let other = |&index: &usize| self.search.problem.unknowns[index].kind == Kind::Other;
        let free: Vec<usize> = self.free().into_iter().filter(other).collect();
        let with = |size: u64| {
            let mut choice = self.search.attempts.base.clone();
            choice.sizes.extend(
                free.iter()
                    .map(|&index| (index, probed(size, "the first size that ran for all"))),
            );
            choice
        };
        [1, 2, 4, 8, 32, 64].into_iter().map(with).collect()
    }
}
