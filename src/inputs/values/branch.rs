//! Inputs that choose a branch.

use std::collections::BTreeSet;

use super::guess::SignKind;
use super::simulate::Trial;
use super::{AttributeValue, ElementType, Fill, Graph, Node, Question};

/// The branch that a value of the input chooses.
struct Choice {
    value: f64,
    node: usize,
    takes_first: bool,
}

impl Question<'_> {
    /// Ways to fill an input that chooses a branch: first what chooses the branch that fits the
    /// inputs' sizes.
    pub(super) fn branches(&self, trials: &[Trial]) -> Option<Vec<Fill>> {
        let mut choices: Vec<Choice> = trials.iter().filter_map(choice).collect();
        let call = self.flow.call(choices.first()?.node);
        let (first, why) = self.wanted(call.node);
        // Numbers that are compared with are meant before 1 and 0, which stand for no and for any
        // other.
        choices.sort_by_key(|choice| (choice.takes_first != first, !self.is_meant(choice.value)));
        let mut seen = BTreeSet::new();
        choices.retain(|choice| seen.insert(choice.takes_first) || self.is_meant(choice.value));
        let words = call.words();
        let fills = choices.into_iter().map(
            |Choice {
                 value, takes_first, ..
             }| {
                let which = if takes_first { "first" } else { "second" };
                let why = if takes_first == first {
                    why.as_str()
                } else {
                    ""
                };
                let shown = self.shown(value);
                self.constant(
                    value,
                    format!("{words} takes its {which} branch at {shown}{why}"),
                )
            },
        );
        Some(fills.collect())
    }

    fn is_meant(&self, value: f64) -> bool {
        self.uses.compared.contains(&value) || self.element_type == ElementType::Bool
    }

    /// Whether the first branch fits the sizes of what only one of the two reads, and why, to be
    /// put behind.
    fn wanted(&self, node: &Node) -> (bool, String) {
        let [one, two] = ["then_branch", "else_branch"].map(|branch| self.read_in(node, branch));
        for (own, other, takes_first) in [(&one, &two, false), (&two, &one, true)] {
            let mut own = own.difference(other);
            if let Some(input) = own.find(|input| self.is_empty(input)) {
                let why = format!(", as the other one reads `{input}`, which is empty");
                return (takes_first, why);
            }
        }
        match (one.is_subset(&two), two.is_subset(&one)) {
            (only_second, only_first) if only_second != only_first => {
                (only_first, ", which reads more of the inputs".to_owned())
            }
            _ => (true, String::new()),
        }
    }

    /// The inputs that a branch reads.
    fn read_in(&self, node: &Node, branch: &str) -> BTreeSet<&str> {
        let graph = match node.attribute(branch) {
            Some(AttributeValue::Graphs(graphs)) => graphs.first(),
            _ => None,
        };
        let nodes = graph.map(Graph::all_nodes).unwrap_or_default();
        let read: BTreeSet<&str> = nodes
            .into_iter()
            .flat_map(|node| &node.inputs)
            .map(String::as_str)
            .collect();
        let names = self.graph.inputs.iter().map(|info| info.name.exact());
        names.filter(|name| read.contains(name)).collect()
    }

    fn is_empty(&self, input: &str) -> bool {
        let shape = self.shapes.get(input);
        shape.is_some_and(|shape| shape.contains(&Some(0)))
    }
}

fn choice(trial: &Trial) -> Option<Choice> {
    let (node, sign) = trial.sign(SignKind::Branch)?;
    Some(Choice {
        value: trial.value,
        node,
        takes_first: sign.share > 0.5,
    })
}
