//! Which unknowns the sizes belong to that are told beside a model.

use std::collections::BTreeMap;

use super::kind::Kind;
use super::problem::{Problem, Unknown};
use super::solve::Sized;
use crate::inputs::beside::{About, Entry};

/// Sizes that are told of each unknown, in the order of `entries`.
pub(super) fn told(problem: &Problem, entries: &[Entry]) -> BTreeMap<usize, Vec<Sized>> {
    let mut told: BTreeMap<usize, Vec<Sized>> = BTreeMap::new();
    for (index, unknown) in problem.unknowns.iter().enumerate() {
        let fitting = entries.iter().filter(|entry| is_about(entry, unknown, problem, index));
        let sizes: Vec<Sized> = fitting.map(|entry| Sized { size: entry.size, source: entry.source.clone() }).collect();
        if !sizes.is_empty() {
            told.insert(index, sizes);
        }
    }
    told
}

fn is_about(entry: &Entry, unknown: &Unknown, problem: &Problem, index: usize) -> bool {
    match &entry.about {
        About::Height => unknown.kind == Kind::Height,
        About::Width => unknown.kind == Kind::Width,
        About::Channels => unknown.kind == Kind::Channels,
        // A text of the usual length is rather measured than the longest one.
        About::MostTokens => {
            unknown.kind == Kind::Tokens && unknown.derived.is_empty() && entry.size < Kind::Tokens.usual_sizes()[0]
        }
        About::Audio => unknown.kind == Kind::Audio,
        About::Frames => unknown.kind == Kind::Frames,
        About::Features => unknown.kind == Kind::Features,
        About::Heads => unknown.kind == Kind::Factor,
        About::Axis(input, axis) => problem.at(input, *axis) == Some(index),
    }
}
