//! Input tensors: read from data files, or synthesized so that every model can run on them.
//!
//! [`plan()`] decides in the parent process what is fed and why, from the model file and the heads
//! of data files; [`materialize`] and [`Dataset`] make tensors in the worker. Nothing here runs a
//! model. Read [`InputPlan`] first.

mod about;
mod argument;
mod array;
mod beside;
mod check;
mod classes;
mod column;
mod data;
mod dataset;
mod dims;
mod error;
mod fill;
mod find;
mod from_data;
mod labels;
mod narrow;
mod npy;
mod pair;
mod plan;
mod protobuf;
mod search;
mod sequence;
mod synthesize;
mod tensor;
mod values;
mod wanted;

#[cfg(test)]
mod tests;

pub use argument::{Argument, Form, Forms, Value, element_name, of_sequence};
pub use classes::ClassNames;
pub use data::fits;
pub use dataset::{Dataset, INPUT_SETS_LIMIT, InputSet, materialize};
pub use error::{InputError, Misfit, Result, RuntimeWords};
pub use find::{data_in, files_of};
pub use labels::{LabelFacts, Labels};
pub use pair::SamplePair;
pub use plan::{InputPlan, InputSource, plan};
pub use search::{Search, usual_shapes};
pub use tensor::{Tensor, TensorData};
pub use wanted::Channels;
