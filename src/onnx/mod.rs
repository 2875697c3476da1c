//! Reading a model file without a runtime: inputs, outputs, weights, operators, precision.
//!
//! Nothing here runs a model or judges whether a library can. Weights stay in the file: a model of
//! several gigabytes costs what its graph costs. Read [`Model`] first, which [`read()`] returns.

mod convert;
mod error;
mod functions;
mod graph;
mod image;
mod interface;
mod later;
mod ort_format;
mod precision;
mod quantization;
mod read;
mod room;
mod shapes;
mod skeleton;
mod summary;
#[cfg(test)]
pub(crate) mod testing;
mod weights;
mod wire;

pub use error::OnnxError;
pub use functions::inlined;
pub use graph::{
    Attribute, AttributeValue, ExternalRange, Function, Graph, Model, Node, StoredTensor,
};
pub use interface::interface;
pub use ort_format::is_ort_format;
pub use read::read;
pub use shapes::{Demand, DimRole, Expr, InputAxis, OpenDim, Relation, ShapeFacts, is_sound};
pub use summary::summary;
pub use weights::of_nodes as weights_of_nodes;

pub(crate) use convert::stored_type;
pub(crate) use later::for_parser;
pub(crate) use wire::{delimited, each_delimited, put_delimited};
