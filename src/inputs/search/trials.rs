//! What is tried after a refusal: the smallest change that its words suggest, then one size at a
//! time.

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
            reason: reason.to_owned().into(),
        },
    }
}

/// Sizes that a dimension might have for one that was `found` to become the `wanted` one, where it
/// is a multiple of that or so many more.
fn agreeing_sizes(size: u64, found: u64, wanted: u64) -> impl Iterator<Item = u64> {
    let scaled = size
        .checked_mul(wanted)
        .filter(|product| found > 0 && product.is_multiple_of(found))
        .map(|product| product / found);
    let shifted = size
        .checked_add(wanted)
        .and_then(|sum| sum.checked_sub(found))
        .filter(|_| size != found);
    let both = scaled.into_iter().chain(shifted);
    both.filter(move |&other| other > 0 && other != size)
}

struct Changes<'s> {
    search: &'s Search,
    sizes: &'s [u64],
}

impl Changes<'_> {
    /// Unknowns whose size may be another.
    fn free(&self) -> Vec<usize> {
        let base = &self.search.attempts.base;
        let unknowns = self.search.problem.unknowns.iter().enumerate();
        unknowns
            .filter(|(index, unknown)| unknown.asked.is_none() && !base.batch.contains(index))
            .map(|(index, _)| index)
            .collect()
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
        self.free().into_iter().find(|&pair| {
            unknowns[pair].kind == other
                && self.share_an_input(index, pair)
                && self.sizes[pair] == self.sizes[index]
        })
    }

    fn share_an_input(&self, one: usize, other: usize) -> bool {
        let unknowns = &self.search.problem.unknowns;
        let mut places = unknowns[other].places.iter();
        places.any(|place| unknowns[one].stands_in(&place.input))
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
            let free = self.free().into_iter();
            choices.extend(
                free.filter(|&index| self.sizes[index] == found)
                    .map(|index| self.with(index, wanted, &reason)),
            );
        }
        for &(found, wanted) in &refusal.pairs {
            for index in self.free() {
                let others = agreeing_sizes(self.sizes[index], found, wanted);
                choices.extend(others.map(|other| self.with(index, other, &reason)));
            }
        }
        choices
    }

    /// The usual sizes of each unknown, first of those whose size the refusal names, one after the
    /// other.
    fn usual(&self, refusal: &Refusal) -> Vec<Choice> {
        let unknowns = &self.search.problem.unknowns;
        let mut free = self.free();
        free.sort_by_key(|&index| {
            (
                !refusal.names(self.sizes[index]),
                !unknowns[index].derived.is_empty(),
                unknowns[index].kind,
            )
        });
        let sizes = free.iter().map(|&index| self.other_sizes(index, refusal));
        let sizes: Vec<Vec<u64>> = sizes.collect();
        let mut choices = Vec::new();
        for turn in 0..sizes.iter().map(Vec::len).max().unwrap_or(0) {
            for (&index, sizes) in free.iter().zip(&sizes) {
                let size = sizes.get(turn);
                choices.extend(
                    size.map(|&size| {
                        self.with(index, size, "the first that ran of the usual sizes")
                    }),
                );
            }
        }
        choices
    }

    /// The usual sizes of an unknown, then those that a refusal of its size names, without the size
    /// that it has.
    fn other_sizes(&self, index: usize, refusal: &Refusal) -> Vec<u64> {
        let own = self.sizes[index];
        let kind = self.search.problem.unknowns[index].kind;
        let said: &[u64] = match refusal.names(own) {
            true => &refusal.sizes,
            false => &[],
        };
        let all = kind.usual_sizes().iter().chain(said).copied();
        all.filter(|&size| size != own).collect()
    }

    /// The same size for all unknowns that nothing is known of.
    fn alike(&self) -> Vec<Choice> {
        let unknowns = &self.search.problem.unknowns;
        let mut free = self.free();
        free.retain(|&index| unknowns[index].kind == Kind::Other);
        [1, 2, 4, 8, 32, 64]
            .into_iter()
            .map(|size| self.with_all(&free, size))
            .collect()
    }

    fn with_all(&self, unknowns: &[usize], size: u64) -> Choice {
        let mut choice = self.search.attempts.base.clone();
        let probed = probed(size, "the first size that ran for all");
        let sizes = unknowns.iter().map(|&index| (index, probed.clone()));
        choice.sizes.extend(sizes);
        choice
    }
}
