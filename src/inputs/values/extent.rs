//! Sizes of values within a graph whose inputs have known sizes.

use super::flow::Extent;
use super::{AttributeValue, Flow, Graph, Node, Shapes};

/// The flow of a graph whose inputs have these shapes, with sizes that follow; nodes read what
/// those before made.
pub(in super::super) fn measured<'m>(graph: &'m Graph, shapes: &Shapes) -> Flow<'m> {
    let mut flow = Flow::unmeasured(graph, shapes);
    for index in 0..flow.nodes_count() {
        let node = flow.node(index);
        let found = extent(&flow, node, &|operand| flow.dims(node.inputs.get(operand)?));
        if let Some(found) = found {
            flow.note_extent(index, found);
        }
    }
    flow
}

fn extent(flow: &Flow<'_>, node: &Node, of: &dyn Fn(usize) -> Option<Extent>) -> Option<Extent> {
    match node.qualified_operator().as_str() {
        "Cast" | "Identity" | "DequantizeLinear" | "QuantizeLinear" | "Relu" | "Neg" | "Abs"
        | "Dropout" | "Not" | "Sigmoid" | "Tanh" | "Exp" | "Log" | "Sqrt" | "Erf" | "Softmax"
        | "LogSoftmax" | "LeakyRelu" | "Clip" | "LayerNormalization" | "BatchNormalization"
        | "Floor" | "Ceil" | "CumSum" | "RMSNormalization" | "com.microsoft.Gelu" | "Gelu" => of(0),
        "InstanceNormalization" | "SimplifiedLayerNormalization" => of(0),
        "Add" | "Sub" | "Mul" | "Div" | "Pow" | "Less" | "Greater" | "Equal" | "And" | "Or"
        | "LessOrEqual" | "GreaterOrEqual" | "Min" | "Max" => broadcast(of(0)?, of(1)?),
        "Where" => broadcast(broadcast(of(0)?, of(1)?)?, of(2)?),
        "Transpose" => transposed(&of(0)?, node),
        "MatMul" => product(of(0)?, of(1)?),
        "Gather" => looked_up(of(0)?, &of(1)?, node),
        "Unsqueeze" => unsqueezed(of(0)?, &axes(flow, node)?),
        "Squeeze" => squeezed(of(0)?, &axes(flow, node)?),
        "Conv" => convolved(of(0)?, &of(1)?, node),
        "Shape" => Some(vec![Some(of(0)?.len() as u64)]),
        _ => None,
    }
}

fn broadcast(one: Extent, two: Extent) -> Option<Extent> {
    let (mut long, short) = if one.len() >= two.len() {
        (one, two)
    } else {
        (two, one)
    };
    let ahead = long.len() - short.len();
    for (size, other) in long[ahead..].iter_mut().zip(short) {
        *size = match (*size, other) {
            (Some(1), other) => other,
            (Some(size), _) => Some(size),
            (None, Some(1)) => None,
            (None, other) => other,
        };
    }
    Some(long)
}

fn transposed(dims: &[Option<u64>], node: &Node) -> Option<Extent> {
    match node.attribute("perm") {
        Some(AttributeValue::Integers(order)) => order
            .iter()
            .map(|&axis| dims.get(usize::try_from(axis).ok()?).copied())
            .collect(),
        _ => Some(dims.iter().rev().copied().collect()),
    }
}

fn product(one: Extent, two: Extent) -> Option<Extent> {
    let (rows, columns) = (one.len().checked_sub(2)?, two.len().checked_sub(2)?);
    let mut dims = broadcast(one[..rows].to_vec(), two[..columns].to_vec())?;
    dims.extend([one[rows], two[columns + 1]]);
    Some(dims)
}

fn looked_up(mut data: Extent, indices: &[Option<u64>], node: &Node) -> Option<Extent> {
    let axis = place(node.integer("axis").unwrap_or(0), data.len())?;
    data.splice(axis..=axis, indices.iter().copied());
    Some(data)
}

/// The axes that an operator has as an attribute or as its second operand.
pub(super) fn axes(flow: &Flow<'_>, node: &Node) -> Option<Vec<i64>> {
    match (node.attribute("axes"), node.inputs.get(1)) {
        (Some(AttributeValue::Integers(axes)), _) => Some(axes.clone()),
        (_, Some(axes)) => Some(
            flow.constant(axes)?
                .iter()
                .map(|&axis| axis as i64)
                .collect(),
        ),
        _ => None,
    }
}

fn unsqueezed(mut dims: Extent, axes: &[i64]) -> Option<Extent> {
    let rank = dims.len() + axes.len();
    let mut places: Vec<usize> = axes
        .iter()
        .map(|&axis| place(axis, rank))
        .collect::<Option<_>>()?;
    places.sort_unstable();
    for at in places {
        if at > dims.len() {
            return None;
        }
        dims.insert(at, Some(1));
    }
    Some(dims)
}

fn squeezed(dims: Extent, axes: &[i64]) -> Option<Extent> {
    let gone: Vec<usize> = axes
        .iter()
        .map(|&axis| place(axis, dims.len()))
        .collect::<Option<_>>()?;
    Some(
        dims.into_iter()
            .enumerate()
            .filter(|(axis, _)| !gone.contains(axis))
            .map(|(_, size)| size)
            .collect(),
    )
}

/// An axis by its number, which counts from the end where it is negative.
pub(super) fn place(axis: i64, rank: usize) -> Option<usize> {
    let axis = usize::try_from(if axis < 0 { axis + rank as i64 } else { axis }).ok()?;
    (axis < rank).then_some(axis)
}

/// One of the numbers of an attribute that lists them by axis.
fn listed(node: &Node, name: &str, at: usize, default: i64) -> i64 {
    match node.attribute(name) {
        Some(AttributeValue::Integers(values)) => values.get(at).copied().unwrap_or(default),
        _ => default,
    }
}

/// How often a window fits along a padded axis.
fn windows_count(node: &Node, at: usize, padded: i64, window: i64) -> Option<u64> {
    let reach = listed(node, "dilations", at, 1)
        .checked_mul(window.checked_sub(1)?)?
        .checked_add(1)?;
    let room = padded.checked_sub(reach)?;
    let stride = listed(node, "strides", at, 1).max(1);
    u64::try_from(room.div_euclid(stride).checked_add(1)?).ok()
}

/// Sizes after a convolution with explicit padding.
fn convolved(mut dims: Extent, kernel: &[Option<u64>], node: &Node) -> Option<Extent> {
    let spatial = dims
        .len()
        .checked_sub(2)
        .filter(|_| dims.len() == kernel.len())?;
    dims[1] = kernel[0];
    for at in 0..spatial {
        dims[at + 2] = dims[at + 2].zip(kernel[at + 2]).and_then(|(size, window)| {
            let pads =
                listed(node, "pads", at, 0).checked_add(listed(node, "pads", at + spatial, 0))?;
            let padded = i64::try_from(size).ok()?.checked_add(pads)?;
            windows_count(node, at, padded, i64::try_from(window).ok()?)
        });
    }
    Some(dims)
}
