//! Graphs within nodes: branches, loops and scans.

use std::rc::Rc;

use super::Expr;
use super::known::Keeping;
use super::value::{Call, Dims, Value};
use super::walk::Walk;
use crate::onnx::{AttributeValue, Graph, Node};

/// Walks of a loop's body after which sizes that still change count as unknown.
const SETTLING_WALKS: usize = 3;

fn body<'g>(node: &'g Node, name: &str) -> Option<&'g Graph> {
    match node.attribute(name) {
        Some(AttributeValue::Graphs(graphs)) => graphs.first(),
        _ => None,
    }
}

/// The number of a round, or whether another one follows.
fn counter() -> Value {
    Value {
        dims: Some(Vec::new()),
        is_fed: true,
        is_integer: true,
        ..Value::default()
    }
}

impl<'g> Walk<'g> {
    fn results(&self, graph: &Graph) -> Vec<Option<Rc<Value>>> {
        graph
            .outputs
            .iter()
            .map(|info| self.values.get(info.name.exact()).cloned())
            .collect()
    }

    /// Walks a graph while demands are kept in that way, or less.
    fn within(&mut self, graph: &'g Graph, keeping: Keeping) -> Vec<Option<Rc<Value>>> {
        let before = self.known.keeping;
        self.known.keeping = if before == Keeping::Nothing {
            before
        } else {
            keeping
        };
        self.graph(graph);
        self.known.keeping = before;
        self.results(graph)
    }

    /// One branch where the condition follows from sizes; else what both agree on.
    pub(super) fn branches(&mut self, node: &'g Node) -> Vec<Value> {
        let call = self.call(node);
        let (Some(yes), Some(no)) = (body(node, "then_branch"), body(node, "else_branch")) else {
            return Vec::new();
        };
        if let Some(decided) = call.first(0).and_then(Expr::number) {
            let keeping = self.known.keeping;
            let made = self.within(if decided == 0 { no } else { yes }, keeping);
            return made
                .into_iter()
                .map(|value| value.map(Rc::unwrap_or_clone).unwrap_or_default())
                .collect();
        }
        let is_fed = call.input(0).is_none_or(|value| value.is_fed);
        self.has_choice |= is_fed && self.known.keeping == Keeping::Everything;
        // A branch that sizes decide on is not run with others, so that what it demands does not
        // hold for all.
        let keeping = if is_fed {
            Keeping::Demands
        } else {
            Keeping::Nothing
        };
        let sides = (self.within(yes, keeping), self.within(no, keeping));
        let given = sides.0.iter().chain(&sides.1).flatten();
        self.branched
            .extend(given.flat_map(|value| value.dims.iter().flatten()).cloned());
        sides
            .0
            .into_iter()
            .zip(sides.1)
            .map(|(yes, no)| self.agreed(&call, yes, no))
            .collect()
    }

    fn agreed(&self, call: &Call<'_>, yes: Option<Rc<Value>>, no: Option<Rc<Value>>) -> Value {
        let (Some(yes), Some(no)) = (yes, no) else {
            return Value::default();
        };
        let dims = self.common(&yes.dims, &no.dims);
        let is_alike = dims
            .as_ref()
            .is_some_and(|dims| dims.iter().all(Expr::is_known));
        let is_fed = call.input(0).is_none_or(|value| value.is_fed);
        let unlike = (is_fed && !is_alike)
            .then(|| format!("{} has branches of unlike sizes", call.words()).into());
        Value {
            dims,
            is_fed: is_fed || yes.is_fed || no.is_fed,
            view_of: yes.view_of.filter(|_| yes.view_of == no.view_of),
            is_integer: yes.is_integer && no.is_integer,
            varying: yes
                .varying
                .clone()
                .or(no.varying.clone())
                .filter(|_| !is_alike)
                .or(unlike),
            ..Value::default()
        }
    }

    fn common(&self, one: &Dims, other: &Dims) -> Dims {
        let (one, other) = (one.as_ref()?, other.as_ref()?);
        let sizes = one.iter().zip(other);
        (one.len() == other.len()).then(|| sizes.map(|(a, b)| self.common_size(a, b)).collect())
    }

    fn common_size(&self, one: &Expr, other: &Expr) -> Expr {
        match self.known.same(one, other) {
            true => one.clone(),
            false => Expr::Unknown,
        }
    }

    fn bind(&mut self, graph: &'g Graph, values: &[Value]) {
        for (info, value) in graph.inputs.iter().zip(values) {
            self.values
                .insert(info.name.exact(), Rc::new(value.clone()));
        }
    }

    /// Walks a body until the sizes of what it carries are those that it was given.
    fn settled(
        &mut self,
        body: &'g Graph,
        head: &[Value],
        states: &[Value],
        tail: &[Value],
    ) -> (Vec<Value>, Vec<Option<Rc<Value>>>) {
        let skipped = if head.is_empty() { 0 } else { 1 };
        let mut states = states.to_vec();
        for _ in 0..SETTLING_WALKS {
            self.bind(body, &[head, &states, tail].concat());
            let made = self.within(body, Keeping::Nothing);
            let next: Vec<Value> = states
                .iter()
                .enumerate()
                .map(|(place, state)| {
                    let after = made.get(place + skipped).cloned().flatten();
                    let dims = after
                        .as_ref()
                        .and_then(|after| self.common(&state.dims, &after.dims));
                    Value {
                        dims,
                        varying: state.varying.clone().or_else(|| after?.varying.clone()),
                        ..state.clone()
                    }
                })
                .collect();
            let is_stable = next
                .iter()
                .zip(&states)
                .all(|(next, state)| next.dims == state.dims);
            states = next;
            if is_stable {
                break;
            }
        }
        self.bind(body, &[head, &states, tail].concat());
        let made = self.within(body, Keeping::Demands);
        (states, made)
    }

    /// A value that a body is given: its sizes, and elements that are another step's each time.
    fn carried(call: &Call<'_>, index: usize) -> Value {
        call.input(index)
            .map_or_else(Value::default, |value| Value {
                dims: value.dims.clone(),
                is_fed: true,
                is_integer: value.is_integer,
                varying: value.varying.clone(),
                ..Value::default()
            })
    }

    /// What all turns give of a value, which has an axis more.
    fn stacked(value: Option<Rc<Value>>, dims: impl FnOnce(&[Expr]) -> Dims) -> Value {
        let value = value.map(Rc::unwrap_or_clone).unwrap_or_default();
        let dims = value.dims.as_deref().and_then(dims);
        Value {
            dims,
            elements: None,
            below: None,
            view_of: None,
            is_fed: true,
            ..value
        }
    }

    pub(super) fn repeated(&mut self, node: &'g Node) -> Vec<Value> {
        let call = self.call(node);
        let Some(body) = body(node, "body") else {
            return Vec::new();
        };

        let states: Vec<Value> = (2..call.inputs.len())
            .map(|index| Self::carried(&call, index))
            .collect();
        let (states, made) = self.settled(body, &[counter(), counter()], &states, &[]);
        let goes_on = made
            .first()
            .cloned()
            .flatten()
            .is_some_and(|goes_on| goes_on.is_stored);
        let count = match call.first(0) {
            Some(count) if goes_on && call.input(1).is_none_or(|value| value.is_stored) => {
                count.clone()
            }
            _ => Expr::Unknown,
        };
        let cause = (count == Expr::Unknown).then(|| {
            Rc::from(format!(
                "{} goes round as often as values say",
                call.words()
            ))
        });
        let scans = made.into_iter().skip(1 + states.len()).map(|value| {
            let value = Self::stacked(value, |dims| {
                Some([std::slice::from_ref(&count), dims].concat())
            });
            Value {
                varying: cause.clone().or(value.varying.clone()),
                ..value
            }
        });
        let scans: Vec<Value> = scans.collect();
        let finals = states.into_iter().map(|state| {
            let is_known = state
                .dims
                .as_ref()
                .is_some_and(|dims| dims.iter().all(Expr::is_known));
            Value {
                varying: state
                    .varying
                    .clone()
                    .or(cause.clone())
                    .filter(|_| !is_known),
                ..state
            }
        });
        finals.chain(scans).collect()
    }

    pub(super) fn scanned(&mut self, node: &'g Node) -> Vec<Value> {
        let call = self.call(node);
        let count = node
            .integer("num_scan_inputs")
            .and_then(|count| usize::try_from(count).ok());
        let first = count.and_then(|count| call.inputs.len().checked_sub(count));
        let (Some(body), Some(first)) = (body(node, "body"), first) else {
            return Vec::new();
        };
        let states: Vec<Value> = (0..first)
            .map(|index| Self::carried(&call, index))
            .collect();
        let axes = call.integers("scan_input_axes").unwrap_or_default();
        let (mut slices, mut steps) = (Vec::new(), Expr::Unknown);
        for index in first..call.inputs.len() {
            let mut slice = Self::carried(&call, index);
            let axis = axes.get(index - first).copied().unwrap_or(0);
            if let Some(dims) = &mut slice.dims
                && let Some(axis) = call
                    .axis(axis, dims.len())
                    .filter(|&axis| axis < dims.len())
            {
                steps = dims.remove(axis);
            }
            slices.push(slice);
        }
        let (states, made) = self.settled(body, &[], &states, &slices);
        let outputs = made
            .into_iter()
            .skip(states.len())
            .enumerate()
            .map(|(place, value)| {
                let axis = call
                    .integers("scan_output_axes")
                    .and_then(|axes| axes.get(place).copied())
                    .unwrap_or(0);
                Self::stacked(value, |dims| {
                    let (before, behind) = dims.split_at(call.axis(axis, dims.len() + 1)?);
                    Some([before, &[steps.clone()], behind].concat())
                })
            });
        let outputs: Vec<Value> = outputs.collect();
        states.into_iter().chain(outputs).collect()
    }
}
