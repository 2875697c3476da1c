//! Trials after a refusal: the smallest change that its words suggest, then one size at a time.

use super::kind::Kind;
use super::refusal::Refusal;
use super::solve::{self, Choice, Sized};
use super::{Problem, Search, Unknown};
use crate::record::SizeSource;

pub(super) fn after(search: &Search, refusal: &Refusal) -> Vec<Choice> {
    let Ok(sizes) = solve::solve(&search.problem, &search.attempts.base, &search.told) else {
        return Vec::new();
    };
    let base = &search.attempts.base;
    let free = search
        .problem
        .unknowns
        .iter()
        .enumerate()
        .filter(|(at, unknown)| unknown.asked.is_none() && !base.batch.contains(at));
    let changes = Changes {
        problem: &search.problem,
        base,
        sizes: sizes.iter().map(|sized| sized.size).collect(),
        free: free.map(|(at, _)| at).collect(),
    };
    let mut choices: Vec<Choice> = changes.wanted(refusal).into_iter().collect();
    choices.extend(changes.agreeing(refusal));
    choices.extend(changes.usual(refusal));
    let place = if refusal.is_index { 0 } else { choices.len() };
    choices.splice(place..place, other_fills(search));
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

/// Sizes that a dimension might have for one that was `found` to become the `wanted` one, where it
/// is a multiple of that or so many more.
fn agreeing_sizes(size: u64, found: u64, wanted: u64) -> impl Iterator<Item = u64> {
    [scaled(size, found, wanted), shifted(size, found, wanted)]
        .into_iter()
        .flatten()
        .filter(move |&other| other > 0 && other != size)
}

fn scaled(size: u64, found: u64, wanted: u64) -> Option<u64> {
    let product = size.checked_mul(wanted)?;
    (found > 0 && product.is_multiple_of(found)).then(|| product / found)
}

fn shifted(size: u64, found: u64, wanted: u64) -> Option<u64> {
    let sum = size.checked_add(wanted)?;
    sum.checked_sub(found).filter(|_| size != found)
}

struct Changes<'s> {
    problem: &'s Problem,
    base: &'s Choice,
    sizes: Vec<u64>,
    /// Unknowns whose size may be another.
    free: Vec<usize>,
}

impl Changes<'_> {
    fn unknown(&self, index: usize) -> &Unknown {
        &self.problem.unknowns[index]
    }

    /// Another size for an unknown. The sides of an image go together as long as they are alike.
    fn with(&self, index: usize, size: u64, reason: &str) -> Choice {
        self.with_all([index].into_iter().chain(self.pair(index)), size, reason)
    }

    fn with_all(&self, indices: impl Iterator<Item = usize>, size: u64, reason: &str) -> Choice {
        let source = SizeSource::Probe {
            reason: reason.into(),
        };
        let probed = Sized { size, source };
        let mut choice = self.base.clone();
        choice
            .sizes
            .extend(indices.map(|index| (index, probed.clone())));
        choice
    }

    fn pair(&self, index: usize) -> Option<usize> {
        let other = self.unknown(index).kind.other_side()?;
        self.free.iter().copied().find(|&pair| {
            self.unknown(pair).kind == other
                && self.share_an_input(index, pair)
                && self.sizes[pair] == self.sizes[index]
        })
    }

    fn share_an_input(&self, one: usize, other: usize) -> bool {
        self.unknown(other)
            .places
            .iter()
            .any(|place| self.unknown(one).stands_in(&place.input))
    }

    fn wanted(&self, refusal: &Refusal) -> Option<Choice> {
        let wrong = refusal.input.as_ref()?;
        Some(self.with(
            self.problem.at(&wrong.input, wrong.axis)?,
            wrong.expected,
            "the model takes no other size",
        ))
    }

    /// Sizes that agree where two did not: those that are the size itself first, then parts of one.
    fn agreeing(&self, refusal: &Refusal) -> Vec<Choice> {
        let reason = format!("{} refuses others", refusal.place);
        let mut choices = Vec::new();
        for &(found, wanted) in &refusal.pairs {
            let free = self
                .free
                .iter()
                .filter(|&&index| self.sizes[index] == found);
            choices.extend(free.map(|&index| self.with(index, wanted, &reason)));
        }
        for &(found, wanted) in &refusal.pairs {
            for &index in &self.free {
                let others = agreeing_sizes(self.sizes[index], found, wanted);
                choices.extend(others.map(|other| self.with(index, other, &reason)));
            }
        }
        choices
    }

    /// The usual sizes of each unknown, first of those whose size the refusal names, one after the
    /// other.
    fn usual(&self, refusal: &Refusal) -> Vec<Choice> {
        let mut free = self.free.clone();
        free.sort_by_key(|&index| {
            (
                !refusal.names(self.sizes[index]),
                self.unknown(index).rank(),
            )
        });
        let mut choices = Vec::new();
        for index in free {
            let sizes = self.other_sizes(index, refusal).into_iter().enumerate();
            choices.extend(sizes.map(|(turn, size)| {
                let choice = self.with(index, size, "the first that ran of the usual sizes");
                (turn, choice)
            }));
        }
        choices.sort_by_key(|(turn, _)| *turn);
        choices.into_iter().map(|(_, choice)| choice).collect()
    }

    /// The usual sizes of an unknown, then those that a refusal of its size names, without the size
    /// that it has.
    fn other_sizes(&self, index: usize, refusal: &Refusal) -> Vec<u64> {
        let own = self.sizes[index];
        let kind = self.unknown(index).kind;
        let said: &[u64] = match refusal.names(own) {
            true => &refusal.sizes,
            false => &[],
        };
        kind.usual_sizes()
            .iter()
            .chain(said)
            .copied()
            .filter(|&size| size != own)
            .collect()
    }

    /// The same size for all unknowns that nothing is known of.
    fn alike(&self) -> impl Iterator<Item = Choice> {
        let others = self
            .free
            .iter()
            .copied()
            .filter(|&index| self.unknown(index).kind == Kind::Other);
        [1, 2, 4, 8, 32, 64]
            .into_iter()
            .map(move |size| self.with_all(others.clone(), size, "the first size that ran for all"))
    }
}
