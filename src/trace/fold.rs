//! Events added up by node.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use super::event::{Event, NodeName, Subject};
use super::lengths::Lengths;
use super::nesting::Nesting;
use crate::record::{NodeProfile, Profiled};
use crate::units::{Bytes, Nanos};

/// The content of a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// Inferences and nodes.
    pub profiled: Profiled,
    /// Which inferences are behind that.
    pub inferences: Inferences,
}

/// Which inferences of a trace there are to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inferences {
    /// All but the first, which prepares what the others find ready.
    WithoutFirst,
    /// The first, because there is no other.
    OnlyFirst,
}

/// Nodes that a trace may name: the largest models have some ten thousand.
pub(super) const MOST_NODES: usize = 1 << 20;
/// Names that nodes may have together, and events that they may be described by: those of as many
/// nodes take less.
pub(super) const MOST_SAID: Bytes = Bytes(1 << 30);

/// The sum of the events up to here.
///
/// A node's event is written when it ends, after those of nodes that ran inside it, and an
/// inference's after those of all its nodes. What comes after the last inference belongs to one
/// that did not end, and counts nowhere.
#[derive(Default)]
pub(super) struct Fold {
    /// Length of an inference beyond which it does not count.
    longest: Nanos,
    nodes: Vec<Node>,
    named: u64,
    hash: RandomState,
    by_name: HashMap<u64, Vec<usize>>,
    nesting: Nesting,
    /// Length of the first inference, and those of the others.
    first: Option<Nanos>,
    others: Lengths,
    /// Whether nodes ran that no execution provider is named for.
    pub has_unplaced: bool,
    /// Lengths of the inferences that count, the first left out.
    counted: Tally,
}

#[derive(Default)]
struct Node {
    profile: NodeProfile,
    /// Where the event of its last run stands.
    last: Range<u64>,
    /// Its runs in the inference that has not ended yet, in the first one, and in the others.
    current: Tally,
    first: Tally,
    others: Tally,
}

#[derive(Clone, Copy, Default)]
struct Tally {
    count: u64,
    time: Nanos,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.count += other.count;
        self.time = self.time + other.time;
    }
}

impl Fold {
    pub(super) fn new(longest: Nanos) -> Fold {
        Fold {
            longest,
            ..Fold::default()
        }
    }

    pub(super) fn has_inference(&self) -> bool {
        self.first.is_some()
    }

    /// Whether there are more nodes than were taken.
    pub(super) fn is_full(&self) -> bool {
        self.nodes.len() > MOST_NODES || self.named > MOST_SAID.0
    }

    pub(super) fn take(&mut self, event: &Event<'_>, place: Range<u64>) {
        match event.subject() {
            Subject::Node(_) if self.is_full() => {}
            Subject::Node(name) => {
                let time = self
                    .nesting
                    .own_time(event.thread, event.start, event.length);
                let node = self.node(name);
                node.current.add(Tally { count: 1, time });
                node.last = place;
            }
            Subject::Inference => self.end_inference(event),
            Subject::Unplaced => self.has_unplaced = true,
            Subject::Other => {}
        }
    }

    fn node(&mut self, name: NodeName<'_>) -> &mut Node {
        let same = self.by_name.entry(self.hash.hash_one(name)).or_default();
        let known = same.iter().find(|&&node| self.nodes[node].is(name));
        let index = known.copied().unwrap_or_else(|| {
            let index = self.nodes.len();
            same.push(index);
            self.nodes.push(Node::new(name));
            self.named +=
                (name.name.len() + name.operator.len() + name.execution_provider.len()) as u64;
            index
        });
        &mut self.nodes[index]
    }

    fn end_inference(&mut self, event: &Event<'_>) {
        let is_first = self.first.is_none();
        let counts = !is_first && event.length <= self.longest;
        match self.first {
            Some(_) => self.others.add(event.length),
            None => self.first = Some(event.length),
        }
        if counts {
            self.counted.add(Tally {
                count: 1,
                time: event.length,
            });
        }
        for node in &mut self.nodes {
            let current = std::mem::take(&mut node.current);
            if is_first {
                node.first = current;
            } else if counts {
                node.others.add(current);
            }
        }
        self.nesting.end_inference(event.thread, event.start);
    }

    /// The sum of it all, and where the event of each node's last run stands. There is an
    /// inference.
    pub(super) fn finish(self) -> (Trace, Vec<Range<u64>>) {
        let middle = self.others.quantile(2);
        let first = Tally {
            count: 1,
            time: self.first.unwrap_or_default(),
        };
        let (inferences, counted) = match middle {
            None => (Inferences::OnlyFirst, first),
            Some(_) => (Inferences::WithoutFirst, self.counted),
        };
        let nodes = self.nodes.into_iter();
        let (nodes, places) = nodes
            .filter_map(|node| node.finish(inferences, counted.count))
            .unzip();
        let profiled = Profiled {
            inferences_count: counted.count,
            disturbed_inferences_count: self.others.count.saturating_sub(counted.count),
            inference_ns: middle.unwrap_or(first.time),
            mean_inference_ns: Nanos(counted.time.0 / counted.count.max(1)),
            nodes,
            ..Profiled::default()
        };
        let trace = Trace {
            profiled,
            inferences,
        };
        (trace, places)
    }
}

impl Node {
    fn new(name: NodeName<'_>) -> Node {
        let profile = NodeProfile {
            name: name.name.into(),
            node_index: name.node_index,
            operator: name.operator.into(),
            execution_provider: name.execution_provider.into(),
            ..NodeProfile::default()
        };
        Node {
            profile,
            ..Node::default()
        }
    }

    fn is(&self, name: NodeName<'_>) -> bool {
        let own = &self.profile;
        own.node_index == name.node_index
            && own.name == name.name
            && own.operator == name.operator
            && own.execution_provider == name.execution_provider
    }

    /// Its runs in `count` inferences; `None` if it did not run in them.
    fn finish(self, inferences: Inferences, count: u64) -> Option<(NodeProfile, Range<u64>)> {
        let runs = match inferences {
            Inferences::WithoutFirst => self.others,
            Inferences::OnlyFirst => self.first,
        };
        let time_ns = Nanos(runs.time.0 / count.max(1));
        let profile = NodeProfile {
            calls_count: runs.count,
            time_ns,
            ..self.profile
        };
        (runs.count > 0).then_some((profile, self.last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_count_once_and_no_more_of_them_are_taken_than_are_held() {
        let event = |name: &str| {
            format!(
                r#"{{"name":"{name}_kernel_time","args":{{"op_name":"Relu","provider":"CPU","node_index":"1"}}}}"#
            )
        };
        let mut fold = Fold::new(Nanos(u64::MAX));
        let take = |fold: &mut Fold, name: &str| {
            fold.take(&serde_json::from_str(&event(name)).unwrap(), 0..1)
        };
        take(&mut fold, "a");
        take(&mut fold, "a");
        assert_eq!(
            (fold.named, fold.is_full()),
            ("aReluCPU".len() as u64, false)
        );
        fold.named = MOST_SAID.0 + 1;
        take(&mut fold, "b");
        assert!(fold.is_full() && fold.nodes.len() == 1);
    }
}
