//! Sizes of a model's values as expressions of the open dimensions of its inputs, and what
//! operators demand of those.
//!
//! Nothing here chooses a size. Read [`ShapeFacts`] first.

mod arithmetic;
mod content;
mod expr;
mod facts;
mod known;
mod nested;
mod ops;
mod order;
mod roles;
mod value;
mod varying;
mod walk;

pub use expr::Expr;
pub use facts::{Demand, DimRole, InputAxis, OpenDim, Relation, ShapeFacts};
pub use roles::is_sound;

use super::Graph;
use crate::record::{Dim, TensorInfo};

impl ShapeFacts {
    /// The facts of a graph.
    #[must_use]
    pub fn of(graph: &Graph) -> ShapeFacts {
        walk::facts(graph, open_dims(&graph.inputs))
    }
}

/// Axes of one input that are called the same where the name stands for any size: of two, both may
/// be alike.
const ANY_SIZE: usize = 3;

/// Whether a converter made the symbol up for a dimension that it knew nothing of: two of the same
/// name need not be alike.
fn is_generated(symbol: &str, dims: &[Dim]) -> bool {
    symbol == "?"
        || symbol == "None"
        || symbol.starts_with("unk__")
        || dims
            .iter()
            .filter(|dim| matches!(dim, Dim::Symbolic(name) if name == symbol))
            .count()
            >= ANY_SIZE
}

fn open_dims(inputs: &[TensorInfo]) -> Vec<OpenDim> {
    let mut found: Vec<OpenDim> = Vec::new();
    for info in inputs {
        let Some((_, Some(dims))) = info.value_type.as_tensor() else {
            continue;
        };
        for (axis, dim) in dims.iter().enumerate() {
            let name = match dim {
                Dim::Fixed(_) => continue,
                Dim::Symbolic(symbol) if !is_generated(symbol.exact(), dims) => {
                    symbol.exact().to_owned()
                }
                _ => format!("{}.{axis}", info.name.exact()),
            };
            let place = InputAxis {
                input: info.name.exact().to_owned(),
                axis,
            };
            match found.iter_mut().find(|known| known.name == name) {
                Some(known) => known.places.push(place),
                None => found.push(OpenDim {
                    name,
                    places: vec![place],
                    role: None,
                }),
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;
