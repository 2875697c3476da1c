//! Graphs within nodes: branches, loops and scans.

use std::ops::Range;
use std::rc::Rc;

use super::Expr;
use super::known::Keeping;
use super::value::{Call, Dims, Value, are_known, axis};
use super::walk::Walk;
use crate::onnx::{AttributeValue, Graph, Node};

/// Walks of a loop's body after which sizes that still change count as unknown.
const SETTLING_WALKS: usize = 3;

/// Result of a graph; absent where nothing makes it.
type Given = Option<Rc<Value>>;

fn body<'g>(node: &'g Node, name: &str) -> Option<&'g Graph> {
    match node.attribute(name)? {
        AttributeValue::Graphs(graphs) => graphs.first(),
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

/// The values of all turns, stacked along one more axis.
fn stacked(value: Given, dims: impl FnOnce(&[Expr]) -> Dims) -> Value {
    let value = own(value);
    Value {
        dims: value.dims.as_deref().and_then(dims),
        is_fed: true,
        elements: None,
        below: None,
        view_of: None,
        ..value
    }
}

fn own(value: Given) -> Value {
    value.map(Rc::unwrap_or_clone).unwrap_or_default()
}

impl Call<'_> {
    /// A value that a body is given: its sizes, and elements that are another step's each time.
    fn carried(&self, index: usize) -> Option<Value> {
        let value = self.input(index)?;
        Some(Value {
            dims: value.dims.clone(),
            is_fed: true,
            is_integer: value.is_integer,
            varying: value.varying.clone(),
            ..Value::default()
        })
    }

    fn all_carried(&self, inputs: Range<usize>) -> Vec<Value> {
        inputs
            .map(|index| self.carried(index).unwrap_or_default())
            .collect()
    }
}

impl<'g> Walk<'g> {
    /// Walks a graph while demands are kept in that way, or less.
    fn within(&mut self, graph: &'g Graph, keeping: Keeping) -> Vec<Given> {
        let before = self.known.borrow().keeping;
        self.keep(keeping.max(before));
        self.graph(graph);
        self.keep(before);
        self.results(graph)
    }

    fn keep(&self, keeping: Keeping) {
        self.known.borrow_mut().keeping = keeping;
    }

    /// One branch where the condition follows from sizes; else what both agree on.
    pub(super) fn branches(&mut self, node: &'g Node) -> Option<Vec<Value>> {
        let call = self.call(node);
        let (yes, no) = (body(node, "then_branch")?, body(node, "else_branch")?);
        if let Some(decided) = call.first_number(0) {
            let chosen = if decided == 0 { no } else { yes };
            let made = self.within(chosen, Keeping::Everything).into_iter();
            return Some(made.map(own).collect());
        }
        let is_unbound = self.known.borrow().keeping == Keeping::Everything;
        self.has_choice |= call.is_fed(0) && is_unbound;
        // A branch that sizes decide on is not run with others, so that what it demands does not
        // hold for all.
        let keeping = match call.is_fed(0) {
            true => Keeping::Demands,
            false => Keeping::Nothing,
        };
        let (yes, no) = (self.within(yes, keeping), self.within(no, keeping));
        let given = yes.iter().chain(&no).flatten();
        let sizes = given.flat_map(|value| value.dims.iter().flatten());
        self.branched.extend(sizes.cloned());
        let both = yes.into_iter().zip(no).map(|(yes, no)| yes.zip(no));
        let agreed = both.map(|both| both.map(|(yes, no)| self.agreed(&call, &yes, &no)));
        Some(agreed.map(Option::unwrap_or_default).collect())
    }

    fn agreed(&self, call: &Call<'_>, yes: &Value, no: &Value) -> Value {
        let dims = self.common(&yes.dims, &no.dims);
        let is_alike = are_known(&dims);
        let unlike = (call.is_fed(0) && !is_alike)
            .then(|| format!("{call} has branches of unlike sizes").into());
        let varying = yes.varying.clone().or(no.varying.clone());
        Value {
            dims,
            is_fed: call.is_fed(0) || yes.is_fed || no.is_fed,
            view_of: yes.view_of.filter(|_| yes.view_of == no.view_of),
            is_integer: yes.is_integer && no.is_integer,
            varying: varying.filter(|_| !is_alike).or(unlike),
            ..Value::default()
        }
    }

    fn common(&self, one: &Dims, other: &Dims) -> Dims {
        let (one, other) = (one.as_ref()?, other.as_ref()?);
        let known = self.known.borrow();
        let sizes = one.iter().zip(other).map(|(a, b)| match known.same(a, b) {
            true => a.clone(),
            false => Expr::Unknown,
        });
        (one.len() == other.len()).then(|| sizes.collect())
    }

    /// Walks a body that is given these values.
    fn turn(&mut self, body: &'g Graph, given: &[Value], keeping: Keeping) -> Vec<Given> {
        for (info, value) in body.inputs.iter().zip(given) {
            self.values
                .insert(info.name.exact(), Rc::new(value.clone()));
        }
        self.within(body, keeping)
    }

    /// Walks a body until the sizes of what it carries, which stands there in what it is given, are
    /// those that it was given. A body that is given something before that says one value before it.
    fn settled(
        &mut self,
        body: &'g Graph,
        given: &mut [Value],
        states: Range<usize>,
    ) -> Vec<Given> {
        for _ in 0..SETTLING_WALKS {
            let made = self.turn(body, given, Keeping::Nothing);
            let mut made = made.into_iter().skip(states.start.min(1));
            let mut is_stable = true;
            for state in &mut given[states.clone()] {
                let after = made.next().flatten();
                let after = after.as_ref();
                let dims = after.and_then(|after| self.common(&state.dims, &after.dims));
                is_stable &= dims == state.dims;
                state.dims = dims;
                let varying = state.varying.take();
                state.varying = varying.or_else(|| after?.varying.clone());
            }
            if is_stable {
                break;
            }
        }
        self.turn(body, given, Keeping::Demands)
    }

    pub(super) fn repeated(&mut self, node: &'g Node) -> Option<Vec<Value>> {
        let call = self.call(node);
        let body = body(node, "body")?;
        let states = call.all_carried(2..call.inputs.len());
        let mut given = [vec![counter(); 2], states].concat();
        let states = 2..given.len();
        let made = self.settled(body, &mut given, states);
        let goes_on = made.iter().take(1).flatten().any(|value| value.is_stored)
            && call.input(1).is_none_or(|value| value.is_stored);
        let count = call.first(0).filter(|_| goes_on).cloned();
        let count = count.unwrap_or_default();
        let cause = (!count.is_known())
            .then(|| Rc::from(format!("{call} goes round as often as values say")));
        let count = std::slice::from_ref(&count);
        let scans = made.into_iter().skip(given.len() - 1).map(|value| {
            let mut value = stacked(value, |dims| Some([count, dims].concat()));
            value.varying = cause.clone().or(value.varying);
            value
        });
        let finals = given.into_iter().skip(2).map(|mut state| {
            let varying = state.varying.or(cause.clone());
            state.varying = varying.filter(|_| !are_known(&state.dims));
            state
        });
        Some(finals.chain(scans).collect())
    }

    pub(super) fn scanned(&mut self, node: &'g Node) -> Option<Vec<Value>> {
        let call = self.call(node);
        let body = body(node, "body")?;
        let count = usize::try_from(node.integer("num_scan_inputs")?).ok()?;
        let first = call.inputs.len().checked_sub(count)?;
        let mut given = call.all_carried(0..call.inputs.len());
        let mut steps = [Expr::Unknown];
        for (place, slice) in given[first..].iter_mut().enumerate() {
            if let Some(dims) = &mut slice.dims
                && let Some(axis) = axis(call.nth("scan_input_axes", place), dims.len())
                && axis < dims.len()
            {
                steps = [dims.remove(axis)];
            }
        }
        let made = self.settled(body, &mut given, 0..first);
        given.truncate(first);
        for (place, value) in made.into_iter().skip(first).enumerate() {
            let axis_number = call.nth("scan_output_axes", place);
            given.push(stacked(value, |dims| {
                let (before, behind) = dims.split_at(axis(axis_number, dims.len() + 1)?);
                Some([before, &steps, behind].concat())
            }));
        }
        Some(given)
    }
}
