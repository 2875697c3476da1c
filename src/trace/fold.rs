//! Events added up by node.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use super::device::{self, Device};
use super::event::{DeviceEvent, Event, NodeName, Parent, Subject};
use super::lengths::Lengths;
use super::nesting::Nesting;
use super::order::{Order, Pending, Ran};
use crate::record::{DeviceTime, NodeProfile, Profiled};
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
/// A node's run is added when it has ended, after those of nodes that ran inside it, and an
/// inference after all its nodes. What comes after the last inference belongs to one that did not
/// end, and counts nowhere.
#[derive(Default)]
pub(super) struct Fold {
    /// Length of an inference beyond which it does not count.
    longest: Nanos,
    order: Order,
    pending: Pending,
    nodes: Vec<Node>,
    named: u64,
    hash: RandomState,
    by_name: HashMap<u64, Vec<usize>>,
    /// The first node of what a kernel may say of it.
    by_parent: HashMap<u64, usize>,
    /// The node whose event stands last.
    last: Option<usize>,
    device: Device,
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
    pub(super) fn new(longest: Nanos, order: Order) -> Fold {
        Fold {
            longest,
            order,
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
                let node = self.node(name);
                self.last = Some(node);
                self.run(Some(node), event, place);
            }
            Subject::Inference => self.run(None, event, place),
            Subject::Device(of_device) => self.device.ran(device::Ran {
                start: event.start,
                length: event.length,
                work: of_device.work,
                node: self.node_of(of_device),
            }),
            Subject::Unplaced => self.has_unplaced = true,
            Subject::Other => {}
        }
    }

    fn run(&mut self, node: Option<usize>, event: &Event<'_>, place: Range<u64>) {
        let ran = Ran {
            node,
            thread: event.thread,
            start: event.start,
            length: event.length,
            place,
        };
        match self.order {
            Order::ByEnd => self.add(ran),
            Order::ByBegin => {
                while let Some(ended) = self.pending.ended_by(ran.start) {
                    self.add(ended);
                }
                self.pending.push(ran);
            }
        }
    }

    fn add(&mut self, ran: Ran) {
        let Some(node) = ran.node else {
            return self.end_inference(&ran);
        };
        let time = self.nesting.own_time(ran.thread, ran.start, ran.length);
        let node = &mut self.nodes[node];
        node.current.add(Tally { count: 1, time });
        node.last = ran.place;
    }

    /// Adds what has not been added yet, as there is nothing more to come.
    pub(super) fn end(&mut self) {
        while let Some(ended) = self.pending.ended() {
            self.add(ended);
        }
    }

    /// The node that had the device run this: one that its event follows, else the first of what it
    /// says.
    fn node_of(&self, event: DeviceEvent<'_>) -> Option<u32> {
        let last = self
            .last
            .filter(|&last| self.nodes[last].is_parent(event.parent));
        let node = last.or_else(|| match event.parent {
            Parent::Named {
                name,
                operator,
                node_index,
            } => self
                .by_parent
                .get(&self.hash.hash_one((name, operator, node_index)))
                .copied()
                .filter(|&node| self.nodes[node].is_parent(event.parent)),
            Parent::Before { .. } | Parent::Unknown => None,
        })?;
        u32::try_from(node).ok()
    }

    fn node(&mut self, name: NodeName<'_>) -> usize {
        let same = self.by_name.entry(self.hash.hash_one(name)).or_default();
        if let Some(&known) = same.iter().find(|&&node| self.nodes[node].is(name)) {
            return known;
        }
        let index = self.nodes.len();
        same.push(index);
        self.nodes.push(Node::new(name));
        self.named +=
            (name.name.len() + name.operator.len() + name.execution_provider.len()) as u64;
        self.add_parent(name, index);
        index
    }

    fn add_parent(&mut self, name: NodeName<'_>, node: usize) {
        let operators = [None, Some(name.operator)];
        for operator in operators {
            for index in [None, name.node_index] {
                let hash = self.hash.hash_one((name.name, operator, index));
                self.by_parent.entry(hash).or_insert(node);
            }
        }
    }

    fn end_inference(&mut self, ran: &Ran) {
        let is_first = self.first.is_none();
        let counts = !is_first && ran.length <= self.longest;
        match self.first {
            Some(_) => self.others.add(ran.length),
            None => self.first = Some(ran.length),
        }
        self.device.inference(ran.start, counts);
        if counts {
            self.counted.add(Tally {
                count: 1,
                time: ran.length,
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
        self.nesting.end_inference(ran.thread, ran.start);
    }

    /// The sum of it all, and where the event of each node's last run stands. There is an
    /// inference.
    pub(super) fn finish(mut self) -> (Trace, Vec<Range<u64>>) {
        let middle = self.others.quantile(2);
        let first = Tally {
            count: 1,
            time: self.first.unwrap_or_default(),
        };
        let (inferences, counted) = match middle {
            None => (Inferences::OnlyFirst, first),
            Some(_) => (Inferences::WithoutFirst, self.counted),
        };
        if inferences == Inferences::OnlyFirst {
            self.device.count_first();
        }
        let device = self.device.found(self.nodes.len(), counted.count);
        let (device, by_node) = device.map(|found| (found.profile, found.by_node)).unzip();
        let by_node = by_node.unwrap_or_else(|| vec![None; self.nodes.len()]);
        let nodes = self.nodes.into_iter().zip(by_node);
        let (nodes, places) = nodes
            .filter_map(|(node, on_device)| node.finish(inferences, counted.count, on_device))
            .unzip();
        let profiled = Profiled {
            device,
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

    /// Whether a kernel or copy may be this node's, by what it says.
    fn is_parent(&self, parent: Parent<'_>) -> bool {
        let own = &self.profile;
        match parent {
            Parent::Named {
                name,
                operator,
                node_index,
            } => {
                own.name == name
                    && operator.is_none_or(|operator| own.operator == operator)
                    && (node_index.is_none() || own.node_index == node_index)
            }
            Parent::Before { operator } => own.operator == operator,
            Parent::Unknown => false,
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
    fn finish(
        self,
        inferences: Inferences,
        count: u64,
        device: Option<DeviceTime>,
    ) -> Option<(NodeProfile, Range<u64>)> {
        let runs = match inferences {
            Inferences::WithoutFirst => self.others,
            Inferences::OnlyFirst => self.first,
        };
        let time_ns = Nanos(runs.time.0 / count.max(1));
        let profile = NodeProfile {
            calls_count: runs.count,
            time_ns,
            device,
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
        let mut fold = Fold::new(Nanos(u64::MAX), Order::ByEnd);
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
