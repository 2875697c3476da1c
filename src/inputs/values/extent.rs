//! Sizes of values within a graph whose inputs have known sizes.

use std::collections::BTreeSet;

use super::flow::{Call, Extent};
use super::{Flow, Graph, Shapes};

/// The flow of a graph whose inputs have these shapes, with sizes that follow; nodes read what
/// those before made.
pub(super) fn measured<'m>(graph: &'m Graph, shapes: &Shapes) -> Flow<'m> {
    let mut flow = Flow::unmeasured(graph, shapes);
    for index in 0..flow.nodes_count() {
        let found = extent(flow.call(index));
        if let Some(found) = found {
            flow.note_extent(index, found);
        }
    }
    flow
}

fn extent(call: Call<'_>) -> Option<Extent> {
    match call.operator().as_str() {
        "Cast"
        | "Identity"
        | "DequantizeLinear"
        | "QuantizeLinear"
        | "Relu"
        | "Neg"
        | "Abs"
        | "Dropout"
        | "Not"
        | "Sigmoid"
        | "Tanh"
        | "Exp"
        | "Log"
        | "Sqrt"
        | "Erf"
        | "Softmax"
        | "LogSoftmax"
        | "LeakyRelu"
        | "Clip"
        | "LayerNormalization"
        | "BatchNormalization"
        | "Floor"
        | "Ceil"
        | "CumSum"
        | "RMSNormalization"
        | "com.microsoft.Gelu"
        | "Gelu"
        | "InstanceNormalization"
        | "SimplifiedLayerNormalization" => call.dims(0),
        "Add" | "Sub" | "Mul" | "Div" | "Pow" | "Less" | "Greater" | "Equal" | "And" | "Or"
        | "LessOrEqual" | "GreaterOrEqual" | "Min" | "Max" => {
            Some(broadcast(call.dims(0)?, call.dims(1)?))
        }
        "Where" => {
            let two = broadcast(call.dims(0)?, call.dims(1)?);
            Some(broadcast(two, call.dims(2)?))
        }
        "Transpose" => transposed(call),
        "MatMul" => product(&call.dims(0)?, &call.dims(1)?),
        "Gather" => looked_up(call),
        "Unsqueeze" => unsqueezed(call.dims(0)?, &call.axes()?),
        "Squeeze" => squeezed(call.dims(0)?, &call.axes()?),
        "Conv" => convolved(call),
        "Shape" => Some(vec![Some(call.dims(0)?.len() as u64)]),
        _ => None,
    }
}

fn broadcast(one: Extent, two: Extent) -> Extent {
    let (mut long, short) = if one.len() >= two.len() {
        (one, two)
    } else {
        (two, one)
    };
    let ahead = long.len() - short.len();
    for (size, other) in long[ahead..].iter_mut().zip(short) {
        *size = match (*size, other) {
            (Some(1), other) => other,
            (None, Some(1)) => None,
            (size, other) => size.or(other),
        };
    }
    long
}

fn transposed(call: Call<'_>) -> Option<Extent> {
    let mut dims = call.dims(0)?;
    let Some(order) = call.integers("perm") else {
        dims.reverse();
        return Some(dims);
    };
    order
        .iter()
        .map(|&axis| dims.get(usize::try_from(axis).ok()?).copied())
        .collect()
}

fn product(one: &Extent, two: &Extent) -> Option<Extent> {
    let (rows, columns) = (one.len().checked_sub(2)?, two.len().checked_sub(2)?);
    let mut dims = broadcast(one[..rows].to_vec(), two[..columns].to_vec());
    dims.extend([one[rows], two[columns + 1]]);
    Some(dims)
}

fn looked_up(call: Call<'_>) -> Option<Extent> {
    let mut data = call.dims(0)?;
    let axis = place(call.integer("axis", 0), data.len())?;
    data.splice(axis..=axis, call.dims(1)?);
    Some(data)
}

/// The axes of these numbers.
pub(super) fn placed(axes: &[i64], rank: usize) -> Option<Vec<usize>> {
    axes.iter().map(|&axis| place(axis, rank)).collect()
}

fn unsqueezed(mut dims: Extent, axes: &[i64]) -> Option<Extent> {
    let mut places = placed(axes, dims.len() + axes.len())?;
    places.sort_unstable();
    for at in places {
        if at > dims.len() {
            return None;
        }
        dims.insert(at, Some(1));
    }
    Some(dims)
}

fn squeezed(mut dims: Extent, axes: &[i64]) -> Option<Extent> {
    let gone = BTreeSet::from_iter(placed(axes, dims.len())?);
    for at in gone.into_iter().rev() {
        dims.remove(at);
    }
    Some(dims)
}

/// An axis by its number, which counts from the end where it is negative.
pub(super) fn place(axis: i64, rank: usize) -> Option<usize> {
    let axis = usize::try_from(if axis < 0 { axis + rank as i64 } else { axis }).ok()?;
    (axis < rank).then_some(axis)
}

impl Call<'_> {
    /// One of the numbers of an attribute that lists them by axis.
    fn listed(self, name: &str, at: usize, default: i64) -> i64 {
        let listed = self.integers(name).and_then(|values| values.get(at));
        listed.copied().unwrap_or(default)
    }

    /// How often a window fits along a padded axis.
    fn windows_count(self, at: usize, padded: i64, window: i64) -> Option<u64> {
        let reach = self
            .listed("dilations", at, 1)
            .checked_mul(window.checked_sub(1)?)?
            .checked_add(1)?;
        let stride = self.listed("strides", at, 1).max(1);
        let steps = padded.checked_sub(reach)?.div_euclid(stride);
        u64::try_from(steps.checked_add(1)?).ok()
    }
}

/// Sizes after a convolution with explicit padding.
fn convolved(call: Call<'_>) -> Option<Extent> {
    let (mut dims, kernel) = (call.dims(0)?, call.dims(1)?);
    let spatial = dims.len().checked_sub(2)?;
    if dims.len() != kernel.len() {
        return None;
    }
    dims[1] = kernel[0];
    for at in 0..spatial {
        dims[at + 2] = dims[at + 2].zip(kernel[at + 2]).and_then(|(size, window)| {
            let behind = call.listed("pads", at + spatial, 0);
            let pads = call.listed("pads", at, 0).checked_add(behind)?;
            let padded = i64::try_from(size).ok()?.checked_add(pads)?;
            call.windows_count(at, padded, i64::try_from(window).ok()?)
        });
    }
    Some(dims)
}
