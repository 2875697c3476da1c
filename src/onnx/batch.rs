//! Where samples of a batch lie in a model's inputs.

use std::collections::{BTreeMap, BTreeSet};

use super::Graph;
use crate::record::{AxisReason, BatchAxis, BatchProof, Dim, TensorInfo, ValueType};

/// Shape of an input whose number of dimensions is known.
struct Shape<'a> {
    name: &'a str,
    dims: &'a [Dim],
}

/// Where samples lie, by the first of these that holds: a dimension is named batch, `N` or the like; the first
/// dimension of all inputs is one symbolic dimension, is unknown, or is fixed to one size that the outputs share.
/// Inputs of fewer than two dimensions have no say where others have more: they are parameters as often as not.
#[must_use]
pub fn batch_axis(graph: &Graph) -> BatchAxis {
    let shapes: Vec<Shape<'_>> = graph.inputs.iter().filter_map(shape).filter(|shape| !shape.dims.is_empty()).collect();
    by_name(&shapes)
        .or_else(|| by_first_symbol(&shapes))
        .or_else(|| by_first_unknown(&shapes))
        .or_else(|| by_first_fixed(&shapes, &graph.outputs))
        .unwrap_or(BatchAxis {
            axes: BTreeMap::new(),
            symbol: None,
            fixed_size: None,
            reason: AxisReason::NoAxis,
            proof: BatchProof::Untried,
        })
}

fn shape(info: &TensorInfo) -> Option<Shape<'_>> {
    match &info.value_type {
        ValueType::Tensor { dims: Some(dims), .. } => Some(Shape { name: &info.name, dims }),
        _ => None,
    }
}

/// The inputs that decide: those of at least two dimensions, or all if there are none.
fn deciding<'s, 'a>(shapes: &'s [Shape<'a>]) -> Vec<&'s Shape<'a>> {
    let wide: Vec<_> = shapes.iter().filter(|shape| shape.dims.len() > 1).collect();
    if wide.is_empty() { shapes.iter().collect() } else { wide }
}

fn by_name(shapes: &[Shape<'_>]) -> Option<BatchAxis> {
    // Of several such names, the one that comes first most often is the batch of the model's own inputs.
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for symbol in shapes.iter().flat_map(|shape| symbols(shape.dims)).filter(|symbol| is_batch_name(symbol)) {
        match counts.iter_mut().find(|(name, _)| *name == symbol) {
            Some((_, count)) => *count += 1,
            None => counts.push((symbol, 1)),
        }
    }
    let most = counts.iter().map(|&(_, count)| count).max()?;
    let (symbol, _) = counts.iter().find(|&&(_, count)| count == most)?;
    Some(along_symbol(shapes, symbol, AxisReason::SymbolName))
}

fn by_first_symbol(shapes: &[Shape<'_>]) -> Option<BatchAxis> {
    let deciding = deciding(shapes);
    let symbol = deciding.iter().find_map(|shape| match &shape.dims[0] {
        Dim::Symbolic(name) if !is_generated(name) => Some(name.as_str()),
        _ => None,
    })?;
    let shared = deciding.iter().all(|shape| symbols(shape.dims).any(|name| name == symbol));
    shared.then(|| along_symbol(shapes, symbol, AxisReason::FirstSymbolicDimension))
}

fn by_first_unknown(shapes: &[Shape<'_>]) -> Option<BatchAxis> {
    let unknown = |shape: &Shape<'_>| match &shape.dims[0] {
        Dim::Unknown => true,
        Dim::Symbolic(name) => is_generated(name),
        Dim::Fixed(_) => false,
    };
    let deciding = deciding(shapes);
    (!deciding.is_empty() && deciding.iter().all(|shape| unknown(shape))).then(|| BatchAxis {
        axes: shapes.iter().filter(|shape| unknown(shape)).map(|shape| (shape.name.to_owned(), 0)).collect(),
        symbol: None,
        fixed_size: None,
        reason: AxisReason::FirstUnknownDimension,
        proof: BatchProof::Untried,
    })
}

fn by_first_fixed(shapes: &[Shape<'_>], outputs: &[TensorInfo]) -> Option<BatchAxis> {
    let deciding: Vec<_> = shapes.iter().filter(|shape| shape.dims.len() > 1).collect();
    let first = |dims: &[Dim]| match dims.first() {
        Some(&Dim::Fixed(size)) => Some(size),
        _ => None,
    };
    let size = first(deciding.first()?.dims).filter(|&size| size > 0)?;
    let shared = deciding.iter().all(|shape| first(shape.dims) == Some(size));
    let mut known_outputs = outputs.iter().filter_map(shape).filter_map(|shape| first(shape.dims)).peekable();
    let in_outputs = known_outputs.peek().is_none() || known_outputs.any(|output| output == size);
    (shared && in_outputs).then(|| BatchAxis {
        axes: deciding.iter().map(|shape| (shape.name.to_owned(), 0)).collect(),
        symbol: None,
        fixed_size: Some(size),
        reason: AxisReason::FirstFixedDimension,
        proof: BatchProof::Untried,
    })
}

fn along_symbol(shapes: &[Shape<'_>], symbol: &str, reason: AxisReason) -> BatchAxis {
    let axis =
        |shape: &Shape<'_>| shape.dims.iter().position(|dim| matches!(dim, Dim::Symbolic(name) if name == symbol));
    BatchAxis {
        axes: shapes.iter().filter_map(|shape| Some((shape.name.to_owned(), axis(shape)? as u64))).collect(),
        symbol: Some(symbol.to_owned()),
        fixed_size: None,
        reason,
        proof: BatchProof::Untried,
    }
}

/// The symbols among dimensions, each once.
fn symbols(dims: &[Dim]) -> impl Iterator<Item = &str> {
    let mut seen = BTreeSet::new();
    dims.iter().filter_map(move |dim| match dim {
        Dim::Symbolic(name) if seen.insert(name.as_str()) => Some(name.as_str()),
        _ => None,
    })
}

/// Whether a symbol's name says batch; expressions such as `batch*heads` do not count.
fn is_batch_name(symbol: &str) -> bool {
    let name = symbol.to_lowercase();
    let expression = name.contains(['*', '+', '/', '(']) || name.contains(" - ");
    !expression && (name.contains("batch") || matches!(name.as_str(), "n" | "b" | "bs" | "bsz"))
}

/// Whether a converter made the name up for a dimension that it knew nothing of: each has another one.
fn is_generated(symbol: &str) -> bool {
    symbol == "?" || symbol == "None" || symbol.starts_with("unk__")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ElementType;

    fn info(name: &str, dims: &[Dim]) -> TensorInfo {
        let value_type = ValueType::Tensor { element_type: ElementType::Float, dims: Some(dims.to_vec()) };
        TensorInfo { name: name.to_owned(), value_type }
    }

    fn axis(inputs: &[(&str, &[Dim])], outputs: &[(&str, &[Dim])]) -> BatchAxis {
        let infos = |list: &[(&str, &[Dim])]| list.iter().map(|(name, dims)| info(name, dims)).collect();
        batch_axis(&Graph { inputs: infos(inputs), outputs: infos(outputs), ..Graph::default() })
    }

    fn symbol(name: &str) -> Dim {
        Dim::Symbolic(name.to_owned())
    }

    #[test]
    fn batch_symbol_is_found_on_any_axis() {
        let found = axis(
            &[("ids", &[symbol("batch_size"), symbol("seq")]), ("state", &[Dim::Fixed(2), symbol("batch_size")])],
            &[],
        );
        assert_eq!(found.reason, AxisReason::SymbolName);
        assert_eq!(found.symbol.as_deref(), Some("batch_size"));
        assert_eq!(found.axes, BTreeMap::from([("ids".to_owned(), 0), ("state".to_owned(), 1)]));
    }

    #[test]
    fn first_symbol_that_all_inputs_share_is_the_batch() {
        let found = axis(&[("a", &[symbol("rows"), Dim::Fixed(3)]), ("scale", &[Dim::Fixed(1)])], &[]);
        assert_eq!((found.reason, found.axes.len()), (AxisReason::FirstSymbolicDimension, 1));
    }

    #[test]
    fn first_symbol_of_one_input_alone_is_no_batch() {
        let found = axis(&[("boxes", &[symbol("K"), Dim::Fixed(4)]), ("image", &[Dim::Fixed(3), Dim::Fixed(9)])], &[]);
        assert_eq!(found.reason, AxisReason::NoAxis);
    }

    #[test]
    fn generated_names_count_as_unknown() {
        let found = axis(&[("a", &[symbol("unk__1"), Dim::Fixed(3)]), ("b", &[symbol("unk__2"), Dim::Fixed(3)])], &[]);
        assert_eq!((found.reason, found.axes.len()), (AxisReason::FirstUnknownDimension, 2));
    }

    #[test]
    fn fixed_first_dimension_counts_only_if_outputs_share_it() {
        let four_by_two: &[Dim] = &[Dim::Fixed(4), Dim::Fixed(2)];
        assert_eq!(axis(&[("x", four_by_two)], &[("y", four_by_two)]).fixed_size, Some(4));
        assert_eq!(axis(&[("x", four_by_two)], &[("y", &[Dim::Fixed(3)])]).reason, AxisReason::NoAxis);
    }

    #[test]
    fn scalars_have_no_batch_axis() {
        assert_eq!(axis(&[("x", &[])], &[]).reason, AxisReason::NoAxis);
    }
}
