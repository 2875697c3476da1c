//! Which unknowns the sizes belong to that are told beside a model.

use std::collections::BTreeMap;

use super::{
    About, Demand, Expr, Kind, Problem, Relation, Sized, TensorInfo, Unknown, dims_of, input_of,
};
use crate::inputs::beside::Entry;

/// Dimensions of keys and values that are kept: samples, heads, tokens and features of a head.
const CACHE_RANK: usize = 4;

/// Sizes that are told of each unknown, in the order of `entries`.
pub(super) fn told(
    problem: &Problem,
    inputs: &[TensorInfo],
    entries: &[Entry],
) -> BTreeMap<usize, Vec<Sized>> {
    (0..problem.unknowns.len())
        .map(|index| Standing {
            problem,
            inputs,
            index,
        })
        .map(|standing| (standing.index, standing.told(entries)))
        .filter(|(_, sizes)| !sizes.is_empty())
        .collect()
}

/// Has the sides of images that nothing tells be multiples of the stride that the metadata tells.
pub(super) fn demand_stride(
    problem: &mut Problem,
    told: &BTreeMap<usize, Vec<Sized>>,
    stride: Option<u64>,
) {
    let Some(stride) = stride else { return };
    let reason = format!("the file's metadata tells a stride of {stride}");
    for index in (0..problem.unknowns.len()).filter(|index| !told.contains_key(index)) {
        if let Kind::Height | Kind::Width = problem.unknowns[index].kind {
            problem.demands.push(Demand {
                relation: Relation::MultipleOf(Expr::Dim(index), stride),
                reason: reason.clone(),
            });
        }
    }
}

#[derive(Clone, Copy)]
struct Standing<'p> {
    problem: &'p Problem,
    inputs: &'p [TensorInfo],
    index: usize,
}

impl<'p> Standing<'p> {
    fn unknown(self) -> &'p Unknown {
        &self.problem.unknowns[self.index]
    }

    fn told(self, entries: &[Entry]) -> Vec<Sized> {
        entries
            .iter()
            .filter(|entry| self.is_meant(entry))
            .map(|entry| Sized {
                size: entry.size,
                source: entry.source.clone(),
            })
            .collect()
    }

    fn is_meant(self, entry: &Entry) -> bool {
        let unknown = self.unknown();
        match &entry.about {
            About::Height => unknown.kind == Kind::Height,
            About::Width => unknown.kind == Kind::Width,
            About::Channels => unknown.kind == Kind::Channels,
            // A text of the usual length is rather measured than the longest one.
            About::MostTokens => {
                unknown.kind == Kind::Tokens
                    && unknown.derived.is_empty()
                    && entry.size < Kind::Tokens.usual_sizes()[0]
            }
            About::Audio => unknown.kind == Kind::Audio,
            About::Frames => unknown.kind == Kind::Frames,
            About::Features => unknown.kind == Kind::Features && self.in_cache().is_none(),
            About::Heads => unknown.kind == Kind::Factor || self.in_cache() == Some(About::Heads),
            About::HeadSize => self.in_cache() == Some(About::HeadSize),
            About::Axis(input, axis) => self.problem.at(input, *axis) == Some(self.index),
        }
    }

    /// Its role in an input that keeps tokens from before; `None` where it stands in none, or is
    /// its batch or length.
    fn in_cache(self) -> Option<About> {
        let may_be = matches!(self.unknown().kind, Kind::Other | Kind::Features);
        let place = self.unknown().places.first();
        let place = place.filter(|place| may_be && place.axis > 0)?;
        let rank = dims_of(input_of(self.inputs, &place.input)?).len();
        if rank != CACHE_RANK || !(0..rank).any(|axis| self.is_past(&place.input, axis)) {
            return None;
        }
        Some(match place.axis {
            axis if axis + 1 == rank => About::HeadSize,
            _ => About::Heads,
        })
    }

    fn is_past(self, input: &str, axis: usize) -> bool {
        let at = self.problem.at(input, axis);
        at.is_some_and(|at| self.problem.unknowns[at].kind == Kind::Past)
    }
}
